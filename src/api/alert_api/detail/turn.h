#pragma once

// How long a listing may have the engine's thread at a time. Emergencies are dealt with on that thread: between two turns
// they have theirs. Private to api/alert_api.

#include <chrono>
#include <cstddef>

#include "base/core/clock.h"

namespace mydr24::alert_api {

class Turn {
 public:
  explicit Turn(const Clock& clock) : clock_(clock), until_(clock.steady() + time_max) {}
  // Asked before each item. The first one is always looked at, so that every turn gets on.
  bool is_over() { return looked_at_++ > 0 && (looked_at_ > items_max || clock_.steady() >= until_); }

  static constexpr std::size_t items_max = 250;
  static constexpr std::chrono::milliseconds time_max{1};

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds until_;
  std::size_t looked_at_ = 0;
};

}  // namespace mydr24::alert_api
