#pragma once

// The narrative's markup: what htmlChecks() allows. Private to fhir/path. Source: FHIR R4, narrative.html#xhtml.

#include <cstddef>
#include <string_view>

namespace mydr24::path {

inline constexpr std::size_t html_depth_max = 128;

// One well-formed <div> with some content, of the elements and attributes that a narrative may hold: no script, no
// event handlers, no forms, no outer entities.
bool is_safe_html(std::string_view xhtml);

}  // namespace mydr24::path
