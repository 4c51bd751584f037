// The clock, precision and boundaries. Source: FHIRPath 2.0.0, section 5.6.10 and its later drafts (lowBoundary(),
// highBoundary(), precision(), comparable()).

#include <fmt/format.h>

#include "base/core/date_time.h"
#include "fhir/path/evaluator.h"
#include "fhir/path/quantity.h"

namespace mydr24::path {
namespace {

constexpr std::int64_t decimal_digits_default = 8;
constexpr std::int64_t decimal_digits_max = 31;

// Half a unit of the last digit away, at `digits` decimals: outward rounded half away from zero, inward cut off.
std::optional<Decimal> boundary(const Decimal& value, int digits, bool high) {
  const auto wider = with_scale(value, value.scale + 1, Rounding::to_zero);
  if (!wider) return std::nullopt;
  Decimal edge = *wider;
  edge.digits += high ? 5 : -5;
  const bool is_outward = (edge.digits >= 0) == high;
  return with_scale(edge, digits, is_outward ? Rounding::half_away : Rounding::to_zero);
}

}  // namespace

bool Evaluator::decimal_boundary(const Node& node, const Cell& from, std::int64_t digits, Sequence& out) {
  const auto value = decimal_of(from);
  if (!value || digits < 0 || digits > decimal_digits_max) return true;
  const auto result = boundary(*value, static_cast<int>(digits), node.function == Function::high_boundary);
  if (!result) return true;
  std::string text = to_text(*result);
  if (result->digits == 0 && value->digits < 0) text.insert(0, "-");
  const ItemKind kind = from.kind == ItemKind::quantity ? from.kind : ItemKind::decimal;
  std::string_view kept;
  return keep(node, std::move(text), kept) && push(node, out, text_cell(kind, kept, from.unit));
}

bool Evaluator::boundary_function(const Node& node, const Scope& scope, Sequence& out) {
  if (node.function == Function::now) {
    return push_text(node, ItemKind::date_time, format_instant(environment_.now), out);
  }
  if (node.function == Function::today || node.function == Function::time_of_day) {
    const std::string now = format_instant(environment_.now);
    const bool is_date = node.function == Function::today;
    return push_text(node, is_date ? ItemKind::date : ItemKind::time, is_date ? now.substr(0, 10) : now.substr(11, 12),
                     out);
  }
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  if (input.empty()) return true;
  if (input.size() > 1) return fail_at(node, fmt::format("{}() takes a single item", node.name));
  Cell value;
  if (!quantity_value(input[0], value) && !system_value(input[0], value)) return true;
  const bool is_amount = is_number(value) || value.kind == ItemKind::quantity;
  if (node.function == Function::comparable) {
    Sequence other;
    if (!argument(node, 0, scope, other)) return false;
    Cell quantity;
    if (other.empty()) return true;
    if (other.size() > 1 || value.kind != ItemKind::quantity || !quantity_value(other[0], quantity)) {
      return fail_at(node, "comparable() takes quantities");
    }
    return push(node, out, boolean_cell(path::comparable(value.unit, quantity.unit)));
  }
  const auto moment = is_moment(value) ? moment_of(value) : std::nullopt;
  if (!is_amount && !moment) return fail_at(node, fmt::format("{}() takes a number or a time", node.name));
  if (node.function == Function::precision) {
    const auto number = is_amount ? decimal_of(value) : std::nullopt;
    if (is_amount && !number) return true;
    return push(node, out, integer_cell(moment ? precision_digits(*moment) : number->scale));
  }
  std::int64_t digits = decimal_digits_default;
  if (moment) digits = moment->kind == ItemKind::date ? 8 : (moment->kind == ItemKind::time ? 9 : 17);
  bool none = false;
  if (!node.operands.empty() && !integer_argument(node, 0, scope, digits, none)) return false;
  if (none) return true;
  if (!moment) return decimal_boundary(node, value, digits, out);
  if (digits < 0 || digits > 17) return true;
  const auto result = path::boundary(*moment, static_cast<int>(digits), node.function == Function::high_boundary);
  return !result || push_text(node, value.kind, to_text(*result), out);
}

}  // namespace mydr24::path
