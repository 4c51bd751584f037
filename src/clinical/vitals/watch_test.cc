#include "clinical/vitals/watch.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "clinical/vitals/watch_fixture.h"

namespace mydr24::vitals {
namespace {

TEST_F(WatchTest, ARedSignAloneIsUrgentAndNamedInTheAlert) {
  spo2("a", 82);
  ASSERT_EQ(alerts().size(), 1U);
  const alerts::Alert alert = alerts()[0];
  EXPECT_EQ(alert.severity, alerts::Severity::urgent);
  EXPECT_EQ(alert.patient, "Patient/1");
  EXPECT_EQ(alert.reason, "NEWS2 at least 3: spo2 82 (3)");
  EXPECT_EQ(alert.title.find('1'), std::string::npos);
  EXPECT_EQ(current()->alert_id, alert.id);
  EXPECT_EQ(current()->level, Level::urgent);
}

TEST_F(WatchTest, NormalSignsRaiseNothing) {
  full_set("a", 16, 98, 70);
  EXPECT_TRUE(alerts().empty());
  ASSERT_TRUE(current()->score);
  EXPECT_EQ(current()->score->total, 0);
}

TEST_F(WatchTest, AScoreThatRisesCallsAgainOnceAndOneThatFallsResolves) {
  full_set("a", 16, 98, 70);
  full_set("b", 22, 94, 112);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(current()->score->total, 5);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::urgent);
  spo2("c", 82);
  EXPECT_EQ(current()->score->total, 7);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  EXPECT_EQ(events("alert.raised"), 1U);
  EXPECT_EQ(events("alert.severity_raised"), 1U);
  spo2("d", 94);
  spo2("e", 82);
  EXPECT_EQ(events("alert.severity_raised"), 1U);
  full_set("f", 16, 98, 70);
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(alerts(true).size(), 1U);
  EXPECT_EQ(current()->level, Level::none);
  spo2("g", 82);
  EXPECT_EQ(events("alert.raised"), 2U);
}

TEST_F(WatchTest, AFiveIsNotResolvedAndAFourIs) {
  full_set("a", 25, 98, 131);  // 6
  pulse("b", 112);             // 5
  EXPECT_EQ(alerts().size(), 1U);
  respiration("c", 22);  // 4
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchTest, ASignThatMerelyRanOutDoesNotResolve) {
  spo2("a", 82);
  clock_.advance(7h);
  pulse("b", 70);
  EXPECT_EQ(alerts().size(), 1U);
  clock_.advance(6h);
  pulse("c", 70);
  EXPECT_EQ(current()->score->partial, 0);
  EXPECT_EQ(alerts().size(), 1U);
  spo2("d", 97);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchTest, AHeartRateOfHoursAgoDoesNotHideTheOximetersPulse) {
  pulse("electrode", 80);
  clock_.advance(2h);
  post("oximeter", "8889-8", 25, "/min");
  EXPECT_EQ(current()->score->partial, 3);
  ASSERT_EQ(alerts().size(), 1U) << "a pulse of 25 is a threat to life";
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
}

TEST_F(WatchTest, AHeartRateBesideTheOximeterIsTheOneThatCounts) {
  post("oximeter", "8889-8", 25, "/min");
  clock_.advance(10s);
  pulse("electrode", 80);
  clock_.advance(30s);
  post("oximeter-2", "8889-8", 27, "/min");
  EXPECT_EQ(current()->score->partial, 0);
}

TEST_F(WatchTest, PartsOfAComaScoreThatComeOneByOneCountAgainstAnOlderTotal) {
  post("total", "9269-2", 15, "{score}");
  clock_.advance(3h);
  post("eyes", "9267-6", 1, "{score}");
  post("verbal", "9270-0", 1, "{score}");
  EXPECT_TRUE(alerts().empty()) << "two parts tell nothing";
  post("motor", "9268-4", 2, "{score}");
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
}

TEST_F(WatchTest, AnEmergencyByPartsOrByTheOximeterDoesNotEndBecauseItRanOut) {
  post("eyes", "9267-6", 1, "{score}");
  post("verbal", "9270-0", 1, "{score}");
  post("motor", "9268-4", 2, "{score}");
  post("oximeter", "8889-8", 25, "/min");
  ASSERT_EQ(current()->level, Level::emergency);
  clock_.advance(7h);
  respiration("a", 16);
  clock_.advance(6h);
  respiration("b", 16);
  std::vector<std::string> active;
  const auto signs = current();
  for (const RuleState& state : signs->rules) active.push_back(state.rule);
  EXPECT_TRUE(std::ranges::count(active, "coma") == 1 && std::ranges::count(active, "pulse-lowest") == 1)
      << fmt::format("{}", fmt::join(active, " "));
  EXPECT_EQ(current()->level, Level::emergency);
}

TEST_F(WatchTest, LateDataDoesNotReplaceNewerAndOldDataCallsNobody) {
  spo2("new", 97);
  spo2("late", 82, 30min);
  EXPECT_EQ(current()->held[static_cast<std::size_t>(Sign::spo2)].front().value, 97);
  EXPECT_TRUE(alerts().empty());
  spo2("older", 60, 3h);
  EXPECT_EQ(current()->held[static_cast<std::size_t>(Sign::spo2)].size(), 2U);
  // Scores now, but is too old to call for.
  pulse("old-pulse", 140, 2h);
  EXPECT_EQ(current()->score->partial, 3);
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(watch_.counters().too_old, 1);
  // The next sign that is fresh calls.
  spo2("fresh", 96);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchTest, AnImportOfOldRecordsScoresAndCallsNobody) {
  const auto year = Microseconds(24h) * 365;
  respiration("a", 30, year);
  spo2("b", 80, year);
  pulse("c", 140, year);
  EXPECT_EQ(current()->score->partial, 9);
  EXPECT_EQ(current()->at, clock_.now() - year);
  respiration("d", 31, -year);
  EXPECT_TRUE(alerts().empty());
  EXPECT_TRUE(board().empty());
  EXPECT_EQ(events("alert.raised"), 0U);
}

TEST_F(WatchTest, DataFromTheFutureNeverHidesThePresent) {
  spo2("future", 97, -Microseconds(24h) * 365);
  EXPECT_EQ(current()->score->partial, 0);
  spo2("now", 82);
  EXPECT_EQ(current()->at, clock_.now());
  EXPECT_EQ(alerts().size(), 1U);
  spo2("typo", 98, -2h);
  EXPECT_EQ(current()->score->partial, 3);
  EXPECT_EQ(current()->finding, "measured in the future: not used");
}

TEST_F(WatchTest, ACorrectionReplacesAndAnErrorTakesBack) {
  spo2("a", 97, 20min);
  spo2("b", 82, 10min);
  EXPECT_EQ(alerts().size(), 1U);
  post("b", "2708-6", 92, "%", 10min, "amended");
  EXPECT_EQ(current()->score->partial, 2);
  EXPECT_TRUE(alerts().empty());
  post("b", "2708-6", 80, "%", 10min, "corrected");
  EXPECT_EQ(alerts().size(), 1U);
  post("b", "2708-6", 80, "%", 10min, "entered-in-error");
  EXPECT_EQ(current()->held[static_cast<std::size_t>(Sign::spo2)].front().value, 97);
  EXPECT_TRUE(alerts().empty());
  ASSERT_TRUE(write("Observation", "a", ""));
  EXPECT_FALSE(current()->score);
}

TEST_F(WatchTest, AnObservationThatMovesToAnotherPatientLeavesTheFirst) {
  spo2("a", 82);
  post("a", "2708-6", 82, "%", 0s, "final", "2");
  EXPECT_TRUE(current("1")->held[static_cast<std::size_t>(Sign::spo2)].empty());
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].patient, "Patient/2");
}

TEST_F(WatchTest, CelsiusUnderAFahrenheitCodeIsNoHypothermia) {
  post("t", "8310-5", 36.4, "[degF]");
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(watch_.counters().findings, 1);
  EXPECT_NE(current()->finding.find("Fahrenheit"), std::string::npos);
}

TEST_F(WatchTest, ChildrenAndPregnantPatientsAreNotScored) {
  ASSERT_TRUE(write("Patient", "1", R"({"resourceType":"Patient","birthDate":"2015-03-01"})"));
  spo2("a", 82);
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(current()->not_scored, "under 16");
  ASSERT_TRUE(write("Patient", "1", R"({"resourceType":"Patient","birthDate":"1955-03-01"})"));
  EXPECT_TRUE(current()->score);
  spo2("b", 81);
  EXPECT_EQ(alerts().size(), 1U);
  ASSERT_TRUE(write("Observation", "p",
                    R"({"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"82810-3"}]},)"
                    R"("subject":{"reference":"Patient/1"},"effectiveDateTime":"2023-11-14",)"
                    R"("valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct","code":"77386006"}]}})"));
  EXPECT_EQ(current()->not_scored, "pregnant");
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchTest, Scale2NeedsARecordedDecision) {
  spo2("a", 88);
  EXPECT_EQ(alerts().size(), 1U);
  ASSERT_TRUE(write("Observation", "scale",
                    R"({"status":"final","code":{"coding":[{"system":"https://mydr24.org/fhir/CodeSystem/vitals",)"
                    R"("code":"spo2-scale"}]},"subject":{"reference":"Patient/1"},)"
                    R"("effectiveDateTime":"2023-11-01T08:00:00Z","valueInteger":2})"));
  EXPECT_EQ(current()->score->partial, 0);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchTest, ClosedByHandStaysSilentUntilItFallsAndRisesAgain) {
  spo2("a", 82);
  const std::string id = alerts()[0].id;
  ASSERT_TRUE(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book_.resolve(transaction, id, "seen"));
    return {};
  }));
  spo2("b", 80);
  pulse("c", 100);
  EXPECT_TRUE(alerts().empty());
  spo2("d", 97);
  spo2("e", 82);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchTest, SignsAfterALongGapBeginANewEpisode) {
  spo2("a", 82);
  const std::string id = alerts()[0].id;
  clock_.advance(13h);
  spo2("b", 81);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_NE(alerts()[0].id, id);
  EXPECT_EQ(alerts(true)[0].id, id);
}

TEST_F(WatchTest, TheBoardShowsTheMostInNeedFirstAndDropsOldPatients) {
  post("a", "2708-6", 97, "%", 0s, "final", "well");
  post("b", "2708-6", 82, "%", 0s, "final", "red");
  post("c", "9279-1", 30, "/min", 0s, "final", "ill");
  post("d", "2708-6", 80, "%", 0s, "final", "ill");
  post("e", "8867-4", 140, "/min", 0s, "final", "ill");
  EXPECT_EQ(board(), (std::vector<std::string>{"ill 9", "red 3", "well 0"}));
  clock_.advance(20h);
  post("f", "2708-6", 97, "%", 0s, "final", "red");
  clock_.advance(4h);
  store_.tick();
  EXPECT_EQ(board(), std::vector<std::string>{"red 0"});
  clock_.advance(20h);
  store_.tick();
  EXPECT_TRUE(board().empty());
}

TEST_F(WatchTest, NothingIsWrittenForWhatChangesNothing) {
  spo2("a", 97);
  spo2("b", 97, 1h);
  const std::size_t writes = store_.writes_of_state();
  spo2("c", 97, 2h);
  ASSERT_TRUE(write("Observation", "lab",
                    R"({"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2345-7"}]},)"
                    R"("subject":{"reference":"Patient/1"},"valueQuantity":{"value":5}})"));
  EXPECT_EQ(store_.writes_of_state(), writes);
}

TEST_F(WatchTest, TheSignsOfTheMimicDemoCallNobody) {
  const std::string path = "../shared/data/mimic-iv-demo-fhir/MimicObservationVitalSignsED.ndjson.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::unique_ptr<FILE, int (*)(FILE*)> file(popen(("zcat " + path).c_str(), "r"), pclose);
  ASSERT_TRUE(file);
  std::array<char, 65536> line{};
  std::size_t readings = 0;
  std::size_t lines = 0;
  std::size_t fahrenheit = 0;
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr) {
    const auto document = json::Document::parse(line.data());
    ASSERT_TRUE(document);
    ASSERT_TRUE(is_vital(document->root()));
    const Signs signs = read_signs(document->root(), clock_.now());
    readings += signs.readings.size();
    for (const Finding& finding : signs.findings) fahrenheit += finding.text.contains("Fahrenheit") ? 1U : 0U;
    if (++lines % 20 == 0) ASSERT_TRUE(write("Observation", std::string(document->root()["id"].text()), line.data()));
  }
  EXPECT_EQ(lines, 6300U);
  EXPECT_EQ(fahrenheit, 37U);
  EXPECT_GT(readings, 5000U);
  EXPECT_EQ(events("alert.raised"), 0U);
}

}  // namespace
}  // namespace mydr24::vitals
