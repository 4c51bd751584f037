#pragma once

// Scores beside NEWS2, from a patient's vital signs and a few laboratory values. Pure functions. What is not known is
// not guessed: it counts as not met, the score says what was missing and is a lower bound.
//
// Glasgow Coma Scale: eyes 1-4, verbal 1-5, motor 1-6; the sum, 3 to 15.
//   Source: Teasdale G, Jennett B. Assessment of coma and impaired consciousness. Lancet 1974;304:81-84 (motor scale of
//   six, 1976).
// qSOFA: one point each for respiration >= 22 /min, systolic <= 100 mm[Hg], altered mentation (GCS below 15, or any
//   letter of ACVPU but A). 2 or 3: high risk.
//   Source: Singer M et al. The Third International Consensus Definitions for Sepsis and Septic Shock. JAMA
//   2016;315:801-810.
// SIRS: one point each for temperature > 38 or < 36 Cel; pulse > 90 /min; respiration > 20 /min or PaCO2 < 32 mm[Hg];
//   leukocytes > 12 or < 4 10*9/L or more than 10 % bands. 2 or more: met.
//   Source: Bone RC et al. Definitions for sepsis and organ failure. ACCP/SCCM consensus conference. Chest
//   1992;101:1644-1655; the stages beyond it (sepsis, severe sepsis, septic shock, MODS) likewise.
// For adults: the caller sees to that.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "clinical/vitals/news2.h"

namespace mydr24::vitals {

// Nothing when a part is missing or out of its range.
std::optional<int> glasgow_coma_score(std::optional<int> eyes, std::optional<int> verbal, std::optional<int> motor);

// A criterion of a score that adds yes and no.
enum class Criterion : std::uint8_t { unknown, absent, present };

template <std::size_t size>
struct Criteria {
  std::array<Criterion, size> parts{};

  int points() const {
    int sum = 0;
    for (const Criterion part : parts) sum += part == Criterion::present ? 1 : 0;
    return sum;
  }
  bool is_complete() const {
    for (const Criterion part : parts)
      if (part == Criterion::unknown) return false;
    return true;
  }
};

struct QuickSofaInputs {
  std::optional<double> respiration;           // /min
  std::optional<double> systolic;              // mm[Hg]
  std::optional<Consciousness> consciousness;  // either
  std::optional<int> coma_score;               // or; the worse counts
};

// Parts: respiration, systolic, mentation.
using QuickSofa = Criteria<3>;
inline constexpr std::array<std::string_view, 3> quick_sofa_parts{"respiration", "systolic", "mentation"};
QuickSofa quick_sofa(const QuickSofaInputs& inputs);
inline bool is_high_risk(const QuickSofa& score) { return score.points() >= 2; }

struct SirsInputs {
  std::optional<double> temperature;  // Cel
  std::optional<double> pulse;        // /min
  std::optional<double> respiration;  // /min
  std::optional<double> paco2;        // mm[Hg]
  std::optional<double> leukocytes;   // 10*9/L
  std::optional<double> bands;        // % of leukocytes
};

// Parts: temperature, pulse, respiration, leukocytes.
using Sirs = Criteria<4>;
inline constexpr std::array<std::string_view, 4> sirs_parts{"temperature", "pulse", "respiration", "leukocytes"};
Sirs sirs(const SirsInputs& inputs);
inline bool is_met(const Sirs& score) { return score.points() >= 2; }

// What a clinician knows beyond the signs.
struct SepsisFindings {
  bool infection = false;               // suspected or present
  bool hypoperfusion = false;           // lactic acidosis, systolic below 90 mm[Hg] or 40 below normal
  bool refractory_hypotension = false;  // severe sepsis with hypotension despite adequate fluid
  bool organ_failure = false;           // two organs or more
};
enum class SepsisStage : std::uint8_t { none, sirs, sepsis, severe_sepsis, septic_shock, organ_dysfunction };
std::string_view to_string(SepsisStage stage);
// Nothing beyond `none` unless SIRS is met; then the gravest that the findings speak for.
SepsisStage sepsis_stage(const Sirs& score, const SepsisFindings& findings);

// {"points":2,"complete":true,"parts":{"respiration":1,...}}; a part that is unknown is null.
std::string to_json(const QuickSofa& score);
std::string to_json(const Sirs& score);

}  // namespace mydr24::vitals
