#pragma once

// Vital signs out of FHIR Observations: which codes, which units, which time. Pure functions; what cannot be
// read safely is a technical finding and never a guess.
//
// Codes (LOINC, unless said otherwise; source: FHIR R4 vital signs, US Core, RCP sub-scores in the UK Core bundle)
//   respiration    9279-1                pulse        8867-4
//   SpO2           2708-6, 59408-5       temperature  8310-5
//   systolic       8480-6, alone or as a component of any Observation that has one (85354-9)
//   oxygen         3151-8 (flow, above 0 is oxygen), 3150-0 and 3150-6 (concentration, above 21 % is oxygen),
//                  as components or alone. Not recorded is not air.
//   consciousness  SNOMED CT 1104441000000107 (ACVPU), 67775-7 (AVPU), 9269-2 (Glasgow coma score: 15 is Alert,
//                  less is not, held as C: every letter but A has the same points)
//   SpO2 scale     our code spo2-scale in https://mydr24.org/fhir/CodeSystem/vitals with valueInteger 1 or 2: the
//                  recorded clinical decision. Or a NEWS2 sub-score that was taken on it: SNOMED CT 1104321000000108
//                  (scale 2), 1104311000000102 (scale 1), with any value, as the Observation's code or a component's.
//   coma score     9269-2, or the sum of 9267-6 (eyes), 9270-0 (verbal) and 9268-4 (motor) when one Observation has all
//                  three; gives consciousness too
//   pulse rate     8889-8 (by oximeter): against the heart rate, and in its place when there is none
//   laboratory     leukocytes 6690-2, 26464-8, 804-5 (10*9/L); bands 764-1, 26508-2 (%); PaCO2 2019-8 (mm[Hg])
//   pregnancy      82810-3, with SNOMED CT 77386006 or LOINC LA15173-0 (pregnant), 60001007 or LA26683-5 (not)
// A panel (85353-1) is read through its components; members it refers to (hasMember) are Observations of their own and
// are read when they are written.
//
// Units: the UCUM code when there is one, else the unit's text. Converted: kPa to mm[Hg], [degF] and K to Cel, a
// fraction to %. Without a unit a rate or a SpO2 above 1 is taken as it is (there is only one unit in use); pressure
// and temperature are not. A Fahrenheit value below 50 is a Celsius value under the wrong code as a rule: a finding,
// neither converted nor guessed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/json/document.h"
#include "clinical/vitals/news2.h"
#include "fhir/search/search.h"

namespace mydr24::vitals {

// The seven parameters of the score first, with the same values.
enum class Sign : std::uint8_t {
  respiration,
  spo2,
  oxygen,
  systolic,
  pulse,
  consciousness,
  temperature,
  spo2_scale,
  pregnancy,
  pulse_oximetry,
  coma_score,
  coma_eyes,
  coma_verbal,
  coma_motor,
  leukocytes,
  bands,
  paco2,
};
inline constexpr std::size_t sign_count = 17;
std::string_view to_string(Sign sign);
std::optional<Sign> sign_of(std::string_view name);

// In the canonical unit (/min, %, mm[Hg], Cel, 10*9/L); oxygen and pregnancy 0 or 1; consciousness the value of the
// enum; scale 1 or 2.
struct Reading {
  Sign sign = Sign::respiration;
  double value = 0;
};

struct Finding {
  Sign sign = Sign::respiration;
  std::string text;  // what is wrong; without patient identity
};

inline constexpr std::uint32_t all_signs = (1U << sign_count) - 1;

// The codes above as a search parameter's value: "http://loinc.org|8867-4,...", for stored Observations that may tell
// one of `signs` (bits of Sign). Without the panels' own: their components have them.
std::string vital_codes(std::uint32_t signs = all_signs);

struct Signs {
  Instant at;
  std::vector<Reading> readings;
  std::vector<Finding> findings;
};

inline constexpr std::size_t components_max = 64;  // of one Observation; further ones are not read

// Does it carry a code of the table above? Cheap: looks at codes only.
bool is_vital(json::Value observation);

// What it says. No readings when its status takes it back (entered-in-error, cancelled) or it has no value.
// The time is effectiveDateTime, effectiveInstant, the end (else the start) of effectivePeriod, else issued,
// else `otherwise`.
Signs read_signs(json::Value observation, Instant otherwise);

// "123" of a subject "Patient/123" (also "Patient/123/_history/4"); empty for anything else: only patients of
// this server.
std::string_view patient_of(json::Value observation, const search::Catalogue* catalogue = nullptr);

}  // namespace mydr24::vitals
