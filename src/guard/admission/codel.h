#pragma once

// Whether a queue is overloaded: when for a whole interval nobody waited less than the target. A queue that is merely
// long for a moment, and then empties, is not.
//
// Source: K. Nichols, V. Jacobson, "Controlling Queue Delay" (ACM Queue, 2012), in the form that drops at the head of a
// request queue those that waited more than twice the target while it is overloaded (B. Maurer, "Fail at Scale", ACM
// Queue, 2015).

#include <algorithm>
#include <chrono>

namespace mydr24::admission {

class CoDel {
 public:
  CoDel(std::chrono::nanoseconds target, std::chrono::nanoseconds interval) : target_(target), interval_(interval) {}

  // One that has waited `delay` is about to be served at `now` (steady). True: it has waited too long, drop it.
  bool drops(std::chrono::nanoseconds now, std::chrono::nanoseconds delay) {
    least_ = std::min(least_, delay);
    if (now >= interval_ends_) {
      overloaded_ = begun_ && least_ > target_;
      begun_ = true;
      interval_ends_ = now + interval_;
      least_ = delay;
    }
    return overloaded_ && delay > 2 * target_;
  }
  bool overloaded() const { return overloaded_; }

 private:
  std::chrono::nanoseconds target_;
  std::chrono::nanoseconds interval_;
  std::chrono::nanoseconds interval_ends_{0};
  std::chrono::nanoseconds least_ = std::chrono::nanoseconds::max();
  bool overloaded_ = false;
  bool begun_ = false;
};

}  // namespace mydr24::admission
