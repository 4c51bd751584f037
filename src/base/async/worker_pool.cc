#include "base/async/worker_pool.h"

#include <algorithm>

namespace mydr24 {

WorkerPool::WorkerPool(std::size_t threads) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::submit(RequestClass request_class, std::move_only_function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    queues_[static_cast<std::size_t>(request_class)].push_back(std::move(job));
  }
  ready_.notify_one();
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto queue = std::ranges::find_if(queues_, [](const auto& jobs) { return !jobs.empty(); });
    if (queue == queues_.end()) {
      if (stopping_) return;
      ready_.wait(lock);
      continue;
    }
    auto job = std::move(queue->front());
    queue->pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace mydr24
