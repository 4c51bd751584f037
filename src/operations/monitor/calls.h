#pragma once

// How emergencies reached people, measured from the journal: from the moment one is raised to its first delivery, from
// the moment the policy says "the next one" to that one's delivery, and how many messages arrived. One that is still
// on its way counts by its age, so that a channel that hangs is seen while it hangs.

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/monitor/metric.h"
#include "operations/slo/counts.h"
#include "storage/store/store.h"

namespace mydr24::monitor {

inline constexpr std::chrono::seconds response_limit{2};  // an emergency response that is in time

class Calls : public store::Follower {
 public:
  // Both must outlive it.
  Calls(store::Store& store, const Clock& clock);

  std::string_view name() const override { return "monitor.calls"; }
  // Emergencies that nobody was reached about yet.
  Result<> begin() override;
  void end() override;
  Result<> follow(std::span<const store::Event> events) override;

  // A synthetic emergency was sent over one channel.
  void note_probe(bool delivered, Microseconds took);
  // A synthetic emergency is on its way for so long.
  void note_waiting(Microseconds age);
  // Judges what is still on its way. Once a second.
  void tick();

  // The worst of the last two minutes, what is on its way included; nothing when there was none.
  std::optional<double> response_s() const;
  std::optional<double> escalation_s() const;
  // Share of messages of the last hour that arrived; nothing without any.
  std::optional<double> success() const;
  double responses() const { return static_cast<double>(responses_.load()); }
  double responses_in_time() const { return static_cast<double>(in_time_.load()); }
  double messages() const { return static_cast<double>(messages_.load()); }
  double delivered() const { return static_cast<double>(delivered_.load()); }
  // Emergencies that nobody was reached about for longer than response_limit.
  std::int64_t overdue() const;

  // Sets all that is measured here up as metrics. It must outlive whoever reads them.
  std::vector<Source> sources();

 private:
  struct Open {
    std::optional<Instant> raised;     // nobody was reached yet
    bool is_late = false;              // and it was counted so
    std::optional<Instant> escalated;  // the time at which the policy said so; the next one was not reached yet
    std::vector<std::string> next;     // their deliveries
    std::optional<Instant> next_due;
  };
  void take(const store::Event& event);
  void answered(Open& open, Instant at, std::string_view delivery);
  void respond(Microseconds took);
  void message(bool delivered);

  store::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Open, std::less<>> open_;  // emergencies by alert
  slo::Counts counts_;
  Worst response_{std::chrono::seconds(120)};
  Worst escalation_{std::chrono::seconds(120)};
  std::atomic<std::int64_t> responses_ = 0, in_time_ = 0, messages_ = 0, delivered_ = 0;
};

}  // namespace mydr24::monitor
