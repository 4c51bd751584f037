#pragma once

// JSON Patch (RFC 6902), its places given by JSON Pointer (RFC 6901, pointer.h).

#include <cstddef>
#include <string>
#include <string_view>

#include "base/json/document.h"

namespace mydr24::json {

// What one patch may do: a short patch can ask for a very large document or very long work.
inline constexpr std::size_t patch_operations_max = 10'000;
inline constexpr std::size_t patched_bytes_max = 64U << 20;  // of the document, after every operation
inline constexpr std::size_t patched_depth_max = 128;        // open brackets
inline constexpr std::size_t patch_opened_max = 4'000'000;   // items and members of the containers that are changed
inline constexpr std::size_t patch_steps_max = 256'000'000;  // items and members looked at or moved: about a second

// Applies the operations in order; all or none. Returns the new document as compact text; values that no
// operation touched keep their numbers as written and their key order. Code::invalid: the patch itself is
// malformed (unknown op, missing member, bad pointer); Code::unprocessable: it does not apply to this
// document (a path that is not there, a failed test); Code::too_large: a limit above is exceeded. `where` is
// the operation, as "[2].path".
Result<std::string> apply_patch(const Document& document, const Document& patch);

}  // namespace mydr24::json
