#pragma once

// Threads for work that would hold up an I/O thread: searches, large bodies, backups. Work of a lower RequestClass
// value always starts first. Emergencies may have threads of their own, with a queue of their own: their work then
// shares no lock with any other.

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/async/task.h"
#include "base/core/request_class.h"

namespace mydr24 {

struct WorkerPoolSettings {
  std::size_t threads = 1;
  std::size_t emergency_threads = 0;  // 0: emergencies come first on the others
  // Runs first on every thread: a name, a weight. Given whether it is one of the emergency threads, and its number.
  std::function<void(bool emergency, std::size_t number)> thread_begun;
};

class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads) : WorkerPool(WorkerPoolSettings{.threads = threads}) {}
  explicit WorkerPool(const WorkerPoolSettings& settings);
  ~WorkerPool();  // finishes what was submitted
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // `job` must not throw.
  void submit(RequestClass request_class, std::move_only_function<void()> job);

  // Runs `function` on a worker and gives back its result; the coroutine goes on on its own thread.
  template <class Function>
  auto run(RequestClass request_class, Function function) -> Task<std::invoke_result_t<Function&>> {
    using T = std::invoke_result_t<Function&>;
    co_return co_await async_call<T>([this, request_class, &function](auto done) {
      submit(request_class, [&function, done = std::move(done)]() mutable { done(function()); });
    });
  }

 private:
  struct Lane {
    std::mutex mutex;
    std::condition_variable ready;
    std::array<std::deque<std::move_only_function<void()>>, request_class_count> queues;
    bool stopping = false;
  };
  static void work(Lane& lane);
  void start(Lane& lane, std::size_t threads, const WorkerPoolSettings& settings);

  Lane common_;
  Lane emergency_;
  bool has_emergency_lane_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mydr24
