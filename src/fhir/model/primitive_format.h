#pragma once

// The text of each primitive type. Source: FHIR R4, datatypes.html.

#include <string_view>

#include "base/json/document.h"
#include "fhir/model/definitions.h"

namespace mydr24::model {

inline constexpr std::size_t string_bytes_max = 1U << 20;

// What is wrong with a JSON value as that primitive, as a phrase that says what it must be ("must be ...");
// nullptr when nothing is. Constant text: nothing is allocated.
const char* primitive_problem(Primitive primitive, json::Value value);

}  // namespace mydr24::model
