#pragma once

// The terminology operations of FHIR over a Terminology: $expand, $validate-code, $lookup, $subsumes and $translate. Pure
// functions from parameters to the text of the answer (a ValueSet or Parameters resource); HTTP, storage and the clock are
// the caller's.
// Source: FHIR R4, valueset-operations.html, codesystem-operations.html, conceptmap-operations.html.

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology_api {

struct Request {
  std::string_view type;       // the resource type in the path: "ValueSet"
  std::string_view operation;  // with its dollar sign: "$expand"
  json::Value instance;        // of [type]/[id]/[operation]: the resource; missing on the level of the type
  std::span<const std::pair<std::string, std::string>> query;  // decoded
  json::Value parameters;                                      // the Parameters resource of the body; may be missing
  Instant now;                                                 // for the expansion's timestamp
};

// Whether R4 defines this operation for this type and level.
bool has_operation(std::string_view type, std::string_view operation, bool on_instance);

// The answer as compact JSON. Code::unsupported: no such operation, or a parameter that is not done here and would change
// the answer; invalid: a parameter is missing or malformed; not_found: no such value set, system, code or map;
// too_costly and too_large: see Terminology::expand.
Result<std::string> run(const terminology::Terminology& terminology, const Request& request);

// The TerminologyCapabilities resource of /metadata?mode=terminology. `base` is the URL of the FHIR endpoint.
std::string capabilities(const terminology::Terminology& terminology, std::string_view software_version,
                         std::string_view base, Instant now);

}  // namespace mydr24::terminology_api
