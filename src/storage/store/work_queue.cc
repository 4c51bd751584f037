#include "storage/store/work_queue.h"

#include <fmt/format.h>

namespace mydr24::store {

void WorkQueue::push(RequestClass request_class, Work work, Done done, bool bounded) {
  const auto lane = static_cast<std::size_t>(request_class);
  {
    const std::scoped_lock lock(mutex_);
    auto& queue = queues_[lane];
    if (!closed_ && (!bounded || queue.size() < queue_max_[lane])) {
      queue.push_back({request_class, std::move(work), std::move(done)});
      if (++queued_ == 1 && !working_) ready_.notify_one();
      return;
    }
  }
  done(fail(Code::busy, fmt::format("{} {} writes are waiting already: try again later", queue_max_[lane],
                                    to_string(request_class))));
}

std::optional<WorkQueue::Job> WorkQueue::take(bool emergencies_only) {
  const std::scoped_lock lock(mutex_);
  for (auto& queue : queues_) {
    if (!queue.empty()) {
      Job job = std::move(queue.front());
      queue.pop_front();
      --queued_;
      return job;
    }
    if (emergencies_only) break;
  }
  return std::nullopt;
}

bool WorkQueue::wait_for_work() {
  std::unique_lock lock(mutex_);
  working_ = false;
  if (queued_ == 0) idle_.notify_all();
  ready_.wait(lock, [this] { return queued_ > 0 || closing_; });
  working_ = queued_ > 0;
  closed_ = !working_;
  return working_;
}

void WorkQueue::close() {
  const std::scoped_lock lock(mutex_);
  closing_ = true;
  ready_.notify_all();
}

void WorkQueue::wait_until_idle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queued_ == 0 && !working_; });
}

bool WorkQueue::idle() const {
  const std::scoped_lock lock(mutex_);
  return queued_ == 0 && !working_;
}

std::array<std::int64_t, request_class_count> WorkQueue::sizes() const {
  const std::scoped_lock lock(mutex_);
  std::array<std::int64_t, request_class_count> sizes{};
  for (std::size_t lane = 0; lane < request_class_count; ++lane) {
    sizes[lane] = static_cast<std::int64_t>(queues_[lane].size());
  }
  return sizes;
}

}  // namespace mydr24::store
