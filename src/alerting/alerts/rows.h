#pragma once

// Where alerts, deliveries and their history stand in the store. Private to alerting/alerts.
//   alerts            alert/ID -> the alert; cause/CAUSE -> ID of the one that is not resolved; open/... and
//                     done/... -> ID, in the order of lists
//   alert_deliveries  DELIVERY -> the delivery (the id begins with the alert's)
//   alert_outbox      DELIVERY -> its alert's id, while it is to be sent
//   alert_history     ID/SEQUENCE -> an event of the alert
//   alert_cycles      ID/CONTACT -> how far the contact's own rules have come since the call
//   alert_arrivals    source/SOURCE/ID or cause/CAUSE/ID -> nothing: an alert came, or news of one; ids in order of time
//   alert_overrides   ID -> an override that is asked for or in force
//   alert_monitors    NAME -> when the monitor was last heard of
//   alert_subscribers ALERT/CONTACT -> since when
//   alert_updates     ALERT/ACTION/DELIVERY, status/ALERT/SEQUENCE/CONTACT, notice/NAME/ID, message/ID -> what is still to be told
//   oncall_notices    NAME -> who was on call when that was looked at last

#include <string>
#include <string_view>

#include "alerting/alerts/alert.h"
#include "storage/store/store.h"

namespace mydr24::alerts::rows {

inline constexpr std::string_view alerts = "alerts";
inline constexpr std::string_view deliveries = "alert_deliveries";
inline constexpr std::string_view outbox = "alert_outbox";
inline constexpr std::string_view history = "alert_history";
inline constexpr std::string_view cycles = "alert_cycles";
inline constexpr std::string_view arrivals = "alert_arrivals";
inline constexpr std::string_view overrides = "alert_overrides";
inline constexpr std::string_view monitors = "alert_monitors";
inline constexpr std::string_view subscribers = "alert_subscribers";
inline constexpr std::string_view updates = "alert_updates";
inline constexpr std::string_view notices = "oncall_notices";
inline constexpr std::string_view status_prefix = "status/";  // of alert_updates; ids of alerts begin otherwise
inline constexpr std::string_view notice_prefix = "notice/";
inline constexpr std::string_view message_prefix = "message/";

std::string alert_key(std::string_view id);
std::string cause_key(std::string_view cause);
std::string list_key(const Alert& alert);
// Behind this one stand the alerts that were resolved before `at`.
std::string done_before(Instant at);
inline constexpr std::string_view open_prefix = "open/";
inline constexpr std::string_view done_prefix = "done/";

// An event in the journal and in the alert's own history.
Result<> note(store::Transaction& transaction, std::string_view kind, std::string_view alert_id,
              std::string_view payload);

Result<> put_delivery(store::Transaction& transaction, const Delivery& delivery);

}  // namespace mydr24::alerts::rows
