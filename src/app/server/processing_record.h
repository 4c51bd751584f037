#pragma once

// The record of processing activities, from the configuration in force: what changes there changes here.
// Source: GDPR 30(1).

#include <span>
#include <string>

#include "app/server/settings.h"
#include "base/core/clock.h"
#include "guard/access/policy.h"
#include "guard/identity/client.h"

namespace mydr24::server {

// JSON: {"at", "controller", "officer", "legal_basis", "purposes": [{"purpose", "roles", "text"}], "subjects",
// "categories", "recipients": [{"kind", "name", "gets"}], "transfers", "retention": [{"what", "time"}], "measures":
// [text]}. What the settings do not say is null: somebody has to.
std::string processing_record(const Settings& settings, const access::Policy& policy,
                              std::span<const identity::Client> clients, Instant now);

}  // namespace mydr24::server
