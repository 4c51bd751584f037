#pragma once

// How crowded an emergency department is, as two published scales. Pure functions.
//
// NEDOCS: Weiss SJ et al. Estimating the degree of emergency department overcrowding in academic medical centers. Acad
//   Emerg Med 2004;11:38-50. By its nomogram, each part rounded to whole points, so that what is computed by hand and
//   here is the same: 62.5 x patients / ED beds, 444 x admitted / hospital beds, 9.8 for one and 19.6 for two or more
//   patients on ventilators, 0.681 per hour of the longest admitted patient, 4.1 per hour of the last roomed patient's
//   wait; the sum x 1.37 - 19.18, 0 to 200. (The regression behind it, 85.8, 600, 13.4, 0.93, 5.64 and -20, is close
//   to it.)
// CEDOCS: Weiss SJ et al. Evaluating community emergency department crowding: the Community ED Overcrowding Scale
//   study.
//   Am J Emerg Med 2014;32:1357-1363: -29.53 + 3.14 x critical care patients + 0.52 x hours of the longest admitted
//   patient + 1.14 x patients in the waiting room + 20.55 x patients / ED beds + 0.00124 x visits a year, and a cubic
//   spline of the visits a year; rounded, times the scaling factor of 2; 0 to 200.
// Levels of both: below 21 not busy, 60 busy, 100 extremely busy but not overcrowded, 140 overcrowded, 180 severely
//   overcrowded, above dangerously overcrowded. (NEDOCS draws them at 20, 60, 100, 140 and 180 themselves.)

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::vitals {

enum class Crowding : std::uint8_t {
  not_busy,
  busy,
  extremely_busy,
  overcrowded,
  severely_overcrowded,
  dangerously_overcrowded,
};
std::string_view to_string(Crowding level);  // "not busy", ...

struct NedocsInputs {
  double ed_beds = 0;             // licensed; above 0
  double hospital_beds = 0;       // above 0
  double patients = 0;            // in the ED, those in hallways included
  double ventilated = 0;          // patients on ventilators in the ED
  double admitted = 0;            // in the ED, waiting for a bed
  double longest_admitted_h = 0;  // hours
  double longest_waiting_h = 0;   // hours: what the last roomed patient had waited
};

struct CedocsInputs {
  double ed_beds = 0;  // licensed; 0: the score is 200
  double visits_a_year = 0;
  double patients = 0;            // in the ED, those in hallways included
  double critical = 0;            // critical care patients in the ED
  double waiting_room = 0;        // patients in the waiting room
  double longest_admitted_h = 0;  // hours
  double scaling = 0;             // 0: 2, as published
};

struct CrowdingScore {
  int points = 0;  // 0 to 200
  Crowding level = Crowding::not_busy;
  std::vector<std::string> warnings;  // inputs that are unusual: to be checked again
};

// Code::invalid names the input that cannot be: below 0, or beyond the scale's range.
Result<CrowdingScore> nedocs(const NedocsInputs& inputs);
Result<CrowdingScore> cedocs(const CedocsInputs& inputs);

// Inputs by their names above: {"ed_beds":60,...}. Code::invalid for an unknown member or one that is no number.
Result<NedocsInputs> nedocs_inputs(std::string_view json);
Result<CedocsInputs> cedocs_inputs(std::string_view json);

// {"points":99,"level":3,"meaning":"extremely busy but not overcrowded","warnings":[...]}
std::string to_json(const CrowdingScore& score);

}  // namespace mydr24::vitals
