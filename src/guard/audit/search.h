#pragma once

// Looking entries up: in the folder of a trail, whether or not a server is writing to it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "guard/audit/entry.h"
#include "guard/audit/trail.h"

namespace mydr24::audit {

// All that is given must hold. Patient, principal and override are looked up in the indexes; the rest is tried on each
// entry.
struct Query {
  std::string patient;
  // Also entries that do not name every patient they concern, as a bulk export.
  bool or_everyone = false;
  std::string principal;
  std::string tenant;
  std::string id;  // of the entry
  std::string override_id;
  std::string request_id;
  std::string interaction;
  std::string resource_type;
  std::string resource_id;
  std::optional<Action> action;
  std::optional<Outcome> outcome;
  bool failures = false;         // every outcome but success
  std::optional<Instant> since;  // at or after
  std::optional<Instant> until;  // before
};
bool matches(const Query& query, const Entry& entry);

struct Found {
  std::int64_t number = 0;  // of its line
  Entry entry;
};

struct Page {
  std::vector<Found> entries;
  std::string next;  // cursor of what follows; empty: nothing does
};

inline constexpr std::size_t page_entries_max = 10'000;
// Of 256 KiB, in one call: a search without an index key over a large trail gives back what it found so far and a
// cursor.
inline constexpr std::size_t page_blocks_max = 8'192;

// Newest first. Code::invalid: the cursor is none, or `limit` is not 1 to page_entries_max. Code::not_found: no trail.
Result<Page> search(const Trail& trail, const Query& query, std::size_t limit, std::string_view cursor = {},
                    std::size_t blocks_max = page_blocks_max);

// Oldest first, all of them, until `see` gives back false. A line that is damaged is left out: verify() tells of it.
Result<> for_each(const Trail& trail, const Query& query, const std::function<bool(const Found&)>& see);

}  // namespace mydr24::audit
