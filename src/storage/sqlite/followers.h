#pragma once

// The threads that give committed events to followers, one for each so that a slow one delays no other, and their
// durable cursors. Private to storage/sqlite.
//
// Invariant: a cursor is saved only after follow() has succeeded for every event up to it, so an event is given at
// least once.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "storage/sqlite/reader_pool.h"
#include "storage/sqlite/writer.h"

namespace mydr24::sqlite {

class Followers {
 public:
  Followers(ReaderPool& readers, LogLine log) : readers_(readers), log_(std::move(log)) {}
  ~Followers() { stop(nullptr); }

  // The writer is needed to keep cursors. Blocks until the cursor of a new follower is stored.
  void add(store::Follower& follower, store::Store& store);
  void wake();
  // Lets the call in progress end and saves the cursors (through the store, when there is one).
  void stop(Writer* writer);
  void set_writer(Writer& writer) { writer_ = &writer; }

  bool caught_up(store::Sequence with) const;
  void wait_until_caught_up(store::Sequence with);

 private:
  struct Entry {
    store::Follower* follower = nullptr;
    store::Sequence cursor = 0;  // under mutex_
    store::Sequence saved = 0;   // under mutex_
    bool news = true;            // under mutex_
    std::thread thread;
  };
  enum class Followed : std::uint8_t { all, some, failed };

  void run(Entry& entry);
  Followed follow_some(Entry& entry);
  void save(bool wait);

  ReaderPool& readers_;
  LogLine log_;
  Writer* writer_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::condition_variable progress_;
  std::deque<Entry> entries_;  // addresses stay
  bool stopping_ = false;
  bool saving_ = false;
  std::chrono::nanoseconds saved_at_{0};
};

}  // namespace mydr24::sqlite
