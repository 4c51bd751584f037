#pragma once

// Service level objectives as values: what is promised of which indicator in which time, how much may go wrong (the
// error budget), and when so much goes wrong that somebody must be told (burn rates). Pure functions: no store, no
// clock, no I/O. Sources: OpenSLO v1 (objects, budgeting methods, names); Google SRE workbook, ch. 5 (alerts on
// several windows and burn rates: 2 % of a 30-day budget in 1 hour is a burn rate of 14.4, 5 % in 6 hours 6, 10 % in a
// day 3, 10 % in 3 days 1).

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "operations/slo/counts.h"

namespace mydr24::slo {

// What the budget is counted in. occurrences: good events of all events. timeslices: slices of time, of which one is
// good when its share of good events reaches timeSliceTarget. ratio_timeslices: each slice counts by its share of good
// events.
enum class Method : std::uint8_t { occurrences, timeslices, ratio_timeslices };
enum class Operator : std::uint8_t { lte, gte, lt, gt };

std::string_view to_string(Method method);  // "Occurrences", "Timeslices", "RatioTimeslices"
std::string_view to_string(Operator op);    // "lte", "gte", "lt", "gt"
std::optional<Method> parse_method(std::string_view text);
std::optional<Operator> parse_operator(std::string_view text);
bool holds(Operator op, double value, double limit);

// Where numbers come from. Type "MyDR24" is this server: spec {"metric": "NAME"}; other types are kept as they are.
struct MetricSource {
  std::string ref;
  std::string type;
  std::string spec;  // a JSON object
  bool operator==(const MetricSource&) const = default;
};
// The metric of this server that the source names; empty: it is none.
std::string native_metric(const MetricSource& source);

struct Indicator {
  enum class Kind : std::uint8_t { good_total, bad_total, raw_success, raw_failure, threshold };
  std::string name;
  std::string display_name;
  std::string description;
  Kind kind = Kind::threshold;
  bool counter = true;  // of ratios: grows only
  MetricSource metric;  // good, bad, raw, or what is held against the objective's value
  MetricSource total;   // good_total, bad_total
  bool operator==(const Indicator&) const = default;
};

struct Objective {
  std::string display_name;
  std::optional<Operator> op;           // of threshold indicators: good is what it holds for
  std::optional<double> value;          // likewise
  double target = 0;                    // [0, 1)
  bool in_percent = false;              // it was written as targetPercent
  std::optional<double> slice_target;   // (0, 1]; of timeslices
  std::optional<seconds> slice_window;  // of timeslices and ratio_timeslices
  std::optional<Indicator> indicator;   // of composites: its own
  double weight = 1;                    // of composites
  bool operator==(const Objective&) const = default;
};

// Rolling: the last so much time. Calendar: from `start` by the wall clock of `time_zone`, period after period.
struct Window {
  std::string duration = "30d";  // OpenSLO shorthand: 12h, 28d, 1w, 1M, 1Q, 1Y
  bool is_rolling = true;
  std::string start;      // calendar: "2026-01-01 00:00:00"
  std::string time_zone;  // calendar: IANA
  bool operator==(const Window&) const = default;
};
// 30 days for a month, 90 for a quarter, 365 for a year. Code::invalid.
Result<seconds> length_of(std::string_view duration);
// When the period of a calendar window that holds `now` began; of a rolling one, so long before it.
Result<Instant> begin_of(const Window& window, Instant now);

// What is done with a second in which an indicator gave nothing: left out, or counted as bad.
enum class NoData : std::uint8_t { ignore, bad };

struct Slo {
  std::string name;  // RFC 1123
  std::string display_name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::string description;
  std::string service;
  std::optional<Indicator> indicator;  // nothing: every objective has its own (composite)
  Window window;
  Method method = Method::occurrences;
  std::vector<Objective> objectives;        // at least one
  std::vector<std::string> alert_policies;  // JSON objects, kept as they are
  bool operator==(const Slo&) const = default;

  bool is_composite() const { return !indicator.has_value(); }
  // Annotation mydr24.io/class: emergency. Then what gives nothing is bad, and each bad event is a finding of its own.
  bool is_emergency() const;
  NoData no_data() const;  // annotation mydr24.io/no-data: bad, ignore
  double min_traffic()
      const;  // annotation mydr24.io/min-traffic: events in the long window below which nobody is called
};

inline constexpr seconds window_max = std::chrono::days(33);  // so long Counts remembers
inline constexpr std::size_t name_size_max = 63;
inline constexpr std::size_t description_size_max = 1'050;
// At most 63 of a-z 0-9 -, the first and the last no '-' (RFC 1123); not "null", which YAML takes for nothing.
bool is_name(std::string_view text);
// Code::invalid names the member: "spec.objectives[0].target".
Result<> check(const Slo& slo);

// ---- burn rates
struct Condition {
  double burn = 0;  // so many times the speed at which the budget lasts its period
  seconds long_window{0};
  seconds short_window{0};
  bool pages = false;  // else a ticket: seen to in working hours
};
inline constexpr std::size_t condition_count = 4;
using Conditions = std::array<Condition, condition_count>;
// Of 30 days: 14.4 in 1 h and 5 min, 6 in 6 h and 30 min (page); 3 in 1 d and 2 h, 1 in 3 d and 6 h (ticket). Of other
// periods the windows are as much longer or shorter, and no window is shorter than 5 seconds.
Conditions conditions(seconds period);
// The share of bad events beyond which a condition holds: burn x (1 - target).
double threshold(const Condition& condition, double target);

struct Burn {
  double long_rate = 0;  // burn rates
  double short_rate = 0;
  bool has_traffic = false;
  bool fires = false;
};
// Both windows are beyond the threshold and the long one has at least `min_traffic` events.
Burn judge(const Condition& condition, double target, const Count& in_long, const Count& in_short, double min_traffic);

// How long an indicator may give nothing before somebody is told: as long as an outage of everything needs to make the
// fastest condition hold, at least 5 seconds.
std::chrono::milliseconds absent_after(double target, seconds period);

// ---- budgets
struct Budget {
  Count count;           // of the period
  double attained = 1;   // share of good events
  double allowed = 0;    // bad events that the target leaves
  double remaining = 1;  // share of the budget that is left; below 0: more is spent than there was
};
Budget budget_of(double target, const Count& count);
// What a composite attained: what was missed of its parts adds up, each by its weight; at least 0. Two parts that each
// attained 0.95: 0.90.
double composite(const std::vector<std::pair<double, double>>& attained_and_weight);

// From the events of seconds to those of the budget: slices of time are counted when they end.
class Slicer {
 public:
  Slicer(Method method, const Objective& objective);
  // What to count for the second that ends at `now`.
  Count take(Instant now, Count events);

 private:
  Count close() const;

  Method method_;
  double slice_target_;
  std::int64_t slice_s_;
  std::int64_t slice_ = -1;
  Count open_;
};

// ---- OpenSLO v1
struct Documents {
  std::vector<Slo> slos;            // with the indicators that they refer to
  std::vector<std::string> others;  // kinds and names of what is valid and has no use here: "Service/foo"
};
inline constexpr std::size_t yaml_bytes_max = std::size_t{1} << 20;
// One or several documents, without YAML aliases. Code::invalid, Code::too_large: the text names the line and the
// member. Takes up to a second for yaml_bytes_max.
Result<Documents> parse_openslo(std::string_view yaml);
std::string to_openslo(const Slo& slo);
std::string to_openslo(const std::vector<Slo>& slos);

// ---- Prometheus
// Recording and alerting rules on mydr24_slo_good_total and mydr24_slo_events_total, which /metrics gives for every
// objective; and a file for `promtool test rules` that expects of them what judge() says.
std::string prometheus_rules(const std::vector<Slo>& slos);
std::string prometheus_tests(const std::vector<Slo>& slos, std::string_view rules_file);
// "5m", "1h", "90s".
std::string prometheus_duration(seconds time);

}  // namespace mydr24::slo
