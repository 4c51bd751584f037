#pragma once

// The threads that give committed events to followers, one for each so that a slow one delays no other, and their
// durable cursors. Private to the engines.
//
// Invariants
// - A cursor is saved only after follow() has succeeded for every event up to it, so an event is given at least once.
// - Where several processes share a database, only the one that holds the term gives events, except to followers in every
//   process.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/telemetry/log.h"
#include "storage/store/store.h"

namespace mydr24::store {

class Followers {
 public:
  using LogLine = std::function<void(telemetry::Level, std::string_view)>;
  // What an engine lends.
  struct Engine {
    std::function<Result<>(const std::function<Result<>(Reader&)>&)> read;
    // A write of the store's own: never refused for being one too many.
    std::function<void(Work, Done)> submit;
    // Nothing: another process follows. The number changes when this process takes over: cursors are then read again.
    std::function<std::optional<std::uint64_t>()> term;
  };

  Followers(Engine engine, LogLine log) : engine_(std::move(engine)), log_(std::move(log)) {}
  ~Followers() { stop(false); }

  // Blocks until the cursor of a new follower is stored and, where this process holds the term, begin() was called: what
  // is written from then on is not taken for something that was left.
  void add(Follower& follower, Store& store);
  // There are new events, or a new term.
  void wake();
  // Lets the call in progress end and saves the cursors when `save_cursors` (the engine can still write).
  void stop(bool save_cursors);

  // Those that another process follows do not count.
  bool caught_up(Sequence with) const;
  void wait_until_caught_up(Sequence with);

 private:
  struct Entry {
    Follower* follower = nullptr;
    Sequence cursor = 0;      // under mutex_
    Sequence saved = 0;       // under mutex_
    bool news = true;         // under mutex_
    bool has_begun = false;   // under mutex_
    bool everywhere = false;  // Follower::in_every_process
    std::uint64_t term = 0;   // begun in; 0: none. Its thread only
    bool is_failing = false;  // its thread only
    std::thread thread;
  };
  enum class Followed : std::uint8_t { all, some, failed };

  void run(Entry& entry);
  Followed follow_some(Entry& entry);
  std::optional<std::uint64_t> term_of(const Entry& entry) const;
  Result<> begin_term(Entry& entry, std::uint64_t term);
  Result<std::optional<Sequence>> place_of(const Entry& entry);
  void save(bool wait);
  bool is_caught_up(Sequence with) const;  // under mutex_

  Engine engine_;
  LogLine log_;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::condition_variable progress_;
  std::deque<Entry> entries_;  // addresses stay
  bool stopping_ = false;
  bool saving_ = false;
  std::chrono::nanoseconds saved_at_{0};
};

}  // namespace mydr24::store
