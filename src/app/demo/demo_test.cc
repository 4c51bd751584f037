// What is decided without a server. The show on one is app/cli/demo_test.cc, and in the browser tests/console/show.test.mjs.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/demo/desk.h"
#include "app/demo/drill.h"
#include "app/demo/story.h"
#include "base/json/document.h"

namespace mydr24::demo {
namespace {

using namespace std::chrono_literals;

TEST(Drill, OneThatIsNoneOrTooLongIsRefusedAndNamesWhat) {
  Drill drill("/nowhere/mydr24", system_clock());
  const auto unknown = drill.begin("flood", 60s);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().where, "scenario");
  EXPECT_TRUE(unknown.error().text.contains("there are normal-day, mass-casualty")) << unknown.error().text;
  for (const auto time : {0s, Drill::time_min - 1s, Drill::time_max + 1s}) {
    const auto refused = drill.begin("pandemic", time);
    ASSERT_FALSE(refused) << time.count();
    EXPECT_EQ(refused.error().where, "seconds");
  }
  EXPECT_EQ(drill.state().phase, DrillState::Phase::none);
}

TEST(Drill, ThereIsOneAtATimeAndNoneWhenTheServerEnds) {
  Drill drill("/nowhere/mydr24", system_clock());
  drill.aim({"127.0.0.1", 1}, {"127.0.0.1", 1});
  ASSERT_TRUE(drill.begin("pandemic", 10s));
  // Nobody listens there: it goes on trying to treat its patients.
  const auto second = drill.begin("pandemic", 10s);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  drill.close();
  EXPECT_EQ(drill.state().phase, DrillState::Phase::over);
  EXPECT_FALSE(drill.state().problem.empty());
  const auto late = drill.begin("pandemic", 10s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::busy);
}

TEST(Story, ItMovesOnePatientAfterTheOtherAndWaitsForWhatTheServerMakesOfIt) {
  ManualClock clock(from_us(1'709'294'400'000'000));
  std::vector<std::size_t> worse;
  Story story({.patients = 5,
               .id = [](std::size_t number) { return "p" + std::to_string(number); },
               .worsen = [&](std::size_t number) { worse.push_back(number); },
               .treat = [](std::size_t) {}},
              2, clock);
  Desk desk({"127.0.0.1", 1});  // nobody answers
  story.look(desk);
  EXPECT_EQ(story.state().scene, "worsens");
  EXPECT_TRUE(worse.empty()) << "five seconds at twice the pace have not passed";
  clock.advance(2'600ms);
  story.look(desk);
  ASSERT_EQ(worse.size(), 1U);
  EXPECT_EQ(story.state().patient, "p" + std::to_string(worse[0]));
  // A server that cannot be asked holds a scene up, but not for good; and the patient is moved once.
  clock.advance(60s);
  story.look(desk);
  EXPECT_EQ(story.state().scene, "worsens");
  EXPECT_EQ(worse.size(), 1U);
  clock.advance(10min);
  story.look(desk);
  EXPECT_EQ(story.state().scene, "called");
}

TEST(DemoDesk, WhatPeopleSayIsQuoted) {
  EXPECT_EQ(body_by("Ada"), R"({"by":"Ada"})");
  const auto said = json::Document::parse(body_by("Ada", "note", "a \"quoted\"\nline"));
  ASSERT_TRUE(said);
  EXPECT_EQ(said->root()["note"].text(), "a \"quoted\"\nline");
}

}  // namespace
}  // namespace mydr24::demo
