#pragma once

// The texts of the live page (page_*.cc): one screen that shows who needs help now, and takes acknowledgements. It
// loads nothing from another host and has no inline script or style: a strict content security policy holds.

#include <string_view>

namespace mydr24::desk_api {

extern const std::string_view page_html;
extern const std::string_view page_css;
extern const std::string_view page_js;

}  // namespace mydr24::desk_api
