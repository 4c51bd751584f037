#pragma once

// Adding profiles, tags and security labels to a resource, and taking them away. A pure function of the text.
// Source: FHIR R4, resource-operation-meta-add.html: a tag or label that is there already (same system and code) is not
// added again; what is not there cannot be taken away, which is no error.

#include <cstdint>
#include <string>

#include "base/json/document.h"

namespace mydr24::fhir_api {

enum class MetaEdit : std::uint8_t { add, remove };

// The resource as JSON text, with the profile, security and tag of its meta changed by those of `by`; all else as it was.
std::string with_edited_meta(json::Value resource, json::Value by, MetaEdit edit);

}  // namespace mydr24::fhir_api
