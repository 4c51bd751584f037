#pragma once

// Units of measure: parses UCUM expressions ("mm[Hg]", "kg/m2", "10*3/uL"), tells whether two units measure the same
// thing, and converts between them. The table of units is compiled in; nothing is read at start-up.
// Source: The Unified Code for Units of Measure, version 2.1 (ucum-essence.xml); case-sensitive codes.

#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::ucum {

inline constexpr std::size_t unit_bytes_max = 256;
inline constexpr std::string_view system_uri = "http://unitsofmeasure.org";

// A quantity in base units: `value` times `unit`, where equal units have equal text ("g.m-1.s-2").
struct Canonical {
  double value = 0;
  std::string unit;  // base units in a fixed order, with exponents; "1" when dimensionless
};

// Code::invalid, with the place where the expression goes wrong.
Result<> check(std::string_view unit);

// `value` of `unit` in base units. Special units (Cel, [degF], [pH]) are converted by their functions. Code::invalid
// for an unknown unit. Cached by nothing: a caller that converts the same unit often keeps a Factor.
Result<Canonical> canonical(double value, std::string_view unit);

// `value` of `from`, in `to`. Code::unprocessable when they do not measure the same thing.
Result<double> convert(double value, std::string_view from, std::string_view to);

// The product and the quotient of two units, as an expression ("m" times "m" is "m2", "m" by "s" is "m/s").
Result<std::string> multiply(std::string_view a, std::string_view b);
Result<std::string> divide(std::string_view a, std::string_view b);

// The name of the unit for people ("millimeter of mercury column"); Code::invalid for an unknown unit.
Result<std::string> display(std::string_view unit);

}  // namespace mydr24::ucum
