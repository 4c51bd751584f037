#include "clinical/vitals/rules.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "clinical/vitals/outcomes.h"
#include "clinical/vitals/watch_fixture.h"

namespace mydr24::vitals {
namespace {

std::string set_of(std::string_view rules) {
  return fmt::format("{{\"format\": \"mydr24.vitals-rules.v1\", \"name\": \"a ward\",\n \"rules\": [\n{}\n]}}", rules);
}

constexpr std::string_view emergency_rule =
    R"({"id": "spo2-lowest", "signal": "spo2", "at_most": 79, "severity": "emergency", "class": "life-threat"})";
constexpr std::string_view lasting_rule =
    R"({"id": "spo2-low", "signal": "spo2", "at_most": 91, "clear": 93, "severity": "urgent", "class": "sustained", )"
    R"("persist": {"seconds": 15}, "policy": "night"})";

TEST(Rules, TheBuiltInSetIsReadWholeAndKeepsTheThresholdsOfNews2) {
  const RuleSet& set = default_rules();
  EXPECT_EQ(set.rules.size(), 11U);
  ASSERT_NE(set.find("news2-high"), nullptr);
  EXPECT_TRUE(set.find("news2-high")->holds(3));
  EXPECT_FALSE(set.find("news2-high")->is_clear(1));
  EXPECT_TRUE(set.find("news2-high")->is_clear(0));
  EXPECT_EQ(set.find("news2-medium")->rule_class, RuleClass::sustained);
}

TEST(Rules, ARuleIsReadWithEveryMember) {
  const auto set = parse_rules(set_of(fmt::format("{},\n{}", emergency_rule, lasting_rule)));
  ASSERT_TRUE(set) << set.error().text;
  EXPECT_EQ(set->name, "a ward");
  const Rule& rule = set->rules[1];
  EXPECT_EQ(rule.signal, Signal::spo2);
  EXPECT_FALSE(rule.upward);
  EXPECT_EQ(rule.threshold, 91);
  EXPECT_EQ(rule.clear, 93);
  EXPECT_EQ(rule.seconds, 15U);
  EXPECT_EQ(rule.policy, "night");
  EXPECT_TRUE(rule.adults_only);
  EXPECT_TRUE(rule.holds(91));
  EXPECT_FALSE(rule.is_clear(92));
  EXPECT_FALSE(rule.is_clear(93));
  EXPECT_TRUE(rule.is_clear(94));
}

TEST(Rules, WhatIsWrongIsNamedWithItsLine) {
  struct Row {
    std::string rule;
    std::string_view says;
  };
  const auto rule = [](std::string_view more) { return fmt::format("{},\n{{{}}}", emergency_rule, more); };
  for (
      const Row& row : {
          Row{rule(R"("id":"A b")"), "line 4: id is 1 to 40"},
          Row{rule(R"("id":"spo2-lowest","signal":"spo2","at_most":79,"severity":"urgent","class":"life-threat")"),
              "line 4: there is another rule"},
          Row{rule(R"("id":"x","severity":"bad")"), "line 4: severity is"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"weight")"), "line 4: signal is one of"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2")"), "either at_least or at_most"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":"79")"), "at_most is a number"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":130)"), "spo2 is from 30 to 100"},
          Row{rule("\"id\":\"x\",\"severity\":\"urgent\",\n\"signal\":\"spo2\",\"at_most\":80,\"clear\":70"),
              "line 5: clear is on the healthy side"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"clear":100)"), "never end"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"soon")"), "class is"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"sustained")"), "has persist"},
          Row{rule(
                  R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"life-threat","persist":{"seconds":1})"),
              "calls at once"},
          Row{rule(
                  R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"sustained","persist":{"seconds":0})"),
              "whole number from 1 to 600"},
          Row{rule(
                  R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"sustained","persist":{"samples":4,"of":3})"),
              "whole number from 1 to 3"},
          Row{rule(R"("id":"x","severity":"urgent","signal":"spo2","at_most":80,"class":"life-threat","color":"red")"),
              "no member color"},
          Row{std::string(lasting_rule), "line 2: no rule is of severity emergency"},
      }) {
    const auto set = parse_rules(set_of(row.rule));
    ASSERT_FALSE(set) << row.rule;
    EXPECT_TRUE(set.error().text.contains(row.says)) << set.error().text << "\n" << row.rule;
    EXPECT_TRUE(set.error().where.starts_with("line ")) << set.error().where;
  }
  EXPECT_FALSE(parse_rules(R"({"format":"other"})"));
  EXPECT_FALSE(parse_rules("[1,2]"));
  EXPECT_FALSE(parse_rules("{"));
}

// ---- in the watch, on a virtual clock

class WatchRulesTest : public WatchTest {
 protected:
  // A reading every five seconds, for so long.
  void stream_spo2(double value, std::chrono::seconds time) {
    for (auto passed = 0s; passed < time; passed += 5s) {
      spo2(fmt::format("s{}", ++sample_), value);
      clock_.advance(5s);
      store_.tick();
    }
  }
  int activate(std::string_view rules) {
    int version = 0;
    EXPECT_TRUE(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(version, RuleBook::add(transaction, set_of(rules), "dr"));
      return RuleBook::activate(transaction, version, "dr");
    }));
    return version;
  }
  Result<> decide(auto what) {
    return store_.write(RequestClass::urgent, [&](store::Transaction& transaction) { return what(transaction); });
  }
  RuleFigures figures(std::string_view rule) {
    RuleFigures found;
    EXPECT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto all, RuleBook::figures(reader));
      for (const RuleFigures& each : all)
        if (each.rule == rule) found = each;
      return {};
    }));
    return found;
  }
  int sample_ = 0;
};

TEST_F(WatchRulesTest, ADipOfAMonitorCallsNobodyAndIsWrittenDown) {
  stream_spo2(97, 30s);
  stream_spo2(88, 20s);
  stream_spo2(97, 30s);
  EXPECT_TRUE(alerts().empty());
  EXPECT_TRUE(alerts(true).empty());
  EXPECT_EQ(events("vitals.suppressed"), 1U);
  EXPECT_TRUE(store_.events_of("vitals.suppressed")[0].payload.contains("it did not last"));
  EXPECT_EQ(figures("news2-red").suppressed, 1);
}

TEST_F(WatchRulesTest, WhatLastsCallsByItsTimerEvenWhenNothingMoreComes) {
  stream_spo2(97, 30s);
  spo2("low", 88);
  clock_.advance(29s);
  store_.tick();
  EXPECT_TRUE(alerts().empty());
  clock_.advance(1s);
  store_.tick();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::urgent);
  EXPECT_EQ(figures("news2-red").fired, 1);
}

TEST_F(WatchRulesTest, WhatLastsIsFoundAfterARestart) {
  stream_spo2(97, 30s);
  spo2("low", 88);
  store_.forget_process();
  alerts::Book book(directory_);
  Watch again(book);
  book.attach(store_);
  again.attach(store_);
  clock_.advance(30s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, ALifeThreatCallsAtOnceInTheMiddleOfAStream) {
  stream_spo2(97, 30s);
  spo2("lowest", 79);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  EXPECT_EQ(alerts()[0].title, "Oxygen saturation very low");
  EXPECT_TRUE(alerts()[0].reason.contains("spo2 79 (low from 79)")) << alerts()[0].reason;
}

TEST_F(WatchRulesTest, TheLastOfSomeSamplesDecidesWhenNoMoreCome) {
  activate(fmt::format(R"({},
    {{"id":"spo2-low","signal":"spo2","at_most":91,"clear":93,"severity":"urgent","class":"sustained","persist":{{"samples":3,"of":5}}}})",
                       emergency_rule));
  stream_spo2(97, 20s);
  stream_spo2(90, 10s);
  clock_.advance(105s);
  store_.tick();
  EXPECT_TRUE(alerts().empty());
  clock_.advance(10s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, SamplesThatEndedWellCallNobodyWhenNoMoreCome) {
  activate(fmt::format(R"({},
    {{"id":"spo2-low","signal":"spo2","at_most":91,"clear":93,"severity":"urgent","class":"sustained","persist":{{"samples":3,"of":5}}}})",
                       emergency_rule));
  stream_spo2(97, 20s);
  stream_spo2(90, 10s);
  stream_spo2(97, 5s);
  clock_.advance(1h);
  store_.tick();
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchRulesTest, ASpotCheckCallsAtOnce) {
  spo2("morning", 97);
  clock_.advance(4h);
  spo2("noon", 88);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, SomeOfManySamplesSuffice) {
  activate(fmt::format(R"({},
    {{"id":"spo2-low","signal":"spo2","at_most":91,"clear":93,"severity":"urgent","class":"sustained","persist":{{"samples":3,"of":5}}}})",
                       emergency_rule));
  stream_spo2(97, 20s);
  const auto one = [&](double value) { stream_spo2(value, 5s); };
  one(90);
  one(95);
  one(90);
  one(95);
  EXPECT_TRUE(alerts().empty());
  one(90);
  ASSERT_EQ(alerts().size(), 1U);
  one(92);
  EXPECT_EQ(alerts().size(), 1U);
  one(94);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchRulesTest, TheFirstEmergencyOfAPatientWaitsForNothing) {
  activate(
      R"({"id":"spo2-low","signal":"spo2","at_most":85,"clear":90,"severity":"emergency","class":"sustained","persist":{"seconds":60}})");
  stream_spo2(97, 30s);
  spo2("a", 84);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  clock_.advance(5s);
  spo2("b", 97);
  EXPECT_TRUE(alerts().empty());
  clock_.advance(5s);
  spo2("c", 84);
  EXPECT_TRUE(alerts().empty());
  clock_.advance(60s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, AReadingFasterThanABodyIsAFindingAndHasToLast) {
  pulse("a", 80);
  clock_.advance(10s);
  pulse("b", 150);
  EXPECT_TRUE(current()->finding.contains("faster than a body changes"));
  EXPECT_EQ(events("vitals.finding"), 1U);
  EXPECT_TRUE(alerts().empty());
  clock_.advance(30s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, HeartRateAndPulseRateAreHeldAgainstEachOther) {
  post("ox", "8889-8", 70, "/min");
  EXPECT_EQ(current()->score->parts[static_cast<std::size_t>(Parameter::pulse)].points, 0);
  clock_.advance(10s);
  pulse("ecg", 135);
  EXPECT_TRUE(current()->finding.contains("heart rate and pulse rate differ, 135 and 70"));
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchRulesTest, AFlatLineIsAFindingOnce) {
  for (int i = 0; i < 90; ++i) {
    pulse(fmt::format("p{}", i), 72);
    clock_.advance(5s);
  }
  EXPECT_TRUE(current()->finding.contains("flat line"));
  EXPECT_EQ(events("vitals.finding"), 1U);
}

TEST_F(WatchRulesTest, APatientsOwnLimitTakesThePlaceOfSustainedRulesButNotOfLifeThreats) {
  activate(fmt::format("{},\n{}", emergency_rule, lasting_rule));
  spo2("a", 90);
  EXPECT_EQ(alerts().size(), 1U);
  const Limit limit{.signal = Signal::spo2,
                    .low = 88,
                    .high = 92,
                    .spo2_scale = 2,
                    .by = "dr",
                    .reason = "COPD",
                    .until = clock_.now() + 24h};
  ASSERT_TRUE(decide([&](store::Transaction& transaction) { return watch_.set_limit(transaction, "1", limit); }));
  EXPECT_TRUE(alerts().empty());
  EXPECT_EQ(current()->score->parts[static_cast<std::size_t>(Parameter::spo2)].points, 0);
  EXPECT_EQ(events("vitals.limit"), 1U);
  EXPECT_EQ(events("vitals.suppressed"), 1U);
  clock_.advance(1h);
  spo2("b", 87);
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].title, "Vital signs: spo2 below the patient's own limit");
  clock_.advance(1h);
  spo2("c", 88);
  EXPECT_TRUE(alerts().empty());
  clock_.advance(1h);
  spo2("d", 93);
  EXPECT_EQ(alerts().size(), 1U);
  spo2("e", 78);
  EXPECT_EQ(alerts()[0].severity, alerts::Severity::emergency);
  clock_.advance(24h);
  spo2("f", 90);
  EXPECT_EQ(alerts()[0].title, "Vital signs: spo2");
  ASSERT_TRUE(decide(
      [&](store::Transaction& transaction) { return watch_.remove_limit(transaction, "1", Signal::spo2, "dr"); }));
  EXPECT_TRUE(current()->limits.empty());
}

TEST_F(WatchRulesTest, ALimitNeedsAPersonAndBoundsThatCanBe) {
  for (const Limit& limit : {Limit{.signal = Signal::spo2, .low = 88}, Limit{.signal = Signal::spo2, .by = "dr"},
                             Limit{.signal = Signal::spo2, .low = 92, .high = 88, .by = "dr"},
                             Limit{.signal = Signal::spo2, .low = 20, .by = "dr"},
                             Limit{.signal = Signal::pulse, .low = 50, .spo2_scale = 2, .by = "dr"},
                             Limit{.signal = Signal::spo2, .low = 88, .by = "dr", .until = clock_.now() - 1s}}) {
    const auto set = decide([&](store::Transaction& transaction) { return watch_.set_limit(transaction, "1", limit); });
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, Code::invalid);
  }
}

TEST_F(WatchRulesTest, SilenceOfAMonitoredPatientIsATechnicalAlarmUntilHeardAgain) {
  const auto bit = [](Sign sign) { return 1U << static_cast<unsigned>(sign); };
  const Monitoring monitoring{.signs = bit(Sign::spo2) | bit(Sign::pulse), .stale_after = 60s, .by = "nurse"};
  ASSERT_TRUE(decide([&](store::Transaction& transaction) { return watch_.monitor(transaction, "1", monitoring); }));
  for (int i = 0; i < 30; ++i) {
    spo2(fmt::format("s{}", i), 97);
    if (i < 15) pulse(fmt::format("p{}", i), 70 + i % 3);
    clock_.advance(5s);
    store_.tick();
  }
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].title, "Technical: no vital signs from a monitored patient");
  EXPECT_EQ(alerts()[0].reason, "no signal for 60 s: pulse (silent)");
  pulse("again", 72);
  EXPECT_TRUE(alerts().empty());
  clock_.advance(60s);
  store_.tick();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_TRUE(alerts()[0].reason.contains("spo2"));
  EXPECT_EQ(watch_.counters().silences, 2);
  ASSERT_TRUE(
      decide([&](store::Transaction& transaction) { return watch_.stop_monitoring(transaction, "1", "nurse"); }));
  EXPECT_TRUE(alerts().empty());
  clock_.advance(1h);
  store_.tick();
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchRulesTest, ASignThatNeverCameIsMissed) {
  const Monitoring monitoring{.signs = 1U << static_cast<unsigned>(Sign::spo2), .stale_after = 60s, .by = "nurse"};
  ASSERT_TRUE(decide([&](store::Transaction& transaction) { return watch_.monitor(transaction, "1", monitoring); }));
  clock_.advance(60s);
  store_.tick();
  ASSERT_EQ(alerts().size(), 1U);
  EXPECT_EQ(alerts()[0].reason, "no signal for 60 s: spo2 (never heard)");
}

TEST_F(WatchRulesTest, AReadingOfNextYearIsNoSignOfLife) {
  spo2("clock-is-wrong", 97, -Microseconds(24h) * 365);
  const Monitoring monitoring{.signs = 1U << static_cast<unsigned>(Sign::spo2), .stale_after = 60s, .by = "nurse"};
  ASSERT_TRUE(decide([&](store::Transaction& transaction) { return watch_.monitor(transaction, "1", monitoring); }));
  clock_.advance(60s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_F(WatchRulesTest, AnOrderToMonitorEndsAtATimeToComeAndItsAlarmWithIt) {
  Monitoring monitoring{.signs = 1U << static_cast<unsigned>(Sign::spo2), .stale_after = 60s, .by = "nurse"};
  const auto order = [&] {
    return decide([&](store::Transaction& transaction) { return watch_.monitor(transaction, "1", monitoring); });
  };
  for (const Instant past : {clock_.now(), clock_.now() - 1h}) {
    monitoring.until = past;
    const auto refused = order();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_EQ(refused.error().where, "until");
    EXPECT_TRUE(refused.error().text.contains(format_instant(past))) << refused.error().text;
  }
  EXPECT_FALSE(current());
  monitoring.until = clock_.now() + 10min;
  ASSERT_TRUE(order());
  clock_.advance(60s);
  store_.tick();
  EXPECT_EQ(alerts().size(), 1U);
  clock_.advance(9min);
  store_.tick();
  EXPECT_TRUE(alerts().empty());
  EXPECT_FALSE(current()->monitoring);
}

TEST_F(WatchRulesTest, LateDataIsScoredAtItsOwnTimeAndRaisesNothing) {
  spo2("now", 97);
  spo2("late", 82, 30min);
  EXPECT_TRUE(alerts().empty());
  ASSERT_EQ(events("vitals.rescored"), 1U);
  EXPECT_TRUE(store_.events_of("vitals.rescored")[0].payload.contains(R"("partial":3)"));
}

TEST_F(WatchRulesTest, AnEmergencyOnTopOfAnAcknowledgedOneCallsAgain) {
  spo2("a", 78);
  const std::string first = alerts()[0].id;
  ASSERT_TRUE(decide([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book_.acknowledge(transaction, first, "dr"));
    return {};
  }));
  clock_.advance(10min);
  respiration("b", 3);
  ASSERT_EQ(alerts().size(), 2U);
  const auto page = alerts();
  EXPECT_TRUE(
      std::ranges::any_of(page, [](const auto& alert) { return alert.title == "Breathing hardly or not at all"; }));
  respiration("c", 16);
  EXPECT_EQ(alerts().size(), 1U);
  clock_.advance(10min);
  spo2("d", 97);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(WatchRulesTest, RulesThatAreActivatedHoldFromTheNextSignAndTheOldOnesEnd) {
  spo2("a", 88);
  EXPECT_EQ(alerts().size(), 1U);
  EXPECT_EQ(activate(emergency_rule), 1);
  clock_.advance(1h);
  spo2("b", 88);
  EXPECT_TRUE(alerts().empty());
  spo2("c", 79);
  EXPECT_EQ(alerts().size(), 1U);
  EXPECT_EQ(events("vitals.rules"), 1U);
  EXPECT_FALSE(decide([&](store::Transaction& transaction) { return RuleBook::activate(transaction, 7, "dr"); }));
  EXPECT_FALSE(decide([&](store::Transaction& transaction) { return RuleBook::activate(transaction, 1, ""); }));
  ASSERT_TRUE(decide([&](store::Transaction& transaction) { return RuleBook::activate(transaction, 0, "dr"); }));
}

TEST_F(WatchRulesTest, WhatCameOfARuleIsCounted) {
  Outcomes outcomes(store_);
  store_.add_follower(outcomes);
  spo2("a", 88);
  const std::string id = alerts()[0].id;
  clock_.advance(1h);
  spo2("b", 97);
  store_.settle();
  EXPECT_EQ(figures("news2-red").fired, 1);
  EXPECT_EQ(figures("news2-red").auto_resolved, 1);
  clock_.advance(1h);
  spo2("c", 88);
  const std::string second = alerts()[0].id;
  ASSERT_TRUE(decide([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book_.acknowledge(transaction, second, "dr"));
    return {};
  }));
  store_.settle();
  EXPECT_EQ(figures("news2-red").acknowledged, 1);
  const auto say = [&](bool acted) {
    return decide(
        [&](store::Transaction& transaction) { return say_outcome(transaction, second, acted, "dr", "oxygen given"); });
  };
  ASSERT_TRUE(say(true));
  ASSERT_TRUE(say(true));
  EXPECT_EQ(figures("news2-red").acted_on, 1);
  ASSERT_TRUE(say(false));
  EXPECT_EQ(figures("news2-red").acted_on, 0);
  EXPECT_EQ(figures("news2-red").not_acted_on, 1);
  EXPECT_FALSE(
      decide([&](store::Transaction& transaction) { return say_outcome(transaction, "none", true, "dr", ""); }));
}

TEST_F(WatchRulesTest, APatientIsForgottenWhenNothingNewCame) {
  spo2("a", 97);
  clock_.advance(31 * 24h);
  store_.tick();
  EXPECT_FALSE(current());
  spo2("old", 97, 24h * 365);
  EXPECT_TRUE(current());
  clock_.advance(31 * 24h);
  store_.tick();
  EXPECT_FALSE(current());
  EXPECT_EQ(store_.timers(), 0U);
}

}  // namespace
}  // namespace mydr24::vitals
