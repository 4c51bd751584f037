#pragma once

// FHIR resources as XML, both ways, driven by the tables of fhir/model: the JSON text is what the rest of the server
// knows. Both directions keep every element, extension, id and comment-free content; the narrative (xhtml) is kept as
// well-formed markup.
// Source: FHIR R4, xml.html and json.html.
//
// Hostile input is refused with line and column: a DOCTYPE or any entity but the five of XML (Code::invalid), more than
// bytes_max or depth_max (Code::too_large), processing instructions inside a resource, an unknown namespace.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::xml {

inline constexpr std::size_t bytes_max = 64U << 20;
inline constexpr std::size_t depth_max = 128;

// The resource as compact JSON text. Unknown elements and attributes are Code::invalid (422 at the border) with their
// place, since XML cannot tell what JSON shape they would have: the text begins with line and column, `where` is the
// path of the element around. Elements may come in any order as long as those that repeat stand together. A value that
// does not look like a number or boolean where it must be one becomes a string: validation says what is wrong with it.
Result<std::string> to_json(std::string_view xml);

// `resource` has been validated; members that the definitions do not know are left out. Elements in the order of the
// definition, numbers as written. A narrative that is no well-formed XHTML becomes text, never markup.
std::string from_json(json::Value resource);

}  // namespace mydr24::xml
