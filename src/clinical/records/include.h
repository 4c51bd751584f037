#pragma once

// What a search brings along besides its matches: _include follows the references of what is on the page, _revinclude
// finds what refers to it; with :iterate both go on from what was brought along.
// Source: FHIR R4, search.html#revinclude.

#include <vector>

#include "fhir/search/search.h"
#include "storage/store/store.h"

namespace mydr24::records {

inline constexpr std::size_t included_max = 2'000;  // resources on one page
inline constexpr int include_rounds_max = 8;

struct Included {
  std::vector<store::Version> resources;  // each once, none that is a match
  bool complete = true;                   // false: a limit above was reached
};

Result<Included> include(store::Reader& reader, const search::Query& query, const std::vector<store::Version>& matches);

}  // namespace mydr24::records
