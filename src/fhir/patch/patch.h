#pragma once

// FHIRPath Patch: changes to a resource that are themselves a Parameters resource, each with the FHIRPath of the place.
// All operations are applied, or none. What comes out has the JSON shapes of its types but is not validated: an
// operation may well leave a resource that lacks a required element.
// Source: FHIR R4, fhirpatch.html.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::patch {

inline constexpr std::size_t operations_max = 1'000;
inline constexpr std::size_t patched_bytes_max = 64U << 20;  // of the resource, after every operation
inline constexpr std::size_t work_bytes_max = 512U << 20;    // of the resource, summed over the operations
inline constexpr std::uint64_t path_steps_max = 5'000'000;   // of the evaluation of all paths together

// The resource after the operations, in order; what they do not touch stays as written. `parameters` is the Parameters
// resource; `now` is what the paths' now() answers.
//   add      `path` leads to one element or to the resource; `name` may be a choice without its type
//   insert   `path` leads to all items of one list; the index of an item, or one past the last
//   delete   `path` leads to one element, or to none: then nothing happens. Objects left empty go as well
//   replace  `path` leads to one element
//   move     `path` leads to all items of one list
// A value is value[x], a resource, or parts named after the elements of the object they make up.
// Code::invalid: the operation is malformed; Code::unprocessable: it does not apply to this resource, or the value's
// type is wrong; Code::too_large: a limit above is exceeded. `where` is the operation: "Parameters.parameter[2]".
Result<std::string> apply_path_patch(const json::Document& resource, json::Value parameters, Instant now = {});

}  // namespace mydr24::patch
