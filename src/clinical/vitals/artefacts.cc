#include "clinical/vitals/artefacts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mydr24::vitals {
namespace {

struct Pace {
  Sign sign;
  double change;
  std::chrono::seconds within;
};
constexpr std::array paces{
    Pace{Sign::temperature, 1.5, std::chrono::minutes(10)}, Pace{Sign::spo2, 20, std::chrono::seconds(15)},
    Pace{Sign::pulse, 60, std::chrono::seconds(15)},        Pace{Sign::pulse_oximetry, 60, std::chrono::seconds(15)},
    Pace{Sign::respiration, 20, std::chrono::seconds(15)},  Pace{Sign::systolic, 60, std::chrono::seconds(60)}};
constexpr std::chrono::seconds together_max{30};
constexpr double rates_differ_min = 20;
constexpr double rates_differ_share = 0.2;
constexpr std::uint32_t flat_samples_min = 60;
constexpr std::chrono::minutes flat_time_min{5};
constexpr std::chrono::seconds flat_gap_max{120};

std::optional<std::string> too_fast(const Patient& patient, const Reading& reading, Instant at) {
  const auto& held = patient.signs.held[static_cast<std::size_t>(reading.sign)];
  const auto pace = std::ranges::find(paces, reading.sign, &Pace::sign);
  if (held.empty() || pace == paces.end()) return std::nullopt;
  const Held& before = held.front();
  if (at <= before.at || at - before.at > pace->within || std::abs(reading.value - before.value) <= pace->change)
    return std::nullopt;
  return fmt::format("{}: from {:.4g} to {:.4g} is faster than a body changes", to_string(reading.sign), before.value,
                     reading.value);
}

std::optional<std::string> contradiction(const Patient& patient, const Reading& reading, Instant at) {
  if (reading.sign != Sign::pulse && reading.sign != Sign::pulse_oximetry) return std::nullopt;
  const Sign other = reading.sign == Sign::pulse ? Sign::pulse_oximetry : Sign::pulse;
  const auto& held = patient.signs.held[static_cast<std::size_t>(other)];
  if (held.empty()) return std::nullopt;
  const auto apart = at > held.front().at ? at - held.front().at : held.front().at - at;
  const double difference = std::abs(reading.value - held.front().value);
  if (apart > together_max || difference <= rates_differ_min ||
      difference <= rates_differ_share * std::max(reading.value, held.front().value))
    return std::nullopt;
  return fmt::format("heart rate and pulse rate differ, {:.4g} and {:.4g}: one is an artefact",
                     reading.sign == Sign::pulse ? reading.value : held.front().value,
                     reading.sign == Sign::pulse ? held.front().value : reading.value);
}

std::optional<std::string> flat_line(Patient& patient, const Reading& reading, Instant at) {
  if (reading.sign != Sign::pulse) return std::nullopt;
  const auto& held = patient.signs.held[static_cast<std::size_t>(Sign::pulse)];
  const bool goes_on = !held.empty() && held.front().value == reading.value && at > held.front().at &&
                       at - held.front().at <= flat_gap_max;
  if (!goes_on) {
    patient.same_pulse = 1;
    patient.same_pulse_since = at;
    return std::nullopt;
  }
  patient.same_pulse = std::min(patient.same_pulse + 1, flat_samples_min);
  if (patient.same_pulse < flat_samples_min || at - patient.same_pulse_since < flat_time_min) return std::nullopt;
  return fmt::format("pulse: {:.4g} without any change: a flat line", reading.value);
}

}  // namespace

std::optional<std::string> misfit(Patient& patient, const Reading& reading, Instant at) {
  auto flat = flat_line(patient, reading, at);
  if (auto text = too_fast(patient, reading, at)) return text;
  if (auto text = contradiction(patient, reading, at)) return text;
  return flat;
}

}  // namespace mydr24::vitals
