#pragma once

// Gaps in on-call coverage become an alert 14 days ahead (cause "oncall/coverage"), and end it when they are closed.

#include "alerting/alerts/book.h"

namespace mydr24::alerts {

inline constexpr std::chrono::days coverage_notice{14};

// Proves the next 14 days of a plan that somebody keeps (revision 1 and later); the one of the settings file is not held
// to it. Gives back the number of gaps. Not quick: not for an I/O thread.
Result<std::size_t> watch_coverage(store::Store& store, const Book& book, Instant now);

}  // namespace mydr24::alerts
