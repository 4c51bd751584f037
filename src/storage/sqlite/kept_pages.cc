#include "storage/sqlite/kept_pages.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "base/crypto/digest.h"
#include "storage/sqlite/sealed_vfs.h"

namespace mydr24::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t digest_bytes = 32;
constexpr std::size_t record_bytes = sizeof(PageNumber) + sealed_page_bytes;

Error file_error(const fs::path& file) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return fail(full ? Code::full : Code::internal,
              fmt::format("{}: {}", file.string(), std::generic_category().message(errno)), file.string());
}

class Handle {
 public:
  Handle(const fs::path& file, int flags) : file_(::open(file.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Handle() {
    if (file_ >= 0) ::close(file_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  int get() const { return file_; }
  explicit operator bool() const { return file_ >= 0; }

 private:
  int file_;
};

bool write_all(int file, const char* bytes, std::size_t size, off_t at) {
  while (size > 0) {
    const ssize_t put = ::pwrite(file, bytes, size, at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes += put;
    size -= static_cast<std::size_t>(put);
    at += put;
  }
  return true;
}

bool sync_folder(const fs::path& folder) {
  const Handle opened(folder.empty() ? fs::path(".") : folder, O_RDONLY | O_DIRECTORY);
  return opened && ::fsync(opened.get()) == 0;
}

}  // namespace

fs::path kept_pages_file(const fs::path& database) { return database.string() + "-resealing"; }

Result<> keep_pages(const fs::path& database, std::span<const KeptPage> pages) {
  const fs::path file = kept_pages_file(database);
  std::string bytes;
  bytes.reserve(digest_bytes + pages.size() * record_bytes);
  bytes.resize(digest_bytes);
  for (const KeptPage& page : pages) {
    bytes.append(reinterpret_cast<const char*>(&page.number), sizeof page.number);
    bytes.append(reinterpret_cast<const char*>(page.bytes.data()), page.bytes.size());
  }
  const auto digest = crypto::sha256(std::string_view(bytes).substr(digest_bytes));
  std::memcpy(bytes.data(), digest.data(), digest.size());
  std::error_code ignored;
  const bool is_new = !fs::exists(file, ignored);
  const Handle handle(file, O_WRONLY | O_CREAT | O_TRUNC);
  if (!handle || !write_all(handle.get(), bytes.data(), bytes.size(), 0) || ::fsync(handle.get()) != 0 ||
      (is_new && !sync_folder(file.parent_path())))
    return file_error(file);
  return {};
}

Result<std::vector<KeptPage>> read_kept_pages(const fs::path& database) {
  std::ifstream in(kept_pages_file(database), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<KeptPage> pages;
  if (bytes.size() < digest_bytes || (bytes.size() - digest_bytes) % record_bytes != 0) return pages;
  const std::string_view records = std::string_view(bytes).substr(digest_bytes);
  if (!bytes.starts_with(crypto::bytes_of(crypto::sha256(records)))) return pages;
  for (std::size_t at = 0; at < records.size(); at += record_bytes) {
    KeptPage& page = pages.emplace_back();
    std::memcpy(&page.number, records.data() + at, sizeof page.number);
    std::memcpy(page.bytes.data(), records.data() + at + sizeof page.number, sealed_page_bytes);
  }
  return pages;
}

Result<> forget_pages(const fs::path& database) {
  const fs::path file = kept_pages_file(database);
  if (::truncate(file.c_str(), 0) != 0 && errno != ENOENT) return file_error(file);
  return {};
}

Result<> put_back_pages(const fs::path& database, const keyring::Keyring& keys) {
  MYDR24_ASSIGN(const auto pages, read_kept_pages(database));
  if (pages.empty()) return {};
  const Handle handle(database, O_RDWR);
  if (!handle) return file_error(database);
  PageSealer sealer(keys);
  for (const KeptPage& kept : pages) {
    const off_t at = static_cast<off_t>(kept.number - 1) * static_cast<off_t>(sealed_page_bytes);
    Page page;
    const bool whole = ::pread(handle.get(), page.data(), page.size(), at) == static_cast<ssize_t>(page.size());
    if (whole && sealer.open(kept.number, page.data())) continue;
    Page before = kept.bytes;
    if (!sealer.open(kept.number, before.data())) continue;  // the page itself tells what is wrong when it is read
    if (!write_all(handle.get(), reinterpret_cast<const char*>(kept.bytes.data()), kept.bytes.size(), at))
      return file_error(database);
  }
  if (::fsync(handle.get()) != 0) return file_error(database);
  return forget_pages(database);
}

}  // namespace mydr24::sqlite
