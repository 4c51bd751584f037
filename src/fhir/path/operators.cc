// Operators. Source: FHIRPath 2.0.0, section 6.

#include <fmt/format.h>

#include "fhir/path/evaluator.h"
#include "fhir/path/quantity.h"
#include "fhir/ucum/ucum.h"

namespace mydr24::path {
namespace {

bool is_order(Op op) {
  return op == Op::less || op == Op::less_or_equal || op == Op::greater || op == Op::greater_or_equal;
}

bool holds(Op op, Order order) {
  switch (op) {
    case Op::less:
      return order == Order::less;
    case Op::less_or_equal:
      return order != Order::greater;
    case Op::greater:
      return order == Order::greater;
    default:
      return order != Order::less;
  }
}

Truth truth_of(bool value) { return value ? Truth::yes : Truth::no; }

}  // namespace

bool Evaluator::comparison(const Node& node, const Scope& scope, Truth& out) {
  Sequence left;
  Sequence right;
  if (!argument(node, 0, scope, left) || !argument(node, 1, scope, right)) return false;
  if (node.op == Op::equivalent || node.op == Op::not_equivalent) {
    out = truth_of(equivalent(left.cells(), right.cells()) == (node.op == Op::equivalent));
    return step(node);
  }
  if (is_order(node.op)) {
    out = Truth::unknown;
    if (left.empty() || right.empty()) return true;
    if (left.size() > 1 || right.size() > 1) return fail_at(node, "only single items can be ordered");
    Order order = Order::unknown;
    if (!this->order(node, left[0], right[0], order)) return false;
    if (order != Order::unknown) out = truth_of(holds(node.op, order));
    return true;
  }
  out = equal(left.cells(), right.cells());
  if (node.op == Op::not_equal && out != Truth::unknown) out = truth_of(out == Truth::no);
  return step(node);
}

bool Evaluator::membership(const Node& node, const Scope& scope, Truth& out) {
  Sequence left;
  Sequence right;
  if (!argument(node, 0, scope, left) || !argument(node, 1, scope, right)) return false;
  const Sequence& item = node.op == Op::in ? left : right;
  const Sequence& collection = node.op == Op::in ? right : left;
  out = Truth::unknown;
  if (item.empty()) return true;
  if (item.size() > 1) return fail_at(node, "only a single item can be in a collection");
  out = truth_of(has_equal(collection.cells(), item[0]));
  return step(node);
}

bool Evaluator::type_test(const Node& node, std::span<const Cell> cells, Truth& out) {
  out = Truth::unknown;
  if (cells.empty()) return true;
  if (cells.size() > 1) return fail_at(node, "only a single item has a type");
  out = truth_of(has_type(cells[0], node.type));
  return true;
}

bool Evaluator::unite(const Node& node, const Scope& scope, Sequence& out) {
  Distinct index;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    Sequence part;
    if (!argument(node, i, scope, part) || !add_distinct(node, part.cells(), out, index)) return false;
  }
  return true;
}

bool Evaluator::concatenate(const Node& node, const Scope& scope, Sequence& out) {
  std::string text;
  for (std::size_t i = 0; i < 2; ++i) {
    Sequence cells;
    if (!argument(node, i, scope, cells)) return false;
    if (cells.empty()) continue;
    Cell value;
    if (cells.size() > 1 || !system_value(cells[0], value) || value.kind != ItemKind::string) {
      return fail_at(node, "'&' joins single strings");
    }
    text += value.text;
  }
  return push_text(node, ItemKind::string, std::move(text), out);
}

bool Evaluator::negate(const Node& node, const Scope& scope, Sequence& out) {
  Sequence cells;
  if (!argument(node, 0, scope, cells)) return false;
  if (cells.empty()) return true;
  Cell value;
  if (cells.size() > 1 || (!system_value(cells[0], value) && !quantity_value(cells[0], value)) ||
      (!is_number(value) && value.kind != ItemKind::quantity)) {
    return fail_at(node, "only a single number or quantity has a sign");
  }
  if (node.op == Op::keep_sign) return push(node, out, value);
  if (value.kind == ItemKind::integer && value.number == INT64_MIN) return true;
  if (value.kind == ItemKind::integer) return push(node, out, integer_cell(-value.number));
  auto number = decimal_of(value);
  if (!number) return true;
  number->digits = -number->digits;
  std::string_view text;
  if (!keep(node, to_text(*number), text)) return false;
  return push(node, out, text_cell(value.kind, text, value.unit));
}

bool Evaluator::arithmetic(const Node& node, const Scope& scope, Sequence& out) {
  Sequence left;
  Sequence right;
  if (!argument(node, 0, scope, left) || !argument(node, 1, scope, right)) return false;
  if (left.size() > 1 || right.size() > 1) return fail_at(node, "arithmetic takes single items");
  if (left.empty() || right.empty()) return true;
  Cell a;
  Cell b;
  const bool has_both = (quantity_value(left[0], a) || system_value(left[0], a)) &&
                        (quantity_value(right[0], b) || system_value(right[0], b));
  if (has_both) {
    if (is_number(a) && is_number(b)) return number_arithmetic(node, a, b, out);
    const bool is_sum = node.op == Op::add || node.op == Op::subtract;
    if (is_moment(a) && b.kind == ItemKind::quantity && is_sum) return moment_arithmetic(node, a, b, out);
    if (a.kind == ItemKind::quantity || b.kind == ItemKind::quantity) return quantity_arithmetic(node, a, b, out);
    if (node.op == Op::add && a.kind == ItemKind::string && b.kind == ItemKind::string) {
      return push_text(node, ItemKind::string, fmt::format("{}{}", a.text, b.text), out);
    }
  }
  return fail_at(node, fmt::format("no arithmetic with {} and {}", type_name_of(left[0]), type_name_of(right[0])));
}

namespace {

std::optional<Decimal> reckon(Op op, const Decimal& a, const Decimal& b) {
  switch (op) {
    case Op::add:
      return add(a, b);
    case Op::subtract:
      return subtract(a, b);
    case Op::multiply:
      return multiply(a, b);
    case Op::divide:
      return divide(a, b);
    case Op::modulo:
      return remainder(a, b);
    default: {
      const auto quotient = divide(a, b);
      return quotient ? with_scale(*quotient, 0, Rounding::to_zero) : std::nullopt;
    }
  }
}

}  // namespace

bool Evaluator::number_arithmetic(const Node& node, const Cell& a, const Cell& b, Sequence& out) {
  const auto left = decimal_of(a);
  const auto right = decimal_of(b);
  if (!left || !right) return true;
  const auto result = reckon(node.op, *left, *right);
  if (!result) return true;  // an overflow or a division by zero gives nothing
  const bool are_integers = a.kind == ItemKind::integer && b.kind == ItemKind::integer;
  if ((are_integers && node.op != Op::divide) || node.op == Op::int_divide) {
    const auto integer = whole(*result, Rounding::to_zero);
    return !integer || push(node, out, integer_cell(*integer));
  }
  return push_text(node, ItemKind::decimal, to_text(*result), out);
}

bool Evaluator::quantity_arithmetic(const Node& node, const Cell& a, const Cell& b, Sequence& out) {
  const bool is_sum = node.op == Op::add || node.op == Op::subtract;
  const auto is_amount = [](const Cell& cell) { return is_number(cell) || cell.kind == ItemKind::quantity; };
  if (!is_amount(a) || !is_amount(b) || node.op == Op::int_divide || node.op == Op::modulo ||
      (is_sum && a.kind != b.kind)) {
    return fail_at(node, "no such arithmetic with a quantity");
  }
  const auto left = decimal_of(a);
  auto right = decimal_of(b);
  std::string unit(a.unit);
  if (is_sum) {
    right = right ? path::convert(*right, b.unit, a.unit) : right;
  } else {
    const auto code_of = [](const Cell& cell) {
      const std::string_view code = ucum_of(cell.unit);
      return !code.empty() ? code : (cell.unit.empty() ? std::string_view("1") : cell.unit);
    };
    auto made = node.op == Op::multiply ? ucum::multiply(code_of(a), code_of(b)) : ucum::divide(code_of(a), code_of(b));
    if (!made) return true;
    unit = std::move(*made);
  }
  if (!left || !right) return true;
  const auto result = reckon(node.op, *left, *right);
  if (!result) return true;
  std::string_view number;
  std::string_view kept_unit;
  return keep(node, to_text(*result), number) && keep(node, std::move(unit), kept_unit) &&
         push(node, out, text_cell(ItemKind::quantity, number, kept_unit));
}

bool Evaluator::moment_arithmetic(const Node& node, const Cell& moment, const Cell& quantity, Sequence& out) {
  const auto unit = duration_of(quantity.unit);
  if (!unit) return fail_at(node, fmt::format("'{}' cannot be added to a date or time", quantity.unit));
  const auto start = moment_of(moment);
  auto amount = decimal_of(quantity);
  if (!start || !amount) return true;
  if (node.op == Op::subtract) amount->digits = -amount->digits;
  const auto sum = add(*start, *amount, *unit);
  return !sum || push_text(node, moment.kind, to_text(*sum), out);
}

}  // namespace mydr24::path
