#pragma once

// The part of a resource that _summary or _elements asks for. What is left out is told by the tag SUBSETTED, so that
// nobody writes such a part back.
// Source: FHIR R4, search.html#summary and #elements.

#include <string>
#include <string_view>

#include "fhir/search/search.h"

namespace mydr24::fhir_api {

bool is_part(const search::Query& query);

// `resource` is the text as a client would read it. Id, meta and mandatory elements are always kept.
std::string part_of(std::string_view resource, const search::Query& query);

}  // namespace mydr24::fhir_api
