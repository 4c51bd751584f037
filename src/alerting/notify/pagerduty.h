#pragma once

// PagerDuty Events API v2 out, and its webhooks (v3) back. The channel itself: pagerduty.cc.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::notify {

inline constexpr std::size_t pagerduty_summary_max = 1024;
inline constexpr std::size_t pagerduty_dedup_key_max = 255;

struct PagerDutyEvent {
  std::string routing_key;
  std::string action;     // trigger, acknowledge, resolve
  std::string dedup_key;  // what belongs together; cut to 255 bytes
  // Only for trigger:
  std::string summary;  // cut to 1024 characters
  std::string source;
  std::string severity;  // critical, error, warning, info
  Instant at;
  std::string link;  // empty: none
  std::vector<std::pair<std::string, std::string>> details;
};
// The body for POST /v2/enqueue.
std::string pagerduty_body(const PagerDutyEvent& event);
// emergency -> critical, urgent -> error, advisory -> warning, anything else -> info.
std::string_view pagerduty_severity(std::string_view severity);

// X-PagerDuty-Signature: one or more "v1=<HMAC-SHA-256 of the body in hexadecimal>", separated by commas.
bool verify_pagerduty(std::string_view header, std::string_view secret, std::string_view body);

struct PagerDutyNews {
  std::string id;         // of the event: the same however often it is sent
  std::string type;       // "incident.acknowledged", "incident.resolved", ...
  std::string dedup_key;  // ours: the alert's id
  std::string by;         // who did it; "PagerDuty" when it does not say
};
// Code::invalid: no webhook of an event.
Result<PagerDutyNews> parse_pagerduty(std::string_view body);

}  // namespace mydr24::notify
