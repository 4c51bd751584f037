#pragma once

// The XHTML of a Narrative: well formed, only the elements and attributes that R4 allows, no scripts, and something to
// read. Source: FHIR R4, narrative.html (rules txt-1 and txt-2).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mydr24::model {

inline constexpr std::size_t narrative_depth_max = 128;

// What is wrong with it; nothing when nothing is.
std::optional<std::string> narrative_problem(std::string_view xhtml);
// Text that is not white space, or an image.
bool narrative_has_content(std::string_view xhtml);

// Whether plain text holds what looks like an HTML tag: "<script>", "</b>", "<img src=...>".
bool has_html_tag(std::string_view text);

}  // namespace mydr24::model
