#pragma once

// One number that says who is let in while there is too much: a request's rank is its class and, inside the class, its
// client's cohort; ranks above the threshold are refused. Whole clients are served or not, all their requests alike, so
// that a page that needs five requests is not lost by the fifth. Cohorts change hourly: nobody is the last for long.
//
// Every tick the threshold is set so that about as many are let in as could be before, by the histogram of ranks that came.
//
// Thread-safe: counting is an atomic addition, reading an atomic load.
//
// Source: H. Zhou et al., "Overload Control for Scaling WeChat Microservices" (DAGOR, SoCC 2018), sections 4.2.2 to 4.2.4.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/core/request_class.h"

namespace mydr24::admission {

// queue: requests wait too long for their seats, the rest is refused there: a little more may come in than finished.
// io: the threads that read requests fall behind, and only fewer requests help: a little less.
enum class Overload : std::uint8_t { none, queue, io };

class Threshold {
 public:
  static constexpr std::size_t cohorts = 128;
  static constexpr std::size_t ranks = request_class_count * cohorts;

  static std::size_t rank(RequestClass request_class, std::size_t cohort) {
    return static_cast<std::size_t>(request_class) * cohorts + cohort;
  }
  // A client's cohort in that hour since 1970.
  static std::size_t cohort(std::uint64_t client, std::int64_t hour);

  // Counts it and says whether it may come in. Emergencies always may, uncounted.
  bool admits(std::size_t rank);
  // Every tenth of a second. `let_in`: requests that were let in since the last tick, emergencies aside.
  void tick(Overload overload, std::uint64_t let_in);
  std::size_t value() const { return value_.load(std::memory_order_relaxed); }  // ranks: everybody may come in
  bool binds() const { return value() < ranks; }

 private:
  std::array<std::atomic<std::uint32_t>, ranks> offered_{};
  std::atomic<std::size_t> value_{ranks};
};

}  // namespace mydr24::admission
