#include "storage/store/followers.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

namespace mydr24::store {
namespace {

constexpr std::uint32_t events_per_call_max = 256;
constexpr auto retry_after = std::chrono::milliseconds(200);
constexpr auto save_every = std::chrono::milliseconds(100);

}  // namespace

void Followers::add(Follower& follower, Store& store) {
  Sequence cursor = 0;
  const bool everywhere = follower.in_every_process();
  if (!everywhere) {
    const auto stored = store.write(RequestClass::emergency, [&](Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto cursors, transaction.cursors());
      const auto known = std::ranges::find(cursors, follower.name(), [](const auto& row) { return row.first; });
      if (known != cursors.end()) {
        cursor = known->second;
        return {};
      }
      MYDR24_ASSIGN(cursor, transaction.last_sequence());
      return transaction.set_cursor(follower.name(), cursor);
    });
    if (!stored)
      log_(telemetry::Level::warn,
           fmt::format("follower {}: its place is not known: {}", follower.name(), stored.error().text));
  }
  std::unique_lock lock(mutex_);
  auto& entry = entries_.emplace_back();
  entry.follower = &follower;
  entry.everywhere = everywhere;
  entry.cursor = entry.saved = cursor;
  entry.thread = std::thread([this, &entry] {
    pthread_setname_np(pthread_self(), "store-follower");
    // When it fails it is tried again with the first events.
    if (const auto term = term_of(entry)) (void)begin_term(entry, *term);
    {
      const std::scoped_lock begun(mutex_);
      entry.has_begun = true;
      progress_.notify_all();
    }
    run(entry);
  });
  progress_.wait(lock, [&] { return entry.has_begun; });
}

void Followers::wake() {
  const std::scoped_lock lock(mutex_);
  for (Entry& entry : entries_) entry.news = true;
  woken_.notify_all();
}

void Followers::run(Entry& entry) {
  auto followed = Followed::all;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (followed == Followed::failed) {
      woken_.wait_for(lock, retry_after, [this] { return stopping_; });
    } else if (followed == Followed::all) {
      const auto is_due = [&] { return entry.news || stopping_; };
      if (entry.saved != entry.cursor && !saving_) {
        woken_.wait_for(lock, save_every, is_due);
      } else {
        woken_.wait(lock, is_due);
      }
    }
    if (stopping_) return;
    entry.news = false;
    lock.unlock();
    followed = follow_some(entry);
    save(false);
    lock.lock();
  }
}

std::optional<std::uint64_t> Followers::term_of(const Entry& entry) const {
  return entry.everywhere ? std::optional<std::uint64_t>(1) : engine_.term();
}

// Where it goes on: another process may have followed since, and its place counts. Nothing: where it is.
Result<std::optional<Sequence>> Followers::place_of(const Entry& entry) {
  std::optional<Sequence> place;
  MYDR24_TRY(engine_.read([&](Reader& reader) -> Result<> {
    if (entry.everywhere) {
      MYDR24_ASSIGN(place, reader.last_sequence());
      return {};
    }
    MYDR24_ASSIGN(const auto cursors, reader.cursors());
    for (const auto& [name, sequence] : cursors)
      if (name == entry.follower->name()) place = sequence;
    return {};
  }));
  return place;
}

Result<> Followers::begin_term(Entry& entry, std::uint64_t term) {
  MYDR24_ASSIGN(const auto place, place_of(entry));
  if (place) {
    const std::scoped_lock lock(mutex_);
    entry.cursor = entry.saved = *place;
  }
  MYDR24_TRY(entry.follower->begin());
  entry.term = term;
  return {};
}

Followers::Followed Followers::follow_some(Entry& entry) {
  const auto term = term_of(entry);
  if (entry.term != 0 && entry.term != term.value_or(0)) {
    entry.term = 0;
    entry.follower->end();
  }
  if (!term) return Followed::all;
  std::vector<Event> events;
  Result<> outcome;
  if (entry.term != *term) outcome = begin_term(entry, *term);
  if (outcome) {
    outcome = engine_.read([&](Reader& reader) -> Result<> {
      MYDR24_ASSIGN(events, reader.events(entry.cursor, events_per_call_max));
      return {};
    });
  }
  if (outcome && !events.empty()) outcome = entry.follower->follow(events);
  const bool was_failing = std::exchange(entry.is_failing, !outcome);
  if (!outcome) {
    if (!was_failing)
      log_(telemetry::Level::warn, fmt::format("follower {} will be given the events after {} again: {}",
                                               entry.follower->name(), entry.cursor, outcome.error().text));
    return Followed::failed;
  }
  const std::scoped_lock lock(mutex_);
  if (!events.empty()) entry.cursor = events.back().sequence;
  if (entry.everywhere) entry.saved = entry.cursor;
  progress_.notify_all();
  return events.size() == events_per_call_max ? Followed::some : Followed::all;
}

// One write for all cursors that moved; the next not before this one is done.
void Followers::save(bool wait) {
  std::vector<std::pair<Entry*, Sequence>> moved;
  {
    const std::scoped_lock lock(mutex_);
    if (saving_ || !engine_.term()) return;
    if (!wait && system_clock().steady() < saved_at_ + save_every) return;
    for (Entry& entry : entries_) {
      if (entry.saved != entry.cursor) moved.emplace_back(&entry, entry.cursor);
    }
    if (moved.empty()) return;
    saving_ = true;
    saved_at_ = system_clock().steady();
  }
  auto work = [moved](Transaction& transaction) -> Result<> {
    for (const auto& [entry, cursor] : moved) MYDR24_TRY(transaction.set_cursor(entry->follower->name(), cursor));
    return {};
  };
  auto done = [this, moved](Result<> outcome) {
    const std::scoped_lock lock(mutex_);
    saving_ = false;
    if (outcome) {
      for (const auto& [entry, cursor] : moved) entry->saved = cursor;
    }
    for (Entry& entry : entries_) entry.news = true;
    woken_.notify_all();
    progress_.notify_all();
  };
  engine_.submit(std::move(work), std::move(done));
}

void Followers::stop(bool save_cursors) {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    woken_.notify_all();
  }
  for (Entry& entry : entries_) {
    if (entry.thread.joinable()) entry.thread.join();
  }
  if (!save_cursors) return;
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [this] { return !saving_; });
  lock.unlock();
  save(true);
  lock.lock();
  progress_.wait(lock, [this] { return !saving_; });
}

bool Followers::is_caught_up(Sequence with) const {
  return std::ranges::all_of(entries_, [&](const Entry& entry) { return !term_of(entry) || entry.cursor >= with; });
}

bool Followers::caught_up(Sequence with) const {
  const std::scoped_lock lock(mutex_);
  return is_caught_up(with);
}

void Followers::wait_until_caught_up(Sequence with) {
  std::unique_lock lock(mutex_);
  progress_.wait(lock, [&] { return stopping_ || is_caught_up(with); });
}

}  // namespace mydr24::store
