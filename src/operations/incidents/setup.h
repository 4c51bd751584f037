#pragma once

// How incidents are classified and handled, as data: severities, rules, services, runbooks, whom to tell. A JSON document,
// format "mydr24.incident-setup.v1" (docs/incidents.md describes every member); a Setup is immutable and complete: every
// severity has its criteria, every service that is named is there, no service depends on itself, every rule has test vectors.

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/address.h"
#include "alerting/oncall/plan.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/zone/zone.h"
#include "operations/incidents/condition.h"
#include "operations/incidents/contains.h"
#include "operations/incidents/severity.h"

namespace mydr24::incidents {

inline constexpr std::size_t setup_bytes_max = 1U << 20;
inline constexpr std::size_t rules_max = 200;
inline constexpr std::size_t vectors_max = 50;  // of a rule, and of the whole set the same a hundred times
inline constexpr std::size_t services_max = 200;
inline constexpr std::size_t runbooks_max = 500;
inline constexpr std::size_t addresses_max = 20;

// What a rule must make of these facts.
struct Vector {
  Facts facts;
  bool matches = true;
};

struct Rule {
  std::string name;
  Condition condition;
  Severity severity = Severity::high;
  bool breach = false;  // of personal data: a privacy officer belongs to it
  std::vector<Vector> vectors;
};

// What the whole set must make of these facts.
struct SetVector {
  Facts facts;
  Severity severity = Severity::high;
  std::string reason;  // why it is here: of a person's correction, what they said
};

struct Service {
  std::string name;
  std::string title;
  std::vector<std::string> depends_on;
  std::vector<std::string> wards;  // ids of Locations: "icu"
  std::string team, policy;        // of the on-call plan; empty: those of the severity
  bool is_public = false;          // stands on the status page
};

struct Runbook {
  std::string name;
  std::string link;
  std::string service;               // empty: any
  std::optional<Severity> severity;  // nothing: any
  std::vector<std::string> steps;
};

// Which alerts open incidents. The first that fits counts.
struct AlertRule {
  std::string source;  // of the alert; "*": any
  alerts::Severity severity = alerts::Severity::emergency;
  std::optional<Severity> as;  // nothing: it opens none
  std::string service;
  // What the alert's values say goes before: "severity" where it is higher than `as`, "service" where the map has it. Such
  // alerts join the incident that alerts of their source opened of the same service, or lately of one that it depends on or
  // that depends on it, and the incident calls people in their place.
  bool own = false;
};

// Which rule decided, by which words, and what else was possible.
struct Classification {
  Severity severity = Severity::high;
  bool breach = false;
  std::string rule;                // empty: none matched
  std::vector<std::string> terms;  // of the rule that decided
  struct Alternative {
    std::string rule;
    Severity severity = Severity::high;
    std::vector<std::string> terms;
  };
  std::vector<Alternative> alternatives;  // other rules that match
};

// Services that an incident of one of them touches.
struct Reach {
  std::vector<std::string> services;  // itself first, then those that depend on it
  std::vector<std::string> wards;     // sorted
};

class Setup {
 public:
  // Code::invalid, Code::too_large; `where` is the path of the member, "rules[1].condition: column 9".
  static Result<Setup> parse(std::string_view text);
  static std::string_view default_text();

  const std::string& text() const { return text_; }  // compact, with secrets
  std::string shown() const;                         // with "***" in place of what is secret
  const Criteria& criteria(Severity severity) const { return criteria_[static_cast<std::size_t>(severity)]; }
  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<SetVector>& vectors() const { return vectors_; }
  const std::vector<Service>& services() const { return services_; }
  const std::vector<Runbook>& runbooks() const { return runbooks_; }
  const std::vector<notify::Address>& external() const { return external_; }
  const std::vector<notify::Address>& webhooks() const { return webhooks_; }
  const std::vector<notify::Address>& updates() const { return updates_; }
  const std::string& privacy_officer() const { return privacy_officer_; }
  const Service* service(std::string_view name) const;  // null when there is none

  // The highest severity of the rules that match; the default one when none does.
  Classification classify(const Facts& facts) const;
  // Nothing: alerts of that kind open no incident.
  const AlertRule* alert_rule(std::string_view source, alerts::Severity severity) const;
  Reach reach_of(std::string_view service) const;
  // Who is called: the service's policy, or that of the severity.
  const std::string& policy_of(Severity severity, std::string_view service) const;
  const std::string& team_of(Severity severity, std::string_view service) const;
  // So many business days (Monday to Friday but holidays, by the wall clock of its zone) after `from`, at the same time of day.
  Instant business_days_after(Instant from, int days) const;
  Instant review_due(Severity severity, Instant from) const;

  // What test vectors say is wrong, a line each; empty: all hold.
  std::vector<std::string> failed_vectors() const;
  // Teams and policies that the on-call plan does not have: the default policy answers in their place.
  std::vector<std::string> warnings(const oncall::Plan& plan) const;

 private:
  friend class SetupReader;
  std::string text_;
  zone::Zone zone_;
  std::set<std::string, std::less<>> holidays_;  // 2026-12-25
  std::string privacy_officer_;
  Severity default_severity_ = Severity::high;
  std::array<Criteria, severity_count> criteria_;
  std::vector<Rule> rules_;
  std::vector<SetVector> vectors_;
  std::vector<Service> services_;
  std::vector<Runbook> runbooks_;
  std::vector<AlertRule> alerts_;
  std::vector<notify::Address> external_, webhooks_, updates_;
};

using SetupPointer = std::shared_ptr<const Setup>;

}  // namespace mydr24::incidents
