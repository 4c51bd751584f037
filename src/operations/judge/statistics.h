#pragma once

// What two samples say about each other: the Mann-Whitney test as R's wilcox.test does it (exact without ties and
// below 50 values each, else the normal approximation with continuity correction), effect sizes, outliers. Pure
// functions. Source: Hodges and Lehmann 1963; R Core Team, stats::wilcox.test; McGraw and Wong 1992 (CLES); Tukey
// 1977 (fences).

#include <span>
#include <vector>

#include "base/core/result.h"

namespace mydr24::judge {

// The shift from `control` to `experiment`: the Hodges-Lehmann estimate and its two-sided confidence interval.
struct Shift {
  double estimate = 0;
  double low = 0;
  double high = 0;
};
inline constexpr std::size_t values_max = 2'000;  // of one sample; the pairs of differences are held in memory

// Code::invalid: a sample is empty, or not finite, or `confidence` is not in (0, 1); Code::too_large beyond
// values_max.
Result<Shift> mann_whitney(std::span<const double> experiment, std::span<const double> control, double confidence);

double mean(std::span<const double> values);  // 0 when empty
// mean(experiment) / mean(control): 1 is no effect. Both 0: 1; only the control's 0: infinite.
double mean_ratio(std::span<const double> experiment, std::span<const double> control);
// The probability that a value of the experiment is above one of the control, ties counted half: 0.5 is no effect.
double common_language_effect(std::span<const double> experiment, std::span<const double> control);

// Without what lies beyond the quartiles by more than `factor` times their distance (quantiles of R's type 7).
std::vector<double> without_outliers(std::span<const double> values, double factor);
// 0 <= p <= 1, of at least one value; R's type 7: linear between order statistics.
double quantile(std::span<const double> values, double p);

}  // namespace mydr24::judge
