#pragma once

// Where an element stands, as FHIRPath: "Patient.name[0].given[1]", "Observation.value.ofType(Quantity)". A walk keeps
// its steps on the stack, each linked to its parent: a path becomes text only when an issue needs it.

#include <cstdint>
#include <string>
#include <string_view>

#include "fhir/model/definitions.h"

namespace mydr24::model {

struct Step {
  const Step* parent = nullptr;
  std::string_view name;
  const Element* element = nullptr;  // nullptr at the root, and for a name that is no element
  std::int64_t index = -1;           // of an item of an array
};

void append_path(std::string& out, const Step& step);

}  // namespace mydr24::model
