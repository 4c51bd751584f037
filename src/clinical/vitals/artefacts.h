#pragma once

// Readings that fit no body: what a loose sensor, a wrong lead or a stuck device gives. A misfit is kept and scored, it
// is a finding: sustained rules then want more before they call, life-threat rules do not.
//
// - Faster than a body changes: temperature 1.5 Cel within 10 min; SpO2 20 points, pulse 60 /min or respiration 20 /min
//   within 15 s; systolic 60 mm[Hg] within 60 s. Our own choice, wide on purpose.
// - Heart rate (electrocardiogram) and pulse rate (oximeter) within 30 s of each other that differ by more than 20 /min
//   and a fifth: one of the two is wrong.
// - Flat line: the same heart rate in 60 readings and 5 minutes of continuous measurement. (A pacemaker does that too:
//   it is only a finding.)

#include <optional>
#include <string>

#include "clinical/vitals/patient.h"

namespace mydr24::vitals {

// What does not fit about a reading that is the newest of its sign, before it is put in. Counts equal heart rates in
// the patient's row.
std::optional<std::string> misfit(Patient& patient, const Reading& reading, Instant at);

}  // namespace mydr24::vitals
