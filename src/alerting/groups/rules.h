#pragma once

// The rules that this server judges by itself: times that are too long, and a feed of alerts that has gone silent. They
// give alerts with labels, which go the way of all others. Source of limits and actions: the seed's emergency metrics
// (chapter 14: emergency response 2.0 s, record access 10.0 s, audit lag 30.0 s; an alert is beyond, not at, the limit).

#include <array>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alerting/routing/alert.h"

namespace mydr24::groups {

enum class Measure : std::uint8_t { emergency_response, record_access, audit_lag };

struct Threshold {
  Measure measure;
  std::string_view alertname;
  double limit_s;
  std::string_view severity;  // the label: critical or high
  std::string_view category;  // PatientSafety, ProviderEfficiency, ComplianceViolation
  std::string_view summary;
  std::array<std::string_view, 3> actions;
};
std::span<const Threshold> thresholds();

// The alert when `seconds` is beyond the limit. It ends `lasts` after `now` unless it is judged again.
std::optional<routing::Alert> judge(Measure measure, double seconds, Instant now, routing::milliseconds lasts);

// The worst of each measure since it was asked last. Thread-safe.
class Observed {
 public:
  void observe(Measure measure, double seconds);
  // Alerts of what is beyond its limit; begins anew.
  std::vector<routing::Alert> take(Instant now, routing::milliseconds lasts);

 private:
  std::mutex mutex_;
  std::array<double, 3> worst_{};
};

// A feed is there while alerts that match come at least every `every` (a Watchdog that always fires). Begins to count
// when it is made, on the steady clock: a clock that is set silences no feed.
class Feed {
 public:
  Feed(routing::Matchers matchers, routing::milliseconds every, std::chrono::nanoseconds steady)
      : matchers_(std::move(matchers)), every_(every), last_(steady) {}
  void see(const routing::Labels& labels, std::chrono::nanoseconds steady) {
    if (routing::matches(matchers_, labels)) last_ = steady;
  }
  // FeedMissing, critical, `every` after the last one.
  std::optional<routing::Alert> judge(std::chrono::nanoseconds steady, Instant now, routing::milliseconds lasts) const;

 private:
  routing::Matchers matchers_;
  routing::milliseconds every_;
  std::chrono::nanoseconds last_;  // steady
};

}  // namespace mydr24::groups
