#pragma once

// The emergencies that a hospital prepares for, as load on a server. Factor, length and onset of each are those that the
// project holds capacity against; what is asked for in each is our own choice and stands in the table of scenario.cc.
//
// The run is shorter than the scenario: its course (rise, plateau, decline; a day's hours) is kept, its hours are not.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/surge/crew.h"
#include "app/surge/load_result.h"
#include "app/surge/load_spec.h"
#include "base/core/clock.h"
#include "base/core/request_class.h"

namespace mydr24::surge {

inline constexpr std::string_view scenario_patients = "sim";  // their ids begin so

struct ScenarioPart {
  RequestClass request_class = RequestClass::routine;
  double share = 0;  // of all requests
  std::vector<Share> mix;
};

struct Scenario {
  std::string_view name;   // "mass-casualty"
  std::string_view about;  // one sentence
  double multiplier = 1;   // of a normal day's load
  double hours = 24;       // how long it lasts
  double onset_s = 0;      // until its load is there; 0: a day with its hours instead
  std::vector<ScenarioPart> parts;
};
std::span<const Scenario> scenarios();
const Scenario* find_scenario(std::string_view name);  // null: there is none

struct ScenarioSettings {
  std::filesystem::path binary;
  load::Endpoint server;
  load::Endpoint emergency;  // where emergencies go
  double multiplier = 1;
  double normal_per_s = 5;  // requests of a normal day's mean
  double seconds = 60;
  std::size_t patients = 200;  // made on the server first, ids scenario_patients-0 ...
  std::size_t connections = 500;
  Retry retry = Retry::budget;
  std::uint64_t seed = 24;
};

// The course of a scenario as rates of all classes together.
std::vector<Phase> course_of(const Scenario& scenario, const ScenarioSettings& settings);
std::vector<LoadSpec> plan_scenario(const Scenario& scenario, const ScenarioSettings& settings);

// Makes the patients and has the loads ready to begin. Code::busy: the server cannot be reached.
Result<Crew> prepare_scenario(const Scenario& scenario, const ScenarioSettings& settings, const Clock& clock);
// The same, then runs the loads to their end.
Result<std::vector<LoadResult>> run_scenario(const Scenario& scenario, const ScenarioSettings& settings,
                                             const Clock& clock);

}  // namespace mydr24::surge
