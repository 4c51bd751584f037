#pragma once

// Query-only connections, leased one per read. Private to storage/sqlite.
//
// A connection keeps its snapshot between reads as long as nothing has been committed since: locking and unlocking the
// log costs as much as reading a resource. Snapshots nobody is reading from are let go before each checkpoint.
//
// Invariant: at most readers_max leases at a time, and emergency_readers more for the emergency class; none while quiet()
// holds the pool. A read that begins after a commit
// was announced sees it.

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/sqlite/view.h"

namespace mydr24::sqlite {

class ReaderPool {
 public:
  ReaderPool(DatabasePlace place, std::size_t readers_max, std::size_t emergency_readers, std::size_t cache_bytes,
             Shared& shared)
      : place_(std::move(place)),
        readers_max_(readers_max),
        emergency_readers_(emergency_readers),
        cache_bytes_(cache_bytes),
        shared_(shared) {}

  // Runs `read` in a read transaction of its own. Code::busy when no connection is free for as long as the read may take.
  Result<> read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits = {});

  // By the writer, after each commit and before anybody is told of it.
  void announce_commit() { commits_.fetch_add(1, std::memory_order_release); }
  // Ends the snapshots of connections that are not leased.
  void end_idle_snapshots();

  // Waits up to `wait` for all leases to end while giving out no new one, then runs `job` (also when some did not end).
  void quiet(std::chrono::milliseconds wait, const std::function<void()>& job);

 private:
  struct Session {
    Session(std::unique_ptr<Connection> opened, Shared& shared)
        : connection(std::move(opened)), view(*connection, shared) {}
    std::unique_ptr<Connection> connection;
    View view;
    bool has_snapshot = false;
    std::uint64_t commits = 0;  // announced before the snapshot was taken
  };
  Result<> begin(Session& session) const;
  static Result<> end(Session& session);
  Result<std::unique_ptr<Session>> lease(const store::ReadLimits& limits);
  void give_back(std::unique_ptr<Session> session);

  const DatabasePlace place_;
  const std::size_t readers_max_;
  const std::size_t emergency_readers_;
  const std::size_t cache_bytes_;
  Shared& shared_;

  std::atomic<std::uint64_t> commits_{0};
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Session>> free_;
  std::size_t leased_ = 0;
  bool held_ = false;
};

}  // namespace mydr24::sqlite
