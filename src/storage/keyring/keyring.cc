#include "storage/keyring/keyring.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <ranges>
#include <system_error>
#include <utility>

#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/seal.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::keyring {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view schema = "mydr24.keys.v1";
constexpr std::size_t key_file_bytes_max = 4'096;
constexpr std::size_t keyring_bytes_max = std::size_t{1} << 20;
constexpr std::size_t kek_id_digits = 16;

class Handle {
 public:
  explicit Handle(int file) : file_(file) {}
  Handle(Handle&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (file_ >= 0) ::close(file_);
  }
  int get() const { return file_; }
  explicit operator bool() const { return file_ >= 0; }

 private:
  int file_;
};

Error system_error(std::string_view what, const fs::path& file) {
  return fail(errno == ENOSPC || errno == EDQUOT ? Code::full : Code::internal,
              fmt::format("{}: {}", what, std::generic_category().message(errno)), file.string());
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

Result<std::string> read_all(int file, std::size_t bytes_max, const fs::path& path) {
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("cannot be read", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max) return fail(Code::invalid, "is larger than such a file can be", path.string());
  text.resize(size);
  return text;
}

Result<> write_all(int file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(file, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return system_error("cannot be written", path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(file) != 0) return system_error("cannot be synced", path);
  return {};
}

// `file` has this text, on disk; with `replace` whatever it held before, else Code::conflict when it was there.
Result<> put_file(const fs::path& file, std::string_view text, bool replace) {
  const fs::path part = file.string() + fmt::format(".{}.part", ::getpid());
  ::unlink(part.c_str());
  auto done = [&]() -> Result<> {
    const Handle handle(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!handle) return system_error("cannot be made", part);
    return write_all(handle.get(), text, part);
  }();
  if (done && replace && ::rename(part.c_str(), file.c_str()) != 0) done = system_error("cannot be replaced", file);
  // link() refuses to replace; rename() would not.
  if (done && !replace && ::link(part.c_str(), file.c_str()) != 0)
    done = errno == EEXIST ? fail(Code::conflict, "is there already: keys are never replaced", file.string())
                           : system_error("cannot be made", file);
  ::unlink(part.c_str());
  MYDR24_TRY(done);
  const Handle folder(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return system_error("cannot be synced", folder_of(file));
  return {};
}

Result<std::string> read_keyring(const fs::path& file) {
  const Handle handle(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!handle && errno == ENOENT) {
    return fail(
        Code::not_found,
        "is not there: without it what was sealed cannot be opened; put back the copy that a backup has beside it",
        file.string());
  }
  if (!handle) return system_error("cannot be opened", file);
  return read_all(handle.get(), keyring_bytes_max, file);
}

std::optional<std::string> unhex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, problem] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (problem != std::errc{} || end != text.data() + i + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// Names a key-encryption key without telling anything of it.
std::string id_of(std::string_view kek) {
  return crypto::hmac_sha256_hex(kek, "mydr24 key-encryption key").substr(0, kek_id_digits);
}

std::string context_of(std::string_view id, Generation generation) {
  return fmt::format("mydr24 data key {} {}", id, generation);
}

}  // namespace

Result<std::string> read_key_file(const fs::path& key_file) {
  const Handle handle(::open(key_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!handle && errno == ENOENT) {
    return fail(Code::not_found, "the key file is not there: see encryption.key_file", key_file.string());
  }
  if (!handle) return system_error("the key file cannot be opened", key_file);
  struct stat facts{};
  if (::fstat(handle.get(), &facts) != 0) return system_error("the key file cannot be looked at", key_file);
  if ((facts.st_mode & 077U) != 0) {
    return fail(Code::refused,
                fmt::format("others than its owner may use the key file: chmod 600 {}", key_file.string()),
                key_file.string());
  }
  MYDR24_ASSIGN(const std::string content, read_all(handle.get(), key_file_bytes_max, key_file));
  std::string_view text = content;
  while (!text.empty() && std::string_view(" \t\r\n").contains(text.back())) text.remove_suffix(1);
  std::optional<std::string> key;
  if (text.size() == 2 * crypto::seal_key_bytes) key = unhex(text);
  if (!key) key = crypto::base64_decode(text);
  if (!key || key->size() != crypto::seal_key_bytes) {
    return fail(Code::invalid,
                "holds no key: 32 random bytes as 64 hexadecimal digits or base64 (openssl rand -hex 32)",
                key_file.string());
  }
  return *key;
}

Result<std::shared_ptr<Keyring>> Keyring::create(const fs::path& file, const fs::path& key_file, Instant now) {
  MYDR24_ASSIGN(std::string kek, read_key_file(key_file));
  std::shared_ptr<Keyring> ring(new Keyring(file));
  ring->id_ = make_uuid7(now);
  std::map<Generation, DataKey> keys;
  keys.emplace(1, DataKey{now, crypto::random_bytes(crypto::seal_key_bytes)});
  MYDR24_ASSIGN(ring->text_, ring->print(kek, keys));
  MYDR24_TRY(put_file(file, ring->text_, false));
  ring->kek_ = std::move(kek);
  ring->keys_ = std::move(keys);
  ring->newest_ = 1;
  return ring;
}

Result<std::shared_ptr<Keyring>> Keyring::open(const fs::path& file, const fs::path& key_file) {
  MYDR24_ASSIGN(std::string kek, read_key_file(key_file));
  MYDR24_ASSIGN(const std::string text, read_keyring(file));
  std::shared_ptr<Keyring> ring(new Keyring(file));
  ring->kek_ = std::move(kek);
  auto taken = ring->take(text);
  if (taken) return ring;
  Error error = std::move(taken).error();
  if (error.code == Code::refused) error.text += fmt::format(" (key file {})", key_file.string());
  return error;
}

Result<> Keyring::take(std::string_view text) {
  const Error changed =
      fail(Code::invalid, "was changed or is damaged: put back the copy that a backup has beside it", file_.string());
  const auto document = json::Document::parse_view(text);
  if (!document || document->root()["schema"].text() != schema) return changed;
  const json::Value root = document->root();
  if (root["wrapped_by"].text() != id_of(kek_)) {
    return fail(
        Code::refused,
        fmt::format("its keys are wrapped by the key-encryption key {}, the key given is {}: name the right file "
                    "in encryption.key_file",
                    root["wrapped_by"].text(), id_of(kek_)),
        file_.string());
  }
  const std::string id(root["id"].text());
  std::map<Generation, DataKey> keys;
  for (const json::Value one : root["keys"]) {
    const std::string_view number = one["generation"].text();
    Generation generation = 0;
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), generation);
    const auto made = parse_date_time(one["made"].text());
    const auto sealed = crypto::base64_decode(one["key"].text());
    if (problem != std::errc{} || end != number.data() + number.size() || generation == 0 || !made || !sealed)
      return changed;
    auto key = crypto::open_sealed(kek_, *sealed, context_of(id, generation));
    if (!key || key->size() != crypto::seal_key_bytes) return changed;
    if (!keys.emplace(generation, DataKey{made->low, std::move(*key)}).second) return changed;
  }
  if (keys.empty() || keys.size() > generations_max) return changed;
  id_ = id;
  text_ = text;
  keys_ = std::move(keys);
  newest_.store(keys_.rbegin()->first, std::memory_order_release);
  return {};
}

Keyring::Stamp Keyring::stamp_of(const fs::path& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return {};
  constexpr std::int64_t ns_per_s = 1'000'000'000;
  return {.inode = facts.st_ino,
          .size = static_cast<std::uint64_t>(facts.st_size),
          .changed_ns = facts.st_mtim.tv_sec * ns_per_s + facts.st_mtim.tv_nsec};
}

Result<bool> Keyring::refresh() {
  const std::scoped_lock lock(mutex_);
  const Stamp stamp = stamp_of(file_);
  if (stamp == stamp_) return false;
  stamp_ = stamp;  // what is wrong is told once
  MYDR24_ASSIGN(const std::string text, read_keyring(file_));
  if (text == text_) return false;
  MYDR24_TRY(take(text));
  return true;
}

Result<std::string> Keyring::print(std::string_view kek, const std::map<Generation, DataKey>& keys) const {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("schema", schema).field("id", id_).field("wrapped_by", id_of(kek));
  writer.key("keys").begin_array();
  for (const auto& [generation, key] : keys) {
    writer.begin_object().field("generation", generation).field("made", format_instant(key.made));
    writer.field("key", crypto::base64(crypto::seal(kek, key.bytes, context_of(id_, generation)))).end_object();
  }
  writer.end_array().end_object();
  text += '\n';
  return text;
}

Result<> Keyring::replace(std::string_view kek, std::map<Generation, DataKey> keys) {
  // Two processes that change the keys at once must not lose one: the folder is held meanwhile.
  const Handle folder(::open(folder_of(file_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::flock(folder.get(), LOCK_EX) != 0) return system_error("cannot be locked", folder_of(file_));
  MYDR24_ASSIGN(const std::string there, read_keyring(file_));
  if (there != text_) {
    return fail(Code::conflict,
                "was changed by another process: restart this one, with the key file that wraps its keys now",
                file_.string());
  }
  MYDR24_ASSIGN(std::string text, print(kek, keys));
  MYDR24_TRY(put_file(file_, text, true));
  text_ = std::move(text);
  kek_ = kek;
  keys_ = std::move(keys);
  newest_.store(keys_.rbegin()->first, std::memory_order_release);
  return {};
}

Result<std::string> Keyring::key(Generation generation) const {
  const std::scoped_lock lock(mutex_);
  const auto found = keys_.find(generation);
  if (found == keys_.end()) {
    return fail(Code::not_found, fmt::format("has no key of generation {}", generation), file_.string());
  }
  return found->second.bytes;
}

Generation Keyring::oldest() const {
  const std::scoped_lock lock(mutex_);
  return keys_.begin()->first;
}

std::vector<KeyInfo> Keyring::keys() const {
  const std::scoped_lock lock(mutex_);
  std::vector<KeyInfo> infos;
  for (const auto& [generation, key] : keys_) infos.push_back({generation, key.made});
  return infos;
}

Result<Generation> Keyring::rotate(Instant now) {
  const std::scoped_lock lock(mutex_);
  if (keys_.size() >= generations_max) {
    return fail(Code::too_large,
                fmt::format("holds {} generations already: wait until older ones are out of use", generations_max),
                file_.string());
  }
  auto keys = keys_;
  const Generation next = keys.rbegin()->first + 1;
  keys.emplace(next, DataKey{now, crypto::random_bytes(crypto::seal_key_bytes)});
  MYDR24_TRY(replace(std::string(kek_), std::move(keys)));
  return next;
}

Result<> Keyring::forget_below(Generation generation) {
  const std::scoped_lock lock(mutex_);
  auto keys = keys_;
  keys.erase(keys.begin(), keys.lower_bound(std::min(generation, keys.rbegin()->first)));
  if (keys.size() == keys_.size()) return {};
  return replace(std::string(kek_), std::move(keys));
}

Result<> Keyring::rewrap(const fs::path& new_key_file) {
  MYDR24_ASSIGN(const std::string kek, read_key_file(new_key_file));
  const std::scoped_lock lock(mutex_);
  return replace(kek, keys_);
}

Result<> Keyring::copy_to(const fs::path& file) const {
  const std::scoped_lock lock(mutex_);
  return put_file(file, text_, false);
}

}  // namespace mydr24::keyring
