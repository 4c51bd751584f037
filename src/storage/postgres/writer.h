#pragma once

// The one thread that writes: takes Works in class order, runs several in one transaction, commits, then tells. Private
// to storage/postgres.
//
// Invariants
// - A higher class is always taken first. Once an emergency has run, only emergencies join its batch before the commit.
// - Done is called after the commit is durable, never before, once for each Work.
// - Without a server every Work is refused with Code::busy, at once; when a connection was lost during a commit, the
//   next one is asked whether it took place.

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "storage/postgres/postgres.h"
#include "storage/postgres/transaction.h"
#include "storage/store/work_queue.h"

namespace mydr24::postgres {

class Writer {
 public:
  // `after_commit` is called on the writer's thread.
  Writer(std::unique_ptr<Connection> connection, Shared& shared, const Settings& settings,
         std::function<void()> after_commit);
  ~Writer() { stop(); }

  Result<> start();
  void stop();  // finishes what is queued; later writes are refused
  store::WorkQueue& queue() { return queue_; }

  store::Sequence last_event() const { return last_event_.load(std::memory_order_acquire); }
  Instant earliest_due() const { return from_us(earliest_due_us_.load(std::memory_order_acquire)); }
  bool writable() const { return writable_; }
  void count(store::Statistics& statistics) const;

 private:
  struct Finished {
    RequestClass request_class;
    store::Done done;
    Result<> outcome;
  };
  // Lives as long as its connection.
  struct Session {
    Session(std::unique_ptr<Connection> opened, Shared& shared)
        : connection(std::move(opened)), view(*connection, shared), transaction(view) {}
    std::unique_ptr<Connection> connection;
    View view;
    WriteTransaction transaction;
  };

  void run();
  void run_batch();
  Result<> connect();
  Result<> run_works(std::vector<Finished>& batch);
  Result<> perform(store::WorkQueue::Job& job);
  Result<> commit();
  Result<> ask_whether_committed(const std::string& transaction_id, Error error);
  void drop_connection(const Error& error);
  void publish(std::vector<Finished>& batch, bool committed);

  Shared& shared_;
  const Settings& settings_;
  std::function<void()> after_commit_;
  std::unique_ptr<Session> session_;
  std::chrono::nanoseconds connect_after_{0};
  std::chrono::nanoseconds pause_{0};
  std::optional<Error> unreachable_;  // why there is no session

  store::WorkQueue queue_;
  std::atomic<bool> writable_{true};
  std::atomic<store::Sequence> last_event_{0};
  std::atomic<std::int64_t> earliest_due_us_{INT64_MAX};
  std::atomic<std::int64_t> commits_{0};
  std::atomic<std::int64_t> writes_{0};
  std::atomic<std::int64_t> writes_failed_{0};
  std::atomic<std::int64_t> commit_us_last_{0};

  std::thread thread_;
};

}  // namespace mydr24::postgres
