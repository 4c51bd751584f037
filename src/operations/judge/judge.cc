#include "operations/judge/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mydr24::judge {
namespace {

void fill_in(std::vector<double>& values, bool zero_for_missing) {
  if (zero_for_missing) {
    std::ranges::replace_if(values, [](double each) { return !std::isfinite(each); }, 0.0);
  } else {
    std::erase_if(values, [](double each) { return !std::isfinite(each); });
  }
}

bool same_values(std::vector<double> a, std::vector<double> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

struct Bounds {
  double increase, decrease;
};

Class compare(const Shift& shift, double effect, const ClassifierSettings& settings, const Bounds& bounds) {
  const double tolerance = settings.tolerance * std::abs(shift.estimate);
  if (settings.direction != Direction::decrease && shift.low > tolerance && effect >= bounds.increase)
    return Class::high;
  if (settings.direction != Direction::increase && shift.high < -tolerance && effect <= bounds.decrease)
    return Class::low;
  return Class::pass;
}

}  // namespace

std::string_view to_string(Class verdict) {
  switch (verdict) {
    case Class::pass:
      return "Pass";
    case Class::high:
      return "High";
    case Class::low:
      return "Low";
    case Class::no_data:
      return "Nodata";
  }
  return {};
}

std::string_view to_string(Direction direction) {
  return direction == Direction::increase ? "increase" : direction == Direction::decrease ? "decrease" : "either";
}

std::optional<Direction> parse_direction(std::string_view text) {
  for (const auto each : {Direction::increase, Direction::decrease, Direction::either})
    if (text == to_string(each)) return each;
  return std::nullopt;
}

Verdict classify(std::vector<double> experiment, std::vector<double> control, const ClassifierSettings& settings) {
  fill_in(experiment, settings.zero_for_missing);
  fill_in(control, settings.zero_for_missing);
  Verdict found;
  if (experiment.empty() || control.empty()) {
    // Where missing means zero, one side that reports nothing is no difference that could be tested.
    if (settings.zero_for_missing && experiment.empty() != control.empty()) return found;
    found.verdict = Class::no_data;
    found.critical = settings.critical;
    found.reason = fmt::format("no data of the {}", experiment.empty() ? "experiment" : "control");
    return found;
  }
  if (settings.outlier_factor) {
    experiment = without_outliers(experiment, *settings.outlier_factor);
    control = without_outliers(control, *settings.outlier_factor);
  }
  found.effect = settings.effect == Effect::mean_ratio ? mean_ratio(experiment, control)
                                                       : common_language_effect(experiment, control);
  if (same_values(experiment, control)) return found;
  const auto shift = mann_whitney(experiment, control, settings.confidence);
  if (!shift) {
    found.verdict = Class::no_data;
    found.critical = settings.critical;
    found.reason = shift.error().text;
    return found;
  }
  found.shift = *shift;
  found.verdict = compare(*shift, found.effect, settings, {settings.allowed_increase, settings.allowed_decrease});
  if (settings.critical) {
    const auto critical =
        compare(*shift, found.effect, settings, {settings.critical_increase, settings.critical_decrease});
    found.critical = critical != Class::pass;
    if (found.critical) found.verdict = critical;
  }
  if (found.verdict != Class::pass)
    found.reason = fmt::format("shift {:.6g} ({:.6g} to {:.6g}), effect {:.4g}", shift->estimate, shift->low,
                               shift->high, found.effect);
  return found;
}

Score score(const std::vector<Outcome>& outcomes, const std::map<std::string, double>& weights) {
  struct Count {
    int passed = 0, all = 0;
  };
  std::map<std::string, Count> counts;
  Score found;
  std::size_t considered = 0, without_data = 0;
  for (const auto& outcome : outcomes) {
    if (outcome.report_only) continue;
    ++considered;
    if (outcome.verdict == Class::no_data) ++without_data;
    if (outcome.critical && outcome.verdict != Class::pass)
      found.reason = fmt::format("a critical metric is {}", to_string(outcome.verdict));
    for (const auto& group : outcome.groups) {
      auto& count = counts[group];
      if (outcome.verdict == Class::no_data && !outcome.must_have_data) continue;
      ++count.all;
      if (outcome.verdict == Class::pass) ++count.passed;
    }
  }
  if (found.reason.empty() && (considered == 0 || without_data * 2 >= considered))
    found.reason = "half of the metrics or more have no data";
  double given = 0;
  for (const auto& [group, weight] : weights) given += weight;
  const auto unweighted =
      std::ranges::count_if(counts, [&](const auto& each) { return !weights.contains(each.first); });
  const double share = unweighted > 0 ? std::max(0.0, 100 - given) / static_cast<double>(unweighted) : 0;
  double sum = 0, weight_sum = 0;
  for (const auto& [group, count] : counts) {
    if (count.all == 0) {
      found.groups[group] = std::nullopt;
      continue;
    }
    const double value = 100.0 * count.passed / count.all;
    const auto weight = weights.contains(group) ? weights.at(group) : share;
    found.groups[group] = value;
    sum += value * weight;
    weight_sum += weight;
  }
  if (found.reason.empty() && weight_sum > 0) found.value = sum / weight_sum;
  return found;
}

}  // namespace mydr24::judge
