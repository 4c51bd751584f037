#include "base/core/clock.h"

namespace mydr24 {
namespace {

class SystemClock : public Clock {
 public:
  Instant now() const override { return std::chrono::time_point_cast<Microseconds>(std::chrono::system_clock::now()); }
  std::chrono::nanoseconds steady() const override { return std::chrono::steady_clock::now().time_since_epoch(); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace mydr24
