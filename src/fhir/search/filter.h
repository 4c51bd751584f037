#pragma once

// The _filter parameter: a small language of comparisons, and, or and not.
// Source: FHIR R4, search_filter.html.

#include <string_view>

#include "fhir/search/conditions.h"

namespace mydr24::search {

// At most filter_bytes_max. What cannot be expressed is refused by the name of its operator.
Parsed<Condition> parse_filter(ConditionParser& conditions, std::string_view type, std::string_view filter);

}  // namespace mydr24::search
