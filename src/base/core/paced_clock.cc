#include "base/core/paced_clock.h"

#include <algorithm>

namespace mydr24 {

PacedClock::PacedClock(const Clock& source, Instant not_before)
    : source_(source), last_(source.now()), last_steady_(source.steady()) {
  start_at(not_before);
}

void PacedClock::start_at(Instant not_before) {
  const std::lock_guard lock(mutex_);
  if (not_before > last_ && not_before - behind_max <= last_) last_ = not_before;
}

Instant PacedClock::now() const {
  const Instant wall = source_.now();
  const std::chrono::nanoseconds steady = source_.steady();
  const std::lock_guard lock(mutex_);
  const auto passed = std::max(steady - last_steady_, std::chrono::nanoseconds(0));
  if (passed.count() == 0) return last_;
  const auto whole = std::chrono::floor<Microseconds>(passed + rest_);
  rest_ = passed + rest_ - whole;
  last_steady_ = steady;
  const Instant paced = last_ + whole;
  const Microseconds most = whole / slew + Microseconds(1);
  last_ = paced + std::clamp(wall - paced, -std::min(most, whole), most);
  return last_;
}

Microseconds PacedClock::difference() const { return source_.now() - now(); }

}  // namespace mydr24
