// Conversions. Source: FHIRPath 2.0.0, section 5.5.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/path/evaluator.h"
#include "fhir/path/quantity.h"
#include "fhir/path/unicode.h"

namespace mydr24::path {
namespace {

// The conversion that convertsToX() asks about.
Function asked(Function function) {
  const auto offset = static_cast<std::uint8_t>(function) - static_cast<std::uint8_t>(Function::converts_to_boolean);
  return static_cast<Function>(static_cast<std::uint8_t>(Function::to_boolean) + offset);
}

// convertsToX() stand in the same order as toX().
static_assert(static_cast<int>(Function::to_quantity) - static_cast<int>(Function::to_boolean) ==
              static_cast<int>(Function::converts_to_quantity) - static_cast<int>(Function::converts_to_boolean));

bool is_plain_decimal(std::string_view text) {
  return text.find_first_of("eE") == std::string_view::npos && parse_decimal(text).has_value();
}

std::optional<bool> to_boolean(const Cell& from) {
  if (from.kind == ItemKind::boolean) return from.number != 0;
  if (is_number(from)) {
    const auto number = decimal_of(from);
    if (number && compare(*number, {1, 0}) == 0) return true;
    if (number && number->digits == 0) return false;
    return std::nullopt;
  }
  if (from.kind != ItemKind::string) return std::nullopt;
  static constexpr std::array<std::string_view, 6> yes{"true", "t", "yes", "y", "1", "1.0"};
  static constexpr std::array<std::string_view, 6> no{"false", "f", "no", "n", "0", "0.0"};
  const std::string text = lower(from.text);
  if (std::ranges::find(yes, text) != yes.end()) return true;
  if (std::ranges::find(no, text) != no.end()) return false;
  return std::nullopt;
}

// "2015-02-04T10:00" as date, date_time or time.
std::optional<std::string_view> to_moment(const Cell& from, ItemKind kind) {
  if (from.kind == kind) return from.text;
  if (from.kind == ItemKind::date && kind == ItemKind::date_time) return from.text;
  if (from.kind == ItemKind::date_time && kind == ItemKind::date) return from.text.substr(0, from.text.find('T'));
  if (from.kind != ItemKind::string || !parse_moment(kind, from.text)) return std::nullopt;
  std::string_view text = from.text;
  if (text.starts_with('T')) text.remove_prefix(1);
  if (text.ends_with('T')) text.remove_suffix(1);
  return text;
}

// "1", "1.5 'mg'", "4 days".
std::optional<Cell> parse_quantity(std::string_view text) {
  constexpr std::string_view digits = "+-.0123456789";
  const auto number_end = std::min(text.find_first_not_of(digits), text.size());
  const std::string_view number = text.substr(0, number_end);
  std::string_view unit = text.substr(number_end);
  if (!parse_decimal(number)) return std::nullopt;
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.empty()) return text_cell(ItemKind::quantity, number, "1");
  if (unit.size() > 2 && unit.starts_with('\'') && unit.ends_with('\'')) {
    unit = unit.substr(1, unit.size() - 2);
    if (unit.find('\'') != std::string_view::npos) return std::nullopt;
    return text_cell(ItemKind::quantity, number, unit);
  }
  if (ucum_of(unit).empty()) return std::nullopt;
  return text_cell(ItemKind::quantity, number, unit);
}

}  // namespace

// Nothing is added to `out` when `from` cannot be converted.
bool Evaluator::convert(const Node& node, const Cell& from, Function to, Sequence& out) {
  switch (to) {
    case Function::to_boolean: {
      const auto value = to_boolean(from);
      return !value || push(node, out, boolean_cell(*value));
    }
    case Function::to_integer: {
      if (from.kind == ItemKind::integer || from.kind == ItemKind::boolean) {
        return push(node, out, integer_cell(from.number));
      }
      const auto value = from.kind == ItemKind::string ? parse_integer(from.text) : std::nullopt;
      return !value || push(node, out, integer_cell(*value));
    }
    case Function::to_decimal:
      if (from.kind == ItemKind::integer) return push_text(node, ItemKind::decimal, text_of_system(from), out);
      if (from.kind == ItemKind::decimal) return push(node, out, from);
      if (from.kind == ItemKind::boolean) {
        return push(node, out, text_cell(ItemKind::decimal, from.number != 0 ? "1.0" : "0.0"));
      }
      if (from.kind != ItemKind::string || !is_plain_decimal(from.text)) return true;
      return push(node, out, text_cell(ItemKind::decimal, from.text));
    case Function::to_string:
      return push_text(node, ItemKind::string, text_of_system(from), out);
    case Function::to_date:
    case Function::to_date_time:
    case Function::to_time: {
      const ItemKind kind = to == Function::to_date        ? ItemKind::date
                            : to == Function::to_date_time ? ItemKind::date_time
                                                           : ItemKind::time;
      const auto text = to_moment(from, kind);
      return !text || push(node, out, text_cell(kind, *text));
    }
    default:
      break;
  }
  if (from.kind == ItemKind::quantity) return push(node, out, from);
  std::string_view text;
  if (is_number(from) || from.kind == ItemKind::boolean) {
    const bool is_boolean = from.kind == ItemKind::boolean;
    const std::string number = is_boolean ? (from.number != 0 ? "1.0" : "0.0") : text_of_system(from);
    return keep(node, number, text) && push(node, out, text_cell(ItemKind::quantity, text, "1"));
  }
  const auto quantity = from.kind == ItemKind::string ? parse_quantity(from.text) : std::nullopt;
  return !quantity || push(node, out, *quantity);
}

bool Evaluator::conversion_function(const Node& node, const Scope& scope, Sequence& out) {
  const bool is_question = node.function >= Function::converts_to_boolean;
  const Function to = is_question ? asked(node.function) : node.function;
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  if (input.empty()) return true;
  if (input.size() > 1) return fail_at(node, fmt::format("{}() takes a single item", node.name));
  Cell value;
  Sequence converted;
  const bool has_value = system_value(input[0], value) || quantity_value(input[0], value);
  if (has_value && !convert(node, value, to, converted)) return false;
  if (to == Function::to_quantity && !node.operands.empty() && !converted.empty()) {
    std::string_view unit;
    bool none = false;
    if (!text_argument(node, 0, scope, unit, none)) return false;
    const auto number = decimal_of(converted[0]);
    const auto in_unit = number && !none ? path::convert(*number, converted[0].unit, unit) : std::nullopt;
    converted.clear();
    std::string_view text;
    if (in_unit) {
      if (!keep(node, to_text(*in_unit), text)) return false;
      converted.push(text_cell(ItemKind::quantity, text, unit));
    }
  }
  if (is_question) return push(node, out, boolean_cell(!converted.empty()));
  out = std::move(converted);
  return true;
}

}  // namespace mydr24::path
