#pragma once

// One SQLite connection with its prepared statements. Private to storage/sqlite.
//
// Invariant: a Statement is leased from its Connection's cache, and is reset when the lease ends; the same text is
// never leased twice at a time. A Connection is used by one thread at a time.

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/core/result.h"

namespace mydr24::sqlite {

// Settings of the library as a whole, which it takes only before its first use. Done by Connection::open, too.
void configure_library();

// Where a database is, and the file layer it is opened with (sealed_vfs.h); null: the system's own.
struct DatabasePlace {
  std::string file;
  const char* vfs = nullptr;
};

// Bytes, to be bound as a BLOB rather than as text.
struct Blob {
  std::string_view bytes;
};
struct Null {};

class Statement {
 public:
  explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
  Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Statement() {
    if (handle_ != nullptr) sqlite3_reset(handle_);
  }

  // Positions count from 1. Text and bytes are not copied: they must stay until the lease ends.
  void bind(int at, std::int64_t value) { sqlite3_bind_int64(handle_, at, value); }
  void bind(int at, double value) { sqlite3_bind_double(handle_, at, value); }
  void bind(int at, std::string_view text) {
    sqlite3_bind_text(handle_, at, text.data() == nullptr ? "" : text.data(), static_cast<int>(text.size()),
                      SQLITE_STATIC);
  }
  void bind(int at, Blob blob) {
    sqlite3_bind_blob(handle_, at, blob.bytes.data() == nullptr ? "" : blob.bytes.data(),
                      static_cast<int>(blob.bytes.size()), SQLITE_STATIC);
  }
  void bind(int at, Null) { sqlite3_bind_null(handle_, at); }

  // True: there is a row. False: done.
  Result<bool> step();

  // Columns count from 0. Views are good until the next step.
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  double real(int column) const { return sqlite3_column_double(handle_, column); }
  std::string_view text(int column) const;
  int columns() const { return sqlite3_column_count(handle_); }
  int type(int column) const { return sqlite3_column_type(handle_, column); }
  std::string_view blob(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }

 private:
  sqlite3_stmt* handle_;
};

// What SQLite says is wrong, as an Error: a full disk and a lock are Code::busy, a read that was stopped is
// Code::too_costly, everything else Code::internal.
Error error_of(sqlite3* handle);

class Connection {
 public:
  // What a connection may do. The writer is the only one that writes and checkpoints: two that do both at once can
  // damage the file (SQLite up to 3.51.2, WAL-reset fault).
  enum class Role { writer, reader };

  static Result<std::unique_ptr<Connection>> open(const DatabasePlace& place, Role role, std::size_t cache_bytes);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A statement whose text is a constant: it is known by its address.
  Result<Statement> prepare(const char* constant);
  // A statement made at run time: known by its text; the cache of these is bounded.
  Result<Statement> prepare(const std::string& text);

  // Prepares, binds in order and steps once, for statements without rows of interest.
  template <class... Values>
  Result<> run(const char* constant, const Values&... values) {
    MYDR24_ASSIGN(Statement statement, prepare(constant));
    bind_all(statement, values...);
    MYDR24_TRY(statement.step());
    return {};
  }
  // The first column of the first row as a number, or `otherwise` when there is none.
  template <class... Values>
  Result<std::int64_t> number(const char* constant, std::int64_t otherwise, const Values&... values) {
    MYDR24_ASSIGN(Statement statement, prepare(constant));
    bind_all(statement, values...);
    MYDR24_ASSIGN(const bool found, statement.step());
    return found ? statement.integer(0) : otherwise;
  }
  // Several statements at once, not cached: pragmas, migrations.
  Result<> execute(const char* text);

  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  int extended_error() const { return sqlite3_extended_errcode(handle_); }
  sqlite3* handle() const { return handle_; }

  template <class... Values>
  static void bind_all(Statement& statement, const Values&... values) {
    int at = 0;
    (bind_one(statement, ++at, values), ...);
  }

 private:
  explicit Connection(sqlite3* handle) : handle_(handle) {}

  static void bind_one(Statement& statement, int at, std::integral auto value) {
    statement.bind(at, static_cast<std::int64_t>(value));
  }
  static void bind_one(Statement& statement, int at, double value) { statement.bind(at, value); }
  static void bind_one(Statement& statement, int at, std::string_view value) { statement.bind(at, value); }
  static void bind_one(Statement& statement, int at, Blob value) { statement.bind(at, value); }
  static void bind_one(Statement& statement, int at, Null value) { statement.bind(at, value); }

  sqlite3* handle_;
  std::unordered_map<const char*, sqlite3_stmt*> constants_;
  std::unordered_map<std::string, sqlite3_stmt*> made_;
};

}  // namespace mydr24::sqlite
