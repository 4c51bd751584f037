#pragma once

// How bad an incident is, in five steps, and what each step demands: in which time somebody answers, in which time it is over,
// who is called, who is told.
// Source of the times: the operations plan (response 180, 900 and 3600 s; resolution 3600, 14400 and 28800 s; escalation 300
// and 1800 s); those of medium and low are ours.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"

namespace mydr24::incidents {

enum class Severity : std::uint8_t { emergency, critical, high, medium, low };  // the lower value is the more severe
inline constexpr std::size_t severity_count = 5;
inline constexpr std::array severities{Severity::emergency, Severity::critical, Severity::high, Severity::medium,
                                       Severity::low};
std::string_view to_string(Severity severity);  // "emergency" and so on
std::optional<Severity> parse_severity(std::string_view text);

// With which urgency people are called about it.
alerts::Severity page_severity(Severity severity);

struct Criteria {
  Severity severity = Severity::high;
  std::string description;
  std::vector<std::string> examples;
  std::chrono::seconds response{0};    // until somebody answers
  std::chrono::seconds resolution{0};  // until it is over
  bool escalation_required = false;
  std::chrono::seconds escalation_timeout{
      0};  // unanswered this long: the next people are called whatever the policy says
  bool external_notification = false;
  std::string team;              // of the on-call plan
  std::string policy;            // of the on-call plan
  int review_days = 0;           // a review opens itself, due after so many days; 0: see the next
  int review_business_days = 0;  // the same in business days; both 0: no review
  bool needs_review() const { return review_days > 0 || review_business_days > 0; }
};

}  // namespace mydr24::incidents
