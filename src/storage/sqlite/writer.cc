#include "storage/sqlite/writer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <exception>

namespace mydr24::sqlite {
namespace {

constexpr std::size_t works_per_batch_max = 4'096;
constexpr auto quiet_max = std::chrono::milliseconds(20);
constexpr auto slow_commit = std::chrono::milliseconds(500);

// How long things take is read from the machine's clock: it paces the disk, it decides nothing that is stored.
std::chrono::nanoseconds elapsed_since(std::chrono::nanoseconds start) { return system_clock().steady() - start; }

bool is_failed_sync(int code) { return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC; }

}  // namespace

Writer::Writer(std::unique_ptr<Connection> connection, Shared& shared, const Settings& settings, ReaderPool& readers,
               std::function<void()> after_commit)
    : connection_(std::move(connection)),
      settings_(settings),
      clock_(shared.clock),
      readers_(readers),
      after_commit_(std::move(after_commit)),
      view_(*connection_, shared),
      transaction_(view_),
      queue_(settings.queue_max) {}

void Writer::stop() {
  if (!thread_.joinable()) return;
  queue_.close();
  thread_.join();
}

Result<> Writer::start() {
  MYDR24_TRY(transaction_.load());
  last_event_ = transaction_.last_event();
  MYDR24_ASSIGN(const auto due, transaction_.earliest_due());
  earliest_due_us_ = to_us(due);
  MYDR24_ASSIGN(page_bytes_, connection_->number("PRAGMA page_size", 4'096));
  sqlite3_wal_hook(
      connection_->handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "writer");
    if (settings_.writer_begun) settings_.writer_begun();
    run();
  });
  return {};
}

void Writer::run() {
  while (queue_.wait_for_work()) {
    run_batch();
    checkpoint();
  }
}

void Writer::run_batch() {
  std::vector<Finished> batch;
  const std::size_t names_before = view_.names().added();
  auto written = run_works(batch);
  if (written) written = commit();
  if (!written) {
    // Nothing of this batch is there: those that had gone well have not.
    for (Finished& finished : batch) finished.outcome = written.error();
    view_.names().undo(names_before);
    if (auto loaded = transaction_.load(); !loaded && !broken_) {
      broken_ = loaded.error();
      writable_ = false;
    }
  }
  publish(batch);
}

// Runs Works in one transaction until it is time to commit. An error: the transaction is lost as a whole.
Result<> Writer::run_works(std::vector<Finished>& batch) {
  const auto start = system_clock().steady();
  Result<> begun = broken_ ? Result<>(*broken_) : connection_->run("BEGIN IMMEDIATE");
  bool has_emergency = false;
  auto budget = settings_.background_batch_max;
  while (batch.size() < works_per_batch_max) {
    auto job = queue_.take(has_emergency);
    if (!job) break;
    Result<> outcome = begun ? perform(*job) : begun;
    const int code = connection_->extended_error();
    batch.push_back({job->request_class, std::move(job->done), std::move(outcome)});
    if (!begun) return begun;
    if (!connection_->in_transaction()) {
      if (is_failed_sync(code)) return give_up(error_of(connection_->handle()));
      return batch.back().outcome ? fail(Code::internal, "the transaction ended by itself") : batch.back().outcome;
    }
    has_emergency = has_emergency || job->request_class == RequestClass::emergency;
    if (job->request_class != RequestClass::background) budget = settings_.batch_max;
    if (elapsed_since(start) >= budget) break;
  }
  return {};
}

Result<> Writer::perform(store::WorkQueue::Job& job) {
  MYDR24_TRY(transaction_.begin_work(clock_.now()));
  Result<> outcome;
  try {
    outcome = job.work(transaction_);
  } catch (const std::exception& error) {
    outcome = fail(Code::internal, fmt::format("a write failed with an exception: {}", error.what()));
  }
  job.work = nullptr;  // what it holds is let go on this thread, before anybody is told
  return transaction_.end_work(std::move(outcome));
}

Result<> Writer::commit() {
  const auto start = system_clock().steady();
  auto committed = transaction_.flush_group();
  if (committed) committed = connection_->run("COMMIT");
  if (committed) {
    ++commits_;
    transaction_.publish_group();
    readers_.announce_commit();
    const auto took = elapsed_since(start);
    commit_us_last_ = std::chrono::duration_cast<Microseconds>(took).count();
    if (took > slow_commit) {
      settings_.log(telemetry::Level::warn,
                    fmt::format("the disk took {} ms to keep a commit: every write waited for it",
                                std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    }
    return {};
  }
  const bool sync_failed = is_failed_sync(connection_->extended_error());
  if (connection_->in_transaction()) (void)connection_->execute("ROLLBACK");
  if (sync_failed) return give_up(std::move(committed).error());
  return committed;
}

Result<> Writer::give_up(Error error) {
  broken_ =
      fail(Code::internal,
           fmt::format("the disk failed to keep what was written ({}): the store takes no more writes; reads go on. "
                       "Check the disk, then start again",
                       error.text));
  settings_.log(telemetry::Level::error, broken_->text);
  writable_ = false;
  return *broken_;
}

void Writer::publish(std::vector<Finished>& batch) {
  last_event_.store(transaction_.last_event(), std::memory_order_release);
  if (transaction_.timers_touched()) {
    transaction_.clear_timers_touched();
    if (const auto due = transaction_.earliest_due()) earliest_due_us_.store(to_us(*due), std::memory_order_release);
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

// After everybody has been told: the file takes over what the log holds.
void Writer::checkpoint() {
  const bool to_empty = std::exchange(log_to_empty_, false);
  const bool is_large = wal_pages_ * page_bytes_ >= static_cast<std::int64_t>(settings_.checkpoint_bytes);
  if (broken_ || (!is_large && !to_empty)) return;
  int pages = 0;
  int moved = 0;
  auto run_checkpoint = [&](int mode) {
    sqlite3_busy_timeout(connection_->handle(), 0);
    const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, &pages, &moved);
    sqlite3_busy_timeout(connection_->handle(), 2'000);
    if (code == SQLITE_OK && mode == SQLITE_CHECKPOINT_TRUNCATE && to_empty) log_emptied_ = true;
    if (code == SQLITE_OK || code == SQLITE_BUSY) return;
    const Error error = error_of(connection_->handle());
    if (is_failed_sync(connection_->extended_error())) {
      (void)give_up(error);
    } else {
      settings_.log(telemetry::Level::warn, fmt::format("checkpoint: {}", error.text));
    }
  };
  readers_.end_idle_snapshots();
  run_checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  if (broken_) return;
  if (to_empty) return readers_.quiet(quiet_max, [&] { run_checkpoint(SQLITE_CHECKPOINT_TRUNCATE); });
  const int pages_max = static_cast<int>(static_cast<std::int64_t>(settings_.wal_bytes_max) / page_bytes_);
  if (pages < pages_max) {
    wal_pages_tried_ = 0;
  } else if (pages >= wal_pages_tried_ + pages_max / 8) {
    // Readers that follow each other without a gap would let the log grow without end. Tried again only when it has
    // grown by an eighth more: a single long reader must not stop the others again and again.
    wal_pages_tried_ = pages;
    readers_.quiet(quiet_max, [&] { run_checkpoint(SQLITE_CHECKPOINT_TRUNCATE); });
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

}  // namespace mydr24::sqlite
