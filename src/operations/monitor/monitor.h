#pragma once

// The monitor of a running server: evaluates once a second, and tells people by the book of alerts (cause
// "monitor/...").
//
// Invariants
// - A finding is one alert from its beginning to its end, also over a restart: what was open is taken up again, and what
//   is not measured long enough to know whether it goes on stays open for unsure_for.
// - What the store does not take is told again a second later; until it does, people are called from memory (Unstored).
// - However much goes wrong at once, at most findings_max alerts are raised, the most severe first: one of them says how
//   many are not shown. What is open stays so until it is over, also when something worse comes.
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
inline constexpr std::chrono::minutes unsure_for{3};

class Monitor : public store::Follower {
 public:
  // All must outlive it, except that the store may be closed after stop().
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
  // Writes down what objectives counted since the last time. tick() does it when nobody did for 70 seconds. Thread-safe.
  void keep();
  // After the last tick(): what was counted since is kept. The write is submitted, and done when the store is closed.
  void stop() { keep(); }

  // Definitions of another process's change.
  std::string_view name() const override { return "monitor.definitions"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

  DefinitionsPointer definitions() const;
  // After the commit of a change. Later revisions win.
  void publish(Definitions definitions);

  // It leads, it evaluates, and what it had to write was written: heartbeats to the outside are sent only then.
  // Thread-safe.
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
  Result<> take_up(std::chrono::nanoseconds steady);
  Result<> restore_hours();
  void use(Definitions definitions, bool only_later);
  std::set<std::string> bound(std::vector<Finding>& findings) const;
  void tell(const std::vector<Finding>& findings, const std::set<std::string>& hidden);
  void call_unstored(const std::vector<Finding>& findings, std::chrono::nanoseconds steady);
  Result<> write(store::Transaction& transaction, const Plan& plan) const;
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
  // Of them those that an earlier process raised, and until when (steady) their not being found means nothing.
  std::map<std::string, std::chrono::nanoseconds, std::less<>> unsure_;
  std::vector<Finding> findings_;  // of the last evaluation
  bool writing_ = false;
  bool refusing_ = false;  // the last write was
  bool leads_ = false;
  Instant kept_until_;                               // what was counted before it is kept
  std::optional<std::chrono::nanoseconds> kept_at_;  // steady; when that was written last
  std::int64_t erased_before_ = 0;                   // hours before this one are not in the store any more
  struct Exposed {
    telemetry::Counter counter;
    double last = 0;  // of the objective
  };
  std::map<std::string, Exposed> counters_;

  std::chrono::nanoseconds evaluated_at_{0};  // steady; the ticking thread's, as the next
  std::chrono::nanoseconds looked_at_{0};
  CallFromMemory call_from_memory_;
  Unstored unstored_;
  std::chrono::nanoseconds led_at_{0};
  std::atomic<std::int64_t> alive_at_ns_ = 0;  // steady
  std::atomic<std::int64_t> evaluation_us_ = 0;
};

}  // namespace mydr24::monitor
