#pragma once

// The timeline of an incident: it only grows. Every entry holds the SHA-256 of the one before, and its own is in an event of
// the journal ("incident." and its kind), which nothing changes: what is altered, put in, or taken out afterwards is found.
//
// In the store: space "incident_timeline", ID/NUMBER -> {"entry": {"n", "at", "kind", "by"?, "text"?, "data"?, "previous"},
// "hash", "sequence"}. The hash is of the entry's text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operations/incidents/incident.h"
#include "storage/store/store.h"

namespace mydr24::incidents::timeline {

inline constexpr std::int64_t entries_max = 10'000;  // of one incident
inline constexpr std::string_view space = "incident_timeline";

struct Line {
  std::string kind;  // "opened", "acknowledged", "note", "alert.raised"
  std::string by;
  std::string text;
  std::string data;  // JSON or empty
};

// Code::too_large when it is full. Counts in `incident`, which the caller keeps.
Result<> append(store::Transaction& transaction, Incident& incident, const Line& line);

// The rows as they are, oldest first, above number `after`.
Result<std::vector<std::string>> read(store::Reader& reader, std::string_view id, std::int64_t after,
                                      std::uint32_t count);

// What is wrong with it, a line each; empty: nothing is.
Result<std::vector<std::string>> verify(store::Reader& reader, const Incident& incident);

}  // namespace mydr24::incidents::timeline
