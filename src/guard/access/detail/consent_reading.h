#pragma once

// What reading a Consent and working out its meaning share. Private to guard/access.

#include <string>
#include <string_view>

#include "guard/access/consent.h"

namespace mydr24::access {

// The id in "Patient/1", also at the end of a URL, where the type is that; else empty.
std::string local_reference(std::string_view text, std::string_view type);

// Whether the inner provision says something that the outer does not.
bool is_exception(const Provision& inner, const Provision& outer);

}  // namespace mydr24::access
