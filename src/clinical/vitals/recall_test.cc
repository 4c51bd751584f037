// What a retraction leaves: the readings that still stand, though the watch no longer held them.

#include "clinical/vitals/watch_fixture.h"

namespace mydr24::vitals {
namespace {

class RecallTest : public StoredWatchTest {
 protected:
  void take_back(const std::string& id, double value, Microseconds measured) {
    post(id, "2708-6", value, "%", measured, "entered-in-error");
  }
  std::vector<double> saturations(std::string_view patient = "1") {
    std::vector<double> values;
    for (const Held& held : current(patient)->held[static_cast<std::size_t>(Sign::spo2)]) values.push_back(held.value);
    return values;
  }
};

TEST_F(RecallTest, AnEmergencyStandsWhileAnOlderTrueReadingSaysIt) {
  spo2("true", 78, 30min);
  spo2("error-1", 77, 20min);
  spo2("error-2", 76, 10min);
  ASSERT_EQ(alerts().size(), 1U);
  take_back("error-2", 76, 10min);
  take_back("error-1", 77, 20min);
  EXPECT_EQ(saturations(), std::vector<double>{78});
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  EXPECT_EQ(current()->score->partial, 3);
}

TEST_F(RecallTest, AnEmergencyThatWrongReadingsEndedCallsAgainWhenTheyAreDeleted) {
  spo2("true", 78, 30min);
  spo2("error-1", 97, 20min);
  spo2("error-2", 98, 10min);
  ASSERT_TRUE(alerts().empty());
  remove("error-2");
  remove("error-1");
  EXPECT_EQ(saturations(), std::vector<double>{78});
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(RecallTest, ACorrectionOfTheTimeLetsNewerReadingsStandBeforeIt) {
  spo2("true", 78, 30min);
  spo2("other", 96, 20min);
  spo2("mistimed", 97, 10min);
  remove("other");
  post("mistimed", "2708-6", 97, "%", 50min, "corrected");
  EXPECT_EQ(saturations(), (std::vector<double>{78, 97}));
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(RecallTest, WhatIsTakenBackIsNotFoundAgain) {
  spo2("a", 78, 30min);
  spo2("b", 77, 20min);
  spo2("c", 76, 10min);
  take_back("a", 78, 30min);
  remove("b");
  post("c", "2708-6", 76, "%", 10min, "final", "2");
  EXPECT_TRUE(saturations().empty());
  EXPECT_FALSE(current()->score);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].patient, "Patient/2");
}

TEST_F(RecallTest, AReadingThatNoLongerCountsIsNotRecalled) {
  spo2("yesterday", 78);
  clock_.advance(13h);
  spo2("error-1", 97, 10min);
  spo2("error-2", 97);
  remove("error-2");
  EXPECT_EQ(saturations(), std::vector<double>{97});
  remove("error-1");
  EXPECT_TRUE(saturations().empty());
  EXPECT_TRUE(alerts().empty());
}

TEST_F(RecallTest, ManyRetractionsAskForNothingThatWasTakenBackBefore) {
  spo2("true", 78);
  for (int i = 0; i < 60; ++i) {
    clock_.advance(1s);
    spo2(fmt::format("error-{}", i), 97);
  }
  for (int i = 59; i >= 0; --i) take_back(fmt::format("error-{}", i), 97, std::chrono::seconds(59 - i));
  EXPECT_EQ(saturations(), std::vector<double>{78});
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(RecallTest, TheConsciousnessOfAnOlderComaScoreIsRecalled) {
  post("old", "9269-2", 14, "{score}", 30min);
  post("error-1", "9269-2", 15, "{score}", 20min);
  post("error-2", "9269-2", 15, "{score}", 10min);
  remove("error-2");
  remove("error-1");
  const std::vector<Held> held = current()->held[static_cast<std::size_t>(Sign::consciousness)];
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].value, static_cast<double>(Consciousness::confusion));
}

TEST_F(RecallTest, ASignThatWasCorrectedAndThenRunsOutDoesNotEndACall) {
  spo2("a", 82);
  post("a", "2708-6", 83, "%", 0s, "corrected");
  clock_.advance(7h);
  pulse("b", 70);
  clock_.advance(6h);
  pulse("c", 70);
  EXPECT_EQ(current()->score->partial, 0);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(RecallTest, AScaleThatWasWrongForHoursCallsWhenItIsTakenBack) {
  spo2_scale("error", 2);
  clock_.advance(3h);
  spo2("low", 88);
  EXPECT_TRUE(alerts().empty());
  remove("error");
  EXPECT_EQ(current()->score->partial, 3);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(RecallTest, ABirthDateThatWasWrongCallsWhenItIsCorrected) {
  ASSERT_TRUE(write("Patient", "1", R"({"resourceType":"Patient","id":"1","birthDate":"2015-03-01"})"));
  respiration("rr", 26);
  spo2("spo2", 84);
  pulse("hr", 135);
  EXPECT_TRUE(alerts().empty());
  ASSERT_TRUE(write("Patient", "1", R"({"resourceType":"Patient","id":"1","birthDate":"1955-03-01"})"));
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
}

}  // namespace
}  // namespace mydr24::vitals
