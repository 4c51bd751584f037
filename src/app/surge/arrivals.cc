#include "app/surge/arrivals.h"

#include <utility>

namespace mydr24::surge {

Arrivals::Arrivals(std::vector<Phase> phases, Pace pace, std::uint64_t seed)
    : phases_(std::move(phases)), pace_(pace), random_(seed) {}

std::chrono::nanoseconds Arrivals::next() {
  // How many arrivals' worth of rate lies before the next one; a phase uses up its rate times its rest.
  double owed = pace_ == Pace::poisson ? gap_(random_) : 1.0;
  while (phase_ < phases_.size()) {
    const Phase& phase = phases_[phase_];
    const double end_s = phase_begin_s_ + phase.seconds;
    const double rest = (end_s - at_s_) * phase.per_second;
    if (rest > owed) {
      at_s_ += owed / phase.per_second;
      return std::chrono::nanoseconds(static_cast<std::int64_t>(at_s_ * 1e9));
    }
    owed -= rest;
    at_s_ = phase_begin_s_ = end_s;
    ++phase_;
  }
  return never;
}

std::chrono::nanoseconds Arrivals::length() const {
  double seconds = 0;
  for (const Phase& phase : phases_) seconds += phase.seconds;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

}  // namespace mydr24::surge
