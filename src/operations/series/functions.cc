// The functions of PromQL: of a range of samples, and of one value. Formulas: prometheus/promql/functions.go and quantile.go (as of
// 2.42), restated.

#include <algorithm>
#include <cmath>
#include <limits>

#include "operations/series/detail/functions.h"

namespace mydr24::series {
namespace {

using Parameters = std::span<const double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

double seconds(Milliseconds length) { return static_cast<double>(length) / 1000; }

// What the samples say of the whole range: the difference between its ends, as far as they may be assumed to go on. A
// counter that falls began again at 0, and was never below it.
bool extrapolated(const Window& window, bool is_counter, bool per_second, double& value) {
  const auto samples = window.samples;
  if (samples.size() < 2) return false;
  const Sample& first = samples.front();
  const Sample& last = samples.back();
  double change = last.value - first.value;
  if (is_counter) {
    double before = first.value;
    for (const Sample& each : samples.subspan(1)) {
      if (each.value < before) change += before;
      before = each.value;
    }
  }
  const double between = seconds(last.time - first.time);
  const double average = between / static_cast<double>(samples.size() - 1);
  double to_start = seconds(first.time - window.from);
  double to_end = seconds(window.to - last.time);
  if (is_counter && change > 0 && first.value >= 0) to_start = std::min(to_start, between * (first.value / change));
  const double threshold = average * 1.1;
  const double whole =
      between + (to_start < threshold ? to_start : average / 2) + (to_end < threshold ? to_end : average / 2);
  value = change * (whole / between);
  if (per_second) value /= seconds(window.to - window.from);
  return true;
}

bool rate(const Window& window, Parameters, double& value) { return extrapolated(window, true, true, value); }
bool increase(const Window& window, Parameters, double& value) { return extrapolated(window, true, false, value); }
bool delta(const Window& window, Parameters, double& value) { return extrapolated(window, false, false, value); }

bool instant(const Window& window, bool is_rate, double& value) {
  if (window.samples.size() < 2) return false;
  const Sample& last = window.samples.back();
  const Sample& before = window.samples[window.samples.size() - 2];
  const bool began_again = is_rate && last.value < before.value;
  value = began_again ? last.value : last.value - before.value;
  if (is_rate) value /= seconds(last.time - before.time);
  return true;
}
bool irate(const Window& window, Parameters, double& value) { return instant(window, true, value); }
bool idelta(const Window& window, Parameters, double& value) { return instant(window, false, value); }

struct Line {
  double slope = 0;
  double value = 0;  // at `at`
};

// A sum that keeps what rounding loses (Kahan and Neumaier).
class Sum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    if (std::isinf(next))
      lost_ = 0;
    else
      lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double value() const { return std::isinf(sum_) ? sum_ : sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

// Least squares.
Line line_through(std::span<const Sample> samples, Milliseconds at) {
  const auto n = static_cast<double>(samples.size());
  Sum x_sum;
  Sum y_sum;
  Sum xy_sum;
  Sum xx_sum;
  bool is_constant = true;
  for (const Sample& each : samples) {
    const double x = seconds(each.time - at);
    is_constant = is_constant && each.value == samples.front().value;
    x_sum.add(x);
    y_sum.add(each.value);
    xy_sum.add(x * each.value);
    xx_sum.add(x * x);
  }
  if (is_constant) {
    if (std::isinf(samples.front().value)) return {nan, nan};
    return {0, samples.front().value};
  }
  const double covariance = xy_sum.value() - x_sum.value() * y_sum.value() / n;
  const double variance = xx_sum.value() - x_sum.value() * x_sum.value() / n;
  const double slope = covariance / variance;
  return {slope, y_sum.value() / n - slope * x_sum.value() / n};
}

bool deriv(const Window& window, Parameters, double& value) {
  if (window.samples.size() < 2) return false;
  value = line_through(window.samples, window.samples.front().time).slope;
  return true;
}
bool predict_linear(const Window& window, Parameters parameters, double& value) {
  if (window.samples.size() < 2) return false;
  const Line line = line_through(window.samples, window.at);
  value = line.slope * parameters[0] + line.value;
  return true;
}

template <class Differs>
bool count_changes(const Window& window, double& value, Differs differs) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < window.samples.size(); ++i)
    count += differs(window.samples[i - 1].value, window.samples[i].value) ? 1U : 0U;
  value = static_cast<double>(count);
  return true;
}
bool changes(const Window& window, Parameters, double& value) {
  return count_changes(window, value, [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); });
}
bool resets(const Window& window, Parameters, double& value) {
  return count_changes(window, value, [](double a, double b) { return b < a; });
}

// Where minutes or hours stand for their samples, their sums and counts do.
bool sum_over_time(const Window& window, Parameters, double& value) {
  Sum sum;
  for (const Bucket& each : window.buckets) sum.add(each.sum);
  for (const Sample& each : window.samples.subspan(window.buckets.size())) sum.add(each.value);
  value = sum.value();
  return true;
}
bool count_over_time(const Window& window, Parameters, double& value) {
  value = static_cast<double>(window.samples.size() - window.buckets.size());
  for (const Bucket& each : window.buckets) value += each.count;
  return true;
}
bool avg_over_time(const Window& window, Parameters parameters, double& value) {
  double count = 0;
  count_over_time(window, parameters, count);
  sum_over_time(window, parameters, value);
  value /= count;
  return true;
}
template <class Better>
bool extreme(const Window& window, double& value, double Bucket::* of, Better better) {
  value = window.buckets.empty() ? window.samples.front().value : window.buckets.front().*of;
  const auto look = [&](double each) {
    if (better(each, value) || std::isnan(value)) value = each;
  };
  for (const Bucket& each : window.buckets) look(each.*of);
  for (const Sample& each : window.samples.subspan(window.buckets.size())) look(each.value);
  return true;
}
bool min_over_time(const Window& window, Parameters, double& value) {
  return extreme(window, value, &Bucket::min, std::less<>());
}
bool max_over_time(const Window& window, Parameters, double& value) {
  return extreme(window, value, &Bucket::max, std::greater<>());
}
bool last_over_time(const Window& window, Parameters, double& value) {
  value = window.samples.back().value;
  return true;
}
bool present_over_time(const Window&, Parameters, double& value) {
  value = 1;
  return true;
}
bool quantile_over_time(const Window& window, Parameters parameters, double& value) {
  std::vector<double> values;
  values.reserve(window.samples.size());
  for (const Sample& each : window.samples) values.push_back(each.value);
  std::ranges::sort(values, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  value = quantile_of(parameters[0], values);
  return true;
}
bool stdvar_over_time(const Window& window, Parameters, double& value) {
  double mean = 0;
  double squares = 0;
  double count = 0;
  for (const Sample& each : window.samples) {
    const double off = each.value - mean;
    mean += off / ++count;
    squares += off * (each.value - mean);
  }
  value = squares / count;
  return true;
}
bool stddev_over_time(const Window& window, Parameters parameters, double& value) {
  stdvar_over_time(window, parameters, value);
  value = std::sqrt(value);
  return true;
}

double round_to(double value, Parameters parameters) {
  // The inverse is divided by, as in Prometheus: a multiple of 0.1 is not a number of binary digits.
  const double inverse = 1 / (parameters.empty() ? 1.0 : parameters[0]);
  return std::floor(value * inverse + 0.5) / inverse;
}
double clamp(double value, Parameters parameters) {
  if (std::isnan(value) || std::isnan(parameters[0]) || std::isnan(parameters[1])) return nan;
  return std::max(parameters[0], std::min(parameters[1], value));
}
double clamp_min(double value, Parameters parameters) {
  return std::isnan(parameters[0]) || std::isnan(value) ? nan : std::max(parameters[0], value);
}
double clamp_max(double value, Parameters parameters) {
  return std::isnan(parameters[0]) || std::isnan(value) ? nan : std::min(parameters[0], value);
}
double sign_of(double value, Parameters) { return value < 0 ? -1 : value > 0 ? 1 : value; }

Function over_range(std::string_view name, Function::OverRange how, bool keeps_name = false) {
  Function made{.name = name, .kind = Function::Kind::over_range, .over_range = how, .keeps_name = keeps_name};
  made.arguments = {Type::matrix};
  return made;
}
Function each(std::string_view name, Function::Each how, std::size_t parameters = 0, std::size_t needed = 0) {
  Function made{
      .name = name, .kind = Function::Kind::each, .count = 1 + parameters, .count_min = 1 + needed, .each = how};
  made.arguments = {Type::vector, Type::scalar, Type::scalar};
  return made;
}
Function special(std::string_view name, Function::Kind kind, std::array<Type, 5> arguments, std::size_t count,
                 Type result = Type::vector) {
  Function made{.name = name, .kind = kind, .result = result, .count = count, .count_min = count};
  made.arguments = arguments;
  return made;
}

std::vector<Function> make_functions() {
  using Kind = Function::Kind;
  std::vector<Function> all{
      over_range("rate", rate),
      over_range("irate", irate),
      over_range("increase", increase),
      over_range("delta", delta),
      over_range("idelta", idelta),
      over_range("deriv", deriv),
      over_range("changes", changes),
      over_range("resets", resets),
      over_range("sum_over_time", sum_over_time),
      over_range("count_over_time", count_over_time),
      over_range("avg_over_time", avg_over_time),
      over_range("min_over_time", min_over_time),
      over_range("max_over_time", max_over_time),
      over_range("last_over_time", last_over_time, true),
      over_range("present_over_time", present_over_time),
      over_range("stddev_over_time", stddev_over_time),
      over_range("stdvar_over_time", stdvar_over_time),
      each("abs", [](double v, Parameters) { return std::abs(v); }),
      each("ceil", [](double v, Parameters) { return std::ceil(v); }),
      each("floor", [](double v, Parameters) { return std::floor(v); }),
      each("exp", [](double v, Parameters) { return std::exp(v); }),
      each("sqrt", [](double v, Parameters) { return std::sqrt(v); }),
      each("ln", [](double v, Parameters) { return std::log(v); }),
      each("log2", [](double v, Parameters) { return std::log2(v); }),
      each("log10", [](double v, Parameters) { return std::log10(v); }),
      each("sgn", sign_of),
      each("round", round_to, 1),
      each("clamp", clamp, 2, 2),
      each("clamp_min", clamp_min, 1, 1),
      each("clamp_max", clamp_max, 1, 1),
      special("absent", Kind::absent, {Type::vector}, 1),
      special("absent_over_time", Kind::absent_over_time, {Type::matrix}, 1),
      special("histogram_quantile", Kind::histogram_quantile, {Type::scalar, Type::vector}, 2),
      special("label_replace", Kind::label_replace, {Type::vector, Type::text, Type::text, Type::text, Type::text}, 5),
      special("scalar", Kind::scalar, {Type::vector}, 1, Type::scalar),
      special("sort", Kind::sort, {Type::vector}, 1),
      special("sort_desc", Kind::sort_desc, {Type::vector}, 1),
      special("time", Kind::time, {}, 0, Type::scalar),
      special("timestamp", Kind::timestamp, {Type::vector}, 1),
      special("vector", Kind::vector, {Type::scalar}, 1),
  };
  Function join = special("label_join", Kind::label_join, {Type::vector, Type::text, Type::text, Type::text}, 4);
  join.count_min = 3;
  join.repeats = true;
  all.push_back(join);
  Function quantile = over_range("quantile_over_time", quantile_over_time);
  quantile.arguments = {Type::scalar, Type::matrix};
  quantile.count = quantile.count_min = 2;
  all.push_back(quantile);
  Function predict = over_range("predict_linear", predict_linear);
  predict.arguments = {Type::matrix, Type::scalar};
  predict.count = predict.count_min = 2;
  all.push_back(predict);
  return all;
}

}  // namespace

double quantile_of(double q, std::span<const double> sorted) {
  if (sorted.empty() || std::isnan(q)) return nan;
  if (q < 0) return -infinity;
  if (q > 1) return infinity;
  const auto n = static_cast<double>(sorted.size());
  const double rank = q * (n - 1);
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(n - 1, lower + 1);
  const double weight = rank - std::floor(rank);
  return sorted[static_cast<std::size_t>(lower)] * (1 - weight) + sorted[static_cast<std::size_t>(upper)] * weight;
}

const Function* find_function(std::string_view name) {
  static const std::vector<Function> all = make_functions();
  const auto found = std::ranges::find(all, name, &Function::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace mydr24::series
