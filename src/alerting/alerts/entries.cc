#include "alerting/alerts/detail/entries.h"

#include "base/core/date_time.h"

namespace mydr24::alerts::entries {

Result<> save(store::Transaction& transaction, const Alert* before, const Alert& alert) {
  const std::string place = rows::list_key(alert);
  const std::string place_before = before != nullptr ? rows::list_key(*before) : std::string();
  if (place != place_before) {
    if (before != nullptr) MYDR24_TRY(transaction.erase_state(rows::alerts, place_before));
    MYDR24_TRY(transaction.set_state(rows::alerts, place, alert.id));
  }
  if (before == nullptr) MYDR24_TRY(transaction.set_state(rows::alerts, rows::cause_key(alert.cause), alert.id));
  if (before != nullptr && alert.is_resolved() && !before->is_resolved())
    MYDR24_TRY(transaction.erase_state(rows::alerts, rows::cause_key(alert.cause)));
  return transaction.set_state(rows::alerts, rows::alert_key(alert.id), to_json(alert));
}

void write_event(json::Writer& writer, const Alert& alert) {
  writer.field("alert", alert.id)
      .field("severity", to_string(alert.severity))
      .field("state", to_string(alert.state))
      .field("title", alert.title);
  if (!alert.patient.empty()) writer.field("patient", alert.patient);
}

Result<> note_call(store::Transaction& transaction, std::string_view kind, const Alert& alert,
                   const std::vector<Delivery>& deliveries, std::string_view by) {
  return note(transaction, kind, alert, [&](json::Writer& writer) {
    writer.field("policy", alert.policy)
        .field("step", alert.step)
        .field("round", alert.round)
        .field("repeat", alert.repeat);
    if (!alert.reason.empty()) writer.field("reason", alert.reason);
    if (!by.empty()) writer.field("by", by);
    if (alert.next_due) writer.field("next_due", format_instant(*alert.next_due));
    if (alert.held_until) writer.field("held_until", format_instant(*alert.held_until));
    if (alert.rests_until) writer.field("rests_until", format_instant(*alert.rests_until));
    writer.key("deliveries").begin_array();
    for (const Delivery& delivery : deliveries) writer.string(delivery.id);
    writer.end_array();
  });
}

}  // namespace mydr24::alerts::entries
