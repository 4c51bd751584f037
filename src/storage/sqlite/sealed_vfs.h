#pragma once

// SQLite's file layer for an encrypted store: the system's own ("unix"), with every page sealed on its way to the disk and
// checked on its way back (sealed_page.h). Private to storage/sqlite.
//
// Invariants
// - Of a database only two files are ever written: itself and its write-ahead log. Whatever else SQLite may want to put on
//   the disk (rollback journals, temporary files) is refused, so that a plain page never is.
// - A page that is not what was sealed is a failed read (SQLITE_IOERR_DATA), never data. In recovery alone, a frame of the
//   log that cannot be opened is the end of the log, as a torn one always was.
// - No page of the database file is a hole: what is left out when the file grows is written as a sealed page of zeros.

#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/core/result.h"
#include "storage/keyring/keyring.h"

namespace mydr24::sqlite {

// For connections that are closed before it ends. The keys are shared with them.
class SealedVfs {
 public:
  static Result<std::unique_ptr<SealedVfs>> make(std::shared_ptr<const keyring::Keyring> keys);
  ~SealedVfs();
  SealedVfs(const SealedVfs&) = delete;
  SealedVfs& operator=(const SealedVfs&) = delete;

  // For sqlite3_open_v2().
  const char* name() const { return name_.c_str(); }

 private:
  explicit SealedVfs(std::shared_ptr<const keyring::Keyring> keys) : keys_(std::move(keys)) {}

  std::shared_ptr<const keyring::Keyring> keys_;
  std::string name_;
  sqlite3_vfs vfs_{};
};

// What a file is, by its first bytes.
enum class FileKind : std::uint8_t { none, plain, sealed, other };  // none: not there, or empty
FileKind kind_of(const std::filesystem::path& file);

// What was wrong with the page that this thread could not read or write last.
const std::string& last_page_fault();

}  // namespace mydr24::sqlite
