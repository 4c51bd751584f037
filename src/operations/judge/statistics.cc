#include "operations/judge/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace mydr24::judge {
namespace {

constexpr std::size_t exact_below = 50;  // values of each sample, as R chooses

bool has_ties(std::span<const double> a, std::span<const double> b) {
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::ranges::sort(all);
  return std::ranges::adjacent_find(all) != all.end();
}

// The distribution of U under no shift: how many arrangements of m and n values give each U, over all arrangements.
std::vector<double> distribution(std::size_t m, std::size_t n) {
  // ways[i][u]: with i values of the first sample among those placed so far.
  std::vector<std::vector<double>> ways(m + 1, std::vector<double>(m * n + 1, 0));
  ways[0][0] = 1;
  for (std::size_t placed = 1; placed <= m + n; ++placed) {
    for (std::size_t i = std::min(m, placed); i >= 1; --i) {
      const std::size_t below = placed - i;  // of the second sample
      if (below > n) continue;
      for (std::size_t u = m * n + 1; u-- > below;) ways[i][u] += ways[i - 1][u - below];
    }
  }
  const double all = std::accumulate(ways[m].begin(), ways[m].end(), 0.0);
  for (double& each : ways[m]) each /= all;
  return ways[m];
}

// The smallest u whose cumulative probability is at least p.
std::size_t quantile_of_u(const std::vector<double>& probabilities, double p) {
  double sum = 0;
  for (std::size_t u = 0; u < probabilities.size(); ++u) {
    sum += probabilities[u];
    if (sum >= p * (1 - 1e-12)) return u;
  }
  return probabilities.size() - 1;
}

Shift exact_shift(std::span<const double> x, std::span<const double> y, double confidence) {
  std::vector<double> differences;
  differences.reserve(x.size() * y.size());
  for (const double a : x)
    for (const double b : y) differences.push_back(a - b);
  std::ranges::sort(differences);
  const auto probabilities = distribution(x.size(), y.size());
  const std::size_t rank = std::max<std::size_t>(1, quantile_of_u(probabilities, (1 - confidence) / 2));
  return {.estimate = quantile(differences, 0.5),
          .low = differences[rank - 1],
          .high = differences[differences.size() - rank]};
}

// The inverse of the standard normal distribution, by bisection of erfc.
double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

// The standardised statistic when the experiment is shifted down by `shift`, less `z`: falls as the shift grows.
double statistic(std::span<const double> x, std::span<const double> y, double shift, double z, bool correct) {
  struct Item {
    double value;
    bool first;
  };
  std::vector<Item> all;
  all.reserve(x.size() + y.size());
  for (const double each : x) all.push_back({each - shift, true});
  for (const double each : y) all.push_back({each, false});
  std::ranges::sort(all, {}, &Item::value);
  const double m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
  double ranks = 0, ties = 0;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].value == all[i].value) ++end;
    const double count = static_cast<double>(end - i);
    const double rank = static_cast<double>(i + 1 + end) / 2;
    ties += count * count * count - count;
    for (; i < end; ++i)
      if (all[i].first) ranks += rank;
  }
  const double deviation = ranks - m * (m + 1) / 2 - m * n / 2;
  const double variance = m * n / 12 * ((m + n + 1) - ties / ((m + n) * (m + n - 1)));
  if (variance <= 0) return -z;
  const double correction = correct && deviation != 0 ? std::copysign(0.5, deviation) : 0;
  return (deviation - correction) / std::sqrt(variance) - z;
}

double root(std::span<const double> x, std::span<const double> y, double z, bool correct) {
  double low = std::ranges::min(x) - std::ranges::max(y);
  double high = std::ranges::max(x) - std::ranges::min(y);
  if (statistic(x, y, low, z, correct) <= 0) return low;
  if (statistic(x, y, high, z, correct) >= 0) return high;
  for (int i = 0; i < 100 && high - low > 1e-12 * std::max(1.0, std::abs(low)); ++i) {
    const double middle = (low + high) / 2;
    (statistic(x, y, middle, z, correct) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

Shift approximate_shift(std::span<const double> x, std::span<const double> y, double confidence) {
  const double z = normal_quantile(1 - (1 - confidence) / 2);
  return {.estimate = root(x, y, 0, false), .low = root(x, y, z, true), .high = root(x, y, -z, true)};
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double each) { return std::isfinite(each); });
}

}  // namespace

Result<Shift> mann_whitney(std::span<const double> experiment, std::span<const double> control, double confidence) {
  if (experiment.empty() || control.empty()) return fail(Code::invalid, "a sample has no values");
  if (experiment.size() > values_max || control.size() > values_max)
    return fail(Code::too_large, fmt::format("a sample has at most {} values", values_max));
  if (!all_finite(experiment) || !all_finite(control)) return fail(Code::invalid, "a value is not finite");
  if (!(confidence > 0 && confidence < 1)) return fail(Code::invalid, "confidence is between 0 and 1", "confidence");
  const bool exact = experiment.size() < exact_below && control.size() < exact_below && !has_ties(experiment, control);
  return exact ? exact_shift(experiment, control, confidence) : approximate_shift(experiment, control, confidence);
}

double mean(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double mean_ratio(std::span<const double> experiment, std::span<const double> control) {
  const double above = mean(experiment), below = mean(control);
  if (below != 0) return above / below;
  return above == 0 ? 1 : std::numeric_limits<double>::infinity();
}

double common_language_effect(std::span<const double> experiment, std::span<const double> control) {
  if (experiment.empty() || control.empty()) return 0.5;
  double wins = 0;
  for (const double a : experiment)
    for (const double b : control) wins += a > b ? 1 : a == b ? 0.5 : 0;
  return wins / static_cast<double>(experiment.size() * control.size());
}

double quantile(std::span<const double> values, double p) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(at));
  const auto high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

std::vector<double> without_outliers(std::span<const double> values, double factor) {
  std::vector<double> kept;
  if (values.empty()) return kept;
  const double first = quantile(values, 0.25), third = quantile(values, 0.75);
  const double reach = factor * (third - first);
  std::ranges::copy_if(values, std::back_inserter(kept),
                       [&](double each) { return each >= first - reach && each <= third + reach; });
  return kept;
}

}  // namespace mydr24::judge
