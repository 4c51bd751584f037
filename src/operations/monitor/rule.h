#pragma once

// Threshold rules: which metric must not go beyond what, and what is said and advised when it does. Data: JSON in and
// out; those that a server begins with are compiled in. Source of their limits, categories and advice: the operations
// handbook's emergency metrics (emergency response 2 s, data retrieval 5 s, communication 99 %, availability 99.99 %,
// escalation 30 s, record access 10 s, audit lag 30 s); those on a store that answers nothing and a disk without room are
// ours.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::monitor {

using std::chrono::milliseconds;

enum class Comparison : std::uint8_t { above, at_least, below, at_most };
std::string_view to_string(Comparison comparison);
bool is_beyond(Comparison comparison, double value, double limit);

enum class Severity : std::uint8_t { emergency, critical, high, medium, low };
std::string_view to_string(Severity severity);  // "Critical"
// As the book of alerts knows it: critical and high are urgent, what is below advisory.
alerts::Severity book_severity(Severity severity);
std::string_view policy_of(Severity severity);  // of on-call, where the plan has it: "operations-critical"

// Whom or what it touches.
enum class Category : std::uint8_t {
  patient_safety,
  provider_efficiency,
  system_performance,
  compliance_violation,
  security_risk,
  data_integrity
};
std::string_view to_string(Category category);  // "PatientSafety"

struct Rule {
  std::string name;    // letters and digits, at most 63: "EmergencyResponseSlow"
  std::string metric;  // its name
  Comparison comparison = Comparison::above;
  double limit = 0;
  double clear = 0;           // no more beyond this: it is over (hysteresis); as `limit` when not given
  milliseconds hold{0};       // so long beyond it before anybody is told
  milliseconds clear_for{0};  // so long not beyond `clear` before it is over
  Severity severity = Severity::high;
  Category category = Category::system_performance;
  std::string service = {};  // of the incidents' service map; empty: of none
  // Names of rules: what this one finds follows from what they find, so nobody is told of it while one of them fires, nor
  // for two minutes after.
  std::vector<std::string> unless = {};
  std::string title;  // leaves the building: no content of a record. "{value}" is the value
  std::vector<std::string> actions;
  bool tells_missing = true;  // a metric that gives nothing is a finding of its own
  bool is_enabled = true;
  bool operator==(const Rule&) const = default;
};

inline constexpr std::size_t rules_max = 500;
const std::vector<Rule>& default_rules();
// The error names the member: "rules[3].limit".
Result<std::vector<Rule>> rules_of(json::Value list);
void write(json::Writer& out, const Rule& rule);
std::string title_of(const Rule& rule, double value);

}  // namespace mydr24::monitor
