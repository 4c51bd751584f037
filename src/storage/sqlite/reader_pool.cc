#include "storage/sqlite/reader_pool.h"

#include <fmt/format.h>

#include <exception>

namespace mydr24::sqlite {

Result<std::unique_ptr<ReaderPool::Session>> ReaderPool::lease(const store::ReadLimits& limits) {
  const std::size_t leases_max =
      readers_max_ + (limits.request_class == RequestClass::emergency ? emergency_readers_ : 0);
  {
    std::unique_lock lock(mutex_);
    const auto is_free = [this, leases_max] { return !held_ && leased_ < leases_max; };
    if (limits.time_max.count() == 0) {
      returned_.wait(lock, is_free);
    } else if (!returned_.wait_for(lock, limits.time_max, is_free)) {
      return fail(Code::busy, fmt::format("{} reads are under way: try again later", readers_max_));
    }
    ++leased_;
    if (!free_.empty()) {
      auto session = std::move(free_.back());  // the one used last has the warmest cache
      free_.pop_back();
      return session;
    }
  }
  auto connection = Connection::open(place_, Connection::Role::reader, cache_bytes_);
  if (connection) return std::make_unique<Session>(std::move(*connection), shared_);
  give_back(nullptr);
  return std::move(connection).error();
}

void ReaderPool::give_back(std::unique_ptr<Session> session) {
  const std::scoped_lock lock(mutex_);
  --leased_;
  if (session != nullptr) free_.push_back(std::move(session));
  if (held_ || leased_ + 1 >= readers_max_) returned_.notify_all();
}

Result<> ReaderPool::begin(Session& session) const {
  const auto commits = commits_.load(std::memory_order_acquire);
  if (session.has_snapshot && session.commits == commits) return {};
  MYDR24_TRY(end(session));
  MYDR24_TRY(session.connection->run("BEGIN DEFERRED"));
  session.has_snapshot = true;
  session.commits = commits;
  return {};
}

Result<> ReaderPool::end(Session& session) {
  if (!session.has_snapshot) return {};
  MYDR24_TRY(session.connection->run("COMMIT"));
  session.has_snapshot = false;
  return {};
}

Result<> ReaderPool::read(const std::function<Result<>(store::Reader&)>& read, const store::ReadLimits& limits) {
  MYDR24_ASSIGN(auto session, lease(limits));
  const bool index_is_complete = shared_.index_is_complete();
  auto outcome = begin(*session);
  if (outcome) {
    const LimitGuard guard(*session->connection, limits);
    session->view.begin(&guard, index_is_complete);
    Viewing<store::Reader> reader(session->view);
    try {
      outcome = read(reader);
    } catch (const std::exception& error) {
      outcome = fail(Code::internal, fmt::format("a read failed with an exception: {}", error.what()));
    }
    session->view.begin(nullptr, true);
    if (!outcome && outcome.error().code == Code::too_costly) {
      if (auto exceeded = guard.check(); !exceeded) outcome = std::move(exceeded);
    }
  }
  // What went wrong may be the connection's fault: the next reader gets a new one.
  if (!outcome && outcome.error().code == Code::internal) session.reset();
  give_back(std::move(session));
  return outcome;
}

void ReaderPool::end_idle_snapshots() {
  const std::scoped_lock lock(mutex_);
  std::erase_if(free_, [](const auto& session) { return !end(*session); });
}

void ReaderPool::quiet(std::chrono::milliseconds wait, const std::function<void()>& job) {
  {
    std::unique_lock lock(mutex_);
    held_ = true;
    returned_.wait_for(lock, wait, [this] { return leased_ == 0; });
  }
  end_idle_snapshots();
  job();
  const std::scoped_lock lock(mutex_);
  held_ = false;
  returned_.notify_all();
}

}  // namespace mydr24::sqlite
