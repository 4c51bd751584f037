#pragma once

// Quantities against each other: the same thing in other units, calendar durations. Private to fhir/path.
// Source: FHIRPath 2.0.0, sections 2.2.6 and 6.1 to 6.2.

#include <optional>
#include <string_view>

#include "fhir/path/decimal.h"

namespace mydr24::path {

struct Amount {
  std::string_view text;  // the number
  std::string_view unit;  // a UCUM code or a calendar word
};

// Below, equal to or above 0; nothing when they are not comparable: other dimensions, an unknown unit, or a calendar
// year or month against a UCUM one.
std::optional<int> compare(const Amount& a, const Amount& b);
// As above, but rounded to the coarser of both, and a calendar year or month is as long as UCUM's.
bool equivalent(const Amount& a, const Amount& b);
bool comparable(std::string_view unit, std::string_view other);
// `value` of `from` in `to`; nothing when they do not measure the same thing.
std::optional<Decimal> convert(const Decimal& value, std::string_view from, std::string_view to);

}  // namespace mydr24::path
