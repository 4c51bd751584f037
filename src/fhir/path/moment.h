#pragma once

// Dates and times of FHIRPath with their precision: parsing, order, calendar arithmetic, boundaries. Private to
// fhir/path. Source: FHIRPath 2.0.0, sections 5.6, 6.1 to 6.2 and 6.6.7; proleptic Gregorian calendar, years 1 to 9999.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/path/decimal.h"
#include "fhir/path/path.h"

namespace mydr24::path {

enum class Field : std::uint8_t { year, month, day, hour, minute, second };

struct Moment {
  ItemKind kind = ItemKind::date;  // date, date_time or time
  Field precision = Field::year;   // the last field that is known; of a time at least hour
  int year = 1;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int micros = 0;           // seconds and their fraction
  int fraction_digits = 0;  // of the seconds as written, at most 6
  bool has_zone = false;
  int zone = 0;  // minutes east of UTC
};

// Without '@'; a time with or without its 'T'. Nothing for what is no valid date or time of that kind. A date_time may
// end with 'T' after year, month or day.
std::optional<Moment> parse_moment(ItemKind kind, std::string_view text);
std::string to_text(const Moment& moment);

enum class Order : std::uint8_t { less, equal, greater, unknown, unrelated };

// Field by field until they differ; unknown when one ends before that, or when only one has a time zone and the other's
// could decide. unrelated: a time against a date.
Order compare(const Moment& a, const Moment& b);

// A calendar duration or definite duration. Units: year(s), month(s), week(s), day(s), hour(s), minute(s), second(s),
// millisecond(s), wk, d, h, min, s, ms; nothing for others.
enum class Duration : std::uint8_t { years, months, weeks, days, hours, minutes, seconds, milliseconds };
std::optional<Duration> duration_of(std::string_view unit);
// The UCUM code that a calendar word of days or less stands for ("d" for "days"); "a" and "mo" for years and months,
// which are only roughly that long; empty for what is no calendar word.
std::string_view ucum_of(std::string_view calendar_word);

// Nothing when the result leaves the years 1 to 9999. Months that are too short end on their last day.
std::optional<Moment> add(Moment moment, const Decimal& amount, Duration unit);

// The number of digits that the precision shows: 4, 6, 8, 10, 12, 14 or 17; of a time 2, 4, 6 or 9.
int precision_digits(const Moment& moment);
// The earliest or latest moment that `moment` may mean, to `digits`; nothing when there is no such precision.
std::optional<Moment> boundary(Moment moment, int digits, bool high);

}  // namespace mydr24::path
