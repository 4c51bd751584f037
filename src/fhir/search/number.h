#pragma once

// Numbers and quantities as half-open ranges of doubles.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::search {

struct NumberRange {
  double from = 0;
  double to = 0;
};

// A decimal of JSON, or of a query (where a sign '+' may stand before it). Nothing when it is none, or not finite.
std::optional<double> parse_number(std::string_view text);

// [v, the next double): exactly the number.
NumberRange exactly(double value);

// Every number that is `text` when it is written with that precision: "100" is [99.5, 100.5), "1e2" is [95, 105).
// Source: FHIR R4, search.html, number.
std::optional<NumberRange> implied(std::string_view text);

// A range in one unit of measure.
struct Measure {
  std::string unit;  // as IndexEntry::system of a quantity
  NumberRange range;
};

inline constexpr std::string_view ucum_prefix = "ucum|";

// The range in canonical units; where `system` is not UCUM, or the unit is none of its, as it is with "SYSTEM|CODE".
// Infinite ends stay infinite. `is_exact`: the range is one number.
Measure measure_of(NumberRange range, bool is_exact, std::string_view system, std::string_view code);

}  // namespace mydr24::search
