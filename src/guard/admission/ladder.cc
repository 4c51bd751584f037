#include "guard/admission/ladder.h"

namespace mydr24::admission {
namespace {

// The least urgent class whose overload leads from a level to the one above.
constexpr std::array<RequestClass, level_max> climbs_for{RequestClass::routine, RequestClass::routine,
                                                         RequestClass::urgent, RequestClass::emergency};

bool suffers(int level, const std::array<bool, request_class_count>& overloaded) {
  for (std::size_t i = 0; i <= static_cast<std::size_t>(climbs_for[static_cast<std::size_t>(level)]); ++i) {
    if (overloaded[i]) return true;
  }
  return false;
}

}  // namespace

int Ladder::tick(std::chrono::nanoseconds now, const std::array<bool, request_class_count>& overloaded) {
  const int floor = now < held_until_ ? 1 : 0;
  if (level_ < floor) {
    level_ = floor;
    calm_since_ = now;
  }
  ticks_ = level_ < level_max && suffers(level_, overloaded) ? ticks_ + 1 : 0;
  if (ticks_ >= ticks_up) {
    ++level_;
    ticks_ = 0;
    calm_since_ = now;
  } else if (level_ > floor) {
    // What led up to this level is still so: no calm yet.
    if (suffers(level_ - 1, overloaded)) calm_since_ = now;
    if (now - calm_since_ >= calm_before_down) {
      --level_;
      calm_since_ = now;
    }
  }
  return level_;
}

}  // namespace mydr24::admission
