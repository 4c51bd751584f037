// sum, avg, min, max, count, group, stddev, stdvar, quantile, topk, bottomk.

#include <algorithm>
#include <cmath>
#include <limits>

#include "operations/series/detail/evaluation.h"

namespace mydr24::series {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Group {
  const Labels* labels = nullptr;
  std::vector<double> values;
  std::vector<Element> elements;  // of topk and bottomk
};

double deviation(std::span<const double> values) {
  double mean = 0;
  double squares = 0;
  double count = 0;
  for (const double each : values) {
    const double off = each - mean;
    mean += off / ++count;
    squares += off * (each - mean);
  }
  return squares / count;
}

// What is no number stays out as long as there is one.
template <class Better>
double extreme(std::span<const double> values, Better better) {
  double found = values.front();
  for (const double each : values)
    if (std::isnan(found) || better(each, found)) found = each;
  return found;
}

double total(std::span<const double> values) {
  double sum = 0;
  for (const double each : values) sum += each;
  return sum;
}

double aggregated(std::string_view what, double parameter, std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  if (what == "sum") return total(values);
  if (what == "avg") return total(values) / count;
  if (what == "min") return extreme(values, std::less<>());
  if (what == "max") return extreme(values, std::greater<>());
  if (what == "count") return count;
  if (what == "group") return 1;
  if (what == "stdvar") return deviation(values);
  if (what == "stddev") return std::sqrt(deviation(values));
  std::ranges::sort(values, [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  return quantile_of(parameter, values);
}

}  // namespace

const Labels* Evaluation::group_of(const Node& node, const Labels* labels) {
  return map(node, 0, labels,
             [&](const Labels& all) { return node.without ? without(all, node.labels) : only(all, node.labels); });
}

Value Evaluation::best(const Node& node, std::vector<Element> elements, double count) {
  const bool greatest = node.text == "topk";
  // Equal ones in the order of their labels.
  std::ranges::sort(elements, [greatest](const Element& a, const Element& b) {
    if (std::isnan(a.value) != std::isnan(b.value)) return std::isnan(b.value);
    if (a.value != b.value && !std::isnan(a.value)) return greatest ? a.value > b.value : a.value < b.value;
    return *a.labels < *b.labels;
  });
  if (count < static_cast<double>(elements.size())) elements.resize(static_cast<std::size_t>(count));
  return {.scalar = 0, .vector = std::move(elements)};
}

Result<Value> Evaluation::aggregate(const Node& node, Milliseconds time) {
  double parameter = nan;
  if (node.children.size() > 1) {
    MYDR24_ASSIGN(const Value given, at(*node.children[1], time));
    parameter = given.scalar;
  }
  MYDR24_ASSIGN(const Value of, at(*node.children[0], time));
  MYDR24_TRY(spend(of.vector.size()));
  const bool selects = node.text == "topk" || node.text == "bottomk";
  if (selects && !(parameter >= 1)) return Value{};
  std::vector<Group> groups;
  std::unordered_map<const Labels*, std::size_t> places;
  for (const Element& element : of.vector) {
    const Labels* labels = group_of(node, element.labels);
    const auto [place, is_new] = places.emplace(labels, groups.size());
    if (is_new) groups.push_back({labels, {}, {}});
    if (selects)
      groups[place->second].elements.push_back(element);
    else
      groups[place->second].values.push_back(element.value);
  }
  Value value;
  for (Group& group : groups) {
    if (selects) {
      const Value some = best(node, std::move(group.elements), parameter);
      value.vector.insert(value.vector.end(), some.vector.begin(), some.vector.end());
    } else {
      value.vector.push_back({group.labels, aggregated(node.text, parameter, group.values), time});
    }
  }
  return value;
}

}  // namespace mydr24::series
