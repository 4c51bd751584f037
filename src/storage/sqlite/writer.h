#pragma once

// The one thread that writes: takes Works in class order, runs several in one transaction, commits, then tells. Private
// to storage/sqlite.
//
// Invariants
// - A higher class is always taken first. Once an emergency has run, only emergencies join its batch before the commit.
// - Done is called after the commit is on stable storage, never before, once for each Work.
// - After a failed sync no write is accepted any more: what the disk holds is unknown until the database is opened
//   again.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "storage/sqlite/reader_pool.h"
#include "storage/sqlite/sqlite.h"
#include "storage/sqlite/transaction.h"
#include "storage/store/work_queue.h"

namespace mydr24::sqlite {

class Writer {
 public:
  // `after_commit` is called on the writer's thread.
  Writer(std::unique_ptr<Connection> connection, Shared& shared, const Settings& settings, ReaderPool& readers,
         std::function<void()> after_commit);
  ~Writer() { stop(); }

  Result<> start();
  void stop();  // finishes what is queued; later writes are refused
  store::WorkQueue& queue() { return queue_; }

  // By a Work: after its batch the file takes over all that the log holds, and the log begins anew, unless a reader keeps
  // it from it. has_emptied_log(): it did.
  void empty_log() {
    log_emptied_ = false;
    log_to_empty_ = true;
  }
  bool has_emptied_log() const { return log_emptied_; }

  store::Sequence last_event() const { return last_event_.load(std::memory_order_acquire); }
  Instant earliest_due() const { return from_us(earliest_due_us_.load(std::memory_order_acquire)); }
  void count(store::Statistics& statistics) const;

 private:
  struct Finished {
    RequestClass request_class;
    store::Done done;
    Result<> outcome;
  };

  void run();
  void run_batch();
  Result<> run_works(std::vector<Finished>& batch);
  Result<> perform(store::WorkQueue::Job& job);
  Result<> commit();
  Result<> give_up(Error error);
  void publish(std::vector<Finished>& batch);
  void checkpoint();

  std::unique_ptr<Connection> connection_;
  const Settings& settings_;
  const Clock& clock_;
  ReaderPool& readers_;
  std::function<void()> after_commit_;
  View view_;
  WriteTransaction transaction_;
  std::optional<Error> broken_;        // set for good by a failed sync
  std::atomic<bool> writable_ = true;  // the same, for other threads
  bool log_to_empty_ = false;
  std::atomic<bool> log_emptied_ = false;
  int wal_pages_ = 0;
  int wal_pages_tried_ = 0;
  std::int64_t page_bytes_ = 4'096;

  store::WorkQueue queue_;

  std::atomic<store::Sequence> last_event_{0};
  std::atomic<std::int64_t> earliest_due_us_{INT64_MAX};
  std::atomic<std::int64_t> commits_{0};
  std::atomic<std::int64_t> writes_{0};
  std::atomic<std::int64_t> writes_failed_{0};
  std::atomic<std::int64_t> commit_us_last_{0};

  std::thread thread_;
};

}  // namespace mydr24::sqlite
