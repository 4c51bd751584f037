#pragma once

// PromQL as a tree: selectors with matchers, ranges and offsets, functions, aggregations, binary operators. Not: subqueries, the
// modifier @, native histograms. Source: the Prometheus documentation, "Querying basics", "Operators", "Functions".

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "operations/series/database.h"

namespace mydr24::series {

enum class Type : std::uint8_t { scalar, vector, matrix, text };
std::string_view to_string(Type type);

enum class Operator : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,  // of numbers
  equal,
  not_equal,
  greater,
  less,
  greater_equal,
  less_equal,  // comparisons
  conjunction,
  disjunction,
  unless  // of sets
};
std::string_view to_string(Operator op);
inline bool is_comparison(Operator op) { return op >= Operator::equal && op <= Operator::less_equal; }
inline bool is_set(Operator op) { return op >= Operator::conjunction; }

struct Function;  // functions.h

struct Node {
  enum class Kind : std::uint8_t { number, text, selector, call, aggregate, binary, negate };
  Kind kind = Kind::number;
  Type type = Type::scalar;
  std::size_t column = 0;  // from 1, where it begins
  double number = 0;
  std::string text;  // of a text; the name of a function or aggregation

  // selector
  Matchers matchers;
  Milliseconds range = 0;   // type matrix
  Milliseconds offset = 0;  // back in time

  const Function* function = nullptr;  // call

  // aggregate: children are what is aggregated and, of some, the parameter
  bool without = false;
  std::vector<std::string> labels;  // by, or without; of a binary operator: on, or ignoring

  // binary
  Operator op = Operator::add;
  bool returns_bool = false;
  bool on = false;
  enum class Group : std::uint8_t { one_to_one, left, right };  // which side has many
  Group group = Group::one_to_one;
  std::vector<std::string> include;  // labels of the side that has one

  std::vector<std::unique_ptr<Node>> children;
};

inline constexpr std::size_t expression_bytes_max = 16U << 10;
inline constexpr std::size_t depth_max = 64;
inline constexpr std::size_t nodes_max = 1'000;
inline constexpr std::size_t regexes_max = 50;

// Code::invalid says at which column what is wrong.
Result<std::unique_ptr<Node>> parse(std::string_view expression);
// A selector alone, as series and labels are asked for: up{job="x"}.
Result<Matchers> parse_selector(std::string_view expression);
// 1h30m, 15s, 500ms in milliseconds; nothing when it is none.
std::optional<Milliseconds> parse_duration(std::string_view text);

}  // namespace mydr24::series
