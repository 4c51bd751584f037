#pragma once

// Good events and all events over time, asked for any window from seconds to 33 days, in memory that does not grow:
// running sums at the ends of seconds (of the last hour), of minutes (of the last 25 hours) and of hours (of the last
// 33 days). The older a window begins, the coarser its beginning is taken: always to the earlier side.

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/core/clock.h"

namespace mydr24::slo {

using std::chrono::seconds;

// Events are doubles: a slice of time may be good in part.
struct Count {
  double good = 0;
  double total = 0;

  double bad() const { return total - good; }
  // Share of bad events; 0 without events.
  double error() const { return total > 0 ? bad() / total : 0; }
};

class Counts {
 public:
  Counts();
  // What happened in the second that ends at `now`. Time that goes back is taken for the time before.
  void add(Instant now, Count events);
  // What was kept of the hour that began at `hour`, before this process. In ascending order, before the first add().
  void restore(Instant hour, Count events);
  // Of the last `window` before the newest add(). A window finds what is finer than a quarter of it, or it begins
  // later.
  Count in(seconds window) const;
  // Since `from`.
  Count since(Instant from) const;
  // Of the hour that began at `hour` so far, what was restored of it included; nothing of one that is not kept.
  Count in_hour(Instant hour) const;
  // All that was added; what was restored is not among it.
  Count all() const { return added_; }

 private:
  struct Mark {
    std::int64_t at = 0;  // second since the epoch
    Count sum;
  };
  // A ring of marks, one at most for each `step`.
  struct Level {
    std::int64_t step = 1;
    std::size_t size = 0;
    std::vector<Mark> marks;
    std::size_t next = 0;  // of the ring, once it is full

    const Mark& oldest() const { return marks.size() < size ? marks.front() : marks[next]; }
    const Mark& at(std::size_t index) const { return marks[marks.size() < size ? index : (next + index) % size]; }
    void push(const Mark& mark);
    // The newest mark whose sum is that at `second` or, within a step, before it; the oldest when there is none; null
    // when nothing came since.
    const Mark* find(std::int64_t second) const;
  };
  Count difference(std::int64_t from, std::int64_t window) const;

  std::array<Level, 3> levels_;
  Count sum_;
  Count added_;
  std::int64_t now_ = 0;
};

}  // namespace mydr24::slo
