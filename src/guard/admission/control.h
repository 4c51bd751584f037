#pragma once

// Admission as the pipeline and the wiring see it: the gates of both listeners, the brown-out ladder, the threshold, hints of
// a surge to come, and the figures of it all.
//
// Invariants
// - An emergency is never refused on suspicion: not by level, threshold or overload; only when its own queue is full or
//   it has waited for seconds.
// - The gate of the emergency listener shares no lock with the general ones.
// Thread-safe.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/core/clock.h"
#include "base/core/request_class.h"
#include "base/core/result.h"
#include "guard/admission/cost.h"
#include "guard/admission/gate.h"
#include "guard/admission/ladder.h"
#include "guard/admission/tally.h"
#include "guard/admission/threshold.h"
#include "guard/admission/verdict.h"

namespace mydr24::admission {

enum class Listener : std::uint8_t { general, emergency };

struct ControlSettings {
  std::size_t workers = 1;        // threads behind Cost::work
  std::size_t write_seats = 128;  // writes that are made ready or wait for their commit
  std::size_t emergency_seats = 32;
  Nanoseconds target{std::chrono::milliseconds(20)};
  Nanoseconds interval{std::chrono::milliseconds(100)};
  Nanoseconds age_max{std::chrono::seconds(1)};
  std::string ticket_key;  // empty: no ticket is valid
};

// A surge that somebody expects: held at level 1 meanwhile.
struct Hint {
  std::string scenario;  // "mass-casualty"; letters, digits, '-', at most 64
  double factor = 1;     // expected load over today's
  std::chrono::seconds eta{0};
  std::chrono::seconds lasts{0};
};

struct LevelChange {
  int from = 0;
  int to = 0;
};

class Control {
 public:
  explicit Control(const ControlSettings& settings);

  // ---- by the pipeline, for each request
  const std::string& ticket_key() const { return settings_.ticket_key; }
  Gate& gate(Listener listener, Cost cost);
  // What needs no seat and no lock: level and threshold. `writes`: a routine write is refused from level 3 on.
  Refusal screen(RequestClass request_class, Cost cost, std::size_t rank);
  void count_admitted(RequestClass request_class) { admitted_[index(request_class)].add(); }
  void count_refused(RequestClass request_class, Refusal refusal) {
    refused_[index(request_class)][static_cast<std::size_t>(refusal)].add();
  }
  int level() const { return level_.load(std::memory_order_relaxed); }
  // What a refused client is told to wait, before jitter: how many times more is offered than served.
  double excess() const { return excess_.load(std::memory_order_relaxed); }

  // ---- by the wiring
  // Every 10 ms or so. `lag`: the longest of the general listener's I/O threads since the last tick; `emergency_lag`: of
  // the emergency listener's. A change of level, if there was one.
  std::optional<LevelChange> tick(Nanoseconds now, Nanoseconds lag, Nanoseconds emergency_lag);
  // Code::invalid names the field.
  Result<> accept(const Hint& hint, Nanoseconds now);

  struct Figures {
    std::array<std::uint64_t, request_class_count> admitted{};
    std::array<std::array<std::uint64_t, refusal_count>, request_class_count> refused{};
    std::array<std::size_t, request_class_count> limit{};  // of the queues
    std::array<std::size_t, request_class_count> waiting{};
    std::size_t threshold = 0;
    int level = 0;
  };
  Figures figures() const;

 private:
  static std::size_t index(RequestClass request_class) { return static_cast<std::size_t>(request_class); }
  void step(Nanoseconds now);

  const ControlSettings settings_;
  Gate work_;
  Gate write_;
  Gate emergency_;
  Threshold threshold_;
  std::array<Tally, request_class_count> admitted_;
  std::array<std::array<Tally, refusal_count>, request_class_count> refused_;
  std::atomic<int> level_{0};
  std::atomic<double> excess_{1};

  std::mutex ticking_;  // guards what follows
  Ladder ladder_;
  Nanoseconds next_tick_{0};
  std::array<bool, request_class_count> overloaded_{};  // since the last step of the ladder
  bool late_ = false;                                   // an I/O thread was, since then
  std::uint64_t admitted_before_ = 0;
  std::uint64_t refused_before_ = 0;
};

}  // namespace mydr24::admission
