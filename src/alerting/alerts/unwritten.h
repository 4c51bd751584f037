#pragma once

// Emergencies of writes that the store had no room for. What such a write would have raised is found by a rehearsal of it
// (store::Rehearsal); people are called from memory, the first step of the policy at once and every 30 s the next one,
// until the alert itself could be written down: then the Book calls, and they can acknowledge. The write stays refused.
//
// Invariants
// - A cause is called about once at a time, however often its write is repeated meanwhile.
// - A restart forgets what was not written: whoever sent it was told so, and sends it again.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "alerting/alerts/book.h"
#include "alerting/alerts/dispatcher.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

class Unwritten {
 public:
  using Call = std::function<void(Unrecorded)>;
  static constexpr std::chrono::seconds call_again{30};
  static constexpr std::chrono::seconds write_again{1};
  static constexpr std::size_t kept_max = 10'000;  // beyond it an emergency is called about once

  // `call`: Dispatcher::call_from_memory; called on any thread. All must outlive it and the store.
  Unwritten(const Book& book, store::Store& store, const Clock& clock, Call call)
      : book_(book), store_(store), clock_(clock), call_(std::move(call)) {}

  // A write was refused for want of room (Code::full) or because the store cannot write (Code::internal): `work` is what
  // it was. Thread-safe; takes as long as the write itself, without the disk.
  using Work = std::function<Result<>(store::Transaction&)>;
  void rehearse(const Work& work);
  // Calls and writes what is due. Often, as Store::tick(); thread-safe, cheap.
  void tick();
  // How many are not written down now.
  std::int64_t count() const { return count_; }

 private:
  struct Waiting {
    Raise raise;
    Unrecorded emergency;
    std::chrono::nanoseconds next_call{0};
    bool writing = false;
  };
  void take(Raise raise, Unrecorded emergency);
  Result<> write(store::Transaction& transaction, const Raise& raise) const;
  void written(const std::string& cause, const Result<>& result);

  const Book& book_;
  store::Store& store_;
  const Clock& clock_;
  const Call call_;

  std::mutex mutex_;
  std::map<std::string, Waiting> waiting_;  // by cause
  std::chrono::nanoseconds next_write_{0};
  std::atomic<std::int64_t> count_ = 0;
};

}  // namespace mydr24::alerts
