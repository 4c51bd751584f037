#include "alerting/alerts/response_clocks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/json/document.h"

namespace mydr24::alerts {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ResponseClocksTest : public testing::Test {
 protected:
  void tell(std::string_view kind, std::string_view alert, milliseconds at, std::string_view severity = "emergency") {
    store::Event event;
    event.at = begin + at;
    event.kind = kind;
    event.payload = fmt::format(R"({{"alert":"{}","severity":"{}"}})", alert, severity);
    EXPECT_TRUE(clocks.follow(std::span(&event, 1)));
  }
  // One from its detection to its acknowledgement.
  void live(std::string_view alert, milliseconds raised, milliseconds delivered, milliseconds acknowledged) {
    tell("alert.raised", alert, raised);
    tell("alert.delivered", alert, raised + delivered);
    tell("alert.acknowledged", alert, raised + acknowledged);
  }

  const Instant begin = from_us(1'700'000'000'000'000);
  ManualClock clock{begin};
  ResponseClocks clocks{clock};
};

TEST_F(ResponseClocksTest, EachClockRunsBetweenItsTwoEvents) {
  tell("alert.raised", "a", milliseconds(0));
  tell("alert.delivered", "a", milliseconds(120));
  tell("alert.delivered", "a", milliseconds(400));  // a second address: the first one counts
  tell("alert.escalated", "a", milliseconds(30'150));
  tell("alert.escalated", "a", milliseconds(60'150));
  tell("alert.acknowledged", "a", milliseconds(61'000));
  EXPECT_EQ(clocks.figures(ResponseClock::deliver).p50, milliseconds(120));
  EXPECT_EQ(clocks.figures(ResponseClock::escalate).p50, milliseconds(30'030));
  EXPECT_EQ(clocks.figures(ResponseClock::acknowledge).p50, milliseconds(61'000));
  for (const auto each : response_clocks) EXPECT_EQ(clocks.figures(each).count, 1) << to_string(each);
}

TEST_F(ResponseClocksTest, OnlyWhatIsBeyondItsLimitIsLate) {
  live("in time", seconds(0), milliseconds(1'900), seconds(46));
  live("late", seconds(0), milliseconds(2'600), seconds(48));
  EXPECT_EQ(clocks.figures(ResponseClock::deliver).late, 1);
  EXPECT_EQ(clocks.figures(ResponseClock::acknowledge).late, 1);
  // A timer that was looked at a moment after it was due is not late.
  tell("alert.raised", "b", seconds(0));
  tell("alert.delivered", "b", seconds(0));
  tell("alert.escalated", "b", milliseconds(30'050));
  EXPECT_EQ(clocks.figures(ResponseClock::escalate).late, 0);
}

TEST_F(ResponseClocksTest, PercentilesAreRanksOfWhatWasMeasured) {
  for (int i = 1; i <= 100; ++i) live(fmt::format("a{}", i), seconds(0), milliseconds(i * 10), seconds(i));
  const auto figures = clocks.figures(ResponseClock::deliver);
  EXPECT_EQ(figures.p50, milliseconds(500));
  EXPECT_EQ(figures.p99, milliseconds(990));
  EXPECT_EQ(figures.max, milliseconds(1'000));
}

TEST_F(ResponseClocksTest, OtherSeveritiesAndAlertsThatWereNotSeenToBeginCountNothing) {
  tell("alert.raised", "u", seconds(0), "urgent");
  tell("alert.delivered", "u", seconds(1), "urgent");
  tell("alert.acknowledged", "before the start", seconds(1));
  for (const auto each : response_clocks) EXPECT_EQ(clocks.figures(each).count, 0) << to_string(each);
  // One that becomes an emergency is one from then on.
  tell("alert.severity_raised", "u", seconds(100));
  tell("alert.delivered", "u", seconds(101));
  EXPECT_EQ(clocks.figures(ResponseClock::deliver).max, seconds(1));
}

TEST_F(ResponseClocksTest, OneThatWasResolvedWithoutAnAnswerHasNone) {
  tell("alert.raised", "a", seconds(0));
  tell("alert.resolved", "a", seconds(5));
  tell("alert.acknowledged", "a", seconds(6));
  EXPECT_EQ(clocks.figures(ResponseClock::acknowledge).count, 0);
}

TEST_F(ResponseClocksTest, AnHourLaterItIsForgotten) {
  live("a", seconds(0), seconds(1), seconds(9));
  clock.advance(minutes(59));
  EXPECT_EQ(clocks.figures(ResponseClock::deliver).count, 1);
  clock.advance(minutes(2));
  EXPECT_EQ(clocks.figures(ResponseClock::deliver).count, 0);
}

TEST_F(ResponseClocksTest, MemoryIsBounded) {
  for (std::size_t i = 0; i < ResponseClocks::kept_max + 10; ++i)
    live(fmt::format("a{}", i), seconds(0), milliseconds(i < 10 ? 1'999 : 5), seconds(1));
  const auto figures = clocks.figures(ResponseClock::deliver);
  EXPECT_EQ(figures.count, static_cast<std::int64_t>(ResponseClocks::kept_max));
  EXPECT_EQ(figures.max, milliseconds(5)) << "the oldest went first";
}

TEST_F(ResponseClocksTest, WithoutAMeasurementTheJsonHasNoTimes) {
  const auto empty = json::Document::parse(clocks.json());
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->root()["escalate"]["limit_ms"].text(), "30000");
  EXPECT_FALSE(empty->root()["escalate"]["p50_ms"].exists());
  live("a", seconds(0), milliseconds(150), seconds(9));
  const auto one = json::Document::parse(clocks.json());
  ASSERT_TRUE(one);
  EXPECT_EQ(one->root()["deliver"]["p99_ms"].text(), "150");
  EXPECT_EQ(one->root()["acknowledge"]["count"].text(), "1");
}

}  // namespace
}  // namespace mydr24::alerts
