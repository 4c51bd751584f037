#pragma once

// Wall-clock time in an IANA time zone, over the system's tz database. Rotations, business hours and mute intervals are
// agreed in wall-clock time; what is stored and compared is an Instant.
//
// Invariant: a Zone is valid: find() has looked it up. Cheap to copy; the database lives as long as the process.

#include <chrono>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace date {
class time_zone;
}

namespace mydr24::zone {

// What a clock on the wall shows, in microseconds since 1970-01-01 00:00 by that clock.
using LocalTime = std::chrono::local_time<Microseconds>;

class Zone {
 public:
  Zone();  // UTC
  // "Europe/Paris", "UTC". Code::invalid names the zone that is not known.
  static Result<Zone> find(std::string_view name);

  std::string_view name() const;
  LocalTime local(Instant at) const;
  // The instant at which the wall clock shows `local`. Clocks go back: the first of the two. Clocks go forward over
  // it: the instant of the change, so that a shift that begins inside the gap begins when the gap ends.
  Instant instant(LocalTime local) const;
  // The same, but the last of the two when clocks go back.
  Instant last_instant(LocalTime local) const;
  // How many times the wall clock shows it: 0 inside a gap, 2 when clocks go back, else 1.
  int times(LocalTime local) const;
  // The first instant after `after` at which the clocks change; far away where they never do.
  Instant next_change(Instant after) const;

  bool operator==(const Zone&) const = default;

 private:
  explicit Zone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;
};

}  // namespace mydr24::zone
