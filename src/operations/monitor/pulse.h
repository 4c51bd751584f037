#pragma once

// Whether the store answers: once a second something that writes nothing passes through its writer. What is measured is how
// long it has not answered, so that a store that hangs, refuses or is gone is seen while it is. A disk without room is no
// matter of this one.

#include <atomic>
#include <chrono>

#include "storage/store/store.h"

namespace mydr24::monitor {

class Pulse {
 public:
  // Both must outlive it; the store's answers are waited for by whoever closes the store.
  Pulse(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Once a second, one thread.
  void tick();
  // Since when there is no answer; 0: the last one came, and none is waited for. Thread-safe.
  std::chrono::nanoseconds unanswered() const;

 private:
  store::Store& store_;
  const Clock& clock_;
  std::atomic<bool> waits_ = false;
  std::atomic<std::int64_t> since_ns_ = 0;  // steady; the first that was not answered; 0: none
};

}  // namespace mydr24::monitor
