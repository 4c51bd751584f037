#pragma once

// Is a rule worth being called for? For each rule of the Book's alerts: how often it fired, was acknowledged, led to
// action (acknowledged with a note of what was done), or went away with nobody having looked. Worked out from the Book.

#include <string>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::groups {

struct RuleRecord {
  std::string rule;  // the alert's `rule` value; else its source and title
  std::size_t fired = 0;
  std::size_t acknowledged = 0;
  std::size_t acted = 0;
  std::size_t auto_resolved = 0;  // resolved, and nobody had acknowledged
  double acted_share() const { return fired == 0 ? 0 : static_cast<double>(acted) / static_cast<double>(fired); }
  // Below a fifth of at least ten: the rule wants another threshold.
  bool is_questionable() const { return fired >= 10 && acted_share() < 0.2; }
};

inline constexpr std::size_t actionability_alerts_max = 50'000;  // the newest

// Alerts raised at or after `since`, most often fired first.
Result<std::vector<RuleRecord>> actionability(store::Reader& reader, Instant since);

}  // namespace mydr24::groups
