#include "base/async/worker_pool.h"

#include <algorithm>

namespace mydr24 {

WorkerPool::WorkerPool(const WorkerPoolSettings& settings) : has_emergency_lane_(settings.emergency_threads > 0) {
  threads_.reserve(settings.threads + settings.emergency_threads);
  start(emergency_, settings.emergency_threads, settings);
  start(common_, settings.threads, settings);
}

void WorkerPool::start(Lane& lane, std::size_t threads, const WorkerPoolSettings& settings) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([&lane, i, emergency = &lane == &emergency_, begun = settings.thread_begun] {
      if (begun) begun(emergency, i);
      work(lane);
    });
  }
}

WorkerPool::~WorkerPool() {
  for (Lane* lane : {&common_, &emergency_}) {
    const std::lock_guard lock(lane->mutex);
    lane->stopping = true;
    lane->ready.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

void WorkerPool::submit(RequestClass request_class, std::move_only_function<void()> job) {
  Lane& lane = has_emergency_lane_ && request_class == RequestClass::emergency ? emergency_ : common_;
  {
    const std::lock_guard lock(lane.mutex);
    lane.queues[static_cast<std::size_t>(request_class)].push_back(std::move(job));
  }
  lane.ready.notify_one();
}

void WorkerPool::work(Lane& lane) {
  std::unique_lock lock(lane.mutex);
  for (;;) {
    const auto queue = std::ranges::find_if(lane.queues, [](const auto& jobs) { return !jobs.empty(); });
    if (queue == lane.queues.end()) {
      if (lane.stopping) return;
      lane.ready.wait(lock);
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
