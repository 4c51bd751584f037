#include "storage/sqlite/reader_pool.h"

namespace mydr24::sqlite {

Result<std::unique_ptr<ReaderPool::Session>> ReaderPool::lease() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !held_ && leased_ < readers_max_; });
    ++leased_;
    if (!free_.empty()) {
      auto session = std::move(free_.back());  // the one used last has the warmest cache
      free_.pop_back();
      return session;
    }
  }
  auto connection = Connection::open(file_, Connection::Role::reader, cache_bytes_);
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

Result<> ReaderPool::read(const std::function<Result<>(store::Reader&)>& read) {
  MYDR24_ASSIGN(auto session, lease());
  auto outcome = session->connection->run("BEGIN DEFERRED");
  if (outcome) {
    Viewing<store::Reader> reader(session->view);
    outcome = read(reader);
    auto ended = session->connection->run("COMMIT");
    // A connection that cannot end its transaction is of no use to the next reader.
    if (!ended) session.reset();
  }
  give_back(std::move(session));
  return outcome;
}

void ReaderPool::quiet(std::chrono::milliseconds wait, const std::function<void()>& job) {
  {
    std::unique_lock lock(mutex_);
    held_ = true;
    returned_.wait_for(lock, wait, [this] { return leased_ == 0; });
  }
  job();
  const std::scoped_lock lock(mutex_);
  held_ = false;
  returned_.notify_all();
}

}  // namespace mydr24::sqlite
