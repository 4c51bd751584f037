#pragma once

// What makes a group worth a notification: the comparison with what the receiver was told last.

#include <set>
#include <string>
#include <vector>

#include "alerting/routing/alert.h"

namespace mydr24::routing {

// What one way of one receiver was told last about one group.
struct LogEntry {
  Instant at;
  std::set<Fingerprint> firing;
  std::set<Fingerprint> resolved;
  // Names the time from the first that fires until all are resolved. It follows from what is stored, so that a message
  // that is sent again after a crash is about the same episode. The epoch: written before episodes had names.
  Instant episode{};
};

enum class Why : std::uint8_t { nothing, first, new_firing, all_resolved, new_resolved, repeat };
std::string_view to_string(Why why);

// `last` is null when it was told nothing yet. Not told: a group that has only resolved alerts and was never told of.
Why notify_when(const LogEntry* last, const std::set<Fingerprint>& firing, const std::set<Fingerprint>& resolved,
                bool send_resolved, Instant now, milliseconds repeat_interval);

std::string to_json(const LogEntry& entry);
Result<LogEntry> log_entry_from_json(std::string_view text);

}  // namespace mydr24::routing
