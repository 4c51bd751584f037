#pragma once

// A call of the Book as the channels are given it. Private to alerting/alerts.

#include "alerting/alerts/alert.h"
#include "alerting/notify/channel.h"

namespace mydr24::alerts {

inline notify::Message message_of(const Alert& alert, const Delivery& delivery, int attempt) {
  return {.alert_id = alert.id,
          .delivery_id = delivery.id,
          .attempt = attempt,
          .severity = std::string(to_string(alert.severity)),
          .title = alert.title,
          .contact = delivery.contact,
          .step = delivery.step,
          .repeat = delivery.repeat,
          .raised_at = alert.raised_at,
          .patient = alert.patient,
          .reason = alert.reason};
}

}  // namespace mydr24::alerts
