#pragma once

// FHIR date, dateTime, instant and HTTP dates as text, and the range of instants that a partial date covers.
// Source: FHIR R4, datatypes (date, dateTime, instant) and search (date ranges); RFC 9110, section 5.6.7.

#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"

namespace mydr24 {

enum class Precision { year, month, day, minute, second, fraction };

// [low, high): every instant that the text may mean. "2024-03" covers the whole of March.
struct DateRange {
  Instant low;
  Instant high;
  Precision precision = Precision::fraction;
  bool has_zone = false;  // without a time zone the text is read as UTC
};

// YYYY, YYYY-MM, YYYY-MM-DD, or a date and time hh:mm[:ss[.f+]] with Z or +hh:mm. Years 0001 to 9999, valid calendar
// days, seconds 0 to 60. Nothing when the text is none of these.
std::optional<DateRange> parse_date_time(std::string_view text);

// 2024-03-01T08:00:00.000Z: always UTC and milliseconds, 24 characters.
std::string format_instant(Instant at);

// Thu, 01 Mar 2024 08:00:00 GMT
std::string format_http_date(Instant at);
// The same form back, to the second; nothing for anything else (RFC 9110 lets a recipient ignore a bad
// If-Modified-Since).
std::optional<Instant> parse_http_date(std::string_view text);

}  // namespace mydr24
