#include "alerting/groups/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mydr24::groups {
namespace {

constexpr std::array<Threshold, 3> table{{
    {Measure::emergency_response,
     "EmergencyResponseSlow",
     2.0,
     "critical",
     "PatientSafety",
     "An emergency took longer than it may to reach a person",
     {"Look at the load of the emergency path", "See that its database connections work",
      "Give emergencies more capacity"}},
    {Measure::record_access,
     "SlowPatientDataAccess",
     10.0,
     "high",
     "ProviderEfficiency",
     "Reading a record took longer than it may",
     {"Look for slow queries", "See how often the caches answer", "Give the database more capacity"}},
    {Measure::audit_lag,
     "ComplianceRisk",
     30.0,
     "high",
     "ComplianceViolation",
     "The audit trail lags behind",
     {"Look at what the audit trail has to do", "See that its storage is well", "Give it more capacity"}},
}};

routing::Alert made(std::vector<routing::Label> labels, std::vector<routing::Label> annotations, Instant now,
                    routing::milliseconds lasts) {
  return {.labels = routing::Labels(std::move(labels)),
          .annotations = routing::Labels(std::move(annotations)),
          .starts_at = now,
          .ends_at = now + lasts,
          .updated_at = now,
          .timeout = true};
}

}  // namespace

std::span<const Threshold> thresholds() { return table; }

std::optional<routing::Alert> judge(Measure measure, double seconds, Instant now, routing::milliseconds lasts) {
  const Threshold& rule = table[static_cast<std::size_t>(measure)];
  if (!(seconds > rule.limit_s)) return std::nullopt;
  return made({{"alertname", std::string(rule.alertname)},
               {"severity", std::string(rule.severity)},
               {"category", std::string(rule.category)},
               {"source", "mydr24"}},
              {{"summary", std::string(rule.summary)},
               {"value_s", fmt::format("{:.3f}", seconds)},
               {"limit_s", fmt::format("{:.1f}", rule.limit_s)},
               {"action_1", std::string(rule.actions[0])},
               {"action_2", std::string(rule.actions[1])},
               {"action_3", std::string(rule.actions[2])}},
              now, lasts);
}

void Observed::observe(Measure measure, double seconds) {
  const std::lock_guard lock(mutex_);
  double& worst = worst_[static_cast<std::size_t>(measure)];
  worst = std::max(worst, seconds);
}

std::vector<routing::Alert> Observed::take(Instant now, routing::milliseconds lasts) {
  std::array<double, 3> worst{};
  {
    const std::lock_guard lock(mutex_);
    std::swap(worst, worst_);
  }
  std::vector<routing::Alert> alerts;
  for (const Threshold& rule : table)
    if (auto alert = judge(rule.measure, worst[static_cast<std::size_t>(rule.measure)], now, lasts))
      alerts.push_back(std::move(*alert));
  return alerts;
}

std::optional<routing::Alert> Feed::judge(std::chrono::nanoseconds steady, Instant now,
                                          routing::milliseconds lasts) const {
  if (steady < last_ + every_) return std::nullopt;
  return made({{"alertname", "FeedMissing"},
               {"severity", "critical"},
               {"category", "PatientSafety"},
               {"feed", routing::to_text(matchers_)},
               {"source", "mydr24"}},
              {{"summary", "The feed of alerts has gone silent: what it watches is not watched"}}, now, lasts);
}

}  // namespace mydr24::groups
