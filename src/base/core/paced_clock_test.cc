#include "base/core/paced_clock.h"

#include <gtest/gtest.h>

namespace mydr24 {
namespace {

using namespace std::chrono_literals;

// The machine's clock as somebody sets it.
class SetClock : public Clock {
 public:
  Instant now() const override { return wall_; }
  std::chrono::nanoseconds steady() const override { return steady_; }
  void pass(Microseconds time) {
    wall_ += time;
    steady_ += time;
  }
  void set(Microseconds by) { wall_ += by; }

 private:
  Instant wall_ = from_us(1'700'000'000'000'000);
  std::chrono::nanoseconds steady_ = 5s;
};

TEST(PacedClock, FollowsAClockThatNobodySets) {
  SetClock machine;
  const PacedClock clock(machine);
  for (int i = 0; i < 1000; ++i) {
    machine.pass(Microseconds(1 + i * 37));
    ASSERT_EQ(clock.now(), machine.now());
  }
}

TEST(PacedClock, AStepOfAnHourIsMadeUpForSlowlyAndTimeNeverGoesBack) {
  for (const auto step : {Microseconds(1h), Microseconds(-1h)}) {
    SetClock machine;
    const PacedClock clock(machine);
    Instant before = clock.now();
    machine.set(step);
    EXPECT_EQ(clock.now(), before);
    for (int second = 0; second < 30; ++second) {
      machine.pass(1s);
      const Instant now = clock.now();
      EXPECT_GE(now - before, 990ms - 1us);
      EXPECT_LE(now - before, 1010ms + 1us);
      before = now;
    }
    EXPECT_NEAR(static_cast<double>(clock.difference().count()), static_cast<double>(step.count()), 300'100);
    for (int hour = 0; hour < 101; ++hour) {
      machine.pass(1h);
      clock.now();
    }
    EXPECT_EQ(clock.now(), machine.now());
  }
}

TEST(PacedClock, AMachineWhoseClockWasSetBackBeforeTheStartGoesOnFromTheJournal) {
  SetClock machine;
  const Instant journal = machine.now() + 1h;
  EXPECT_EQ(PacedClock(machine, journal).now(), journal);
  EXPECT_EQ(PacedClock(machine, machine.now() - 1h).now(), machine.now());
  EXPECT_EQ(PacedClock(machine, machine.now() + 49h).now(), machine.now());  // that journal was wrong
}

}  // namespace
}  // namespace mydr24
