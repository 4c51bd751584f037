#pragma once

// Marks an address as verified in the documents of the on-call plan. Private to api/notify_api.

#include <optional>
#include <string>
#include <string_view>

#include "alerting/notify/address.h"

namespace mydr24::notify_api {

// The document of a contact, {"methods": [{"kind", "target", "verified", ...}], ...}, with "verified": true at every
// method that is this address; nothing when none of them changes.
std::optional<std::string> with_verified(std::string_view document, const notify::Address& address);

}  // namespace mydr24::notify_api
