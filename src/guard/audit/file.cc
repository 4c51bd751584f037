#include "guard/audit/detail/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace mydr24::audit {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t room_bytes_max = std::size_t{1} << 20;
constexpr std::size_t window_bytes = std::size_t{64} << 10;

bool is_full(int error_number) { return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG; }

}  // namespace

Error file_error(int error_number, std::string_view what, const fs::path& file) {
  return fail(is_full(error_number) ? Code::full : Code::internal,
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

Result<std::shared_ptr<File>> File::add_to(const fs::path& path) {
  const int handle = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (handle < 0) return file_error(errno, "cannot be opened for writing", path);
  return std::shared_ptr<File>(new File(handle, path));
}

File::~File() {
  unmap();
  ::close(handle_);
}

void File::unmap() {
  if (room_ != nullptr) ::munmap(room_, room_bytes_);
  room_ = nullptr;
  room_bytes_ = 0;
}

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

// On the disk before it is mapped: writing to a page that has no place there would end the process.
Result<> File::make_room(std::size_t content_bytes, std::size_t line_bytes) {
  unmap();
  const std::size_t begin = content_bytes / page_bytes * page_bytes;
  const std::size_t needed = content_bytes + line_bytes - begin;
  std::size_t bytes = (std::max(room_bytes_max, needed) + page_bytes - 1) / page_bytes * page_bytes;
  // Of a disk that is nearly full, as much as there is.
  while (true) {
    const int error = ::posix_fallocate(handle_, static_cast<off_t>(begin), static_cast<off_t>(bytes));
    if (error == 0) break;
    if (error == EINTR) continue;
    const std::size_t less = bytes / 2 / page_bytes * page_bytes;
    if (!is_full(error) || less < needed) return file_error(error, "cannot be written", path_);
    bytes = less;
  }
  void* const room = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, handle_, static_cast<off_t>(begin));
  if (room == MAP_FAILED) return file_error(errno, "cannot be mapped", path_);
  room_ = static_cast<char*>(room);
  room_begin_ = begin;
  room_bytes_ = bytes;
  return {};
}

Result<> File::add(std::string_view line, std::size_t content_bytes) {
  if (content_bytes < room_begin_ || content_bytes + line.size() > room_begin_ + room_bytes_)
    MYDR24_TRY(make_room(content_bytes, line.size()));
  char* const to = room_ + (content_bytes - room_begin_);
  std::memcpy(to + 1, line.data() + 1, line.size() - 1);
  std::atomic_ref(*to).store(line.front(), std::memory_order_release);
  return {};
}

Result<std::size_t> File::content_size() const {
  MYDR24_ASSIGN(std::size_t end, size());
  std::string window;
  for (std::size_t begin = end; end > 0 && begin == end;) {
    begin = end - std::min(end, window_bytes);
    MYDR24_TRY(read(begin, end - begin, window));
    const auto last = window.find_last_not_of('\0');
    end = begin + (last == std::string::npos ? 0 : last + 1);
  }
  // The last line, with its newline or being added.
  std::size_t line = end == 0 ? 0 : end - 1;
  for (bool found = line == 0; !found;) {
    const std::size_t begin = line - std::min(line, window_bytes);
    MYDR24_TRY(read(begin, line - begin, window));
    const auto newline = window.rfind('\n');
    found = newline != std::string::npos || begin == 0;
    line = newline != std::string::npos ? begin + newline + 1 : begin;
  }
  if (line >= end) return end;
  MYDR24_TRY(read(line, 1, window));
  return window.front() == '\0' ? line : end;
}

Result<> File::write(std::string_view bytes, std::size_t size_before) {
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

Result<> File::truncate(std::size_t size) {
  unmap();
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
