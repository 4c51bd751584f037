#pragma once

// Files of the trail: plain POSIX, because what is promised is what write(2), mmap(2) and fsync(2) promise. Private to
// guard/audit.

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::audit {

// Code::full when the disk or a quota has no room or the file may not grow, else Code::internal.
Error file_error(int error_number, std::string_view what, const std::filesystem::path& file);

class File {
 public:
  // Reading; Code::not_found when it is not there.
  static Result<std::shared_ptr<File>> open(const std::filesystem::path& path);
  // Appending; made with mode 0600 when it is not there.
  static Result<std::shared_ptr<File>> append_to(const std::filesystem::path& path);
  // For add(); made with mode 0600 when it is not there.
  static Result<std::shared_ptr<File>> add_to(const std::filesystem::path& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Result<std::size_t> size() const;
  // Exactly `size` bytes from `offset`; Code::invalid when the file is shorter.
  Result<> read(std::size_t offset, std::size_t size, std::string& to) const;
  // All of it or nothing: what was written in part is taken back to `size_before`.
  Result<> write(std::string_view bytes, std::size_t size_before);
  // One line, with its newline, where the content ends (add_to). All of it or nothing, for readers too: what is being
  // added begins with a NUL, which no line does. It goes through mapped memory, a system call for every line would cost
  // more than the line; after the content the file has room, of NULs. Not beside another add() or truncate().
  Result<> add(std::string_view line, std::size_t content_bytes);
  Result<> truncate(std::size_t size);
  // Where the lines end: before the room, and before a line that is being added. Reads from the end.
  Result<std::size_t> content_size() const;
  Result<> sync() const;
  // Whether this process now holds the file alone (flock).
  bool lock() const;
  const std::filesystem::path& path() const { return path_; }

 private:
  File(int handle, std::filesystem::path path) : handle_(handle), path_(std::move(path)) {}
  Result<> make_room(std::size_t content_bytes, std::size_t line_bytes);
  void unmap();

  int handle_;
  std::filesystem::path path_;
  char* room_ = nullptr;                         // mapped
  std::size_t room_begin_ = 0, room_bytes_ = 0;  // in the file
};

// A name that was made or removed in the folder is on disk.
Result<> sync_folder(const std::filesystem::path& folder);
// Code::too_large above `bytes_max`.
Result<std::string> read_whole(const std::filesystem::path& path, std::size_t bytes_max);
// The old content or the new, whatever happens; on disk when it returns.
Result<> write_whole(const std::filesystem::path& path, std::string_view bytes, mode_t mode);

}  // namespace mydr24::audit
