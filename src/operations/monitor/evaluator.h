#pragma once

// Holds every metric against the rules and objectives, once a second: what somebody must be told of now. No store and
// no clock of its own.
//
// Invariants
// - A metric that gives nothing is never taken for one that is well: after absent_after() it is a finding of its own,
//   and of
//   an objective for emergencies each such second is bad.
// - What follows from another finding (Rule::unless) is not told beside it; what was told is told until it is over.
// - A rule whose metric is not measured by this server says so; it never fires and is never well.
// Not thread-safe.

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/writer.h"
#include "operations/monitor/definitions.h"
#include "operations/monitor/metric.h"
#include "operations/slo/counts.h"

namespace mydr24::monitor {

inline constexpr std::string_view cause_prefix = "monitor/";

// What somebody must be told of.
struct Finding {
  std::string cause;  // "monitor/EmergencyResponseSlow", "monitor/ComplianceRisk/missing", "monitor/slo/NAME/page"
  Severity severity = Severity::high;
  Category category = Category::system_performance;
  std::string title;
  std::string reason;
  std::string values;  // JSON: metric, value, limit, severity, category, actions
};

enum class RuleState : std::uint8_t { ok, pending, firing, missing, unmeasured, disabled };
std::string_view to_string(RuleState state);

// Good and all events of an objective that this process saw since it is defined as it is, for /metrics.
struct ObjectiveTotals {
  std::string slo;
  std::size_t objective = 0;
  slo::Count all;
};

// The metrics of this server that definitions name, read from the specs of their indicators: of each objective of each
// SLO; empty: none.
struct Natives {
  struct Names {
    std::string metric, total;
  };
  std::vector<std::vector<Names>> slos;
};
Natives natives_of(const Definitions& definitions);

class Evaluator {
 public:
  Evaluator() = default;
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  // Before the first evaluation. Of two with one name the first counts.
  void add(Source source);
  void record_to(Recorder recorder) { recorder_ = std::move(recorder); }
  // What goes on keeps its state and its history. `natives`: of these definitions.
  void use(const Definitions& definitions, const Natives& natives, std::chrono::nanoseconds steady);
  // An alert with that cause is open from before: its rule goes on firing until it is seen to be over. False: it is of
  // no rule, and whether it goes on is not known before time has passed.
  bool restore(std::string_view cause);
  // `counted`: as HourCount has it; empty: it is not known. False: the objective is another one now, and nothing was
  // restored.
  bool restore(std::string_view slo, std::size_t objective, std::string_view counted, Instant hour,
               const slo::Count& events);
  // Counts the time in which nothing ran as bad, where no data is bad.
  void restore_gap(Instant from, Instant to);

  std::vector<Finding> evaluate(Instant now, std::chrono::nanoseconds steady);

  struct HourCount {
    std::string slo;
    std::size_t objective = 0;
    std::string counted;  // names what was counted, and how: another one after the objective was redefined
    Instant hour;
    slo::Count count;
  };
  // The hours from that of `from` to that of `to` in which anything was counted, as they are now.
  std::vector<HourCount> hours(Instant from, Instant to) const;
  std::vector<ObjectiveTotals> totals() const;
  std::optional<double> value(std::string_view metric) const;
  // The least share of an error budget that is left of a service's objectives, below 0: overspent. Nothing: it has
  // none.
  std::optional<double> budget_left(std::string_view service, Instant now) const;
  // How many times too fast an objective spends its budget, in the short window of the fastest condition (5 minutes of
  // 30 days). Nothing: there is no such objective, or nothing is measured of it.
  std::optional<double> burn_rate(std::string_view slo) const;

  void write_metrics(json::Writer& out, std::chrono::nanoseconds steady) const;
  void write_rules(json::Writer& out) const;
  void write_slos(json::Writer& out, Instant now) const;
  bool write_slo(json::Writer& out, std::string_view name, Instant now) const;  // false: there is none
  // What rules would have said of the last 5 minutes: {"name", "fires_now", "seconds_beyond", "would_fire"}.
  void write_preview(json::Writer& out, const std::vector<Rule>& rules) const;

 private:
  struct Metric {
    Source source;
    Samples samples{};
    std::optional<double> value;           // of the last evaluation
    std::optional<double> before;          // of the one before it
    std::optional<double> known;           // the last there was
    std::chrono::nanoseconds known_at{0};  // steady; when that was, or since when it is waited for
    std::chrono::milliseconds absent_after{0};
  };
  struct Watched {
    Rule rule;
    std::optional<std::size_t> metric;
    RuleState state = RuleState::ok;
    std::optional<std::chrono::nanoseconds> since;  // of the hold, or of the clearing
    bool is_firing = false;
    bool tells_missing = false;                // the metric gives nothing
    bool is_told = false;                      // of those that fire
    std::chrono::nanoseconds hushed_until{0};  // steady; another rule says why it fires
    double worst = 0;
  };
  struct Part {
    slo::Objective objective;
    slo::Slicer slicer;
    slo::Counts counts{};
    std::optional<std::size_t> metric, total;
    slo::Indicator::Kind kind = slo::Indicator::Kind::threshold;
    std::string counted;  // see HourCount
    std::array<slo::Burn, slo::condition_count> burns{};
    std::optional<std::chrono::nanoseconds> failed_at;  // steady; the last bad event of an emergency objective
    double ahead = 0;  // of a counter: events that the total does not have yet, as the two are read one after the other
  };
  struct Watch {
    slo::Slo slo;
    std::chrono::seconds period{0};
    slo::Conditions conditions;
    std::vector<Part> parts;
  };

  std::optional<std::size_t> find(std::string_view metric) const;
  bool is_missing(const Metric& metric, std::chrono::nanoseconds steady) const;
  void sample(Instant now, std::chrono::nanoseconds steady);
  void judge(Watched& watched, std::chrono::nanoseconds steady) const;
  void decide(Watched& watched, std::chrono::nanoseconds steady) const;
  void count(Watch& watch, Instant now, std::chrono::nanoseconds steady) const;
  static slo::Count padded(const Watch& watch, const Part& part, slo::Count count, std::chrono::seconds length);
  static slo::Budget budget(const Watch& watch, const Part& part, Instant begin);
  std::optional<slo::Count> events_of(Part& part, slo::NoData no_data) const;
  void tell(const Watched& watched, std::vector<Finding>& findings) const;
  static void tell(const Watch& watch, std::chrono::nanoseconds steady, std::vector<Finding>& findings);
  Part make_part(const slo::Slo& slo, const slo::Objective& objective, const Natives::Names& names) const;
  void set_absences(const Natives& natives, std::chrono::nanoseconds steady);
  void write_slo(json::Writer& out, const Watch& watch, Instant now) const;

  std::vector<Metric> metrics_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<Watched> rules_;
  std::vector<Watch> slos_;
  Recorder recorder_;
};

}  // namespace mydr24::monitor
