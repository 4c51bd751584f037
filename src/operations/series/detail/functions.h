#pragma once

// What functions of PromQL there are. Private to operations/series.

#include <array>
#include <span>
#include <string_view>

#include "operations/series/syntax.h"

namespace mydr24::series {

// The samples of one series in a range; stale markers are left out. Not empty.
struct Window {
  std::span<const Sample> samples;
  std::span<const Bucket> buckets;  // of the first so many samples
  Milliseconds from = 0;
  Milliseconds to = 0;
  Milliseconds at = 0;  // of the evaluation
};

struct Function {
  enum class Kind : std::uint8_t {
    over_range,  // of the samples of each series
    each,        // of each value
    absent,
    absent_over_time,
    histogram_quantile,
    label_join,
    label_replace,
    scalar,
    sort,
    sort_desc,
    time,
    timestamp,
    vector,
  };
  using OverRange = bool (*)(const Window&, std::span<const double> parameters, double& value);  // false: no value
  using Each = double (*)(double value, std::span<const double> parameters);

  std::string_view name;
  Kind kind = Kind::each;
  Type result = Type::vector;
  std::array<Type, 5> arguments{};
  std::size_t count = 1;
  std::size_t count_min = 1;
  bool repeats = false;  // the last argument may come again
  OverRange over_range = nullptr;
  Each each = nullptr;
  bool keeps_name = false;
};

const Function* find_function(std::string_view name);

// Prometheus' quantile of values that are in order: -Inf below 0, +Inf above 1.
double quantile_of(double q, std::span<const double> sorted);

}  // namespace mydr24::series
