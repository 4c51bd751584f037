#include "alerting/alerts/messages.h"

#include <fmt/format.h>

#include "alerting/alerts/rows.h"
#include "base/core/id.h"
#include "base/json/writer.h"

namespace mydr24::alerts {

Result<> queue_message(store::Transaction& transaction, const QueuedMessage& message) {
  const std::string id = make_uuid7(transaction.now());
  const std::string key = fmt::format("{}{}", rows::message_prefix, id);
  std::string row;
  json::Writer out(row);
  out.begin_object().field("id", id).field("text", message.text).field("kind", to_string(message.address.kind));
  out.field("target", message.address.target).field("secret", message.address.secret);
  if (!message.document.empty()) out.key("document").raw(message.document);
  out.end_object();
  MYDR24_TRY(transaction.set_state(rows::updates, key, row));
  std::string event;
  json::Writer(event).begin_object().field("key", key).end_object();
  MYDR24_TRY(transaction.note("message.queued", event));
  return {};
}

}  // namespace mydr24::alerts
