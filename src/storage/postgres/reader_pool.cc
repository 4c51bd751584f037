#include "storage/postgres/reader_pool.h"

#include <fmt/format.h>

#include <exception>
#include <thread>

namespace mydr24::postgres {
namespace {

constexpr auto rest_after_failure = std::chrono::seconds(1);
constexpr auto replica_behind_max = std::chrono::milliseconds(250);
constexpr auto replica_asked_every = std::chrono::milliseconds(5);
constexpr std::size_t emergency_readers = 2;

}  // namespace

ServerReaders::ServerReaders(std::string url, std::size_t readers_max, Shared& shared)
    : url_(std::move(url)),
      leases_max_{readers_max + emergency_readers, readers_max, std::max<std::size_t>(1, readers_max - readers_max / 4),
                  std::max<std::size_t>(1, readers_max / 2)},
      shared_(shared) {}

bool ServerReaders::is_resting() const { return system_clock().steady().count() < resting_until_ns_.load(); }

Result<std::unique_ptr<ServerReaders::Session>> ServerReaders::lease(RequestClass request_class) {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return leased_ < leases_max_[static_cast<std::size_t>(request_class)]; });
    ++leased_;
    while (!free_.empty()) {
      auto session = std::move(free_.back());  // the one used last is the warmest
      free_.pop_back();
      if (session->connection->is_alive()) return session;
    }
  }
  auto connection = Connection::open(url_, Connection::Role::reader);
  if (connection) return std::make_unique<Session>(std::move(*connection), shared_);
  resting_until_ns_ = (system_clock().steady() + rest_after_failure).count();
  give_back(nullptr);
  return std::move(connection).error();
}

void ServerReaders::give_back(std::unique_ptr<Session> session) {
  const std::scoped_lock lock(mutex_);
  --leased_;
  if (session != nullptr) free_.push_back(std::move(session));
  returned_.notify_all();
}

ReaderPool::ReaderPool(const std::string& url, const std::vector<std::string>& read_urls, std::size_t readers_max,
                       Shared& shared)
    : primary_(url, readers_max, shared) {
  for (const std::string& read_url : read_urls) {
    replicas_.push_back(std::make_unique<ServerReaders>(read_url, readers_max, shared));
  }
}

bool ReaderPool::wait_for(ServerReaders::Session& session, store::Sequence after) {
  const auto until = system_clock().steady() + replica_behind_max;
  while (session.sequence < after) {
    const auto newest = session.view.last_sequence();
    if (!session.connection->finish() || !newest) return false;
    session.sequence = *newest;
    if (session.sequence >= after) break;
    if (system_clock().steady() >= until) return false;
    std::this_thread::sleep_for(replica_asked_every);
  }
  return true;
}

Result<ReaderPool::Lease> ReaderPool::lease(RequestClass request_class, store::Sequence after) {
  // No replica is known to have everything.
  const std::size_t tries = after == store::Store::everything_committed ? 0 : replicas_.size();
  for (std::size_t tried = 0; tried < tries; ++tried) {
    ServerReaders& server = *replicas_[next_++ % replicas_.size()];
    if (server.is_resting()) continue;
    auto session = server.lease(request_class);
    if (!session) continue;
    if (wait_for(**session, after)) return Lease{&server, std::move(*session)};
    server.give_back((*session)->connection->is_usable() ? std::move(*session) : nullptr);
    break;
  }
  MYDR24_ASSIGN(auto session, primary_.lease(request_class));
  return Lease{&primary_, std::move(session)};
}

Result<> ReaderPool::read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits,
                          store::Sequence after) {
  MYDR24_ASSIGN(auto leased, lease(limits.request_class, after));
  Connection& connection = *leased.session->connection;
  Limits connection_limits{.time_max = limits.time_max, .cancelled = limits.cancelled};
  if (limits.time_max.count() > 0) connection_limits.deadline = system_clock().steady() + limits.time_max;
  auto outcome = connection.set_limits(connection_limits);
  if (outcome) {
    Viewing<store::Reader> reader(leased.session->view);
    try {
      outcome = read(reader);
    } catch (const std::exception& error) {
      outcome = fail(Code::internal, fmt::format("a read failed with an exception: {}", error.what()));
    }
  }
  connection.finish_later();
  // What went wrong may be the connection's fault: the next reader gets a new one.
  if (!connection.is_usable() || (!outcome && outcome.error().code == Code::internal)) leased.session.reset();
  leased.server->give_back(std::move(leased.session));
  return outcome;
}

}  // namespace mydr24::postgres
