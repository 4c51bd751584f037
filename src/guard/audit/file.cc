#include "guard/audit/detail/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mydr24::audit {

namespace fs = std::filesystem;

Error file_error(int error_number, std::string_view what, const fs::path& file) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  return fail(full ? Code::full : Code::internal,
              fmt::format("{}: {}", what, std::generic_category().message(error_number)), file.string());
}

Result<std::shared_ptr<File>> File::open(const fs::path& path) {
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0 && errno == ENOENT) return fail(Code::not_found, "is not there", path.string());
  if (handle < 0) return file_error(errno, "cannot be opened", path);
  return std::shared_ptr<File>(new File(handle, path));
}

Result<std::shared_ptr<File>> File::append_to(const fs::path& path) {
  const int handle = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) return file_error(errno, "cannot be opened for writing", path);
  return std::shared_ptr<File>(new File(handle, path));
}

File::~File() { ::close(handle_); }

Result<std::size_t> File::size() const {
  struct stat about{};
  if (::fstat(handle_, &about) != 0) return file_error(errno, "cannot be measured", path_);
  return static_cast<std::size_t>(about.st_size);
}

Result<> File::read(std::size_t offset, std::size_t size, std::string& to) const {
  to.resize(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(handle_, to.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(errno, "cannot be read", path_);
    if (got == 0) return fail(Code::invalid, "is shorter than it was", path_.string());
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<> File::write(std::string_view bytes, std::size_t size_before) const {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(handle_, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const Error error = file_error(put < 0 ? errno : ENOSPC, "cannot be written", path_);
      if (done > 0) MYDR24_TRY(truncate(size_before));
      return error;
    }
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Result<> File::truncate(std::size_t size) const {
  if (::ftruncate(handle_, static_cast<off_t>(size)) != 0) return file_error(errno, "cannot be cut", path_);
  return {};
}

Result<> File::sync() const {
  if (::fsync(handle_) != 0) return file_error(errno, "cannot be synced", path_);
  return {};
}

bool File::lock() const { return ::flock(handle_, LOCK_EX | LOCK_NB) == 0; }

Result<> sync_folder(const fs::path& folder) {
  MYDR24_ASSIGN(const auto opened, File::open(folder));
  return opened->sync();
}

Result<std::string> read_whole(const fs::path& path, std::size_t bytes_max) {
  MYDR24_ASSIGN(const auto file, File::open(path));
  MYDR24_ASSIGN(const std::size_t size, file->size());
  if (size > bytes_max) return fail(Code::too_large, "is larger than such a file may be", path.string());
  std::string content;
  MYDR24_TRY(file->read(0, size, content));
  return content;
}

Result<> write_whole(const fs::path& path, std::string_view bytes, mode_t mode) {
  const fs::path part = path.string() + ".tmp";
  std::error_code ignored;
  fs::remove(part, ignored);
  {
    MYDR24_ASSIGN(const auto file, File::append_to(part));
    if (::chmod(part.c_str(), mode) != 0) return file_error(errno, "cannot be given its mode", part);
    MYDR24_TRY(file->write(bytes, 0));
    MYDR24_TRY(file->sync());
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return file_error(errno, "cannot be renamed", part);
  return sync_folder(path.parent_path().empty() ? fs::path(".") : path.parent_path());
}

}  // namespace mydr24::audit
