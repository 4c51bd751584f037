#pragma once

// Connections that read, leased one per read, of the primary and of its replicas. Private to storage/postgres.
//
// Invariants
// - A class finds room that lower ones cannot take; reads of the emergency class have connections of their own.
// - A replica answers only when it has the line of the journal that the read asks for; otherwise the primary does.

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/postgres/view.h"

namespace mydr24::postgres {

// The connections of one server.
class ServerReaders {
 public:
  struct Session {
    Session(std::unique_ptr<Connection> opened, Shared& shared)
        : connection(std::move(opened)), view(*connection, shared) {}
    std::unique_ptr<Connection> connection;
    View view;
    store::Sequence sequence = 0;  // a line of the journal that this server is known to have
  };

  ServerReaders(std::string url, std::size_t readers_max, Shared& shared);

  Result<std::unique_ptr<Session>> lease(RequestClass request_class);
  void give_back(std::unique_ptr<Session> session);
  // After a connection could not be made: not asked for a while.
  bool is_resting() const;

 private:
  const std::string url_;
  const std::array<std::size_t, request_class_count> leases_max_;
  Shared& shared_;

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Session>> free_;
  std::size_t leased_ = 0;
  std::atomic<std::int64_t> resting_until_ns_{INT64_MIN};
};

class ReaderPool {
 public:
  ReaderPool(const std::string& url, const std::vector<std::string>& read_urls, std::size_t readers_max,
             Shared& shared);

  // Runs `read` in a view of its own.
  Result<> read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits,
                store::Sequence after);

 private:
  struct Lease {
    ServerReaders* server = nullptr;
    std::unique_ptr<ServerReaders::Session> session;
  };
  Result<Lease> lease(RequestClass request_class, store::Sequence after);
  static bool wait_for(ServerReaders::Session& session, store::Sequence after);

  ServerReaders primary_;
  std::vector<std::unique_ptr<ServerReaders>> replicas_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace mydr24::postgres
