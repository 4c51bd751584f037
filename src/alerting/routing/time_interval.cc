#include "alerting/routing/time_interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <span>

namespace mydr24::routing {
namespace {

constexpr int day_minutes = 24 * 60;
constexpr std::array<std::string_view, 7> weekday_names{"sunday",   "monday", "tuesday", "wednesday",
                                                        "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> month_names{"january",   "february", "march",    "april",
                                                       "may",       "june",     "july",     "august",
                                                       "september", "october",  "november", "december"};

std::optional<int> read_int(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

struct Kind {
  std::string_view what;
  int least;
  int most;
  std::span<const std::string_view> names;
  int first_name = 0;  // the number of names[0]
  bool numbers = true;
};

Result<int> read_one(std::string_view text, const Kind& kind) {
  const std::string word = lower(text);
  if (const auto found = std::ranges::find(kind.names, word); found != kind.names.end())
    return static_cast<int>(found - kind.names.begin()) + kind.first_name;
  const auto number = kind.numbers ? read_int(text) : std::nullopt;
  if (!number) return fail(Code::invalid, fmt::format("\"{}\" is no {}", text, kind.what));
  if (*number < kind.least || *number > kind.most)
    return fail(Code::invalid, fmt::format("{} is no {}: {} to {}", *number, kind.what, kind.least, kind.most));
  return *number;
}

Result<Range> read_range(std::string_view text, const Kind& kind) {
  const auto colon = text.find(':');
  Range range;
  MYDR24_ASSIGN(range.begin, read_one(text.substr(0, colon), kind));
  range.end = range.begin;
  if (colon != text.npos) {
    MYDR24_ASSIGN(range.end, read_one(text.substr(colon + 1), kind));
  }
  return range;
}

Error backwards(std::string_view text) {
  return fail(Code::invalid, fmt::format("\"{}\": the end comes before the beginning", text));
}

struct Wall {
  int minute;
  int weekday;
  int day;
  int days_in_month;
  int month;
  int year;
};

Wall wall_of(const zone::Zone& zone, Instant at) {
  const zone::LocalTime local = zone.local(at);
  const auto midnight = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::year_month_day_last last(date.year(), std::chrono::month_day_last(date.month()));
  return {static_cast<int>(std::chrono::floor<std::chrono::minutes>(local - midnight).count()),
          static_cast<int>(std::chrono::weekday(midnight).c_encoding()),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(static_cast<unsigned>(last.day())),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(date.year())};
}

// Days counted from the end are turned around; what sticks out of this month is cut off.
bool has_day(const Range& days, const Wall& wall) {
  const auto from_start = [&](int day) { return day < 0 ? wall.days_in_month + day + 1 : day; };
  const int begin = from_start(days.begin);
  if (begin > wall.days_in_month) return false;
  return wall.day >= std::max(begin, 1) && wall.day <= std::min(from_start(days.end), wall.days_in_month);
}

bool any(const std::vector<Range>& ranges, int value) {
  return ranges.empty() || std::ranges::any_of(ranges, [value](const Range& range) { return range.has(value); });
}

}  // namespace

bool TimeInterval::contains(Instant at) const {
  const Wall wall = wall_of(zone, at);
  const auto in_times = [&](const Times& t) { return wall.minute >= t.begin && wall.minute < t.end; };
  if (!times.empty() && std::ranges::none_of(times, in_times)) return false;
  if (!days_of_month.empty() &&
      std::ranges::none_of(days_of_month, [&](const Range& range) { return has_day(range, wall); }))
    return false;
  return any(weekdays, wall.weekday) && any(months, wall.month) && any(years, wall.year);
}

std::chrono::minutes longest(const std::vector<TimeInterval>& intervals) {
  constexpr std::chrono::minutes endless = std::chrono::days(366);
  int minutes = 0;
  for (const TimeInterval& interval : intervals) {
    if (interval.times.empty()) return endless;
    for (const TimeInterval::Times& times : interval.times) minutes += times.end - times.begin;
  }
  return minutes < day_minutes ? std::chrono::minutes(minutes) : endless;
}

bool contains(const std::vector<TimeInterval>& intervals, Instant at) {
  return std::ranges::any_of(intervals, [at](const TimeInterval& interval) { return interval.contains(at); });
}

Result<int> parse_time_of_day(std::string_view text) {
  const auto hour = text.size() == 5 && text[2] == ':' ? read_int(text.substr(0, 2)) : std::nullopt;
  const auto minute = hour ? read_int(text.substr(3)) : std::nullopt;
  if (!minute || *hour < 0 || *minute < 0 || *minute > 59 || *hour * 60 + *minute > day_minutes)
    return fail(Code::invalid, fmt::format("\"{}\" is no time of day; write HH:MM, 00:00 to 24:00", text));
  return *hour * 60 + *minute;
}

Result<Range> parse_weekdays(std::string_view text) {
  MYDR24_ASSIGN(const Range range, read_range(text, {"weekday", 0, 6, weekday_names, 0, false}));
  if (range.begin > range.end) return backwards(text);
  return range;
}

Result<Range> parse_days_of_month(std::string_view text) {
  MYDR24_ASSIGN(const Range range, read_range(text, {"day of a month", -31, 31, {}}));
  if (range.begin == 0 || range.end == 0)
    return fail(Code::invalid, fmt::format("\"{}\": days of a month are 1 to 31 or -31 to -1", text));
  if (range.begin < 0 && range.end > 0)
    return fail(Code::invalid,
                fmt::format("\"{}\": the end must count from the end too when the beginning does", text));
  // In the longest month the end must not lie before the beginning.
  const auto longest = [](int day) { return day < 0 ? 32 + day : day; };
  if (longest(range.begin) > longest(range.end)) return backwards(text);
  return range;
}

Result<Range> parse_months(std::string_view text) {
  MYDR24_ASSIGN(const Range range, read_range(text, {"month", 1, 12, month_names, 1}));
  if (range.begin > range.end) return backwards(text);
  return range;
}

Result<Range> parse_years(std::string_view text) {
  MYDR24_ASSIGN(const Range range, read_range(text, {"year", 0, 9999, {}}));
  if (range.begin > range.end) return backwards(text);
  return range;
}

namespace {
struct Unit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<Unit, 7> units{{{"y", 365LL * 86'400'000},
                                     {"w", 7LL * 86'400'000},
                                     {"d", 86'400'000},
                                     {"h", 3'600'000},
                                     {"m", 60'000},
                                     {"s", 1'000},
                                     {"ms", 1}}};
constexpr std::int64_t duration_ms_max = 200LL * 365 * 86'400'000;
}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  const auto bad = [&] {
    return fail(Code::invalid, fmt::format("\"{}\" is no duration; write 30s, 5m, 1h30m, 500ms", text));
  };
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (rest.empty()) return bad();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc() || number < 0 || rest[0] == '-') return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::string_view word = rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
    while (next_unit < units.size() && units[next_unit].name != word) ++next_unit;
    if (next_unit == units.size() || number > (duration_ms_max - total) / units[next_unit].ms) return bad();
    total += number * units[next_unit++].ms;
    rest.remove_prefix(word.size());
  }
  return std::chrono::milliseconds(total);
}

std::string duration_text(std::chrono::milliseconds duration) {
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string text;
  for (const Unit& unit : units) {
    // Years and weeks only where nothing else is left, as Prometheus does.
    const bool exact_only = unit.name == "y" || unit.name == "w";
    if (exact_only && left % unit.ms != 0) continue;
    if (left >= unit.ms) text += fmt::format("{}{}", left / unit.ms, unit.name);
    left %= unit.ms;
  }
  return text;
}

}  // namespace mydr24::routing
