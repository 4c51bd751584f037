#include "base/core/date_time.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>

namespace mydr24 {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> names_of_days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> names_of_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads `count` decimal digits from the front of `text` and takes them off.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// The fraction of a second in microseconds, and how many microseconds its last digit covers.
std::optional<std::pair<Microseconds, Microseconds>> take_fraction(std::string_view& text) {
  std::int64_t value = 0, unit = 1'000'000;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (unit == 1) continue;
    unit /= 10;
    value += (text[digits] - '0') * unit;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return std::pair(Microseconds(value), Microseconds(unit));
}

std::optional<minutes> take_zone(std::string_view& text) {
  if (take(text, 'Z')) return minutes(0);
  const bool east = take(text, '+');
  if (!east && !take(text, '-')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 14 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const auto offset = hours(*hour) + minutes(*minute);
  return east ? offset : -offset;
}

std::optional<DateRange> parse_time(std::string_view text, Instant day) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  DateRange range;
  range.low = day + hours(*hour) + minutes(*minute);
  Microseconds width = minutes(1);
  range.precision = Precision::minute;
  if (take(text, ':')) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    range.low += seconds(*second);
    width = seconds(1);
    range.precision = Precision::second;
    if (take(text, '.')) {
      const auto fraction = take_fraction(text);
      if (!fraction) return std::nullopt;
      range.low += fraction->first;
      width = fraction->second;
      range.precision = Precision::fraction;
    }
  }
  if (!text.empty()) {
    const auto zone = take_zone(text);
    if (!zone || !text.empty()) return std::nullopt;
    range.low -= *zone;
    range.has_zone = true;
  }
  range.high = range.low + width;
  return range;
}

}  // namespace

std::optional<DateRange> parse_date_time(std::string_view text) {
  namespace c = std::chrono;
  const auto year = take_digits(text, 4);
  if (!year || *year == 0) return std::nullopt;
  const c::year y(*year);
  if (text.empty()) {
    return DateRange{c::sys_days(y / 1 / 1), c::sys_days((y + c::years(1)) / 1 / 1), Precision::year, false};
  }
  if (!take(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || *month < 1 || *month > 12) return std::nullopt;
  const c::year_month ym(y, c::month(static_cast<unsigned>(*month)));
  if (text.empty()) {
    return DateRange{c::sys_days(ym / 1), c::sys_days((ym + c::months(1)) / 1), Precision::month, false};
  }
  if (!take(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const auto ymd = ym / c::day(static_cast<unsigned>(*day));
  if (!ymd.ok()) return std::nullopt;
  const Instant midnight = c::sys_days(ymd);
  if (text.empty()) return DateRange{midnight, midnight + days(1), Precision::day, false};
  if (!take(text, 'T')) return std::nullopt;
  return parse_time(text, midnight);
}

std::string format_instant(Instant at) {
  namespace c = std::chrono;
  const auto day = c::floor<days>(at);
  const c::year_month_day date(day);
  const c::hh_mm_ss time(c::floor<c::milliseconds>(at - day));
  const int year = static_cast<int>(date.year());
  std::string text = "0000-00-00T00:00:00.000Z";
  // By hand: there is one in every line of a log, of a trail, and in every resource.
  const auto put = [&](std::size_t last, auto number) {
    for (auto rest = static_cast<unsigned>(number); rest > 0; rest /= 10)
      text[last--] = static_cast<char>('0' + rest % 10);
  };
  if (year >= 0 && year <= 9999) put(3, year);
  put(6, static_cast<unsigned>(date.month()));
  put(9, static_cast<unsigned>(date.day()));
  put(12, time.hours().count());
  put(15, time.minutes().count());
  put(18, time.seconds().count());
  put(22, time.subseconds().count());
  if (year < 0 || year > 9999) text.replace(0, 4, fmt::format("{:04}", year));
  return text;
}

std::string format_http_date(Instant at) {
  namespace c = std::chrono;
  const auto day = c::floor<days>(at);
  const c::year_month_day date(day);
  const c::hh_mm_ss time(c::floor<seconds>(at - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", names_of_days[c::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), names_of_months[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                     time.seconds().count());
}

std::optional<Instant> parse_http_date(std::string_view text) {
  namespace c = std::chrono;
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::ranges::find(names_of_months, text.substr(8, 3));
  if (month == names_of_months.end()) return std::nullopt;
  std::array<int, 5> numbers{};  // day, year, hour, minute, second
  constexpr std::array<std::pair<std::size_t, std::size_t>, 5> places{{{5, 2}, {12, 4}, {17, 2}, {20, 2}, {23, 2}}};
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto part = text.substr(places[i].first, places[i].second);
    const auto value = take_digits(part, places[i].second);
    if (!value) return std::nullopt;
    numbers[i] = *value;
  }
  const auto date = c::year(numbers[1]) / c::month(static_cast<unsigned>(month - names_of_months.begin()) + 1) /
                    c::day(static_cast<unsigned>(numbers[0]));
  if (!date.ok() || numbers[2] > 23 || numbers[3] > 59 || numbers[4] > 60) return std::nullopt;
  return c::sys_days(date) + hours(numbers[2]) + minutes(numbers[3]) + seconds(numbers[4]);
}

}  // namespace mydr24
