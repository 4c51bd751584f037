#pragma once

// The value that an operation brings, as JSON text of the shape its element has. Private to fhir/patch.

#include <string_view>

#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/patch/detail/place.h"

namespace mydr24::patch {

// The value[x] of a parameter or part; missing when it has none.
json::Value value_of(json::Value part);

// The element of that name; of a choice without its type, the one that the type of the part's value asks for.
Result<const model::Element*> element_for(const model::Type& type, std::string_view name, json::Value part);

// Code::unprocessable when the element takes no such value.
Result<Entry> entry_for(const model::Element& element, json::Value part);

}  // namespace mydr24::patch
