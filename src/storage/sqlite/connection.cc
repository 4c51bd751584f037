#include "storage/sqlite/connection.h"

#include <fmt/format.h>

#include <mutex>

#include "storage/sqlite/sealed_vfs.h"

namespace mydr24::sqlite {
namespace {

constexpr std::size_t made_statements_max = 256;
constexpr int busy_wait_ms = 2'000;  // somebody may look into the file with another tool
constexpr int savepoint_memory_max = 16 << 20;

Result<sqlite3_stmt*> compile(sqlite3* handle, std::string_view text) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle, text.data(), static_cast<int>(text.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                         nullptr) != SQLITE_OK) {
    Error error = error_of(handle);
    error.text += fmt::format(" (in: {})", text);
    return error;
  }
  return statement;
}

}  // namespace

void configure_library() {
  static std::once_flag once;
  std::call_once(once, [] {
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // a mutex per allocation, for a figure nobody reads
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, savepoint_memory_max);  // what a savepoint undoes stays in memory
    sqlite3_initialize();
  });
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(handle_));
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return data == nullptr ? std::string_view()
                         : std::string_view(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

Error error_of(sqlite3* handle) {
  const char* text = sqlite3_errmsg(handle);
  if (sqlite3_extended_errcode(handle) == SQLITE_IOERR_DATA) {
    return fail(Code::internal, fmt::format("the database is damaged ({}): restore a backup", last_page_fault()));
  }
  switch (sqlite3_extended_errcode(handle) & 0xff) {
    case SQLITE_FULL:
      return fail(Code::full, "the disk of the database is full: free some space, then repeat");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(Code::busy, fmt::format("another program holds the database: {}", text));
    case SQLITE_INTERRUPT:
      return fail(Code::too_costly, "the answer would have taken longer than one request may");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(Code::internal, fmt::format("the database is damaged ({}): restore a backup", text));
    default:
      return fail(Code::internal, fmt::format("database: {} (SQLite {})", text, sqlite3_extended_errcode(handle)));
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const DatabasePlace& place, Role role, std::size_t cache_bytes) {
  configure_library();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(place.file.c_str(), &handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, place.vfs);
  std::unique_ptr<Connection> connection(new Connection(handle));
  if (code != SQLITE_OK && sqlite3_extended_errcode(handle) == SQLITE_IOERR_DATA) return error_of(handle);
  if (code != SQLITE_OK)
    return fail(Code::internal, fmt::format("cannot open {}: {}", place.file, sqlite3_errstr(code)));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_wait_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_wal_autocheckpoint(handle, 0);
  if (role == Role::reader) sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  const auto pragmas = fmt::format(
      "PRAGMA cache_size = -{}; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;{}",
      cache_bytes / 1024, role == Role::reader ? " PRAGMA query_only = ON;" : "");
  MYDR24_TRY(connection->execute(pragmas.c_str()));
  return connection;
}

Connection::~Connection() {
  for (auto& [text, statement] : constants_) sqlite3_finalize(statement);
  for (auto& [text, statement] : made_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

Result<Statement> Connection::prepare(const char* constant) {
  auto& statement = constants_[constant];
  if (statement == nullptr) {
    auto compiled = compile(handle_, constant);
    if (!compiled) {
      constants_.erase(constant);
      return std::move(compiled).error();
    }
    statement = *compiled;
  }
  return Statement(statement);
}

Result<Statement> Connection::prepare(const std::string& text) {
  if (const auto found = made_.find(text); found != made_.end()) return Statement(found->second);
  if (made_.size() >= made_statements_max) {
    for (auto& [key, statement] : made_) sqlite3_finalize(statement);
    made_.clear();
  }
  MYDR24_ASSIGN(sqlite3_stmt* const statement, compile(handle_, text));
  made_.emplace(text, statement);
  return Statement(statement);
}

Result<> Connection::execute(const char* text) {
  if (sqlite3_exec(handle_, text, nullptr, nullptr, nullptr) != SQLITE_OK) return error_of(handle_);
  return {};
}

}  // namespace mydr24::sqlite
