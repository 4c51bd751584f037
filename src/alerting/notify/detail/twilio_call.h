#pragma once

// One request to a Twilio-compatible API. Private to alerting/notify.

#include <string>
#include <string_view>

#include "alerting/notify/detail/call.h"

namespace mydr24::notify {

// POSTs `form` to .../Accounts/{account}/{resource}, with the account's password and a status callback that names the
// delivery. provider_id of the outcome is the "sid" of the answer.
Task<SendOutcome> twilio_call(const ChannelParts& parts, std::string_view resource, std::string form,
                              const Message& message);

}  // namespace mydr24::notify
