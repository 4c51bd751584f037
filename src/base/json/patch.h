#pragma once

// JSON Patch (RFC 6902) and JSON Pointer (RFC 6901).

#include <string>
#include <string_view>

#include "base/json/document.h"

namespace mydr24::json {

// Applies the operations in order; all or none. Returns the new document as compact text; values that no operation
// touched keep their numbers as written and their key order.
// Code::invalid: the patch itself is malformed (unknown op, missing member, bad pointer); Code::unprocessable: it does not
// apply to this document (a path that is not there, a failed test). `where` is the operation, as "[2].path".
Result<std::string> apply_patch(const Document& document, const Document& patch);

}  // namespace mydr24::json
