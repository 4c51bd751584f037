#pragma once

// A schedule as an iCalendar feed. Source: RFC 5545.

#include <string>

#include "alerting/oncall/plan.h"

namespace mydr24::oncall {

inline constexpr std::chrono::days calendar_past{30};
inline constexpr std::chrono::days calendar_ahead{90};

// text/calendar: an event for each shift of the feed's schedule (of its contact only, when it names one) around `now`. A
// shift's UID stays the same as long as it is the same person from the same time on. A shift that goes on after the last
// day shown says that it begins ("Begins*") and has no end.
std::string to_icalendar(const Plan& plan, const Feed& feed, Instant now);

}  // namespace mydr24::oncall
