#pragma once

// A patient's scores as FHIR Observations, made when asked for: they are not stored, so they are never older than the
// signs they are made from.
//
//   NEWS2  SNOMED CT 1104051000000101, a component each sub-score (1104301000000104 respiration, 1104311000000102 SpO2
//          scale 1, 1104321000000108 scale 2, 1104331000000105 air or oxygen, 1104341000000101 systolic,
//          1104351000000103 pulse, 1104361000000100 consciousness, 1104371000000107 temperature), derivedFrom the
//          signs. Incomplete: no value but dataAbsentReason, the known sub-scores, and a component with the lower
//          bound. Source: the codes of the UK Core NEWS2 bundle.
//   qSOFA, SIRS, coma score (LOINC 9269-2): our code system https://mydr24.org/fhir/CodeSystem/vitals for the first
//   two.

#include <string>
#include <string_view>

#include "clinical/vitals/assess.h"

namespace mydr24::vitals {

// A Bundle of type collection; `fhir_base` is what full URLs begin with. Has no entry when nothing is scored.
std::string early_warning_bundle(const PatientSigns& signs, std::string_view patient_id, const WatchSettings& settings,
                                 std::string_view fhir_base, Instant now);

// {"news2":{..., "response":{...}},"qsofa":{...},"sirs":{...},"coma_score":15}: what is known.
std::string scores_json(const PatientSigns& signs, const WatchSettings& settings);

}  // namespace mydr24::vitals
