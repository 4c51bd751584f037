#include "alerting/alerts/rows.h"

#include <fmt/format.h>

#include <limits>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::alerts::rows {
namespace {

// Sorts the newest first.
std::string newest_first(Instant at) {
  return fmt::format("{:019}", std::numeric_limits<std::int64_t>::max() - to_us(at));
}

}  // namespace

std::string alert_key(std::string_view id) { return fmt::format("alert/{}", id); }
std::string cause_key(std::string_view cause) { return fmt::format("cause/{}", cause); }

std::string list_key(const Alert& alert) {
  if (alert.is_resolved())
    return fmt::format("{}{}/{}", done_prefix, newest_first(alert.resolved_at.value_or(alert.changed_at)), alert.id);
  return fmt::format("{}{}/{}/{}", open_prefix, static_cast<int>(alert.severity), newest_first(alert.raised_at),
                     alert.id);
}

std::string done_before(Instant at) { return fmt::format("{}{}/", done_prefix, newest_first(at)); }

Result<> note(store::Transaction& transaction, std::string_view kind, std::string_view alert_id,
              std::string_view payload) {
  MYDR24_ASSIGN(const store::Sequence sequence, transaction.note(kind, payload));
  std::string row;
  json::Writer(row)
      .begin_object()
      .field("at", format_instant(transaction.now()))
      .field("kind", kind)
      .key("data")
      .raw(payload)
      .end_object();
  return transaction.set_state(history, fmt::format("{}/{:019}", alert_id, sequence), row);
}

Result<> put_delivery(store::Transaction& transaction, const Delivery& delivery) {
  return transaction.set_state(deliveries, delivery.id, to_json(delivery));
}

}  // namespace mydr24::alerts::rows
