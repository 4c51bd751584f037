#include "fhir/path/quantity.h"

#include <cmath>

#include "fhir/path/moment.h"
#include "fhir/ucum/ucum.h"

namespace mydr24::path {
namespace {

constexpr double relative_error_max = 1e-10;  // of a conversion, which is made with doubles

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

// What 1 of `from` is in `to`; nothing when that differs from number to number (Celsius) or cannot be.
std::optional<double> factor_between(std::string_view from, std::string_view to) {
  const auto zero = ucum::convert(0, from, to);
  const auto one = ucum::convert(1, from, to);
  if (!zero || !one || *zero != 0) return std::nullopt;
  return *one;
}

}  // namespace

std::optional<Decimal> convert(const Decimal& value, std::string_view from, std::string_view to) {
  const Unit source = unit_of(from);
  const Unit target = unit_of(to);
  if (source.is_vague != target.is_vague) return std::nullopt;
  if (source.code == target.code) return value;
  const auto converted = ucum::convert(to_double(value), source.code, target.code);
  return converted ? from_double(*converted) : std::nullopt;
}

std::optional<int> compare(const Amount& a, const Amount& b) {
  const auto left = parse_decimal(a.text);
  const auto right = parse_decimal(b.text);
  if (!left || !right) return std::nullopt;
  const Unit left_unit = unit_of(a.unit);
  const Unit right_unit = unit_of(b.unit);
  if (left_unit.is_vague != right_unit.is_vague) return std::nullopt;
  if (left_unit.code == right_unit.code) return compare(*left, *right);
  const double x = to_double(*left);
  const auto y = ucum::convert(to_double(*right), right_unit.code, left_unit.code);
  if (!y) return std::nullopt;
  if (std::abs(x - *y) <= relative_error_max * std::max(std::abs(x), std::abs(*y))) return 0;
  return x < *y ? -1 : 1;
}

bool equivalent(const Amount& a, const Amount& b) {
  const auto left = parse_decimal(a.text);
  const auto right = parse_decimal(b.text);
  if (!left || !right) return false;
  const Unit left_unit = unit_of(a.unit);
  const Unit right_unit = unit_of(b.unit);
  const bool is_same = left_unit.code == right_unit.code;
  const auto factor = is_same ? std::optional(1.0) : factor_between(right_unit.code, left_unit.code);
  if (!factor) return compare(a, b) == 0;
  // The value of the last digit that each was written with.
  const double left_step = std::pow(10.0, -trimmed(*left).scale);
  const double right_step = std::pow(10.0, -trimmed(*right).scale) * *factor;
  const double step = std::max(left_step, right_step);
  return std::round(to_double(*left) / step) == std::round(to_double(*right) * *factor / step);
}

bool comparable(std::string_view unit, std::string_view other) {
  const Unit left = unit_of(unit);
  const Unit right = unit_of(other);
  return left.code == right.code || ucum::convert(1, left.code, right.code).has_value();
}

}  // namespace mydr24::path
