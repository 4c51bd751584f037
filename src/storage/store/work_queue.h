#pragma once

// Works that wait for an engine's writer, a queue for each class. Private to the engines.
//
// Invariants
// - A higher class is always taken first; inside a class, first come, first served.
// - A Work that was accepted is taken, also when the queue is being closed.
// Thread-safe; one thread takes.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "base/core/request_class.h"
#include "storage/store/store.h"

namespace mydr24::store {

class WorkQueue {
 public:
  struct Job {
    RequestClass request_class;
    Work work;
    Done done;
  };

  explicit WorkQueue(const std::array<std::size_t, request_class_count>& queue_max) : queue_max_(queue_max) {}

  // `bounded`: Code::busy, through `done` on this thread, when the class's queue is full. After the last wait_for_work()
  // everything is.
  void push(RequestClass request_class, Work work, Done done, bool bounded);

  // For the thread that takes. False: closed, and nothing is left.
  bool wait_for_work();
  std::optional<Job> take(bool emergencies_only);

  // Lets wait_for_work() end when all is taken.
  void close();
  // Nothing waits, and the thread that takes is back in wait_for_work().
  void wait_until_idle();
  bool idle() const;
  std::array<std::int64_t, request_class_count> sizes() const;

 private:
  const std::array<std::size_t, request_class_count> queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::condition_variable idle_;
  std::array<std::deque<Job>, request_class_count> queues_;
  std::size_t queued_ = 0;
  bool working_ = false;
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace mydr24::store
