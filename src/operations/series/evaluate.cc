#include "operations/series/evaluate.h"

#include <fmt/format.h>

#include <algorithm>

#include "operations/series/detail/evaluation.h"
#include "operations/series/detail/lexer.h"

namespace mydr24::series {
namespace {

void collect(const Node& node, std::vector<std::string>& names) {
  for (const auto& matcher : node.matchers)
    if (matcher.name() == name_label && matcher.op() == routing::Matcher::Op::equal) names.push_back(matcher.value());
  for (const auto& child : node.children) collect(*child, names);
}

}  // namespace

std::vector<std::string> metrics_of(const Node& node) {
  std::vector<std::string> names;
  collect(node, names);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<Answer> evaluate(const Database& database, std::string_view expression, Milliseconds at,
                        const EvaluationLimits& limits, const Clock& clock) {
  MYDR24_ASSIGN(const auto node, parse(expression));
  Evaluation evaluation(database, limits, clock);
  MYDR24_TRY(evaluation.prepare(*node, at, at));
  Answer answer{.type = node->type, .scalar = 0, .text = {}, .series = {}};
  if (node->type == Type::text) {
    answer.text = node->text;
    return answer;
  }
  if (node->type == Type::matrix) {
    MYDR24_ASSIGN(answer.series, evaluation.range(*node, at));
    return answer;
  }
  MYDR24_ASSIGN(const Value value, evaluation.at(*node, at));
  answer.scalar = value.scalar;
  std::unordered_set<const Labels*> seen;
  for (const Element& each : value.vector) {
    if (!seen.insert(each.labels).second)
      return fault_at(node->column,
                      fmt::format("several series would have the labels {}", routing::to_text(*each.labels)));
    answer.series.push_back({evaluation.shared(each.labels), {{at, each.value}}});
  }
  return answer;
}

Result<Answer> evaluate(const Database& database, std::string_view expression, const Span& span,
                        const EvaluationLimits& limits, const Clock& clock) {
  if (span.step <= 0) return fail(Code::invalid, "the step is above 0");
  if (span.to < span.from) return fail(Code::invalid, "the end is not before the start");
  const auto steps = (span.to - span.from) / span.step + 1;
  if (steps > static_cast<Milliseconds>(limits.steps_max))
    return fail(Code::invalid, fmt::format("a span has at most {} steps: make the step longer", limits.steps_max));
  MYDR24_ASSIGN(const auto node, parse(expression));
  if (node->type != Type::scalar && node->type != Type::vector)
    return error_at(node->column, fmt::format("a span is asked of a scalar or an instant vector, not of a {}",
                                              to_string(node->type)));
  Evaluation evaluation(database, limits, clock);
  MYDR24_TRY(evaluation.prepare(*node, span.from, span.to));
  Answer answer{.type = Type::matrix, .scalar = 0, .text = {}, .series = {}};
  std::unordered_map<const Labels*, std::size_t> places;
  std::size_t points = 0;
  if (node->type == Type::scalar) answer.series.push_back({std::make_shared<const Labels>(), {}});
  for (Milliseconds at = span.from; at <= span.to; at += span.step) {
    MYDR24_ASSIGN(const Value value, evaluation.at(*node, at));
    points += value.vector.size() + 1;
    if (points > limits.points_max) return too_many_points(limits);
    if (node->type == Type::scalar) answer.series.front().samples.push_back({at, value.scalar});
    for (const Element& each : value.vector) {
      const auto [place, is_new] = places.emplace(each.labels, answer.series.size());
      if (is_new) answer.series.push_back({evaluation.shared(each.labels), {}});
      auto& samples = answer.series[place->second].samples;
      if (!samples.empty() && samples.back().time == at)
        return fault_at(node->column,
                        fmt::format("several series would have the labels {}", routing::to_text(*each.labels)));
      samples.push_back({at, each.value});
    }
  }
  std::ranges::sort(answer.series, {}, [](const AnswerSeries& each) -> const Labels& { return *each.labels; });
  return answer;
}

}  // namespace mydr24::series
