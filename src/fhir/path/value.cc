// What a cell is worth: System values of FHIR elements, numbers, quantities, moments, text.

#include <fmt/format.h>

#include "fhir/path/evaluator.h"

namespace mydr24::path {
namespace {

bool number_value(std::string_view text, Cell& out) {
  if (text.find_first_of(".eE") == std::string_view::npos) {
    const auto number = parse_integer(text);
    if (number) {
      out = integer_cell(*number);
      return true;
    }
  }
  out = text_cell(ItemKind::decimal, text);
  return true;
}

ItemKind kind_of(model::Primitive primitive) {
  switch (primitive) {
    case model::Primitive::boolean:
      return ItemKind::boolean;
    case model::Primitive::integer:
    case model::Primitive::unsigned_int:
    case model::Primitive::positive_int:
      return ItemKind::integer;
    case model::Primitive::decimal:
      return ItemKind::decimal;
    case model::Primitive::date:
      return ItemKind::date;
    case model::Primitive::date_time:
    case model::Primitive::instant:
      return ItemKind::date_time;
    case model::Primitive::time:
      return ItemKind::time;
    default:
      return ItemKind::string;
  }
}

}  // namespace

bool system_value(const Cell& cell, Cell& out) {
  if (!cell.is_element()) {
    out = cell;
    return true;
  }
  switch (cell.value.kind()) {
    case json::Kind::null:
    case json::Kind::array:
    case json::Kind::object:
      return false;
    case json::Kind::boolean:
      out = boolean_cell(cell.value.is_true());
      return true;
    case json::Kind::number: {
      const bool is_decimal = cell.type != nullptr && cell.type->primitive == model::Primitive::decimal;
      if (!is_decimal) return number_value(cell.value.text(), out);
      out = text_cell(ItemKind::decimal, cell.value.text());
      return true;
    }
    case json::Kind::string:
      break;
  }
  const ItemKind kind = cell.type != nullptr ? kind_of(cell.type->primitive) : ItemKind::string;
  const bool is_text = kind == ItemKind::date || kind == ItemKind::date_time || kind == ItemKind::time;
  out = text_cell(is_text ? kind : ItemKind::string, cell.value.text());
  return true;
}

bool quantity_value(const Cell& cell, Cell& out) {
  if (cell.kind == ItemKind::quantity) {
    out = cell;
    return true;
  }
  if (cell.is_element() && cell.value.is_object() && is_quantity_type(cell.type)) {
    const std::string_view value = cell.value["value"].text();
    if (value.empty()) return false;
    const std::string_view code = cell.value["code"].text();
    out = text_cell(ItemKind::quantity, value, code.empty() ? cell.value["unit"].text() : code);
    if (out.unit.empty()) out.unit = "1";
    return true;
  }
  return false;
}

bool is_number(const Cell& cell) { return cell.kind == ItemKind::integer || cell.kind == ItemKind::decimal; }

bool is_moment(const Cell& cell) {
  return cell.kind == ItemKind::date || cell.kind == ItemKind::date_time || cell.kind == ItemKind::time;
}

std::optional<Decimal> decimal_of(const Cell& cell) {
  if (cell.kind == ItemKind::integer) return Decimal{cell.number, 0};
  return parse_decimal(cell.text);
}

std::optional<Moment> moment_of(const Cell& cell) { return parse_moment(cell.kind, cell.text); }

std::string text_of_system(const Cell& cell) {
  switch (cell.kind) {
    case ItemKind::boolean:
      return cell.number != 0 ? "true" : "false";
    case ItemKind::integer:
      return fmt::format("{}", cell.number);
    case ItemKind::quantity:
      if (!ucum_of(cell.unit).empty()) return fmt::format("{} {}", cell.text, cell.unit);
      return fmt::format("{} '{}'", cell.text, cell.unit);
    default:
      return std::string(cell.text);
  }
}

Cell cell_of(const Item& item) {
  Cell cell;
  cell.kind = item.kind;
  if (item.kind == ItemKind::element) return element_cell(item.value, item.extended, item.type);
  cell.text = item.text;
  cell.unit = item.unit;
  if (item.kind == ItemKind::boolean) cell.number = item.text == "true" ? 1 : 0;
  if (item.kind == ItemKind::integer) cell.number = parse_integer(item.text).value_or(0);
  return cell;
}

Item item_from(const Cell& cell) {
  Item item;
  item.kind = cell.kind;
  item.value = cell.value;
  item.extended = cell.extended;
  item.type = cell.type;
  if (cell.is_element()) return item;
  if (cell.kind == ItemKind::quantity) {
    item.text = cell.text;
    item.unit = cell.unit;
  } else {
    item.text = text_of_system(cell);
  }
  return item;
}

}  // namespace mydr24::path
