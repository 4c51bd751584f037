#include "alerting/alerts/reports.h"

#include <string>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/rows.h"
#include "base/json/writer.h"

namespace mydr24::alerts {

Result<> report_undelivered(store::Transaction& transaction, const oncall::Plan& plan, std::string_view delivery_id,
                            std::string_view why) {
  MYDR24_ASSIGN(std::optional<Delivery> delivery, Book::delivery(transaction, delivery_id));
  if (!delivery || delivery->state != DeliveryState::delivered) return {};
  delivery->state = DeliveryState::failed;
  delivery->text = why;
  MYDR24_TRY(rows::put_delivery(transaction, *delivery));
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("alert", delivery->alert_id)
      .field("delivery", delivery->id)
      .field("contact", delivery->contact)
      .field("medium", delivery->medium)
      .field("attempt", delivery->attempts)
      .field("final", true)
      .field("text", why)
      .end_object();
  MYDR24_TRY(rows::note(transaction, "alert.delivery_failed", delivery->alert_id, payload));
  return calls::call_another_way(transaction, plan, *delivery);
}

}  // namespace mydr24::alerts
