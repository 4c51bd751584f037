#include "app/gameday/means.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace mydr24::gameday {
namespace {

namespace fs = std::filesystem;

constexpr int lock_wait_ms = 5'000;

Error refused(std::string_view what) { return fail(Code::refused, fmt::format("{}: {}", what, std::strerror(errno))); }

bool write_file(const char* file, const std::string& text) {
  const int out = ::open(file, O_WRONLY | O_CLOEXEC);
  if (out < 0) return false;
  const bool done = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(out);
  return done;
}

// A mount namespace of our own; who may not have one gets it inside a user namespace in which ids stay as they are.
Result<> leave_mounts() {
  if (::unshare(CLONE_NEWNS) == 0) return {};
  const auto user = ::geteuid();
  const auto group = ::getegid();
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return refused("no mount namespace");
  const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                      write_file("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) &&
                      write_file("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
  return mapped ? Result<>() : refused("no user namespace");
}

}  // namespace

Result<> mount_small_disks(const std::vector<fs::path>& folders, std::size_t mib) {
  MYDR24_TRY(leave_mounts());
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("mounts cannot be made private");
  for (const fs::path& folder : folders)
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, fmt::format("size={}m,mode=0700", mib).c_str()) != 0)
      return refused("no disk in memory");
  return {};
}

void unmount_small_disk(const fs::path& folder) { ::umount2(folder.c_str(), MNT_DETACH); }

// ---- a full disk

Result<Ballast> Ballast::fill(const fs::path& file) {
  const int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return fail(Code::internal, fmt::format("{} cannot be made", file.string()));
  Ballast ballast(file);
  // In pieces that get smaller, until not a page is left.
  const std::vector<char> piece(1U << 20U, 'x');
  for (std::size_t size = piece.size(); size >= 4096;)
    if (::write(out, piece.data(), size) <= 0) size /= 2;
  ::close(out);
  return ballast;
}

Ballast& Ballast::operator=(Ballast&& other) noexcept {
  if (this == &other) return *this;
  remove();
  file_ = std::exchange(other.file_, {});
  return *this;
}

void Ballast::remove() {
  if (file_.empty()) return;
  std::error_code ignored;
  fs::remove(std::exchange(file_, {}), ignored);
}

// ---- a database that somebody else holds

Result<StoreLock> StoreLock::take(const fs::path& database) {
  sqlite3* handle = nullptr;
  const int opened = sqlite3_open_v2(database.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  StoreLock lock(handle);
  if (opened != SQLITE_OK) return fail(Code::internal, fmt::format("{} cannot be opened", database.string()));
  sqlite3_busy_timeout(handle, lock_wait_ms);
  if (sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(Code::busy,
                fmt::format("the lock of {} could not be had: {}", database.string(), sqlite3_errmsg(handle)));
  return lock;
}

StoreLock& StoreLock::operator=(StoreLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  handle_ = std::exchange(other.handle_, nullptr);
  return *this;
}

void StoreLock::release() {
  sqlite3* const handle = std::exchange(handle_, nullptr);
  if (handle == nullptr) return;
  sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_close_v2(handle);
}

// ---- a thread that stands still

Result<StoppedThread> StoppedThread::stop(pid_t process, std::string_view name) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    std::ifstream in(entry.path() / "comm");
    std::string found;
    std::getline(in, found);
    if (found != name) continue;
    const pid_t thread = std::stoi(entry.path().filename().string());
    if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) return refused("a thread cannot be stopped");
    StoppedThread stopped(thread);
    if (::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0) return refused("a thread cannot be stopped");
    int status = 0;
    if (::waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) return refused("a thread did not stop");
    return stopped;
  }
  return fail(Code::not_found, fmt::format("process {} has no thread \"{}\"", process, name));
}

StoppedThread& StoppedThread::operator=(StoppedThread&& other) noexcept {
  if (this == &other) return *this;
  let_go();
  thread_ = std::exchange(other.thread_, -1);
  return *this;
}

void StoppedThread::let_go() {
  const pid_t thread = std::exchange(thread_, -1);
  if (thread >= 0) ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
}

}  // namespace mydr24::gameday
