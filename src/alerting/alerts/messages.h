#pragma once

// A text for an address that asks for nothing, from any module: written down with whatever it tells of, and told by Updates
// until it was taken, refused, or tried Updates::tells_max times.
//
// Events: message.queued {"key"}; message.lost {"key"}: refused, or given up.

#include <string>

#include "alerting/notify/address.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

struct QueuedMessage {
  notify::Address address;
  std::string text;      // without patient identity
  std::string document;  // JSON for systems (webhook); empty: none
};
Result<> queue_message(store::Transaction& transaction, const QueuedMessage& message);

}  // namespace mydr24::alerts
