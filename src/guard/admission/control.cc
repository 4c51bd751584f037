#include "guard/admission/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mydr24::admission {
namespace {

// Longer than a processor shared with others makes an idle thread wait: 20 ms refused single clients while a compiler ran beside.
constexpr Nanoseconds lag_max = std::chrono::milliseconds(100);
// A disk that stands still for a second must not turn emergencies away: at a hundred a second so many come meanwhile.
constexpr std::size_t emergency_places_min = 128;
constexpr std::size_t scenario_bytes_max = 64;
constexpr std::chrono::seconds hint_max = std::chrono::hours(24);

GateSettings general(const ControlSettings& settings, std::size_t seats) {
  GateSettings gate;
  gate.seats = seats;
  gate.target = settings.target;
  gate.interval = settings.interval;
  gate.burst = settings.interval;  // whether it is more than a burst is known after that
  for (std::size_t i = 1; i < request_class_count; ++i) {
    gate.wait_max[i] = 4 * settings.target;
    gate.age_max[i] = settings.age_max;
  }
  return gate;
}

// A commit of many writes takes less than a target; writes that take five wait for the processor, not for the disk.
GateSettings writing(const ControlSettings& settings) {
  GateSettings gate = general(settings, settings.write_seats);
  gate.held_max = 5 * settings.target;
  gate.seats_min = std::min<std::size_t>(8, settings.write_seats);
  return gate;
}

GateSettings emergency(const ControlSettings& settings) {
  GateSettings gate = general(settings, settings.emergency_seats);
  gate.shares = {};
  gate.places_min.front() = emergency_places_min;
  return gate;
}

// Enough to keep the workers busy, few enough that their own queue holds next to nothing.
std::size_t work_seats(std::size_t workers) { return 2 * std::max<std::size_t>(1, workers) + 2; }

}  // namespace

Control::Control(const ControlSettings& settings)
    : settings_(settings),
      work_(general(settings, work_seats(settings.workers))),
      write_(writing(settings)),
      emergency_(emergency(settings)) {}

Gate& Control::gate(Listener listener, Cost cost) {
  if (listener == Listener::emergency) return emergency_;
  return cost == Cost::work ? work_ : write_;
}

Refusal Control::screen(RequestClass request_class, Cost cost, std::size_t rank) {
  const bool admits = threshold_.admits(rank);
  if (request_class == RequestClass::emergency) return Refusal::none;
  const int level = this->level();
  if (level > 0) {
    if (request_class == RequestClass::background) return Refusal::level;
    if (request_class == RequestClass::routine && (level >= 4 || (level >= 3 && cost == Cost::write)))
      return Refusal::level;
  }
  return admits ? Refusal::none : Refusal::threshold;
}

std::optional<LevelChange> Control::tick(Nanoseconds now, Nanoseconds lag, Nanoseconds emergency_lag) {
  for (Gate* gate : {&work_, &write_, &emergency_}) {
    gate->tick(now);
    const auto figures = gate->figures();
    const std::lock_guard lock(ticking_);
    for (std::size_t i = 0; i < request_class_count; ++i) overloaded_[i] = overloaded_[i] || figures.overloaded[i];
  }
  const std::lock_guard lock(ticking_);
  if (lag > lag_max) overloaded_[index(RequestClass::routine)] = late_ = true;
  if (emergency_lag > lag_max) overloaded_[index(RequestClass::emergency)] = true;
  if (now < next_tick_) return std::nullopt;
  next_tick_ = now + Ladder::tick_every;
  const int before = level();
  step(now);
  const int after = level();
  if (after == before) return std::nullopt;
  work_.close_background(after > 0);
  write_.close_background(after > 0);
  return LevelChange{before, after};
}

void Control::step(Nanoseconds now) {
  level_.store(ladder_.tick(now, overloaded_), std::memory_order_relaxed);
  const bool waits = overloaded_[index(RequestClass::urgent)] || overloaded_[index(RequestClass::routine)];
  const bool late = std::exchange(late_, false);

  std::uint64_t admitted = 0;
  std::uint64_t refused = 0;
  for (std::size_t i = index(RequestClass::urgent); i < request_class_count; ++i) {
    admitted += admitted_[i].sum();
    for (const auto& count : refused_[i]) refused += count.sum();
  }
  // What is let in leaves again: in the long run as many are finished.
  threshold_.tick(late ? Overload::io : waits ? Overload::queue : Overload::none, admitted - admitted_before_);
  const auto let_in = static_cast<double>(std::max<std::uint64_t>(1, admitted - admitted_before_));
  excess_.store(1 + static_cast<double>(refused - refused_before_) / let_in, std::memory_order_relaxed);
  admitted_before_ = admitted;
  refused_before_ = refused;
  overloaded_ = {};
}

Result<> Control::accept(const Hint& hint, Nanoseconds now) {
  const bool plain = std::ranges::all_of(hint.scenario, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (hint.scenario.empty() || hint.scenario.size() > scenario_bytes_max || !plain) {
    return fail(Code::invalid, fmt::format("scenario is up to {} letters, digits or '-'", scenario_bytes_max),
                "scenario");
  }
  if (!(hint.factor >= 1 && hint.factor <= 1'000))
    return fail(Code::invalid, "factor is how many times the usual load: 1 to 1000", "factor");
  if (hint.eta.count() < 0 || hint.eta > hint_max)
    return fail(Code::invalid, fmt::format("eta_s is 0 to {}", hint_max.count()), "eta_s");
  if (hint.lasts.count() < 1 || hint.lasts > hint_max)
    return fail(Code::invalid, fmt::format("lasts_s is 1 to {}", hint_max.count()), "lasts_s");
  const std::lock_guard lock(ticking_);
  ladder_.hold(now + hint.eta + hint.lasts);
  return {};
}

Control::Figures Control::figures() const {
  Figures figures;
  for (std::size_t i = 0; i < request_class_count; ++i) {
    figures.admitted[i] = admitted_[i].sum();
    for (std::size_t reason = 0; reason < refusal_count; ++reason)
      figures.refused[i][reason] = refused_[i][reason].sum();
  }
  for (const Gate* gate : {&work_, &write_, &emergency_}) {
    const auto of_gate = gate->figures();
    for (std::size_t i = 0; i < request_class_count; ++i) {
      figures.limit[i] += of_gate.limit[i];
      figures.waiting[i] += of_gate.waiting[i];
    }
  }
  figures.threshold = threshold_.value();
  figures.level = level();
  return figures;
}

}  // namespace mydr24::admission
