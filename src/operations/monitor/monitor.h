#pragma once

// The monitor of a running server: evaluates once a second, and tells people by the book of alerts (cause
// "monitor/...").
//
// Invariants
// - A finding is one alert from its beginning to its end, also over a restart: what was open is taken up again.
// - What the store does not take is told again a second later; until it does, people are called from memory (Unstored).
// - However much goes wrong at once, at most findings_max of its alerts are open: one more says how many are not shown.
// On a store that several servers share, the one that leads tells; each measures itself.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/book.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "operations/monitor/evaluator.h"
#include "operations/monitor/unstored.h"

namespace mydr24::monitor {

inline constexpr std::size_t findings_max = 40;

class Monitor : public store::Follower {
 public:
  // All must outlive it, except that the store may be closed after the last tick().
  Monitor(store::Store& store, const alerts::Book& book, const Clock& clock, const telemetry::Log& log);

  // Before start().
  void add(Source source);
  void record_to(Recorder recorder);
  // Calls people when the store does not take what was found. Called on the ticking thread; must be quick.
  using CallFromMemory = std::function<void(const Unstored::Call&)>;
  void call_with(CallFromMemory call) { call_from_memory_ = std::move(call); }
  // Before the store's first submit.
  void attach() { store_.add_follower(*this); }
  // Definitions, what was open, and what is kept of the objectives' hours.
  Result<> start();
  // Often; evaluates once a second. One thread.
  void tick();

  // Definitions of another process's change.
  std::string_view name() const override { return "monitor.definitions"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

  DefinitionsPointer definitions() const;
  // After the commit of a change. Later revisions win.
  void publish(Definitions definitions);

  // It evaluates, and what it had to write was written: heartbeats to the outside are sent only then. Thread-safe.
  bool is_working() const;
  // {"verdict": "ok" | "degraded" | "critical", "findings", "metrics", ...}
  std::string status_json() const;
  std::string rules_json() const;
  std::string slos_json() const;
  Result<std::string> slo_json(std::string_view name) const;
  std::string preview_json(const std::vector<Rule>& rules) const;
  std::optional<double> value(std::string_view metric) const;
  std::optional<double> budget_left(std::string_view service) const;  // as Evaluator's
  std::optional<double> burn_rate(std::string_view slo) const;
  // mydr24_slo_good_total and mydr24_slo_events_total of each objective, and mydr24_monitor_findings.
  void add_metrics(telemetry::Metrics& metrics);

  // The time of the last evaluation, and the longest since the start.
  std::chrono::microseconds evaluation_last() const { return std::chrono::microseconds(evaluation_us_.load()); }

 private:
  struct Plan {
    std::vector<Finding> raise;
    std::vector<std::string> resolve;
  };
  Result<> take_up();
  Result<> restore_hours();
  static void bound(std::vector<Finding>& findings);
  void tell(const std::vector<Finding>& findings);
  void call_unstored(const std::vector<Finding>& findings, std::chrono::nanoseconds steady);
  Result<> write(store::Transaction& transaction, const Plan& plan) const;
  void keep_hours(Instant now);
  void look_again();
  void expose(telemetry::Metrics& metrics);

  store::Store& store_;
  const alerts::Book& book_;
  const Clock& clock_;
  const telemetry::Log& log_;
  telemetry::LogLimit refused_{std::chrono::minutes(1)};

  mutable std::mutex mutex_;  // of what follows
  Evaluator evaluator_;
  DefinitionsPointer definitions_;
  std::set<std::string, std::less<>> open_;  // causes of alerts that are open
  std::vector<Finding> findings_;            // of the last evaluation
  bool writing_ = false;
  bool refusing_ = false;  // the last write was
  bool leads_ = false;

  std::chrono::nanoseconds evaluated_at_{0};  // steady; the ticking thread's, as the next three
  std::chrono::nanoseconds kept_at_{0};
  std::chrono::nanoseconds looked_at_{0};
  CallFromMemory call_from_memory_;
  Unstored unstored_;
  std::chrono::nanoseconds led_at_{0};
  std::map<std::string, telemetry::Counter> counters_;
  std::atomic<std::int64_t> alive_at_ns_ = 0;  // steady
  std::atomic<std::int64_t> evaluation_us_ = 0;
};

}  // namespace mydr24::monitor
