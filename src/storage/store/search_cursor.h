#pragma once

// Where a page of a search ended, as opaque text. Made by the engines, and by those who merge several searches in the
// order of the journal: `place` is then the sequence of the last resource on the page.
//
// Invariant: a cursor carries a check of its query: one of another query is Code::invalid.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "fhir/search/search.h"

namespace mydr24::store {

// Keys compare by their bytes; nothing comes last.
using SortKeys = std::vector<std::optional<std::string>>;

struct Cursor {
  std::int64_t place = 0;  // of a sorted search: the record
  SortKeys keys;           // one for each Query::sort
};

std::string make_cursor(const search::Query& query, const Cursor& cursor);
// Nothing when the query has none.
Result<std::optional<Cursor>> read_cursor(const search::Query& query);

}  // namespace mydr24::store
