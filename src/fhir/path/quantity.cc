#include "fhir/path/quantity.h"

#include <cmath>

#include "fhir/path/moment.h"

namespace mydr24::path {
namespace {

// A unit as UCUM knows it; `is_vague` for calendar years and months, whose length UCUM only approximates.
struct Unit {
  std::string_view code;
  bool is_vague = false;
};

Unit unit_of(std::string_view unit) {
  if (unit.empty()) return {"1", false};
  const std::string_view code = ucum_of(unit);
  if (code.empty()) return {unit, false};
  return {code, code == "a" || code == "mo"};
}

}  // namespace

std::optional<Decimal> convert(const Decimal& value, std::string_view from, std::string_view to) {
  const Unit source = unit_of(from);
  const Unit target = unit_of(to);
  if (source.code == target.code) return value;
  return std::nullopt;
}

std::optional<int> compare(const Amount& a, const Amount& b) {
  const auto left = parse_decimal(a.text);
  const auto right = parse_decimal(b.text);
  if (!left || !right) return std::nullopt;
  const Unit left_unit = unit_of(a.unit);
  const Unit right_unit = unit_of(b.unit);
  if (left_unit.is_vague != right_unit.is_vague) return std::nullopt;
  if (left_unit.code == right_unit.code) return compare(*left, *right);
  return std::nullopt;
}

bool equivalent(const Amount& a, const Amount& b) { return compare(a, b) == 0; }

bool comparable(std::string_view unit, std::string_view other) { return unit_of(unit).code == unit_of(other).code; }

}  // namespace mydr24::path
