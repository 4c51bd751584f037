#include "storage/postgres/watch.h"

#include <pthread.h>

#include "storage/postgres/schema.h"

namespace mydr24::postgres {
namespace {

constexpr auto looks_every = std::chrono::milliseconds(200);
constexpr auto size_asked_every = std::chrono::seconds(30);

}  // namespace

void Watch::start() {
  look();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "store-watch");
    run();
  });
}

void Watch::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    woken_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  if (connection_ != nullptr && term_.exchange(0) != 0) {
    if (connection_->query("SELECT pg_advisory_unlock_all()")) (void)connection_->finish();
  }
  connection_.reset();
}

std::optional<std::uint64_t> Watch::term() const {
  const auto term = term_.load();
  return term == 0 ? std::nullopt : std::optional(term);
}

void Watch::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (woken_.wait_for(lock, looks_every, [this] { return stopping_; })) return;
    }
    look();
  }
}

void Watch::look() {
  if (connection_ == nullptr) {
    auto opened = Connection::open(url_, Connection::Role::reader);
    if (!opened) return;
    connection_ = std::move(*opened);
  }
  const auto term_before = term_.load();
  const auto events_before = last_event_.load();
  if (!ask()) {
    connection_.reset();
    if (term_.exchange(0) != 0) hooks_.news();
    return;
  }
  if (term_ != term_before || last_event_ != events_before) hooks_.news();
  hooks_.reachable();
}

Result<> Watch::ask() {
  if (term_ == 0 && may_lead_) {
    MYDR24_ASSIGN(const auto taken,
                  connection_->query("SELECT pg_try_advisory_lock($1::int, hashtext(current_schema()))",
                                     Parameters::of(leader_lock)));
    if (taken.integer(0, 0) != 0) term_ = ++terms_;
  }
  MYDR24_ASSIGN(const auto row,
                connection_->query("SELECT coalesce((SELECT sequence FROM journal WHERE kind IS NOT NULL ORDER BY "
                                   "sequence DESC LIMIT 1), 0), (SELECT min(due) FROM timer)"));
  last_event_ = row.integer(0, 0);
  earliest_due_us_ = row.is_null(0, 1) ? INT64_MAX : row.integer(0, 1);
  const auto now = system_clock().steady();
  if (size_asked_at_.count() < 0 || now >= size_asked_at_ + size_asked_every) {
    size_asked_at_ = now;
    MYDR24_ASSIGN(bytes_on_disk_, connection_->number("SELECT pg_database_size(current_database())", 0));
  }
  return connection_->finish();
}

}  // namespace mydr24::postgres
