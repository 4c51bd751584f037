#pragma once

// Threads for work that would hold up an I/O thread: searches, large bodies, backups. Work of a lower RequestClass
// value always starts first.

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

class WorkerPool {
 public:
  explicit WorkerPool(std::size_t threads);
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
  void work();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::array<std::deque<std::move_only_function<void()>>, request_class_count> queues_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mydr24
