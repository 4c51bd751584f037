#include "operations/judge/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "operations/judge/rollout.h"

namespace mydr24::judge {
namespace {

using Values = std::vector<double>;

// Values around a middle, the same on every machine.
Values around(double middle, double spread, std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  Values values;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (int j = 0; j < 12; ++j) sum += static_cast<double>(random()) / static_cast<double>(std::mt19937::max());
    values.push_back(middle + spread * (sum - 6));
  }
  return values;
}

ClassifierSettings narrow(Direction direction = Direction::either) {
  return {.confidence = 0.95, .tolerance = 0.10, .direction = direction};
}

// ---- statistics

TEST(MannWhitney, TheExampleOfKayentaIsAsRComputesIt) {
  const auto shift = mann_whitney(Values{10, 20, 30, 40}, Values{1, 2, 3, 4}, 0.95);
  ASSERT_TRUE(shift);
  EXPECT_DOUBLE_EQ(shift->low, 6.0);
  EXPECT_DOUBLE_EQ(shift->high, 39.0);
  EXPECT_DOUBLE_EQ(shift->estimate, 22.5);
}

// Every way to choose which of the pooled ranks are the experiment's.
double least_confidence(std::size_t m, std::size_t n, std::size_t rank) {
  std::size_t below = 0, all = 0;
  for (unsigned chosen = 0; chosen < (1U << (m + n)); ++chosen) {
    if (static_cast<std::size_t>(std::popcount(chosen)) != m) continue;
    std::size_t u = 0;
    for (std::size_t i = 0; i < m + n; ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (((chosen >> i) & 1U) != 0 && ((chosen >> j) & 1U) == 0) ++u;
    ++all;
    if (u < rank) ++below;
  }
  return 1 - 2 * static_cast<double>(below) / static_cast<double>(all);
}

TEST(MannWhitney, ItsExactIntervalIsTheNarrowestThatEnumerationAllows) {
  for (std::size_t m = 3; m <= 6; ++m) {
    for (std::size_t n = 3; n <= 6; ++n) {
      const auto x = around(10, 3, m, static_cast<unsigned>(m * 10 + n)), y = around(8, 3, n, 7);
      Values differences;
      for (const double a : x)
        for (const double b : y) differences.push_back(a - b);
      std::ranges::sort(differences);
      for (const double confidence : {0.80, 0.90}) {
        const auto shift = mann_whitney(x, y, confidence);
        ASSERT_TRUE(shift);
        const auto rank =
            static_cast<std::size_t>(std::ranges::find(differences, shift->low) - differences.begin()) + 1;
        ASSERT_LE(rank, differences.size());
        EXPECT_DOUBLE_EQ(shift->high, differences[differences.size() - rank]);
        EXPECT_TRUE(rank == 1 || least_confidence(m, n, rank) >= confidence - 1e-12) << m << " " << n;
        // Where one less would be enough exactly, R takes the wider one.
        EXPECT_LE(least_confidence(m, n, rank + 1), confidence + 1e-12) << m << " " << n;
      }
    }
  }
}

TEST(MannWhitney, TheApproximationOfManyValuesIsNearTheExactInterval) {
  const auto x = around(12, 2, 49, 1), y = around(10, 2, 49, 2);
  auto x_more = x, y_more = y;
  x_more.push_back(12.0001);
  y_more.push_back(10.0001);
  const auto exact = mann_whitney(x, y, 0.98), approximate = mann_whitney(x_more, y_more, 0.98);
  ASSERT_TRUE(exact && approximate);
  EXPECT_NEAR(exact->estimate, approximate->estimate, 0.1);
  EXPECT_NEAR(exact->low, approximate->low, 0.15);
  EXPECT_NEAR(exact->high, approximate->high, 0.15);
}

// By hand: with all values tied the shift is the one difference there is.
TEST(MannWhitney, TiedSamplesHaveTheirOneDifferenceForInterval) {
  const auto shift = mann_whitney(Values(5, 10.0), Values(5, 1.0), 0.95);
  ASSERT_TRUE(shift);
  EXPECT_NEAR(shift->low, 9, 1e-6);
  EXPECT_NEAR(shift->estimate, 9, 1e-6);
  EXPECT_NEAR(shift->high, 9, 1e-6);
}

TEST(MannWhitney, WhatIsNoSampleIsNamed) {
  EXPECT_EQ(mann_whitney({}, Values{1}, 0.95).error().code, Code::invalid);
  EXPECT_EQ(mann_whitney(Values{std::nan("")}, Values{1}, 0.95).error().code, Code::invalid);
  EXPECT_EQ(mann_whitney(Values{1}, Values{1}, 1).error().where, "confidence");
  EXPECT_EQ(mann_whitney(Values(values_max + 1), Values{1}, 0.95).error().code, Code::too_large);
}

TEST(Statistics, EffectSizesAreAsTheyAreDefined) {
  EXPECT_DOUBLE_EQ(mean_ratio(Values{2, 4}, Values{1, 2}), 2);
  EXPECT_DOUBLE_EQ(mean_ratio(Values{0}, Values{0}), 1);
  EXPECT_TRUE(std::isinf(mean_ratio(Values{1}, Values{0})));
  EXPECT_DOUBLE_EQ(common_language_effect(Values{2, 3}, Values{1, 1}), 1);
  EXPECT_DOUBLE_EQ(common_language_effect(Values{1, 2, 3}, Values{3, 2, 1}), 0.5);
  EXPECT_DOUBLE_EQ(common_language_effect(Values{1, 2}, Values{2, 3}), 0.125);
}

TEST(Statistics, OutliersAreBeyondTheFencesOfTukey) {
  // Quartiles 2 and 4 (type 7), so the fences of factor 3 are -4 and 10.
  EXPECT_EQ(without_outliers(Values{1, 2, 3, 4, 100}, 3), (Values{1, 2, 3, 4}));
  EXPECT_EQ(without_outliers(Values{1, 2, 3, 4, 10}, 3), (Values{1, 2, 3, 4, 10}));
  EXPECT_TRUE(without_outliers(Values{}, 3).empty());
  EXPECT_DOUBLE_EQ(quantile(Values{4, 1, 3, 2}, 0.5), 2.5);
}

// ---- classes

TEST(Classifier, AShiftIsHighOrLowAndChanceIsPass) {
  const auto base = around(10, 2, 30, 3), same = around(10, 2, 30, 4), doubled = around(20, 2, 30, 5);
  EXPECT_EQ(classify(same, base, narrow()).verdict, Class::pass);
  EXPECT_EQ(classify(doubled, base, narrow()).verdict, Class::high);
  EXPECT_EQ(classify(base, doubled, narrow()).verdict, Class::low);
  EXPECT_EQ(classify(base, doubled, narrow(Direction::increase)).verdict, Class::pass);
  EXPECT_EQ(classify(doubled, base, narrow(Direction::decrease)).verdict, Class::pass);
  EXPECT_EQ(classify(doubled, base, narrow(Direction::increase)).verdict, Class::high);
  EXPECT_EQ(classify(base, doubled, narrow(Direction::decrease)).verdict, Class::low);
}

TEST(Classifier, AFewRareValuesMoreAreHighUnlessTheyAreAllowed) {
  Values experiment(240, 0.0), control(240, 0.0);
  for (std::size_t i = 0; i < 84; ++i) experiment[i * 2] = 1.3 + 0.01 * static_cast<double>(i);
  for (std::size_t i = 0; i < 18; ++i) control[i * 7] = 1.4 + 0.01 * static_cast<double>(i);
  auto settings = narrow();
  const auto high = classify(experiment, control, settings);
  EXPECT_EQ(high.verdict, Class::high) << high.shift.low << " " << high.shift.estimate;
  settings.allowed_increase = 10;
  EXPECT_EQ(classify(experiment, control, settings).verdict, Class::pass);
}

TEST(Classifier, FiveValuesTenTimesAsHighAreHigh) {
  const Values canary{20, 22, 21, 25, 30}, control{1, 2.2, 1.1, 2.5, 3};
  auto settings = narrow();
  settings.allowed_decrease = 0.8;
  settings.allowed_increase = 1.2;
  EXPECT_EQ(classify(canary, control, settings).verdict, Class::high);
  EXPECT_NEAR(classify(canary, control, settings).effect, 12.04, 0.01);
  settings = narrow();
  settings.critical = true;
  EXPECT_TRUE(classify(canary, control, settings).critical);  // thresholds as they come
  settings.critical_increase = 1.2;
  EXPECT_TRUE(classify(canary, control, settings).critical);
  settings.allowed_increase = 5;
  settings.critical_increase = 13;
  EXPECT_EQ(classify(canary, control, settings).verdict, Class::high);
  EXPECT_FALSE(classify(canary, control, settings).critical);
  settings.allowed_increase = 13;
  settings.critical_increase = 15;
  EXPECT_EQ(classify(canary, control, settings).verdict, Class::pass);
  EXPECT_FALSE(classify(canary, control, settings).critical);
}

TEST(Classifier, ADecreaseWithinWhatIsAllowedPasses) {
  auto settings = narrow();
  settings.allowed_decrease = 0.5;
  EXPECT_EQ(classify({10, 12.2, 10.1, 12.5, 23}, {20, 22, 21, 25, 30}, settings).verdict, Class::pass);
  settings = narrow();
  settings.critical = true;
  settings.critical_increase = 1;
  settings.critical_decrease = 1;
  const auto low = classify({2, 2, 2, 2, 3}, {10, 20.2, 10.1, 20.5, 30}, settings);
  EXPECT_EQ(low.verdict, Class::low);
  EXPECT_TRUE(low.critical);
}

TEST(Classifier, TiesAreNoShift) {
  const auto decrease = narrow(Direction::decrease);
  EXPECT_EQ(classify({1, 1, 1}, {1, 1}, decrease).verdict, Class::pass);
  EXPECT_EQ(classify({1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}, decrease).verdict, Class::pass);
  EXPECT_EQ(classify({0, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, decrease).verdict, Class::pass);
  EXPECT_EQ(classify({1, 1, 1, 1, 10}, {1, 1, 1, 1, 1}, narrow()).verdict, Class::pass);
  EXPECT_EQ(classify(Values(5, 10.0), Values(5, 1.0), narrow()).verdict, Class::high);
}

TEST(Classifier, MissingDataIsNodataAndFailsWhatIsCritical) {
  auto settings = narrow(Direction::decrease);
  const auto missing = classify({}, {1, 2, 3, 4, 5}, settings);
  EXPECT_EQ(missing.verdict, Class::no_data);
  EXPECT_FALSE(missing.critical);
  EXPECT_FALSE(classify({}, {}, settings).reason.empty());
  settings.critical = true;
  EXPECT_TRUE(classify({}, {1, 2, 3, 4, 5}, settings).critical);
  settings.zero_for_missing = true;
  EXPECT_EQ(classify({}, {1, 2, 3, 4, 5}, settings).verdict, Class::pass);
  EXPECT_EQ(classify({}, {}, settings).verdict, Class::no_data);
}

TEST(Classifier, ValuesThatAreNoNumbersAreLeftOutOrCountAsNothing) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto settings = narrow();
  EXPECT_EQ(classify({nan, nan}, {1, 2}, settings).verdict, Class::no_data);
  EXPECT_EQ(classify({5, nan, 6, 7, 5.5}, {5, 6, 7, 5.5}, settings).verdict, Class::pass);
  settings.outlier_factor = 3;
  EXPECT_EQ(classify({5, 6, 7, 5.5, 1e9}, {5, 6, 7, 5.5}, settings).verdict, Class::pass);
  EXPECT_NEAR(classify({5, 6, 7, 5.5, 1e9}, {5, 6, 7, 5.5}, settings).effect, 1, 1e-9);
}

// ---- scores

Outcome of(Class verdict, const std::string& group = "g") { return {.groups = {group}, .verdict = verdict}; }
double scored(const std::vector<Outcome>& outcomes, const std::map<std::string, double>& weights = {}) {
  return score(outcomes, weights).value;
}

TEST(Score, ItIsTheShareThatPassedByGroupAndWeight) {
  EXPECT_DOUBLE_EQ(scored({of(Class::pass)}), 100);
  EXPECT_DOUBLE_EQ(scored({of(Class::high)}), 0);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), of(Class::high)}), 50);
  EXPECT_NEAR(scored({of(Class::pass), of(Class::high), of(Class::low)}), 33.33, 0.01);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass, "a"), of(Class::pass, "a"), of(Class::high, "b")}, {{"a", 75}, {"b", 25}}),
                   75);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass, "a"), of(Class::high, "a"), of(Class::high, "b")}, {{"a", 50}, {"b", 50}}),
                   25);
  EXPECT_NEAR(scored({of(Class::pass, "a"), of(Class::high, "a"), of(Class::low, "a"), of(Class::high, "b")},
                     {{"a", 15}, {"b", 85}}),
              5, 1e-9);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass, "a"), of(Class::high, "b")}, {{"a", 60}}), 60);
}

TEST(Score, AGroupWithoutDataGivesItsWeightToTheOthers) {
  EXPECT_DOUBLE_EQ(scored({of(Class::pass, "a"), of(Class::pass, "a"), of(Class::no_data, "b")}), 100);
}

TEST(Score, WhenHalfHasNoDataItIsNought) {
  EXPECT_DOUBLE_EQ(scored({of(Class::no_data)}), 0);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), of(Class::no_data)}), 0);
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), of(Class::pass), of(Class::no_data)}), 100);
  EXPECT_DOUBLE_EQ(scored({}), 0);
  auto required = of(Class::no_data);
  required.must_have_data = true;
  EXPECT_NEAR(scored({of(Class::pass), of(Class::pass), required}), 66.67, 0.01);
}

TEST(Score, ACriticalMetricThatFailsMakesItNought) {
  auto critical = of(Class::high);
  critical.critical = true;
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), critical}), 0);
  critical.verdict = Class::no_data;
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), of(Class::pass), of(Class::pass), critical}), 0);
  critical.verdict = Class::pass;
  EXPECT_DOUBLE_EQ(scored({of(Class::low), critical}), 50);
  auto told = of(Class::high);
  told.report_only = true;
  EXPECT_DOUBLE_EQ(scored({of(Class::pass), told}), 100);
}

TEST(Score, GradesHaveTwoThresholds) {
  EXPECT_EQ(grade(95, 95, 75), Grade::pass);
  EXPECT_EQ(grade(94.9, 95, 75), Grade::marginal);
  EXPECT_EQ(grade(74.9, 95, 75), Grade::fail);
}

// ---- repeated checks

Phase phase(std::initializer_list<Measurement> measurements, const AnalysisLimits& limits) {
  return assess(std::span(measurements.begin(), measurements.size()), limits);
}
constexpr auto yes = Measurement::success;
constexpr auto no = Measurement::failure;
constexpr auto unclear = Measurement::inconclusive;
constexpr auto broken = Measurement::error;

TEST(Analysis, TheTruthTableOfArgoHolds) {
  const AnalysisLimits limits{.count = 4, .failure_limit = 1, .consecutive_successes = 2};
  // failures exceeded, successes reached
  EXPECT_EQ(phase({no, yes, yes}, limits), Phase::successful);  // no, yes
  EXPECT_EQ(phase({no, no, yes, yes}, limits), Phase::failed);  // yes, yes
  EXPECT_EQ(phase({no, no}, limits), Phase::failed);            // yes, no
  EXPECT_EQ(phase({no, yes, unclear, yes},
                  {.count = 4, .failure_limit = 1, .inconclusive_limit = 1, .consecutive_successes = 2}),
            Phase::inconclusive);  // no, no
  EXPECT_EQ(phase({no, yes}, limits), Phase::running);
}

TEST(Analysis, NoFailureIsAllowedUnlessTheLimitSaysSo) {
  EXPECT_EQ(phase({no}, {}), Phase::failed);
  EXPECT_EQ(phase({yes}, {}), Phase::successful);
  EXPECT_EQ(phase({yes, no, yes}, {.count = 3, .failure_limit = 1}), Phase::successful);
  EXPECT_EQ(phase({no, no, no}, {.count = 3, .failure_limit = -1}), Phase::successful);
}

TEST(Analysis, WhatIsInconclusivePausesAndErrorsFailWhenTheyLast) {
  EXPECT_EQ(phase({unclear}, {.count = 3}), Phase::inconclusive);
  EXPECT_EQ(phase({unclear, yes, yes}, {.count = 3, .inconclusive_limit = 1}), Phase::successful);
  EXPECT_EQ(phase({broken, broken, broken, broken}, {.count = 0}), Phase::running);
  EXPECT_EQ(phase({broken, broken, broken, broken, broken}, {.count = 0}), Phase::failed);
  EXPECT_EQ(phase({broken, broken, broken, broken, yes, broken}, {.count = 0}), Phase::running);
}

TEST(Analysis, ADryRunNeverDecides) {
  EXPECT_EQ(phase({no}, {.count = 1, .dry_run = true}), Phase::successful);
  EXPECT_EQ(phase({no}, {.count = 2, .dry_run = true}), Phase::running);
  const Phase phases[] = {Phase::successful, Phase::running};
  EXPECT_EQ(worst(phases), Phase::running);
  const Phase with_failure[] = {Phase::running, Phase::inconclusive, Phase::failed};
  EXPECT_EQ(worst(with_failure), Phase::failed);
  EXPECT_EQ(worst({}), Phase::successful);
}

TEST(Analysis, OnlyWhatRanInsideTheWindowIsRolledBackWithoutSteps) {
  EXPECT_TRUE(is_fast_rollback(1, 3));
  EXPECT_TRUE(is_fast_rollback(3, 3));
  EXPECT_FALSE(is_fast_rollback(4, 3));
  EXPECT_FALSE(is_fast_rollback(0, 3));
  EXPECT_FALSE(is_fast_rollback(1, 0));
}

TEST(Advancement, FailedChecksBelowTheThresholdGoOnAndAtItRollBack) {
  Progress progress{.threshold = 3, .weight = 10, .weight_max = 50};
  EXPECT_EQ(next_move(progress, true), Move::advance);
  EXPECT_EQ(next_move(progress, false), Move::hold);
  progress.failed_checks = 1;
  EXPECT_EQ(next_move(progress, false), Move::hold);
  EXPECT_EQ(next_move(progress, true), Move::advance);
  progress.failed_checks = 2;
  EXPECT_EQ(next_move(progress, false), Move::roll_back);
  progress.weight = 50;
  EXPECT_EQ(next_move(progress, true), Move::finish);
}

TEST(Advancement, HooksPauseAndRollBackAndSuspendFreezes) {
  EXPECT_EQ(next_move({.hook_refused = true}, true), Move::hold);
  EXPECT_EQ(next_move({.rollback_asked = true}, true), Move::roll_back);
  EXPECT_EQ(next_move({.suspended = true, .rollback_asked = true}, false), Move::hold);
}

}  // namespace
}  // namespace mydr24::judge
