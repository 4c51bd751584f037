#pragma once

// How far an indexing is, as rows of state. Private to clinical/conformance.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json/document.h"

namespace mydr24::conformance {

inline constexpr std::string_view progress_space = "reindex";

std::string row_text(std::uint32_t generation, std::string_view definition, std::string_view cursor, std::int64_t done,
                     bool complete);
std::int64_t number_of(json::Value value);

}  // namespace mydr24::conformance
