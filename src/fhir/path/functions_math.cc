// Functions of numbers. Source: FHIRPath 2.0.0, section 5.7. What is not algebraic is reckoned with doubles.

#include <fmt/format.h>

#include <cmath>

#include "fhir/path/evaluator.h"

namespace mydr24::path {

bool Evaluator::rounding(const Node& node, const Scope& scope, const Cell& number, Sequence& out) {
  const auto value = decimal_of(number);
  if (!value) return true;
  if (node.function != Function::round) {
    const Rounding rounding = node.function == Function::ceiling ? Rounding::up
                              : node.function == Function::floor ? Rounding::down
                                                                 : Rounding::to_zero;
    const auto result = whole(*value, rounding);
    return !result || push(node, out, integer_cell(*result));
  }
  std::int64_t digits = 0;
  bool none = false;
  if (!node.operands.empty() && !integer_argument(node, 0, scope, digits, none)) return false;
  if (digits < 0) return fail_at(node, "round() takes no negative precision");
  if (digits >= value->scale) return push_text(node, ItemKind::decimal, to_text(*value), out);
  const auto result = with_scale(*value, static_cast<int>(digits), Rounding::half_away);
  return !result || push_text(node, ItemKind::decimal, to_text(*result), out);
}

bool Evaluator::power(const Node& node, const Scope& scope, const Cell& number, Sequence& out) {
  Sequence cells;
  if (!argument(node, 0, scope, cells)) return false;
  if (cells.empty()) return true;
  Cell other;
  if (cells.size() > 1 || !system_value(cells[0], other) || !is_number(other)) {
    return fail_at(node, fmt::format("{}() takes a single number", node.name));
  }
  const auto base = decimal_of(number);
  const auto exponent = decimal_of(other);
  if (!base || !exponent) return true;
  if (node.function == Function::log) {
    const auto result = from_double(std::log(to_double(*base)) / std::log(to_double(*exponent)));
    return !result || push_text(node, ItemKind::decimal, to_text(*result), out);
  }
  constexpr std::int64_t exact_exponent_max = 128;
  const auto times = whole(*exponent, Rounding::to_zero);
  const bool is_exact = times && trimmed(*exponent).scale == 0 && *times >= 0 && *times <= exact_exponent_max;
  std::optional<Decimal> result = Decimal{1, 0};
  if (is_exact) {
    for (std::int64_t i = 0; i < *times && result; ++i) result = multiply(*result, *base);
  } else {
    result = from_double(std::pow(to_double(*base), to_double(*exponent)));
  }
  if (!result) return true;
  const auto integer = whole(*result, Rounding::to_zero);
  const bool are_integers = number.kind == ItemKind::integer && other.kind == ItemKind::integer;
  if (is_exact && are_integers && integer) return push(node, out, integer_cell(*integer));
  return push_text(node, ItemKind::decimal, to_text(*result), out);
}

bool Evaluator::math_function(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  if (input.empty()) return true;
  Cell number;
  const bool has_number = system_value(input[0], number) || quantity_value(input[0], number);
  const bool is_amount = node.function == Function::abs && number.kind == ItemKind::quantity;
  if (input.size() > 1 || !has_number || (!is_number(number) && !is_amount)) {
    return fail_at(node, fmt::format("{}() takes a single number", node.name));
  }
  switch (node.function) {
    case Function::ceiling:
    case Function::floor:
    case Function::truncate:
    case Function::round:
      return rounding(node, scope, number, out);
    case Function::power:
    case Function::log:
      return power(node, scope, number, out);
    default:
      break;
  }
  auto value = decimal_of(number);
  if (!value) return true;
  if (node.function == Function::abs) {
    if (value->digits >= 0) return push(node, out, number);
    value->digits = -value->digits;
    const auto integer = whole(*value, Rounding::to_zero);
    if (number.kind == ItemKind::integer) return !integer || push(node, out, integer_cell(*integer));
    std::string_view text;
    return keep(node, to_text(*value), text) && push(node, out, text_cell(number.kind, text, number.unit));
  }
  const double x = to_double(*value);
  const auto result = from_double(node.function == Function::exp  ? std::exp(x)
                                  : node.function == Function::ln ? std::log(x)
                                                                  : std::sqrt(x));
  return !result || push_text(node, ItemKind::decimal, to_text(*result), out);
}

}  // namespace mydr24::path
