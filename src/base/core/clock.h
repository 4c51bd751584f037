#pragma once

// Time is injected: a module is given a Clock and never reads the system's. clock.cc is the one file that does.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace mydr24 {

// An instant: microseconds since 1970-01-01T00:00:00Z.
using Instant = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
using Microseconds = std::chrono::microseconds;

inline std::int64_t to_us(Instant at) { return at.time_since_epoch().count(); }
inline Instant from_us(std::int64_t us) { return Instant(Microseconds(us)); }

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time; may step when the machine's clock is set.
  virtual Instant now() const = 0;
  // Never goes backwards; for durations and deadlines inside one process.
  virtual std::chrono::nanoseconds steady() const = 0;
};

// The machine's clock. Lives as long as the process.
const Clock& system_clock();

// A clock that a test moves by hand. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Instant start) : us_(to_us(start)) {}
  Instant now() const override { return from_us(us_.load()); }
  std::chrono::nanoseconds steady() const override { return Microseconds(us_.load()); }
  void advance(Microseconds by) { us_ += by.count(); }
  void set(Instant at) { us_ = to_us(at); }

 private:
  std::atomic<std::int64_t> us_;
};

}  // namespace mydr24
