#pragma once

// A drill: a scenario of app/surge against this very server, begun and ended over the interface. One at a time, of at most two
// minutes and at the scenario's own rate. Its patients are treated afterwards, so that nothing of it calls people any more.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/surge/scenario.h"
#include "base/core/clock.h"

namespace mydr24::demo {

struct DrillState {
  enum class Phase : std::uint8_t {
    none,       // there was none since the start
    preparing,  // its patients are admitted, its generators started
    running,
    settling,  // its patients are treated
    over,
  };
  Phase phase = Phase::none;
  std::string_view scenario;
  double multiplier = 0;
  std::chrono::seconds time{};
  Instant begun;                           // when it was asked for; running: when the load began
  std::vector<surge::LoadResult> results;  // of a drill that ran to its end
  std::string problem;                     // why it did not; empty: it did, or somebody ended it
};
std::string_view to_string(DrillState::Phase phase);

class Drill {
 public:
  static constexpr std::chrono::seconds time_min{10}, time_default{60}, time_max{120};

  // `binary`: this program, for the generators.
  Drill(std::filesystem::path binary, const Clock& clock) : binary_(std::move(binary)), clock_(clock) {}
  ~Drill() { close(); }
  Drill(const Drill&) = delete;
  Drill& operator=(const Drill&) = delete;

  // Where the load goes to; before the first begin().
  void aim(load::Endpoint server, load::Endpoint emergency);

  // Code::conflict: one is under way. Code::invalid: there is no such scenario, or it would take too long.
  Result<> begin(std::string_view scenario, std::chrono::seconds time);
  // Ends the load at once; its patients are treated still.
  void end();
  // Ends one whose time is over. To be called every few seconds.
  void keep_time();
  // Treats what patients of a drill an earlier process left behind.
  Result<> settle();
  // Ends everything and waits for it.
  void close();

  DrillState state() const;

 private:
  void run(const surge::Scenario& scenario, const surge::ScenarioSettings& settings);
  void note(DrillState::Phase phase);
  bool wait(std::chrono::milliseconds time);  // true: close() was called

  const std::filesystem::path binary_;
  const Clock& clock_;
  load::Endpoint server_, emergency_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  DrillState state_;
  std::optional<surge::Crew> crew_;  // while its generators run
  bool ending_ = false;              // somebody wants no more load
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace mydr24::demo
