#pragma once

// Time intervals of an Alertmanager configuration: wall-clock times, weekdays, days of the month, months, years, each in
// a zone of its own. An instant is in a TimeInterval when it is in every list that is given.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/zone/zone.h"

namespace mydr24::routing {

// Both ends belong to it.
struct Range {
  int begin = 0;
  int end = 0;
  bool has(int value) const { return value >= begin && value <= end; }
};

struct TimeInterval {
  struct Times {
    int begin = 0;  // minutes since midnight
    int end = 0;    // does not belong to it; at most 1440
  };
  std::vector<Times> times;
  std::vector<Range> weekdays;       // 0 is Sunday
  std::vector<Range> days_of_month;  // 1 to 31; -1 is the last day
  std::vector<Range> months;         // 1 to 12
  std::vector<Range> years;
  zone::Zone zone;  // UTC unless given

  bool contains(Instant at) const;
};

bool contains(const std::vector<TimeInterval>& intervals, Instant at);
// How long they last at most in a day, all of them together. A whole day goes on with the next: it counts as a year.
std::chrono::minutes longest(const std::vector<TimeInterval>& intervals);

// "09:00"; "24:00" is the end of the day.
Result<int> parse_time_of_day(std::string_view text);
// "monday:friday", "sunday".
Result<Range> parse_weekdays(std::string_view text);
// "1:5", "-3:-1".
Result<Range> parse_days_of_month(std::string_view text);
// "1:3", "may:august", "december".
Result<Range> parse_months(std::string_view text);
// "2020:2022", "2030".
Result<Range> parse_years(std::string_view text);

// A duration as Prometheus writes it: 1h30m, 500ms, 4d, 0. Parts from y (365 d), w, d, h, m, s, ms in that order.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::milliseconds duration);

}  // namespace mydr24::routing
