#include "operations/slo/slo.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mydr24::slo {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{seconds(1'700'000'000 / 3'600 * 3'600)};
const seconds month = 30 * 24h;

std::string ratio_slo(std::string_view name, std::string_view method, std::string_view objective,
                      std::string_view annotations = "{}") {
  return fmt::format(R"(apiVersion: openslo/v1
kind: SLO
metadata:
  name: {}
  displayName: "Pages: sent"
  annotations: {}
spec:
  description: Most pages arrive
  service: alerting
  indicator:
    metadata: {{name: sent}}
    spec:
      ratioMetric:
        counter: true
        good: {{metricSource: {{type: MyDR24, spec: {{metric: pages_good}}}}}}
        total: {{metricSource: {{metricSourceRef: prom, type: Prometheus, spec: {{query: 'sum(x{{a="b"}})'}}}}}}
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: {}
  objectives:
    - {}
  alertPolicies:
    - alertPolicyRef: page-people
)",
                     name, annotations, method, objective);
}

Slo one(const std::string& yaml) {
  auto found = parse_openslo(yaml);
  EXPECT_TRUE(found) << (found ? "" : found.error().where + " " + found.error().text);
  return found && !found->slos.empty() ? found->slos.front() : Slo{};
}

TEST(Burn, AMonthAtThreeNinesHasTheThresholdsOfTheWorkbook) {
  const Conditions all = conditions(month);
  const std::array expected{0.0144, 0.006, 0.003, 0.001};
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(threshold(all[i], 0.999), expected[i], 1e-12);
  EXPECT_EQ(all[0].long_window, 1h);
  EXPECT_EQ(all[0].short_window, 5min);
  EXPECT_EQ(all[1].long_window, 6h);
  EXPECT_EQ(all[1].short_window, 30min);
  EXPECT_EQ(all[2].long_window, 24h);
  EXPECT_EQ(all[2].short_window, 2h);
  EXPECT_EQ(all[3].long_window, 72h);
  EXPECT_EQ(all[3].short_window, 6h);
  EXPECT_TRUE(all[1].pages && !all[2].pages);
}

// A second at a time: 10 events each, of which so many are bad.
void run(Counts& counts, Instant& now, seconds time, double bad_share) {
  for (seconds i{0}; i < time; ++i) {
    now += 1s;
    counts.add(now, {10 * (1 - bad_share), 10});
  }
}

bool pages(const Counts& counts, double target) {
  const Condition fastest = conditions(month).front();
  return judge(fastest, target, counts.in(fastest.long_window), counts.in(fastest.short_window), 0).fires;
}

TEST(Burn, FifteenTimesForFiveMinutesPagesNobodyAndForAnHourDoes) {
  Counts counts;
  Instant now = start;
  run(counts, now, 2h, 0);
  run(counts, now, 5min, 0.015);
  EXPECT_FALSE(pages(counts, 0.999)) << "the hour is not beyond it yet";
  run(counts, now, 55min, 0.015);
  EXPECT_TRUE(pages(counts, 0.999));
  run(counts, now, 4min + 59s, 0);
  EXPECT_FALSE(pages(counts, 0.999)) << "it stops within 5 minutes of the recovery";
}

TEST(Burn, AnOutageAtFourNinesIsSeenAfter5Point2Seconds) {
  const Condition fastest = conditions(month).front();
  const auto fires = [&](double bad_s) {
    return judge(fastest, 0.9999, {3600 - bad_s, 3600}, {300 - bad_s, 300}, 0).fires;
  };
  EXPECT_FALSE(fires(5.18));
  EXPECT_TRUE(fires(5.2));
  EXPECT_EQ(absent_after(0.9999, month), 5184ms);
  Counts counts;
  Instant now = start;
  run(counts, now, 2h, 0);
  run(counts, now, 5s, 1);
  EXPECT_FALSE(pages(counts, 0.9999));
  run(counts, now, 1s, 1);
  EXPECT_TRUE(pages(counts, 0.9999)) << "5.2 s and a second for the evaluation";
}

TEST(Burn, OneErrorOfOneRequestPagesNobodyWhereTrafficIsAskedFor) {
  const Condition fastest = conditions(month).front();
  EXPECT_TRUE(judge(fastest, 0.99, {0, 1}, {0, 1}, 0).fires);
  const Burn burn = judge(fastest, 0.99, {0, 1}, {0, 1}, 10);
  EXPECT_FALSE(burn.fires);
  EXPECT_FALSE(burn.has_traffic);
  EXPECT_TRUE(judge(fastest, 0.99, {0, 10}, {0, 10}, 10).fires);
  EXPECT_FALSE(judge(fastest, 0.99, {}, {}, 0).fires) << "nothing happened";
}

TEST(Burn, NoPeriodGivesAWindowOfNoTime) {
  for (const seconds period : {seconds(1min), seconds(1h), seconds(12h), seconds(7 * 24h), month, seconds(365 * 24h)})
    for (const Condition& each : conditions(period)) {
      EXPECT_GE(each.short_window, 5s) << period.count();
      EXPECT_GE(each.long_window, each.short_window) << period.count();
    }
  EXPECT_EQ(conditions(12h)[0].long_window, 60s);
  EXPECT_EQ(conditions(12h)[0].short_window, 5s);
}

TEST(Counts, AWindowOfAnyLengthIsAskedForWithinAQuarterOfIt) {
  Counts counts;
  Instant now = start;
  for (int minute = 0; minute < 60 * 24 * 31; ++minute) {
    now += 60s;
    counts.add(now, {0, 1});
  }
  EXPECT_EQ(counts.in(5min).total, 5);
  EXPECT_EQ(counts.in(1h).total, 60);
  EXPECT_EQ(counts.in(6h).total, 360);
  EXPECT_EQ(counts.in(24h).total, 1440);
  EXPECT_EQ(counts.in(72h).total, 3 * 1440);
  EXPECT_EQ(counts.in(month).total, 30 * 1440);
  EXPECT_EQ(counts.all().total, 31 * 1440);
  now += 30min;
  counts.add(now, {0, 1});
  EXPECT_NEAR(counts.in(month).total, 30 * 1440, 60) << "to the hour";
}

TEST(Counts, HoursOfAnEarlierProcessCountInLongWindowsOnly) {
  Counts counts;
  counts.restore(start, {0, 100});
  counts.restore(start + 1h, {50, 50});
  Instant now = start + 1h + 10min;
  run(counts, now, 60s, 0);
  EXPECT_EQ(counts.in(5min).total, 600) << "what was before is not known to the minute";
  EXPECT_EQ(counts.in(1h).total, 600);
  EXPECT_EQ(counts.in(24h).total, 750);
  EXPECT_EQ(counts.in(24h).bad(), 100);
  EXPECT_EQ(counts.since(start - 1h).total, 750);
  EXPECT_EQ(counts.in_hour(start).total, 100);
  EXPECT_EQ(counts.in_hour(start + 1h).total, 650);
  EXPECT_EQ(counts.in_hour(start + 2h).total, 0);
  EXPECT_EQ(counts.all().total, 600) << "a counter counts what this process saw";
}

TEST(Counts, AClockThatGoesBackLosesNothing) {
  Counts counts;
  counts.add(start, {1, 1});
  counts.add(start - 1h, {1, 1});
  counts.add(start + 1s, {1, 1});
  EXPECT_EQ(counts.in(1min).total, 3);
}

TEST(OpenSlo, EachBudgetingMethodIsReadAndGivesItsBudget) {
  const Slo occurrences = one(ratio_slo("occurrences", "Occurrences", "{displayName: most, targetPercent: 99.9}"));
  EXPECT_EQ(occurrences.method, Method::occurrences);
  EXPECT_DOUBLE_EQ(occurrences.objectives.front().target, 0.999);
  Budget budget = budget_of(0.999, {99'950, 100'000});
  EXPECT_NEAR(budget.allowed, 100, 1e-6);
  EXPECT_NEAR(budget.remaining, 0.5, 1e-9);

  const Slo slices = one(ratio_slo("slices", "Timeslices", "{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1}"));
  EXPECT_EQ(slices.objectives.front().slice_window, 60s);
  // 100 minutes: one in which half was bad, one in which a twentieth was.
  const auto sum = [](const Slo& slo) {
    Slicer slicer(slo.method, slo.objectives.front());
    Count all;
    Instant now = start;
    for (int second = 0; second <= 6'000; ++second) {
      now += 1s;
      const double bad = second / 60 == 10 ? 0.5 : second / 60 == 20 ? 0.05 : 0;
      const Count taken = slicer.take(now, {10 * (1 - bad), 10});
      all.good += taken.good;
      all.total += taken.total;
    }
    return all;
  };
  EXPECT_EQ(sum(slices).total, 100);
  EXPECT_EQ(sum(slices).good, 99);
  EXPECT_NEAR(budget_of(0.99, sum(slices)).remaining, 0, 1e-9);

  const Slo ratio = one(ratio_slo("ratio", "RatioTimeslices", "{target: 0.99, timeSliceWindow: 1m}"));
  EXPECT_EQ(sum(ratio).total, 100);
  EXPECT_NEAR(sum(ratio).good, 99.45, 1e-9);
  EXPECT_NEAR(budget_of(0.99, sum(ratio)).remaining, 0.45, 1e-6);
}

TEST(OpenSlo, WhatWasReadIsWrittenAndReadBackTheSame) {
  for (const auto& [method, objective] : std::vector<std::pair<std::string, std::string>>{
           {"Occurrences", "{displayName: most, targetPercent: 99.95}"},
           {"Timeslices", "{target: 0.97, timeSliceTarget: 0.9, timeSliceWindow: 5m}"},
           {"RatioTimeslices", "{target: 0.99, timeSliceWindow: 90s}"}}) {
    const Slo slo = one(ratio_slo("x", method, objective, "{mydr24.io/class: emergency}"));
    EXPECT_TRUE(slo.is_emergency());
    EXPECT_EQ(slo.no_data(), NoData::bad);
    EXPECT_EQ(native_metric(slo.indicator->metric), "pages_good");
    EXPECT_EQ(native_metric(slo.indicator->total), "");
    EXPECT_EQ(one(to_openslo(slo)), slo) << to_openslo(slo);
  }
}

TEST(OpenSlo, ThresholdsCalendarsReferencesAndOtherKindsAreRead) {
  const std::string yaml = R"(apiVersion: openslo/v1
kind: Service
metadata: {name: records}
spec: {description: Reading records}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: access-time}
spec:
  thresholdMetric: {metricSource: {type: MyDR24, spec: {metric: record_access_seconds}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: access}
spec:
  service: records
  indicatorRef: access-time
  timeWindow: [{duration: 1M, calendar: {startTime: "2026-01-01 00:00:00", timeZone: Europe/Paris}}]
  budgetingMethod: Occurrences
  objectives: [{op: lte, value: 10, target: 0.999}]
)";
  const auto found = parse_openslo(yaml);
  ASSERT_TRUE(found) << found.error().where << found.error().text;
  EXPECT_EQ(found->others, std::vector<std::string>{"Service/records"});
  const Slo& slo = found->slos.at(0);
  EXPECT_TRUE(holds(*slo.objectives[0].op, 10.0, *slo.objectives[0].value));
  EXPECT_FALSE(holds(*slo.objectives[0].op, 10.001, *slo.objectives[0].value));
  EXPECT_EQ(one(to_openslo(slo)), slo);
  using namespace std::chrono;
  const auto at = [](year_month_day day, hours hour) { return Instant(sys_days(day)) + hour; };
  EXPECT_EQ(*begin_of(slo.window, at(2026y / July / 20, 5h)), at(2026y / June / 30, 22h)) << "1 July, summer time";
  EXPECT_EQ(*begin_of(slo.window, at(2026y / February / 1, 0h)), at(2026y / January / 31, 23h));
  EXPECT_EQ(*begin_of({.duration = "30d"}, start), start - month);
  EXPECT_EQ(*begin_of({.duration = "1w", .is_rolling = false, .start = "2026-01-05", .time_zone = "UTC"},
                      at(2026y / January / 14, 3h)),
            at(2026y / January / 12, 0h));
}

TEST(OpenSlo, TheErrorsOfACompositeAddUp) {
  const std::string part = R"(
    - target: 0.9
      timeSliceWindow: 1m
      indicator:
        metadata: {name: NAME}
        spec: {thresholdMetric: {metricSource: {type: MyDR24, spec: {metric: x}}}}
      op: lte
      value: 1)";
  std::string first = part, second = part;
  first.replace(first.find("NAME"), 4, "a");
  second.replace(second.find("NAME"), 4, "b");
  const Slo slo =
      one("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: both}\nspec:\n  service: s\n"
          "  timeWindow: [{duration: 30d, isRolling: true}]\n  budgetingMethod: RatioTimeslices\n"
          "  objectives:" +
          first + second + "\n");
  EXPECT_TRUE(slo.is_composite());
  EXPECT_EQ(one(to_openslo(slo)), slo) << to_openslo(slo);
  EXPECT_NEAR(composite({{0.95, 1}, {0.95, 1}}), 0.90, 1e-12);
  EXPECT_EQ(composite({{0.2, 1}, {0.2, 1}}), 0);
}

TEST(OpenSlo, AliasesAreRefusedBeforeTheyGrow) {
  // Each line stands for ten of the line before: unfolded as labels and specs, 10^9 texts.
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    yaml += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) yaml += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    yaml += "]\n";
  }
  const auto found = parse_openslo(yaml);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Code::invalid);
  EXPECT_TRUE(found.error().text.contains("alias")) << found.error().text;
  EXPECT_EQ(found.error().where, "line 2");
  EXPECT_TRUE(parse_openslo(ratio_slo("x", "Occurrences", "&once {target: 0.99}"))) << "an anchor alone does no harm";
}

TEST(OpenSlo, WhatIsWrongIsNamedWithItsLine) {
  const auto wrong = [](std::string yaml, std::string_view before, std::string_view after) {
    const auto at = yaml.find(before);
    EXPECT_NE(at, yaml.npos) << before;
    yaml.replace(at, before.size(), after);
    const auto found = parse_openslo(yaml);
    EXPECT_FALSE(found) << after;
    return found ? std::string() : found.error().where;
  };
  const std::string yaml = ratio_slo("x", "Occurrences", "{target: 0.99}");
  EXPECT_EQ(wrong(yaml, "openslo/v1", "openslo/v2"), "line 1: apiVersion");
  EXPECT_EQ(wrong(yaml, "kind: SLO", "kind: Slo"), "line 2: kind");
  EXPECT_EQ(wrong(yaml, "name: x", "name: X"), "line 4: metadata.name");
  EXPECT_EQ(wrong(yaml, "name: x", "name: " + std::string(64, 'a')), "line 4: metadata.name");
  EXPECT_EQ(wrong(yaml, "duration: 30d", "duration: 30x"), "line 18: spec.timeWindow[0].duration");
  EXPECT_EQ(wrong(yaml, "Occurrences", "Guesses"), "line 20: spec.budgetingMethod");
  EXPECT_NE(wrong(yaml, "target: 0.99", "target: 1.0").find("spec.objectives[0].target"), std::string::npos);
  EXPECT_EQ(wrong(yaml, "target: 0.99", "target: a"), "line 22: spec.objectives[0].target");
  EXPECT_NE(wrong(yaml, "{target: 0.99}", "{target: 0.9, targetPercent: 90}").find("spec.objectives[0]"),
            std::string::npos);
  EXPECT_EQ(wrong(yaml, "name: x", "name: \"null\""), "line 4: metadata.name");
  EXPECT_EQ(wrong(yaml, "name: x", "name: null"), "line 4: metadata.name");
  EXPECT_EQ(wrong(yaml, "name: sent", "name: \"null\""), "line 11: spec.indicator.metadata.name");
  EXPECT_NE(wrong(yaml, "duration: 30d", "duration: 34d").find("spec.timeWindow[0].duration"), std::string::npos);
  EXPECT_EQ(parse_openslo("a: &a [*a]").error().code, Code::invalid);
  EXPECT_EQ(parse_openslo(std::string(yaml_bytes_max + 1, ' ')).error().code, Code::too_large);
  EXPECT_TRUE(parse_openslo("")->slos.empty());
}

TEST(Prometheus, RulesPassPromtoolAndItsTests) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  std::vector<Slo> slos;
  slos.push_back(one(ratio_slo("pages", "Occurrences", "{target: 0.999}")));
  slos.push_back(one(ratio_slo("traffic", "Occurrences", "{target: 0.99}", R"({mydr24.io/min-traffic: "100"})")));
  Slo low = one(ratio_slo("low", "Occurrences", "{target: 0.5}"));
  slos.push_back(low);
  low.name = "short";
  low.window.duration = "12h";
  slos.push_back(low);
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("mydr24-slo-{}", getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "rules.yml") << prometheus_rules(slos);
  std::ofstream(folder / "tests.yml") << prometheus_tests(slos, "rules.yml");
  const auto run = [&](std::string_view command) {
    return std::system(fmt::format("cd '{}' && promtool {} > out 2>&1", folder.string(), command).c_str());
  };
  const auto said = [&] {
    std::ifstream in(folder / "out");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(run("check rules rules.yml"), 0) << said();
  EXPECT_EQ(run("test rules tests.yml"), 0) << said();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mydr24::slo
