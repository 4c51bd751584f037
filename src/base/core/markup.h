#pragma once

// Text that stands in HTML or XML.

#include <cstdint>
#include <string>
#include <string_view>

namespace mydr24 {

// As content of an element or value of an attribute: & < > " ' as entities (HTML, 13.1.4).
std::string escape_markup(std::string_view text);

// The same for XML that is written on, where values of attributes stand between double quotes: ' stays as it is, and a carriage
// return, which a parser would make a newline (XML 1.0, 2.11), becomes a character reference.
void append_xml(std::string& out, std::string_view text);

}  // namespace mydr24
