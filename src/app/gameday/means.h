#pragma once

// What breaks a server from outside, as an ordinary user: a disk of its own that is filled, another process that holds its
// database, a thread of it that stands still. Each is undone by its destructor.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/core/result.h"

struct sqlite3;

namespace mydr24::gameday {

// Mounts an empty disk in memory on each folder, seen by this process and its children only (a mount namespace, for who is not
// root a user namespace too). While the process has one thread. Code::refused: this machine does not let it.
Result<> mount_small_disks(const std::vector<std::filesystem::path>& folders, std::size_t mib);
// Whoever still uses it keeps it until then.
void unmount_small_disk(const std::filesystem::path& folder);

// A file that takes all the room of its disk.
class Ballast {
 public:
  static Result<Ballast> fill(const std::filesystem::path& file);
  Ballast(Ballast&& other) noexcept : file_(std::exchange(other.file_, {})) {}
  Ballast& operator=(Ballast&& other) noexcept;
  ~Ballast() { remove(); }
  void remove();

 private:
  explicit Ballast(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
};

// Holds the write lock of an embedded store that another process serves: nothing can be written to it.
class StoreLock {
 public:
  // Code::busy: the lock could not be had.
  static Result<StoreLock> take(const std::filesystem::path& database);
  StoreLock(StoreLock&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  StoreLock& operator=(StoreLock&& other) noexcept;
  ~StoreLock() { release(); }
  void release();

 private:
  explicit StoreLock(sqlite3* handle) : handle_(handle) {}
  sqlite3* handle_ = nullptr;
};

// Stops one thread of a child process, by its name, as a disk that hangs would (ptrace); let go by the thread that made it.
class StoppedThread {
 public:
  // Code::not_found: there is no thread of that name; Code::refused: this machine does not let it.
  static Result<StoppedThread> stop(pid_t process, std::string_view name);
  StoppedThread(StoppedThread&& other) noexcept : thread_(std::exchange(other.thread_, -1)) {}
  StoppedThread& operator=(StoppedThread&& other) noexcept;
  ~StoppedThread() { let_go(); }
  void let_go();

 private:
  explicit StoppedThread(pid_t thread) : thread_(thread) {}
  pid_t thread_ = -1;
};

}  // namespace mydr24::gameday
