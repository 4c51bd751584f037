#include "fhir/search/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "fhir/ucum/ucum.h"

namespace mydr24::search {
namespace {

constexpr std::size_t number_bytes_max = 400;

// A conversion multiplies, so that equal amounts may differ in their last digits: 14 of about 16 are kept.
double rounded(double value) {
  if (!std::isfinite(value) || value == 0) return value;
  char text[40];
  const auto written = std::to_chars(std::begin(text), std::end(text), value, std::chars_format::scientific, 13);
  double out = value;
  std::from_chars(std::begin(text), written.ptr, out);
  return out;
}

// The place of the last digit written, as a power of ten.
int last_place(std::string_view text) {
  const auto exponent_at = text.find_first_of("eE");
  const auto mantissa = text.substr(0, exponent_at);
  const auto dot = mantissa.find('.');
  int place = dot == std::string_view::npos ? 0 : -static_cast<int>(mantissa.size() - dot - 1);
  if (exponent_at == std::string_view::npos) return place;
  // The specification takes 1e2 for [95, 105), as if it were 1.0e2.
  if (place == 0) place = -1;
  auto exponent_text = text.substr(exponent_at + 1);
  if (exponent_text.starts_with('+')) exponent_text.remove_prefix(1);
  int exponent = 0;
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  return place + exponent;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > number_bytes_max) return std::nullopt;
  const bool decimal = std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'; });
  double value = 0;
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (!decimal || error != std::errc() || rest != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

NumberRange exactly(double value) { return {value, std::nextafter(value, std::numeric_limits<double>::infinity())}; }

std::optional<NumberRange> implied(std::string_view text) {
  const auto value = parse_number(text);
  if (!value) return std::nullopt;
  const double half = 0.5 * std::pow(10.0, last_place(text));
  if (!std::isfinite(half) || *value + half <= *value) return exactly(*value);
  return NumberRange{*value - half, *value + half};
}

Measure measure_of(NumberRange range, bool is_exact, std::string_view system, std::string_view code) {
  if (system != ucum::system_uri) return {fmt::format("{}|{}", system, code), range};
  std::string unit;
  const auto convert = [&](double& value) {
    if (!std::isfinite(value) && !unit.empty()) return true;
    const auto canonical = ucum::canonical(std::isfinite(value) ? value : 0, code);
    if (!canonical) return false;
    unit = canonical->unit;
    if (std::isfinite(value)) value = rounded(canonical->value);
    return true;
  };
  NumberRange converted = range;
  const bool known = convert(converted.from) && (is_exact || convert(converted.to));
  if (!known) return {fmt::format("{}|{}", system, code), range};
  if (is_exact) converted = exactly(converted.from);
  return {fmt::format("{}{}", ucum_prefix, unit), converted};
}

}  // namespace mydr24::search
