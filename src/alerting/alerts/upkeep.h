#pragma once

// What becomes of alerts that nobody speaks of any more, and of those that were over long ago.
//
// Invariants
// - Emergencies are never closed by time.
// - What is cleared away is the alert and its calls. Its history and the journal stay: they are what an audit reads.

#include <chrono>
#include <cstddef>

#include "alerting/alerts/book.h"

namespace mydr24::alerts {

struct UpkeepSettings {
  std::chrono::days idle{0};  // neither a person nor its source said anything for so long: closed; 0: never
  std::chrono::days kept{0};  // resolved for so long: cleared away; 0: never
};

struct Upkeep {
  std::size_t closed = 0;
  std::size_t cleared = 0;
};

// Not quick: not for an I/O thread.
Result<Upkeep> keep_up(store::Store& store, const Book& book, const UpkeepSettings& settings, Instant now);

}  // namespace mydr24::alerts
