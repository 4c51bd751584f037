#pragma once

// Checks a resource against the R4 structure: known elements, JSON shapes, cardinality, primitive formats, primitive
// extensions (_name), one type per choice, references of an allowed type, contained resources, and the required
// bindings of elements of type code whose codes can be listed (issue code-invalid). Bindings of Coding and
// CodeableConcept, invariants and profiles are not checked here. Collects every issue (up to a limit) with its element
// path; never stops at the first.
// Source: FHIR R4, json.html, datatypes.html and terminologies.html.

#include <cstddef>
#include <vector>

#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/model/outcome.h"

namespace mydr24::model {

struct ValidationLimits {
  std::size_t issues_max = 100;
};

// Empty: valid. `resource` is an object with resourceType; its type may be any resource.
std::vector<Issue> validate(json::Value resource, const ValidationLimits& limits = {});

}  // namespace mydr24::model
