#pragma once

// The bodies of the made-up population; places are those that population.cc fills.

#include "app/load/bodies.h"

namespace mydr24::load {

const Body& population_practitioner();
const Body& population_patient();
const Body& population_encounter();
const Body& population_observation();
const Body& population_blood_pressure();
const Body& population_condition();
const Body& population_procedure();
const Body& population_medication_request();

}  // namespace mydr24::load
