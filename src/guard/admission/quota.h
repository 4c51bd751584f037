#pragma once

// How many requests a second one tenant may ask: a bucket of tokens that fills at that rate.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace mydr24::admission {

class Quota {
 public:
  // `per_second` <= 0: as many as it likes. `burst`: how many at once after a pause.
  Quota(double per_second, double burst)
      : interval_ns_(per_second <= 0 ? 0 : static_cast<std::int64_t>(1e9 / per_second)),
        burst_ns_(static_cast<std::int64_t>(static_cast<double>(interval_ns_) * std::max(1.0, burst))) {}

  // Takes a token; false: there is none. `now`: steady. Thread-safe, without a lock.
  bool take(std::chrono::nanoseconds now) {
    if (interval_ns_ == 0) return true;
    // As GCRA (ITU-T I.371): the time up to which tokens are spent.
    auto spent = spent_.load(std::memory_order_relaxed);
    for (;;) {
      const std::int64_t next = std::max(spent, now.count() - burst_ns_) + interval_ns_;
      if (next > now.count()) return false;
      if (spent_.compare_exchange_weak(spent, next, std::memory_order_relaxed)) return true;
    }
  }

  // How much of the bucket is spent, 0 to 1. `now`: as of take(). Thread-safe.
  double used(std::chrono::nanoseconds now) const {
    if (interval_ns_ == 0) return 0;
    const auto ahead = spent_.load(std::memory_order_relaxed) - (now.count() - burst_ns_);
    return std::clamp(static_cast<double>(ahead) / static_cast<double>(burst_ns_), 0.0, 1.0);
  }

 private:
  const std::int64_t interval_ns_;
  const std::int64_t burst_ns_;
  std::atomic<std::int64_t> spent_{INT64_MIN / 2};
};

}  // namespace mydr24::admission
