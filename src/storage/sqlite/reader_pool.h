#pragma once

// Query-only connections, leased one per read. Private to storage/sqlite.
//
// Invariant: at most readers_max leases at a time; none while quiet() holds the pool.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/sqlite/view.h"

namespace mydr24::sqlite {

class ReaderPool {
 public:
  ReaderPool(std::string file, std::size_t readers_max, std::size_t cache_bytes, const Shared& shared)
      : file_(std::move(file)), readers_max_(readers_max), cache_bytes_(cache_bytes), shared_(shared) {}

  // Runs `read` in a read transaction of its own.
  Result<> read(const std::function<Result<>(store::Reader&)>& read);

  // Waits up to `wait` for all leases to end while giving out no new one, then runs `job` (also when some did not end).
  void quiet(std::chrono::milliseconds wait, const std::function<void()>& job);

 private:
  struct Session {
    Session(std::unique_ptr<Connection> opened, const Shared& shared)
        : connection(std::move(opened)), view(*connection, shared) {}
    std::unique_ptr<Connection> connection;
    View view;
  };
  Result<std::unique_ptr<Session>> lease();
  void give_back(std::unique_ptr<Session> session);

  const std::string file_;
  const std::size_t readers_max_;
  const std::size_t cache_bytes_;
  const Shared& shared_;

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Session>> free_;
  std::size_t leased_ = 0;
  bool held_ = false;
};

}  // namespace mydr24::sqlite
