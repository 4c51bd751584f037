#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/sqlite/maintenance.h"

namespace mydr24::sqlite {
namespace {

constexpr int pages_per_step = 1'024;

Result<> sync(const std::filesystem::path& path, int flags) {
  const int file = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!synced) return fail(Code::internal, fmt::format("cannot sync {}: {}", path.string(), std::strerror(error)));
  return {};
}

Result<> copy_pages(Connection& source, const std::filesystem::path& to, const char* vfs) {
  sqlite3* target = nullptr;
  if (sqlite3_open_v2(to.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs) !=
      SQLITE_OK) {
    sqlite3_close(target);
    return fail(Code::internal, fmt::format("cannot write {}", to.string()));
  }
  (void)sqlite3_exec(target, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", nullptr, nullptr,
                     nullptr);  // synced as a whole
  sqlite3_backup* const backup = sqlite3_backup_init(target, "main", source.handle(), "main");
  int code = backup == nullptr ? SQLITE_ERROR : SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, pages_per_step);
  if (backup != nullptr) sqlite3_backup_finish(backup);
  Result<> outcome;
  if (code != SQLITE_DONE) {
    outcome = (code & 0xff) == SQLITE_FULL
                  ? fail(Code::full, fmt::format("the disk is full: no room for {}", to.string()))
                  : fail(Code::internal, fmt::format("backup to {}: {}", to.string(), sqlite3_errstr(code)));
  }
  sqlite3_close(target);
  return outcome;
}

}  // namespace

Result<> copy_database(const DatabasePlace& place, const std::filesystem::path& to) {
  std::error_code error;
  if (std::filesystem::exists(to, error)) {
    return fail(Code::conflict, fmt::format("{} is there already: a backup never replaces a file", to.string()));
  }
  const auto folder = to.has_parent_path() ? to.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::is_directory(folder, error)) {
    return fail(Code::not_found, fmt::format("there is no folder {}", folder.string()));
  }
  auto part = to;
  part += fmt::format(".{}.part", getpid());
  std::filesystem::remove(part, error);  // of a process that died; its number was ours

  MYDR24_ASSIGN(const auto source, Connection::open(place, Connection::Role::reader, std::size_t{1} << 20));
  // One snapshot for the whole copy: writers go on, and the copy never has to begin anew because of them.
  MYDR24_TRY(source->run("BEGIN DEFERRED"));
  MYDR24_TRY(source->number("SELECT count(*) FROM sqlite_schema", 0));
  auto outcome = copy_pages(*source, part, place.vfs);
  if (outcome) outcome = sync(part, O_RDONLY);
  // link() refuses to replace what somebody else made meanwhile; rename() would not.
  if (outcome && ::link(part.c_str(), to.c_str()) != 0) {
    outcome = fail(errno == EEXIST ? Code::conflict : Code::internal,
                   fmt::format("cannot name the backup {}: {}", to.string(), std::strerror(errno)));
  }
  std::filesystem::remove(part, error);
  if (outcome) outcome = sync(folder, O_RDONLY | O_DIRECTORY);
  return outcome;
}

}  // namespace mydr24::sqlite
