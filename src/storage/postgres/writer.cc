#include "storage/postgres/writer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <exception>

namespace mydr24::postgres {
namespace {

constexpr std::size_t works_per_batch_max = 4'096;
constexpr std::chrono::nanoseconds pause_first = std::chrono::milliseconds(100);
constexpr std::chrono::nanoseconds pause_max = std::chrono::seconds(5);
constexpr std::chrono::nanoseconds outcome_asked_for = std::chrono::seconds(5);

// How long things take is read from the machine's clock: it decides nothing that is stored.
std::chrono::nanoseconds elapsed_since(std::chrono::nanoseconds start) { return system_clock().steady() - start; }

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, Shared& shared, const Settings& settings,
               std::function<void()> after_commit)
    : shared_(shared),
      settings_(settings),
      after_commit_(std::move(after_commit)),
      session_(std::make_unique<Session>(std::move(connection), shared)),
      queue_(settings.queue_max) {}

void Writer::stop() {
  if (!thread_.joinable()) return;
  queue_.close();
  thread_.join();
}

Result<> Writer::start() {
  MYDR24_TRY(session_->transaction.begin());
  last_event_ = session_->transaction.last_event();
  MYDR24_ASSIGN(earliest_due_us_, session_->connection->number("SELECT min(due) FROM timer", INT64_MAX));
  session_->transaction.roll_back();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "writer");
    if (settings_.writer_begun) settings_.writer_begun();
    run();
  });
  return {};
}

void Writer::run() {
  while (queue_.wait_for_work()) run_batch();
}

void Writer::run_batch() {
  std::vector<Finished> batch;
  auto written = run_works(batch);
  if (written) {
    written = commit();
    // The group failed, no Work in it: nothing that was sent is wrong, and it may come again.
    if (!written && written.error().code != Code::full && written.error().code != Code::internal)
      written = fail(Code::busy, written.error().text);
  }
  if (!written) {
    // Nothing of this batch is there: those that had gone well have not.
    for (Finished& finished : batch) {
      if (finished.outcome || session_ == nullptr) finished.outcome = written.error();
    }
  }
  publish(batch, written.has_value());
}

Result<> Writer::connect() {
  if (session_ != nullptr) return {};
  if (system_clock().steady() < connect_after_) return *unreachable_;
  auto connection = Connection::open(settings_.url, Connection::Role::writer);
  if (!connection) {
    pause_ = std::min(pause_max, std::max(pause_first, pause_ * 2));
    connect_after_ = system_clock().steady() + pause_;
    unreachable_ =
        fail(Code::busy, fmt::format("{}; nothing can be written until it answers", connection.error().text));
    return *unreachable_;
  }
  session_ = std::make_unique<Session>(std::move(*connection), shared_);
  pause_ = {};
  writable_ = true;
  settings_.log(telemetry::Level::info, "connected to PostgreSQL again");
  return {};
}

void Writer::drop_connection(const Error& error) {
  session_.reset();
  unreachable_ = fail(Code::busy, error.text);
  if (writable_.exchange(false)) {
    settings_.log(telemetry::Level::error,
                  fmt::format("writes are refused until PostgreSQL is there again: {}", error.text));
  }
}

// Runs Works in one transaction until it is time to commit. An error: the transaction is lost as a whole.
Result<> Writer::run_works(std::vector<Finished>& batch) {
  const auto start = system_clock().steady();
  auto begun = connect();
  if (begun) {
    begun = session_->transaction.begin();
    if (!begun) {
      // A connection that was idle for long, or a server that has become a standby: the next try is with a new one.
      session_->transaction.roll_back();
      drop_connection(begun.error());
      begun = connect();
      if (begun) begun = session_->transaction.begin();
      if (!begun && session_ != nullptr) drop_connection(begun.error());
    }
  }
  // Without a transaction nothing that was sent can be wrong.
  if (!begun) begun = fail(Code::busy, begun.error().text);
  bool has_emergency = false;
  while (batch.size() < works_per_batch_max) {
    auto job = queue_.take(has_emergency);
    if (!job) break;
    Result<> outcome = begun ? perform(*job) : begun;
    batch.push_back({job->request_class, std::move(job->done), std::move(outcome)});
    if (!begun) continue;  // all that wait are told at once
    if (session_->connection->has_failed() || !session_->connection->is_usable()) {
      auto why = session_->connection->finish();
      session_->transaction.roll_back();
      Error error = why ? fail(Code::busy, "the transaction was lost") : std::move(why).error();
      if (!session_->connection->is_usable()) drop_connection(error);
      // Whose statement it was has its own error; the others may try again.
      error.code = Code::busy;
      return error;
    }
    has_emergency = has_emergency || job->request_class == RequestClass::emergency;
    if (elapsed_since(start) >= settings_.batch_max) break;
  }
  return begun;
}

Result<> Writer::perform(store::WorkQueue::Job& job) {
  WriteTransaction& transaction = session_->transaction;
  MYDR24_TRY(transaction.begin_work(shared_.clock.now()));
  Result<> outcome;
  try {
    outcome = job.work(transaction);
  } catch (const std::exception& error) {
    outcome = fail(Code::internal, fmt::format("a write failed with an exception: {}", error.what()));
  }
  job.work = nullptr;  // what it holds is let go on this thread, before anybody is told
  return transaction.end_work(std::move(outcome));
}

Result<> Writer::commit() {
  const auto start = system_clock().steady();
  const std::string transaction_id(session_->transaction.transaction_id());
  auto committed = session_->transaction.commit();
  if (!committed && !session_->connection->is_usable()) {
    drop_connection(committed.error());
    committed = ask_whether_committed(transaction_id, committed.error());
  } else if (!committed && committed.error().text.contains("25006")) {
    drop_connection(committed.error());
  }
  if (committed) {
    ++commits_;
    commit_us_last_ = std::chrono::duration_cast<Microseconds>(elapsed_since(start)).count();
  } else {
    settings_.log(telemetry::Level::error, fmt::format("a commit failed: {}", committed.error().text));
  }
  return committed;
}

// Source: PostgreSQL 15, section 9.27.8 (pg_xact_status).
Result<> Writer::ask_whether_committed(const std::string& transaction_id, Error error) {
  const auto until = system_clock().steady() + outcome_asked_for;
  while (system_clock().steady() < until) {
    if (connect()) {
      const auto answer =
          session_->connection->query("SELECT pg_xact_status($1::text::xid8)", Parameters::of(transaction_id));
      const bool has_answer = answer && !answer->empty() && !answer->is_null(0, 0);
      const auto status = has_answer ? std::string(answer->text(0, 0)) : std::string();
      if (auto ended = session_->connection->finish(); !ended && !session_->connection->is_usable()) {
        drop_connection(ended.error());
      }
      if (status == "committed") return {};
      if (status == "aborted") return fail(Code::busy, error.text);
      if (has_answer && status != "in progress") break;
    }
    std::this_thread::sleep_for(pause_first);
  }
  return fail(Code::busy, fmt::format("{}; whether this was kept is not known: look before you repeat it", error.text));
}

void Writer::publish(std::vector<Finished>& batch, bool committed) {
  if (committed && session_ != nullptr) {
    WriteTransaction& transaction = session_->transaction;
    last_event_.store(std::max(transaction.last_event(), last_event_.load()), std::memory_order_release);
    if (const auto due = transaction.take_earliest_due()) {
      earliest_due_us_.store(to_us(*due), std::memory_order_release);
    }
  }
  for (const Finished& finished : batch) ++(finished.outcome ? writes_ : writes_failed_);
  after_commit_();
  for (std::size_t lane = 0; lane < request_class_count; ++lane) {
    for (Finished& finished : batch) {
      if (static_cast<std::size_t>(finished.request_class) == lane && finished.done) {
        finished.done(std::move(finished.outcome));
      }
    }
  }
}

void Writer::count(store::Statistics& statistics) const {
  statistics.commits = commits_;
  statistics.writes = writes_;
  statistics.writes_failed = writes_failed_;
  statistics.commit_us_last = commit_us_last_;
  statistics.writable = writable_;
  statistics.queued = queue_.sizes();
}

}  // namespace mydr24::postgres
