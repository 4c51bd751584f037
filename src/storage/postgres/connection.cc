#include "storage/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>

#include "base/core/clock.h"

namespace mydr24::postgres {
namespace {

constexpr int limits_checked_every_ms = 10;

// Values below the indexes' own are wrong for a database that nobody has analysed yet: every statement of ours has an
// index. A group of writes joins a few values with a large table, for which only a loop over the index is right.
// Searches say in which order tables are joined.
constexpr const char* every_session =
    "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET enable_seqscan = off; SET jit = off; "
    "SET random_page_cost = 1.1; SET datestyle = 'ISO'; SET lock_timeout = '30s'; "
    // A machine that is gone must not keep its locks: another server calls people only when it has them.
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = 15000;";
constexpr const char* writer_session =
    "SET synchronous_commit = on; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off;";
constexpr const char* reader_session =
    "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on; "
    "SET client_connection_check_interval = '1s'; SET join_collapse_limit = 1;";

std::string trimmed(const char* text) {
  std::string message = text == nullptr ? "" : text;
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return message;
}

// Source: PostgreSQL 15, appendix A (error codes).
Error error_of(const PGresult* result) {
  const char* state_text = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = state_text == nullptr ? "" : state_text;
  const auto text = fmt::format("PostgreSQL: {}{}{}", trimmed(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
                                state.empty() ? "" : " ", state.empty() ? "" : fmt::format("({})", state));
  const auto is = [&](std::initializer_list<std::string_view> prefixes) {
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return state.starts_with(prefix); });
  };
  if (is({"57014"})) return fail(Code::too_costly, "it took longer than it may: narrow it down");
  if (is({"53100", "58030"})) return fail(Code::full, text);
  // Lost connections, shutdown, no room (memory, connections), clashes with others, a standby that takes no
  // writes: another time, or after a reconnect, it works.
  if (is({"08", "57P", "53", "40", "55P03", "25006"})) return fail(Code::busy, text);
  if (is({"28", "42501", "3D000"})) return fail(Code::refused, text);
  if (is({"23505"})) return fail(Code::conflict, text);
  if (is({"54"})) return fail(Code::too_costly, text);
  return fail(Code::internal, text);
}

Error error_of_connecting(PGconn* handle) {
  const auto text = trimmed(PQerrorMessage(handle));
  // libpq gives no SQLSTATE here; a server that answers at all and asks for a password or names a role refuses.
  const bool refused = PQconnectionNeedsPassword(handle) != 0 || PQconnectionUsedPassword(handle) != 0 ||
                       text.contains("authentication failed") || text.contains("pg_hba.conf") ||
                       text.contains("does not exist") || text.contains("permission denied for database");
  const bool missing_file = text.contains("No such file");
  return refused && !missing_file ? fail(Code::refused, fmt::format("PostgreSQL does not let us in: {}", text))
                                  : fail(Code::busy, fmt::format("PostgreSQL cannot be reached: {}", text));
}

Result<> run_plainly(PGconn* handle, const char* script) {
  PGresult* const result = PQexec(handle, script);
  const auto status = PQresultStatus(result);
  Result<> outcome;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) outcome = error_of(result);
  PQclear(result);
  return outcome;
}

}  // namespace

std::int64_t Rows::integer(int row, int column) const {
  if (is_null(row, column)) return 0;
  const auto* const bytes = PQgetvalue(result_.get(), row, column);
  const int length = PQgetlength(result_.get(), row, column);
  if (length == 1) return bytes[0];
  std::uint64_t value = length > 0 && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (int i = 0; i < length; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int64_t>(value);
}

double Rows::real(int row, int column) const { return std::bit_cast<double>(integer(row, column)); }

std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& url, Role role) {
  // What the URL says overrides what stands before it.
  constexpr std::array keywords{"connect_timeout",  "application_name", "keepalives_idle", "keepalives_interval",
                                "keepalives_count", "tcp_user_timeout", "dbname",          "client_encoding"};
  const std::array values{"5", "mydr24", "10", "5", "3", "15000", url.c_str(), "UTF8"};
  std::array<const char*, keywords.size() + 1> names{};
  std::array<const char*, keywords.size() + 1> settings{};
  std::ranges::copy(keywords, names.begin());
  std::ranges::copy(values, settings.begin());
  PGconn* const handle = PQconnectdbParams(names.data(), settings.data(), 1);
  if (handle == nullptr) return fail(Code::internal, "no memory for a connection");
  std::unique_ptr<Connection> connection(new Connection(handle, role));
  if (PQstatus(handle) != CONNECTION_OK) return error_of_connecting(handle);
  PQsetNoticeProcessor(handle, [](void*, const char*) {}, nullptr);
  MYDR24_TRY(run_plainly(handle, every_session));
  MYDR24_TRY(run_plainly(handle, role == Role::writer ? writer_session : reader_session));
  if (std::string_view(PQparameterStatus(handle, "server_encoding")) != "UTF8") {
    return fail(Code::unsupported, "the database must have the encoding UTF8: CREATE DATABASE ... ENCODING 'UTF8'");
  }
  if (PQserverVersion(handle) < 150'000) {
    return fail(Code::unsupported, fmt::format("PostgreSQL 15 or later is needed; this is {}",
                                               PQparameterStatus(handle, "server_version")));
  }
  if (PQenterPipelineMode(handle) != 1) return fail(Code::internal, "libpq refuses the pipeline mode");
  return connection;
}

Connection::~Connection() { PQfinish(handle_); }

Error Connection::failed(Error error) {
  if (!failed_) failed_ = std::move(error);
  return *failed_;
}

Error Connection::lost() {
  return failed(
      fail(Code::busy, fmt::format("the connection to PostgreSQL was lost: {}", trimmed(PQerrorMessage(handle_)))));
}

Result<> Connection::check_limits() const {
  if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed)) {
    return fail(Code::too_costly, "nobody waits for the answer any more");
  }
  if (limits_.deadline && system_clock().steady() > *limits_.deadline) {
    return fail(Code::too_costly, fmt::format("it took longer than {} ms: narrow it down", limits_.time_max.count()));
  }
  return {};
}

Result<> Connection::set_limits(const Limits& limits) {
  limits_ = limits;
  if (timeout_ms_ == limits.time_max.count()) return {};
  timeout_ms_ = limits.time_max.count();
  return send("SELECT set_config('statement_timeout', $1, false)", Parameters::of(std::to_string(timeout_ms_)));
}

void Connection::cancel() {
  if (PGcancel* const token = PQgetCancel(handle_); token != nullptr) {
    std::array<char, 256> why{};
    (void)PQcancel(token, why.data(), static_cast<int>(why.size()));
    PQfreeCancel(token);
  }
}

Result<> Connection::wait_for_input() {
  const bool limited = limits_.deadline || limits_.cancelled != nullptr;
  bool cancel_sent = false;
  while (PQisBusy(handle_) != 0) {
    pollfd socket{.fd = PQsocket(handle_), .events = POLLIN, .revents = 0};
    const int ready = poll(&socket, 1, limited && !cancel_sent ? limits_checked_every_ms : -1);
    if (ready < 0 && errno != EINTR) return lost();
    if (ready == 0 && !cancel_sent) {
      if (auto within = check_limits(); !within) {
        (void)failed(std::move(within).error());
        cancel();
        cancel_sent = true;
      }
    }
    if (ready > 0 && PQconsumeInput(handle_) != 1) return lost();
  }
  return {};
}

// One answer and what ends it. The caller owns it.
Result<PGresult*> Connection::take_one() {
  MYDR24_TRY(wait_for_input());
  PGresult* const result = PQgetResult(handle_);
  if (result == nullptr) return lost();
  if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) return result;
  if (PQstatus(handle_) == CONNECTION_OK && !wait_for_input()) {
    PQclear(result);
    return *failed_;
  }
  PQclear(PQgetResult(handle_));
  return result;
}

Result<> Connection::take_sync() {
  MYDR24_ASSIGN(PGresult* const result, take_one());
  const bool is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
  PQclear(result);
  if (!is_sync) return failed(fail(Code::internal, "PostgreSQL's answers are out of step"));
  return {};
}

Result<Rows> Connection::take_all() {
  if (std::exchange(sync_pending_, false)) MYDR24_TRY(take_sync());
  Rows last(nullptr);
  for (; expected_ > 0; --expected_) {
    auto taken = take_one();
    if (!taken) {
      expected_ = 0;
      return std::move(taken).error();
    }
    last = Rows(*taken);
    switch (PQresultStatus(*taken)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_PIPELINE_ABORTED:
        break;
      default:
        (void)failed(PQstatus(handle_) == CONNECTION_OK ? error_of(*taken) : lost());
        break;
    }
  }
  if (failed_) return *failed_;
  unproven_.clear();
  return last;
}

Result<const char*> Connection::prepare(const char* constant, const Parameters& parameters) {
  const auto [known, is_new] = constants_.try_emplace(constant);
  if (!is_new) return known->second.c_str();
  known->second = fmt::format("s{}", ++names_);
  if (PQsendPrepare(handle_, known->second.c_str(), constant, static_cast<int>(parameters.size()),
                    parameters.types()) != 1) {
    constants_.erase(known);
    return lost();
  }
  unproven_.push_back(constant);
  ++expected_;
  return known->second.c_str();
}

Result<> Connection::start(const Parameters& parameters, const char* text, const char* name) {
  const auto arrays = parameters.arrays();
  const int count = static_cast<int>(parameters.size());
  const int sent = name != nullptr ? PQsendQueryPrepared(handle_, name, count, arrays.values.data(),
                                                         arrays.lengths.data(), arrays.formats.data(), 1)
                                   : PQsendQueryParams(handle_, text, count, parameters.types(), arrays.values.data(),
                                                       arrays.lengths.data(), arrays.formats.data(), 1);
  if (sent != 1) return lost();
  ++expected_;
  return {};
}

Result<> Connection::send(const char* constant, const Parameters& parameters) {
  if (failed_) return *failed_;
  MYDR24_ASSIGN(const char* const name, prepare(constant, parameters));
  return start(parameters, nullptr, name);
}

Result<Rows> Connection::flush_and_take() {
  if (PQsendFlushRequest(handle_) != 1 || PQflush(handle_) != 0) return lost();
  return take_all();
}

Result<Rows> Connection::query(const char* constant, const Parameters& parameters) {
  MYDR24_TRY(check_limits());
  MYDR24_TRY(send(constant, parameters));
  return flush_and_take();
}

Result<Rows> Connection::query(const std::string& text, const Parameters& parameters) {
  if (failed_) return *failed_;
  MYDR24_TRY(check_limits());
  MYDR24_TRY(plan(Plans::by_values));
  MYDR24_TRY(start(parameters, text.c_str(), nullptr));
  return flush_and_take();
}

Result<Rows> Connection::query_prepared(const std::string& text, const Parameters& parameters) {
  if (failed_) return *failed_;
  MYDR24_TRY(check_limits());
  MYDR24_TRY(plan(Plans::once));
  MYDR24_ASSIGN(const char* const name, prepare_text(text, parameters));
  MYDR24_TRY(start(parameters, nullptr, name));
  return flush_and_take();
}

// Source: PostgreSQL 15, section 20.7.4 (plan_cache_mode).
Result<> Connection::plan(Plans plans) {
  if (!chooses_plans_ || plans_ == plans) return {};
  plans_ = plans;
  return send(plans == Plans::once ? "SET plan_cache_mode = force_generic_plan"
                                   : "SET plan_cache_mode = force_custom_plan");
}

Result<const char*> Connection::prepare_text(const std::string& text, const Parameters& parameters) {
  std::string key = text;
  key.append(reinterpret_cast<const char*>(parameters.types()), parameters.size() * sizeof(unsigned));
  if (const auto known = texts_by_key_.find(key); known != texts_by_key_.end()) {
    texts_.splice(texts_.begin(), texts_, known->second);
    return texts_.front().name.c_str();
  }
  if (texts_.size() >= prepared_max) {
    const auto closing = fmt::format("DEALLOCATE {}", texts_.back().name);
    texts_by_key_.erase(texts_.back().text);
    texts_.pop_back();
    MYDR24_TRY(start({}, closing.c_str(), nullptr));
  }
  std::string name = fmt::format("t{}", ++names_);
  if (PQsendPrepare(handle_, name.c_str(), text.c_str(), static_cast<int>(parameters.size()), parameters.types()) != 1)
    return lost();
  ++expected_;
  MYDR24_TRY(flush_and_take());  // it is known only when it is there
  texts_.push_front({.text = std::move(key), .name = std::move(name)});
  texts_by_key_.emplace(texts_.front().text, texts_.begin());
  return texts_.front().name.c_str();
}

Result<std::int64_t> Connection::number(const char* constant, std::int64_t otherwise, const Parameters& parameters) {
  MYDR24_ASSIGN(const auto rows, query(constant, parameters));
  return rows.empty() || rows.is_null(0, 0) ? otherwise : rows.integer(0, 0);
}

Result<> Connection::finish() {
  if (!is_usable()) return lost();
  if (PQpipelineSync(handle_) != 1) return lost();
  (void)take_all();  // its error is kept in failed_
  if (is_usable()) (void)take_sync();
  if (!failed_) return {};
  // Which of these were prepared is not known: they will be again, under new names.
  for (const char* constant : unproven_) constants_.erase(constant);
  unproven_.clear();
  timeout_ms_ = -1;
  plans_ = Plans::unknown;
  Result<> outcome = *failed_;
  if (is_usable()) failed_.reset();
  return outcome;
}

void Connection::finish_later() {
  if (failed_ || expected_ > 0) {
    (void)finish();
  } else if (sync_pending_) {
    // Nothing was asked since the last one: its answer is still to come.
  } else if (PQpipelineSync(handle_) == 1) {
    sync_pending_ = true;
  }
}

Result<> Connection::execute(const std::string& script) {
  MYDR24_TRY(finish());
  if (PQexitPipelineMode(handle_) != 1) return lost();
  auto outcome = run_plainly(handle_, script.c_str());
  if (PQenterPipelineMode(handle_) != 1) return lost();
  return outcome;
}

}  // namespace mydr24::postgres
