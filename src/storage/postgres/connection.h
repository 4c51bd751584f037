#pragma once

// One connection to a PostgreSQL server, always in libpq's pipeline mode: statements are sent without waiting, and
// what they answer is taken when somebody asks for rows. Private to storage/postgres.
//
// Statements that are sent between two finish() and are in no explicit transaction are one transaction of their own:
// that is how a reader has one view of the data without a BEGIN and a COMMIT for every read.
//
// Invariant: after an error the rest up to finish() is skipped by the server, and finish() gives that first error.
// A Connection is used by one thread at a time.

#include <postgresql/libpq-fe.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/result.h"
#include "storage/postgres/parameters.h"

namespace mydr24::postgres {

// The rows of one answer, in binary format.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  int count() const { return PQntuples(result_.get()); }
  bool empty() const { return count() == 0; }
  int columns() const { return PQnfields(result_.get()); }
  bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  // Of a column of 2, 4 or 8 bytes, or a boolean; 0 when it is null.
  std::int64_t integer(int row, int column) const;
  double real(int row, int column) const;
  bool is_real(int column) const { return PQftype(result_.get(), column) == static_cast<unsigned>(Type::float8); }
  bool is_text(int column) const { return PQftype(result_.get(), column) == static_cast<unsigned>(Type::text); }
  // Text or bytes. Good as long as these Rows.
  std::string_view text(int row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

// What a read may cost; see store::ReadLimits.
struct Limits {
  std::optional<std::chrono::nanoseconds> deadline;  // by the machine's steady clock
  std::chrono::milliseconds time_max{0};             // for the text
  const std::atomic<bool>* cancelled = nullptr;
};

class Connection {
 public:
  enum class Role { writer, reader };

  // Code::busy: the server cannot be reached, or is not ready. Code::refused: it does not let us in.
  static Result<std::unique_ptr<Connection>> open(const std::string& url, Role role);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a statement that gives no rows of interest. A constant text is prepared once and known by its address.
  Result<> send(const char* constant, const Parameters& parameters = {});
  // Sends and waits for the rows. What was sent before is checked first.
  Result<Rows> query(const char* constant, const Parameters& parameters = {});
  // A text made at run time is planned for its values each time.
  Result<Rows> query(const std::string& text, const Parameters& parameters);
  // One that comes again and again with other values is prepared and planned once, whatever the values: for texts that
  // leave the planner nothing to choose. The prepared_max used last are kept.
  Result<Rows> query_prepared(const std::string& text, const Parameters& parameters);
  // The first column of the first row, or `otherwise` when there is none or it is null.
  Result<std::int64_t> number(const char* constant, std::int64_t otherwise, const Parameters& parameters = {});
  // Ends what finish() ends (see above) and waits. The first error of anything sent since the last one.
  Result<> finish();
  // The same without waiting: for reads, whose rows are there already.
  void finish_later();
  // Several statements at once, not prepared, in a transaction of their own: migrations, settings.
  Result<> execute(const std::string& script);

  // For what is sent from now on. The server stops a statement that takes longer than time_max, too.
  Result<> set_limits(const Limits& limits);
  Result<> check_limits() const;

  // False after the connection was lost; it does not come back.
  bool is_usable() const { return PQstatus(handle_) == CONNECTION_OK; }
  // The same, after a look at what the server may have said meanwhile.
  bool is_alive() { return PQconsumeInput(handle_) == 1 && is_usable(); }
  bool has_failed() const { return failed_.has_value(); }

 private:
  // When the server makes plans: once for a prepared statement, or for the values of each execution.
  enum class Plans : std::uint8_t { unknown, once, by_values };
  static constexpr std::size_t prepared_max = 128;

  // A text made at run time, prepared. Kept in the order of use, the last first.
  struct Prepared {
    std::string text;  // with the types of its parameters behind it
    std::string name;
  };

  Connection(PGconn* handle, Role role) : handle_(handle), chooses_plans_(role == Role::reader) {}

  Result<> plan(Plans plans);
  Result<const char*> prepare_text(const std::string& text, const Parameters& parameters);
  Result<Rows> flush_and_take();

  Result<> start(const Parameters& parameters, const char* text, const char* name);
  Result<const char*> prepare(const char* constant, const Parameters& parameters);
  // Takes the answers of all that was sent; gives the rows of the last.
  Result<Rows> take_all();
  Result<PGresult*> take_one();
  Result<> take_sync();
  Result<> wait_for_input();
  void cancel();
  Error lost();
  Error failed(Error error);

  PGconn* handle_;
  Limits limits_;
  std::unordered_map<const char*, std::string> constants_;  // prepared, with their names
  std::vector<const char*> unproven_;                       // of these, whose answer was not taken yet
  std::list<Prepared> texts_;
  std::unordered_map<std::string_view, std::list<Prepared>::iterator> texts_by_key_;
  const bool chooses_plans_;  // a writer's setting would go back with its transaction: the server chooses
  Plans plans_ = Plans::unknown;
  int names_ = 0;
  std::int64_t timeout_ms_ = 0;  // of the session; -1: not known
  int expected_ = 0;             // answers of statements not taken yet
  bool sync_pending_ = false;    // a finish_later() whose answer is not taken yet
  std::optional<Error> failed_;  // the first error since the last finish()
};

}  // namespace mydr24::postgres
