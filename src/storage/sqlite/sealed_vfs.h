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

  // Seals pages of the database of `connection` that a generation below this one sealed anew: of `pages_max` pages from
  // `first` on. Before a page is written where it stands, the old ones are kept in a file beside the database, which
  // put_back_pages() reads: a page that a crash tears is not lost. Only by the thread that writes and checkpoints; reads
  // may go on meanwhile.
  struct Resealed {
    std::uint32_t next = 0;  // where to go on; 0: the end
    std::size_t pages = 0;   // that were sealed anew
  };
  static Result<Resealed> reseal(sqlite3* connection, std::uint32_t first, std::size_t pages_max,
                                 keyring::Generation below);

  // For sqlite3_open_v2().
  const char* name() const { return name_.c_str(); }

 private:
  explicit SealedVfs(std::shared_ptr<const keyring::Keyring> keys) : keys_(std::move(keys)) {}

  std::shared_ptr<const keyring::Keyring> keys_;
  std::string name_;
  sqlite3_vfs vfs_{};
};

// Before a database is opened: pages that a reseal() was killed at.
Result<> put_back_pages(const std::filesystem::path& database, const keyring::Keyring& keys);

// What a file is, by its first bytes.
enum class FileKind : std::uint8_t { none, plain, sealed, other };  // none: not there, or empty
FileKind kind_of(const std::filesystem::path& file);

// What was wrong with the page that this thread could not read or write last.
const std::string& last_page_fault();

}  // namespace mydr24::sqlite
