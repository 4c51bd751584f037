#pragma once

// Vital signs as devices send them: one small JSON object, turned into one FHIR Observation, so that what comes by
// stream or MQTT is stored, searched, scored and corrected like everything else.
//
//   {"patient": "p1", "at": "2026-01-05T08:00:00Z", "id": "mon4-000123", "device": "Monitor 4",
//    "respiration": 16, "spo2": 97, "oxygen_l_min": 2, "systolic": 120, "diastolic": 80, "pulse": 72, "pulse_oximetry":
//    71, "temperature": 36.8, "acvpu": "A", "gcs": 15, "gcs_eyes": 4, "gcs_verbal": 5, "gcs_motor": 6}
//
// Units: /min, %, L/min (0 is air), mm[Hg], Cel. patient: a FHIR id of this server. at: when it was measured; without:
// when it came first. id: names the sample (1 to 64 bytes); the same patient and id is the same Observation, so that
// sending it again stores nothing new; without it and with `at` the whole text names it. One sign alone becomes an
// Observation with its code, several one with the code of the vital signs panel (LOINC 85353-1) and a component each. A
// FHIR Observation (resourceType) is taken as it is; without an id it gets one the same way.

#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::vitals {

struct Sample {
  std::string id;                 // of the Observation
  std::string text;               // the Observation as JSON
  bool has_arrival_time = false;  // it says by its id which one it is, and not when it was measured
};

struct SampleContext {
  Instant now;
  std::string_view patient;     // when the sample names none: of the topic; empty: it must name one
  bool needs_identity = false;  // it may be delivered twice: it must have `at` or `id`
};

inline constexpr std::size_t sample_bytes_max = 64U << 10;

// Code::invalid names the member that is wrong; Code::too_large.
Result<Sample> observation_of(std::string_view text, const SampleContext& context);

}  // namespace mydr24::vitals
