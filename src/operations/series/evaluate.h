#pragma once

// Answers PromQL from a Database, at an instant or at the steps of a span. Every evaluation is bounded: series, samples, steps,
// work and time. Thread-safe: an evaluation reads what it needs at its beginning.

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "operations/series/syntax.h"

namespace mydr24::series {

struct EvaluationLimits {
  std::size_t series_max = 10'000;      // of one selector
  std::size_t samples_max = 2'000'000;  // read at all
  std::size_t steps_max = 11'000;       // as Prometheus
  std::size_t points_max = 2'000'000;   // of the answer
  std::chrono::milliseconds time_max{10'000};
  const std::atomic<bool>* cancelled = nullptr;
};

struct Span {
  Milliseconds from = 0;
  Milliseconds to = 0;
  Milliseconds step = 0;  // above 0
};

struct AnswerSeries {
  LabelsPtr labels;
  std::vector<Sample> samples;
};

struct Answer {
  Type type = Type::vector;  // of a span always matrix
  double scalar = 0;
  std::string text;
  std::vector<AnswerSeries> series;  // of a vector: one sample each, in the order that the expression gives
};

// How old the newest sample may be that still counts.
inline constexpr Milliseconds look_back = 5 * 60'000;

// Code::invalid says at which column what is wrong; Code::unprocessable what does not go with the series that there are;
// Code::too_costly which limit was reached.
Result<Answer> evaluate(const Database& database, std::string_view expression, Milliseconds at,
                        const EvaluationLimits& limits, const Clock& clock);
Result<Answer> evaluate(const Database& database, std::string_view expression, const Span& span,
                        const EvaluationLimits& limits, const Clock& clock);

// The metrics that an expression asks for by name; for checking dashboards and rules.
std::vector<std::string> metrics_of(const Node& node);

}  // namespace mydr24::series
