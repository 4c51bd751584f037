#pragma once

// The brown-out ladder: what is left out, in which order, so that what matters goes on. A level protects a class: it is
// climbed because that class is overloaded although the level below is in force.
//
//   1  routine is overloaded: background work is refused, searches give short pages and no totals
//   2  it still is:           no _include, _revinclude, chained conditions, text search
//   3  urgent is overloaded:  routine writes are refused
//   4  emergencies wait:      routine is refused as a whole
//
// Up after two ticks in a row, one level at a time; down after 30 s without, one level at a time. A hint of a surge to
// come holds level 1.
//
// Pure: told the time.

#include <array>
#include <chrono>
#include <cstdint>

#include "base/core/request_class.h"

namespace mydr24::admission {

inline constexpr int level_max = 4;

class Ladder {
 public:
  static constexpr std::chrono::milliseconds tick_every{100};
  static constexpr int ticks_up = 2;
  static constexpr std::chrono::seconds calm_before_down{30};

  // Which classes were overloaded since the last tick. Gives the level.
  int tick(std::chrono::nanoseconds now, const std::array<bool, request_class_count>& overloaded);
  // Level 1 at least until then.
  void hold(std::chrono::nanoseconds until) { held_until_ = until; }
  int level() const { return level_; }

 private:
  int level_ = 0;
  int ticks_ = 0;
  std::chrono::nanoseconds calm_since_{0};
  std::chrono::nanoseconds held_until_{0};
};

}  // namespace mydr24::admission
