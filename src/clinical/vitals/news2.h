#pragma once

// National Early Warning Score 2: points from a patient's vital signs. Pure functions.
// Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 (points) and 2 (bands).
//
//   points               3        2        1          0          1          2        3
//   respiration /min     <=8               9-11       12-20                 21-24    >=25
//   SpO2 scale 1 %       <=91     92-93    94-95      >=96
//   SpO2 scale 2 %       <=83     84-85    86-87      88-92      93-94*     95-96*   >=97*      * on oxygen; on air 0
//   air or oxygen                 oxygen              air
//   systolic mm[Hg]      <=90     91-100   101-110    111-219                        >=220
//   pulse /min           <=40              41-50      51-90      91-110     111-130  >=131
//   consciousness                                     Alert                          C, V, P, U
//   temperature Cel      <=35.0            35.1-36.0  36.1-38.0  38.1-39.0  >=39.1
//
// Bands: a total of 7 or more is high, 5 or 6 medium, below that low - unless one parameter alone has 3: low-medium.
// For adults of 16 years and more, not in pregnancy: the caller sees to that. Scale 2 is for hypercapnic respiratory
// failure and only by a recorded clinical decision; scale 1 is the default.
//
// Values are rounded before scoring: whole numbers (temperature: tenths), half away from zero. Values outside what a
// living body and a working sensor give (plausible()) are not scored: a technical finding, not a clinical one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mydr24::vitals {

enum class Parameter : std::uint8_t { respiration, spo2, oxygen, systolic, pulse, consciousness, temperature };
inline constexpr std::size_t parameter_count = 7;
std::string_view to_string(Parameter parameter);

// The letters of ACVPU. For the points only alert or not matters.
enum class Consciousness : std::uint8_t { alert, confusion, voice, pain, unresponsive };

struct Inputs {
  std::optional<double> respiration;  // /min
  std::optional<double> spo2;         // %
  int spo2_scale = 1;                 // 1 or 2
  std::optional<bool> oxygen;         // supplemental oxygen; false: air
  std::optional<double> systolic;     // mm[Hg]
  std::optional<double> pulse;        // /min
  std::optional<Consciousness> consciousness;
  std::optional<double> temperature;  // Cel
};

enum class PartState : std::uint8_t { missing, implausible, scored };

struct Part {
  PartState state = PartState::missing;
  int points = 0;  // 0 unless scored
};

enum class Band : std::uint8_t { low, low_medium, medium, high };
std::string_view to_string(Band band);  // low, low-medium, medium, high

struct Score {
  std::array<Part, parameter_count> parts;
  std::optional<int> total;   // 0 to 20; nothing when incomplete
  int partial = 0;            // the sum of what is known: a lower bound of the total, equal to it when complete
  bool single_three = false;  // one parameter alone has 3 points
  Band band = Band::low;      // of the total; when incomplete, the band that is reached at least

  const Part& operator[](Parameter parameter) const { return parts[static_cast<std::size_t>(parameter)]; }
};

// With scale 2, an SpO2 of 93 or more cannot be scored without knowing whether it was on oxygen: then it
// counts as missing.
Score news2(const Inputs& inputs);

Band band_of(int total, bool single_three);

// What the band asks of the ward: how often the signs are taken at least, who is told, and within what time somebody
// assesses the patient. Source: RCP 2017, charts 2 and 4; the times of the assessments as commonly audited (60 and 30
// minutes).
struct Response {
  std::string_view monitoring;  // "at least every 12 hours"
  int interval_min = 0;         // the longest time between two sets of signs, in minutes; 0: continuous
  std::string_view action;
  int assess_within_min = 0;  // 0: no promise
};
Response response_to(const Score& score);

// Inside the hard range: respiration 0-80 /min, SpO2 30-100 %, systolic 30-300 mm[Hg], pulse 0-300 /min,
// temperature 20.0-45.0 Cel, after rounding. Our own choice, wide on purpose: 0 is what arrest looks like and
// must not be silenced.
bool plausible(Parameter parameter, double value);

// As it is scored: whole numbers, temperature in tenths.
double rounded(Parameter parameter, double value);

// {"parts":{"respiration":0,...},"total":3,"band":"low"}. A part without points is null. Incomplete: instead of total
// and band "partial":2,"band_at_least":"low","missing":["pulse"], and "implausible":[...] when there are any.
void append_json(std::string& out, const Score& score);
std::string to_json(const Score& score);

}  // namespace mydr24::vitals
