#pragma once

// JSON that is no resource, in and out: what the interfaces beside FHIR speak.

#include <string>

#include "api/pipeline/pipeline.h"
#include "base/json/document.h"

namespace mydr24::pipeline {

// An answer that must not be kept by anybody on its way.
Task<> send_json(Call& call, int status, std::string body);

// The body, which must be a JSON object of at most so many bytes, 8 levels and 100 values.
Task<Result<json::Document>> take_object(Call& call, std::size_t bytes_max);

}  // namespace mydr24::pipeline
