#include "alerting/alerts/subscribers.h"

#include <fmt/format.h>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

std::string key_of(std::string_view alert_id, std::string_view contact) {
  return fmt::format("{}/{}", alert_id, contact);
}

bool takes_text(notify::Kind kind) { return kind != notify::Kind::voice && kind != notify::Kind::pagerduty; }

}  // namespace

std::string to_json(const std::vector<Subscription>& subscriptions) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("schema", "mydr24.alert-subscribers.v1").key("subscribers").begin_array();
  for (const Subscription& each : subscriptions)
    writer.begin_object()
        .field("contact", each.contact)
        .field("until", format_instant(each.since + subscription_valid))
        .end_object();
  writer.end_array().end_object();
  return out;
}

const oncall::Method* text_method(const oncall::Contact& contact) {
  for (const oncall::Method& method : contact.methods)
    if (method.usable() && takes_text(method.address.kind)) return &method;
  return nullptr;
}

Result<> subscribe(store::Transaction& transaction, const oncall::Plan& plan, std::string_view alert_id,
                   std::string_view identity) {
  MYDR24_ASSIGN(const std::optional<Alert> alert, Book::find(transaction, alert_id));
  if (!alert) return fail(Code::not_found, fmt::format("there is no alert {}", alert_id));
  if (alert->is_resolved()) return fail(Code::conflict, "the alert is resolved: nothing will become of it any more");
  const oncall::Contact* contact = plan.contact(plan.person(identity));
  if (contact == nullptr) return fail(Code::invalid, fmt::format("there is no contact \"{}\"", identity), "by");
  if (text_method(*contact) == nullptr)
    return fail(Code::invalid, fmt::format("none of the methods of \"{}\" takes a text", contact->name), "by");
  const Instant now = calls::stamp(transaction);
  MYDR24_ASSIGN(const auto others, subscribers(transaction, alert_id, now));
  if (others.size() >= subscribers_max)
    return fail(Code::too_large, fmt::format("an alert has at most {} subscribers", subscribers_max));
  return transaction.set_state(rows::subscribers, key_of(alert_id, contact->name), format_instant(now));
}

Result<> unsubscribe(store::Transaction& transaction, const oncall::Plan& plan, std::string_view alert_id,
                     std::string_view identity) {
  return transaction.erase_state(rows::subscribers, key_of(alert_id, plan.person(identity)));
}

Result<std::vector<Subscription>> subscribers(store::Reader& reader, std::string_view alert_id, Instant at) {
  const std::string prefix = key_of(alert_id, "");
  MYDR24_ASSIGN(const auto found, reader.states(rows::subscribers, prefix, "", subscribers_max));
  std::vector<Subscription> all;
  for (const store::StateRow& row : found) {
    const auto since = parse_date_time(row.value);
    Subscription subscription{row.key.substr(prefix.size()), since ? since->low : Instant{}};
    if (subscription.is_valid(at)) all.push_back(std::move(subscription));
  }
  return all;
}

}  // namespace mydr24::alerts
