#pragma once

// A wall clock that never steps. When the machine's clock is set, what is due must neither come at once nor be late: this
// clock goes on at the pace of the steady clock and makes up for the difference slowly, 1 second in 100.
//
// Why: due times are stored as wall-clock time, so that they survive a restart; inside a process the time until them has
// to pass, whatever somebody does to the machine's clock (docs/adr/0013).

#include <mutex>

#include "base/core/clock.h"

namespace mydr24 {

class PacedClock : public Clock {
 public:
  // `source` must outlive it. `not_before`: the last time that is known to have been, as of the last line of a journal; a
  // machine's clock that is behind it by at most `behind_max` has been set back.
  explicit PacedClock(const Clock& source, Instant not_before = Instant::min());
  Instant now() const override;
  std::chrono::nanoseconds steady() const override { return source_.steady(); }
  // How far the machine's clock is ahead (or, negative, behind).
  Microseconds difference() const;
  // As the constructor has it, once the store is open; for a clock that nobody has read yet.
  void start_at(Instant not_before);

  static constexpr std::chrono::hours behind_max{48};
  static constexpr int slew = 100;

 private:
  const Clock& source_;
  mutable std::mutex mutex_;
  mutable Instant last_;
  mutable std::chrono::nanoseconds last_steady_;
  mutable std::chrono::nanoseconds rest_{0};  // below a microsecond
};

}  // namespace mydr24
