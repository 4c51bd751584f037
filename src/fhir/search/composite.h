#pragma once

// Entries that no single value of the trie gives: composites, presences, and expressions that are evaluated.

#include <vector>

#include "fhir/search/entries.h"

namespace mydr24::search {

// The entries of the parts of one composite, found from its element: one list for each part, as they would be alone.
std::vector<std::vector<IndexEntry>> part_entries(const Catalogue& catalogue, json::Value resource, json::Value element,
                                                  const Leaf& leaf);
// Every combination of the parts, up to a limit.
void add_composite(Entries& entries, const Catalogue& catalogue, json::Value resource, json::Value element,
                   const Leaf& leaf);

void add_presence(Entries& entries, json::Value resource, const Presence& presence);
void add_evaluated(Entries& entries, json::Value resource, json::Value root, const Evaluated& evaluated);

// Whether a value of that kind is a range, which compares, or an equality.
bool is_range(Kind kind);

}  // namespace mydr24::search
