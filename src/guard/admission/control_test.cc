#include "guard/admission/control.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "guard/admission/hash.h"
#include "guard/admission/patients.h"
#include "guard/admission/ticket.h"

namespace mydr24::admission {
namespace {

using namespace std::chrono_literals;

constexpr std::array<bool, 4> calm{};
constexpr std::array<bool, 4> emergency_waits{true, false, false, false};
constexpr std::array<bool, 4> urgent_waits{false, true, false, false};
constexpr std::array<bool, 4> routine_waits{false, false, true, false};

class Climb {
 public:
  int ticks(int count, const std::array<bool, 4>& overloaded) {
    for (int i = 0; i < count; ++i) ladder.tick(now += Ladder::tick_every, overloaded);
    return ladder.level();
  }
  Ladder ladder;
  Nanoseconds now = 1s;
};

TEST(Ladder, EachLevelIsClimbedForTheClassItProtects) {
  Climb climb;
  EXPECT_EQ(climb.ticks(1, routine_waits), 0) << "one bad tick is none";
  EXPECT_EQ(climb.ticks(1, routine_waits), 1);
  EXPECT_EQ(climb.ticks(100, routine_waits), 2) << "routine that is overloaded does not switch itself off";
  EXPECT_EQ(climb.ticks(100, urgent_waits), 3);
  EXPECT_EQ(climb.ticks(100, emergency_waits), 4);
}

TEST(Ladder, ItComesDownOneLevelAtATimeAfterHalfAMinuteOfCalm) {
  Climb climb;
  climb.ticks(4, routine_waits);
  ASSERT_EQ(climb.ladder.level(), 2);
  EXPECT_EQ(climb.ticks(299, calm), 2);
  EXPECT_EQ(climb.ticks(1, calm), 1);
  climb.ticks(1, routine_waits);
  EXPECT_EQ(climb.ticks(299, calm), 1) << "one bad tick begins the wait anew";
  EXPECT_EQ(climb.ticks(1, calm), 0);
}

TEST(Ladder, AHintHoldsTheFirstLevel) {
  Climb climb;
  climb.ladder.hold(climb.now + 60s);
  EXPECT_EQ(climb.ticks(1, calm), 1);
  EXPECT_EQ(climb.ticks(598, calm), 1);
  EXPECT_EQ(climb.ticks(400, calm), 0);
}

TEST(Threshold, EverybodyIsLetInUntilThereIsTooMuch) {
  Threshold threshold;
  for (std::size_t rank = 0; rank < Threshold::ranks; ++rank) EXPECT_TRUE(threshold.admits(rank));
  threshold.tick(Overload::none, 1);
  EXPECT_FALSE(threshold.binds());
}

TEST(Threshold, AsManyAreLetInAsFinishWholeClientsAtATime) {
  Threshold threshold;
  const auto offer = [&](int each) {
    std::size_t let_in = 0;
    for (std::size_t cohort = 0; cohort < Threshold::cohorts; ++cohort) {
      for (int i = 0; i < each; ++i) let_in += threshold.admits(Threshold::rank(RequestClass::routine, cohort)) ? 1 : 0;
    }
    return let_in;
  };
  offer(10);
  threshold.tick(Overload::queue, 640);  // half of 1280
  EXPECT_NEAR(static_cast<double>(offer(10)), 640 * 1.1, 10);
  EXPECT_TRUE(threshold.admits(Threshold::rank(RequestClass::emergency, 127)));
  EXPECT_TRUE(threshold.admits(Threshold::rank(RequestClass::urgent, 127)));
  EXPECT_FALSE(threshold.admits(Threshold::rank(RequestClass::background, 0)));
  threshold.tick(Overload::none, 1'280);
  EXPECT_FALSE(threshold.binds()) << "what is offered can be done again";
}

TEST(Threshold, WhileTheThreadsFallBehindFewerAreLetInThanWereFinished) {
  Threshold threshold;
  for (std::size_t cohort = 0; cohort < Threshold::cohorts; ++cohort) {
    for (int i = 0; i < 10; ++i) threshold.admits(Threshold::rank(RequestClass::routine, cohort));
  }
  threshold.tick(Overload::io, 1'280);
  EXPECT_TRUE(threshold.binds());
  EXPECT_FALSE(threshold.admits(Threshold::rank(RequestClass::routine, 127)));
  EXPECT_TRUE(threshold.admits(Threshold::rank(RequestClass::routine, 100)));
}

TEST(Threshold, ASingleClientIsNotLockedOutAndTheOthersComeBackWithinSeconds) {
  Threshold threshold;
  const auto offer = [&](std::size_t cohort, int count) {
    std::uint64_t let_in = 0;
    for (int i = 0; i < count; ++i) let_in += threshold.admits(Threshold::rank(RequestClass::routine, cohort)) ? 1 : 0;
    return let_in;
  };
  offer(60, 1'000);
  threshold.tick(Overload::queue, 100);
  EXPECT_EQ(offer(60, 1'000), 1'000U);
  // Down to one cohort, then calm.
  for (std::size_t cohort = 0; cohort < Threshold::cohorts; ++cohort) offer(cohort, 10);
  threshold.tick(Overload::queue, 1);
  EXPECT_EQ(offer(1, 1), 0U);
  int ticks = 0;
  while (threshold.binds() && ++ticks < 100) {
    std::uint64_t let_in = 0;
    for (std::size_t cohort = 0; cohort < Threshold::cohorts; ++cohort) let_in += offer(cohort, 10);
    threshold.tick(Overload::none, let_in);
  }
  EXPECT_LE(ticks, 20);
}

TEST(Threshold, ACohortChangesByTheHour) {
  std::size_t same = 0;
  for (std::uint64_t client = 0; client < 1'000; ++client)
    same += Threshold::cohort(hash(std::to_string(client)), 1) == Threshold::cohort(hash(std::to_string(client)), 2)
                ? 1
                : 0;
  EXPECT_LT(same, 40U);
}

// A control whose routine work is overloaded for as long as it is told.
class ControlTest : public testing::Test {
 protected:
  void pass(Nanoseconds time, Nanoseconds lag, Nanoseconds emergency_lag = 0ms) {
    for (const auto until = now + time; now < until;) {
      now += 10ms;
      if (const auto change = control.tick(now, lag, emergency_lag)) changes.push_back(*change);
    }
  }
  Control control{ControlSettings{}};
  Nanoseconds now = 100s;
  std::vector<LevelChange> changes;
};

TEST_F(ControlTest, LagOfTheIoThreadsIsOverloadAndSwitchesBackgroundOffFirst) {
  pass(100ms, 0ms);
  EXPECT_EQ(control.screen(RequestClass::background, Cost::work, 400), Refusal::none);
  pass(300ms, 125ms);
  EXPECT_GE(control.level(), 1);
  EXPECT_EQ(control.screen(RequestClass::background, Cost::work, 400), Refusal::level);
  EXPECT_EQ(control.screen(RequestClass::routine, Cost::write, 300), Refusal::none);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.front().from, 0);
  EXPECT_EQ(changes.front().to, 1);
}

TEST_F(ControlTest, AnEmergencyIsNeverScreened) {
  pass(2s, 150ms, 150ms);
  EXPECT_EQ(control.level(), 4);
  EXPECT_EQ(control.screen(RequestClass::routine, Cost::quick, 300), Refusal::level);
  EXPECT_EQ(control.screen(RequestClass::urgent, Cost::write, 200), Refusal::none);
  EXPECT_EQ(control.screen(RequestClass::emergency, Cost::write, 127), Refusal::none);
}

TEST_F(ControlTest, AHintIsCheckedAndHoldsTheFirstLevel) {
  EXPECT_EQ(control.accept({.scenario = "mass casualty", .lasts = 60s}, now).error().where, "scenario");
  EXPECT_EQ(control.accept({.scenario = "pandemic", .factor = 0.5, .lasts = 60s}, now).error().where, "factor");
  EXPECT_EQ(
      control.accept({.scenario = "pandemic", .factor = std::numeric_limits<double>::quiet_NaN(), .lasts = 60s}, now)
          .error()
          .where,
      "factor");
  EXPECT_EQ(control.accept({.scenario = "pandemic", .factor = 2}, now).error().where, "lasts_s");
  ASSERT_TRUE(control.accept({.scenario = "pandemic", .factor = 25, .eta = 10s, .lasts = 60s}, now));
  pass(200ms, 0ms);
  EXPECT_EQ(control.level(), 1);
}

TEST(Ticket, ASignedTicketRaisesUntilItExpiresAndNoOtherDoes) {
  const std::string key = "0123456789abcdef0123";
  const Instant now{1'800'000'000s};
  const auto ticket = issue_ticket(key, RequestClass::urgent, "ward-7", now + 60s);
  ASSERT_TRUE(ticket);
  const auto checked = check_ticket(key, *ticket, now);
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->raises_to, RequestClass::urgent);
  EXPECT_EQ(checked->tenant, "ward-7");
  EXPECT_FALSE(check_ticket(key, *ticket, now + 60s)) << "expired";
  EXPECT_FALSE(check_ticket("another key of 16 bytes", *ticket, now));
  EXPECT_FALSE(check_ticket("", *ticket, now));
  // Every change of a character breaks it.
  for (std::size_t i = 0; i < ticket->size(); ++i) {
    auto forged = *ticket;
    forged[i] = forged[i] == '0' ? '1' : '0';
    EXPECT_FALSE(check_ticket(key, forged, now)) << i;
  }
  for (const auto* const text : {"", ".", "1", "1.0.9999999999", "1.0.9999999999.x.", "....."})
    EXPECT_FALSE(check_ticket(key, text, now)) << text;
  EXPECT_FALSE(issue_ticket("short", RequestClass::urgent, "a", now));
  EXPECT_FALSE(issue_ticket(key, RequestClass::urgent, "a.b", now));
}

TEST(EmergencyPatients, ARequestThatNamesOneIsFound) {
  EmergencyPatients patients;
  EXPECT_FALSE(patients.named_in("/fhir/Patient/p1", ""));
  patients.set("p1", true);
  patients.set("p2", true);
  for (const auto* const path : {"/fhir/Patient/p1", "/fhir/R4/Patient/p1/$summary", "/fhir/Patient/p2"})
    EXPECT_TRUE(patients.named_in(path, "")) << path;
  for (const auto* const query : {"patient=p1", "code=x&patient=p1", "subject=Patient/p2&x=1", "subject=Patient%2Fp1"})
    EXPECT_TRUE(patients.named_in("/fhir/Observation", query)) << query;
  for (const auto* const query : {"patient=p11", "patient=", "subject=Group/p1", "xpatient=p1", "", "&&", "patient"})
    EXPECT_FALSE(patients.named_in("/fhir/Observation", query)) << query;
  EXPECT_FALSE(patients.named_in("/fhir/Patient/p12", ""));
  EXPECT_FALSE(patients.named_in("/fhir/Patient/", ""));
  patients.set("p1", false);
  EXPECT_FALSE(patients.contains("p1"));
  EXPECT_EQ(patients.size(), 1U);
}

}  // namespace
}  // namespace mydr24::admission
