#pragma once

// YAML documents as JSON text, so that what reads them knows one form.

#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::cli {

// JSON is YAML too. Plain true, false, null and whole numbers are what they look like, everything else is a text. Code::invalid
// names the line. No anchors that would make a small file a large document: at most 200,000 values.
Result<std::string> yaml_to_json(const std::string& text);

}  // namespace mydr24::cli
