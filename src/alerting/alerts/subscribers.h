#pragma once

// Who wants to be told what becomes of an alert. A subscription is a contact's, for one alert, and lasts 7 days unless it
// is made again. The one who did what is told of is not told (Updates).

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "alerting/oncall/plan.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

inline constexpr std::chrono::days subscription_valid{7};
inline constexpr std::uint32_t subscribers_max = 200;  // of one alert

struct Subscription {
  std::string contact;
  Instant since;
  bool is_valid(Instant at) const { return at < since + subscription_valid; }
};
std::string to_json(const std::vector<Subscription>& subscriptions);

// By whom a status update can be read: the first of the contact's methods that may be used and takes a text.
const oncall::Method* text_method(const oncall::Contact& contact);

// `identity`: whatever the plan knows the person by. Again: from now on for the whole time. Code::not_found (alert),
// Code::conflict (resolved), Code::invalid (no contact, or none of their methods takes a text), Code::too_large.
Result<> subscribe(store::Transaction& transaction, const oncall::Plan& plan, std::string_view alert_id,
                   std::string_view identity);
// No error when there was no subscription.
Result<> unsubscribe(store::Transaction& transaction, const oncall::Plan& plan, std::string_view alert_id,
                     std::string_view identity);
// Those that are valid at `at`.
Result<std::vector<Subscription>> subscribers(store::Reader& reader, std::string_view alert_id, Instant at);

}  // namespace mydr24::alerts
