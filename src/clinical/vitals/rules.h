#pragma once

// When vital signs call people: rules as data. A rule set is a JSON document:
//
//   {"format": "mydr24.vitals-rules.v1", "name": "adult wards", "rules": [
//     {"id": "spo2-low", "signal": "spo2", "at_most": 89, "clear": 92, "severity": "urgent", "class": "sustained",
//      "persist": {"seconds": 15}, "population": "adult", "policy": "", "title": "Oxygen saturation low"}]}
//
//   id          1 to 40 of a-z 0-9 -, unique in the set
//   signal      respiration /min, spo2 %, systolic mm[Hg], pulse /min, temperature Cel, consciousness (0 alert, 1
//               confusion, 2 voice, 3 pain, 4 unresponsive), coma_score (3-15), news2 (points, a lower bound when signs
//               are missing), news2_band (0 low, 1 low-medium, 2 medium, 3 high), qsofa (0-3), sirs (0-4)
//   at_least    or at_most, one of them: the threshold. Values are compared as NEWS2 rounds them.
//   clear       hysteresis: an at_least rule ends below it, an at_most rule above it. Without: the threshold itself.
//   severity    emergency, urgent, advisory
//   class       life-threat: calls at once. sustained: under continuous measurement (two readings of a sign within 120
//               s) the condition has to last; a spot check calls at once, there is nothing to wait for.
//   persist     sustained rules only: {"seconds": 1-600} without a break, or {"samples": n, "of": m}, n <= m <= 16; when
//               no more samples come for 120 s, the last one decides
//   population  adult (16 years and more, or unknown; the default) or all
//   policy      whom to call; empty: the default of the severity
//   title       what people are told; it leaves the building: no values, no names. At most 80 bytes.
//
// A set has 1 to rules_max rules and at least one of severity emergency. Parsing is pure; errors name the line.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "base/core/result.h"

namespace mydr24::vitals {

enum class Signal : std::uint8_t {
  respiration,
  spo2,
  systolic,
  pulse,
  temperature,
  consciousness,
  coma_score,
  news2,
  news2_band,
  qsofa,
  sirs,
};
inline constexpr std::size_t signal_count = 11;
std::string_view to_string(Signal signal);
std::optional<Signal> signal_of(std::string_view name);
// What the signal can be at all, inclusive.
struct SignalRange {
  double low = 0;
  double high = 0;
};
SignalRange range_of(Signal signal);

enum class RuleClass : std::uint8_t { life_threat, sustained };
std::string_view to_string(RuleClass rule_class);

struct Rule {
  std::string id;
  std::string title;
  Signal signal = Signal::news2;
  bool upward = true;      // at_least; else at_most
  bool exclusive = false;  // a patient's own limit: above or below it, not on it
  double threshold = 0;
  double clear = 0;
  alerts::Severity severity = alerts::Severity::urgent;
  RuleClass rule_class = RuleClass::sustained;
  std::uint32_t seconds = 0;  // persistence: this long
  std::uint32_t samples = 0;  // or so many
  std::uint32_t of = 0;       // of so many; 0: seconds
  bool adults_only = true;
  std::string policy;

  // `value` as compared.
  bool holds(double value) const;
  bool is_clear(double value) const;
};

inline constexpr std::size_t rules_max = 64;
inline constexpr std::size_t rules_bytes_max = 256U << 10;

struct RuleSet {
  int version = 0;  // 0: built in
  std::string name;
  std::vector<Rule> rules;

  const Rule* find(std::string_view id) const;
};

// Code::invalid, Code::too_large; `where` is "line 12" (or names the rule).
Result<RuleSet> parse_rules(std::string_view text);

// The set in force until another is activated: NEWS2's thresholds (RCP 2017: 7 emergency; 5 and single 3 urgent; ended
// at 4 without a 3), and single signs that cannot wait for a score. Those are beyond every threshold of NEWS2 and, but
// for SpO2, of the calling criteria of the MERIT study (Lancet 2005;365:2091-2097): our own choice, to be set by the
// ward.
std::string_view default_rules_text();
const RuleSet& default_rules();

std::string to_json(const Rule& rule);

}  // namespace mydr24::vitals
