#pragma once

// Text that stands in HTML or XML.

#include <string>
#include <string_view>

namespace mydr24::net {

// As content of an element or value of an attribute: & < > " ' as entities (HTML, 13.1.4).
std::string escape_markup(std::string_view text);

}  // namespace mydr24::net
