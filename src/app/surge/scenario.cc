#include "app/surge/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/load/bodies.h"
#include "app/surge/crew.h"

namespace mydr24::surge {
namespace {

constexpr std::size_t patients_a_bundle = 100;
constexpr double calm_share = 0.1;     // of the run, before it begins
constexpr double decline_share = 0.2;  // at its end
constexpr double onset_share_max = 0.3;
constexpr int steps = 10;  // of a rise or a decline

// A day's load against its mean, by hour: low from 23 to 5, peaks from 8 to 10 and from 13 to 15, an evening from 18 to 21.
constexpr std::array<double, 24> hours_of_day{0.3, 0.3, 0.3, 0.3, 0.3, 0.4, 0.8, 1.2, 1.9, 1.9, 1.3, 1.1,
                                              1.1, 1.9, 1.9, 1.2, 1.0, 1.0, 1.3, 1.3, 1.3, 0.9, 0.6, 0.3};

const std::vector<Share> emergency_mix{{Kind::alarm, 0.5}, {Kind::summary, 0.3}, {Kind::board, 0.2}};
const std::vector<Share> vitals_mix{{Kind::vital, 0.8}, {Kind::encounter, 0.2}};
const std::vector<Share> bulk_mix{{Kind::bundle, 0.7}, {Kind::history, 0.3}};

std::vector<ScenarioPart> parts(double emergency, double urgent, double background, std::vector<Share> routine) {
  return {{RequestClass::emergency, emergency, emergency_mix},
          {RequestClass::urgent, urgent, vitals_mix},
          {RequestClass::routine, 1 - emergency - urgent - background, std::move(routine)},
          {RequestClass::background, background, bulk_mix}};
}

const std::vector<Scenario>& table() {
  static const std::vector<Scenario> all{
      {"normal-day", "a weekday with its hours", 1, 24, 0,
       parts(0.01, 0.15, 0.05, {{Kind::read, 0.5}, {Kind::search, 0.35}, {Kind::encounter, 0.1}, {Kind::admit, 0.05}})},
      {"mass-casualty", "many injured at once: alarms, admissions, summaries", 100, 24, 180,
       parts(0.25, 0.30, 0.02, {{Kind::admit, 0.3}, {Kind::read, 0.4}, {Kind::search, 0.2}, {Kind::encounter, 0.1}})},
      {"natural-disaster", "an area's patients come to fewer places", 50, 72, 300,
       parts(0.15, 0.25, 0.05, {{Kind::admit, 0.2}, {Kind::read, 0.4}, {Kind::search, 0.3}, {Kind::encounter, 0.1}})},
      {"pandemic", "weeks of full wards: vital signs and searches", 25, 2160, 1800,
       parts(0.05, 0.35, 0.10, {{Kind::search, 0.4}, {Kind::read, 0.3}, {Kind::encounter, 0.2}, {Kind::admit, 0.1}})},
      {"cyber-recovery", "everybody comes back at once and sends what was kept on paper", 200, 12, 60,
       parts(0.02, 0.18, 0.30, {{Kind::read, 0.5}, {Kind::search, 0.4}, {Kind::encounter, 0.1}})}};
  return all;
}

void append_ramp(std::vector<Phase>& phases, double seconds, double from, double to) {
  for (int step = 0; step < steps; ++step)
    phases.push_back({seconds / steps, from + (to - from) * (step + 0.5) / steps});
}

Result<> make_patients(const ScenarioSettings& settings) {
  load::HttpClient client(settings.server);
  for (std::size_t first = 0; first < settings.patients; first += patients_a_bundle) {
    const std::size_t count = std::min(patients_a_bundle, settings.patients - first);
    MYDR24_ASSIGN(const load::Reply reply,
                  client.send("POST", "/fhir/R4/", load::patients_transaction(scenario_patients, first, count)));
    if (reply.status != 200)
      return fail(Code::unprocessable, fmt::format("the patients were answered {} {}", reply.status, reply.body));
  }
  return {};
}

}  // namespace

std::span<const Scenario> scenarios() { return table(); }

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find(table(), name, &Scenario::name);
  return found == table().end() ? nullptr : &*found;
}

std::vector<Phase> course_of(const Scenario& scenario, const ScenarioSettings& settings) {
  const double normal = settings.normal_per_s;
  const double peak = normal * settings.multiplier;
  std::vector<Phase> phases;
  if (scenario.onset_s == 0) {
    for (const double hour : hours_of_day)
      phases.push_back({settings.seconds / static_cast<double>(hours_of_day.size()), peak * hour});
    return phases;
  }
  // The onset keeps its part of the scenario, but is long enough to be seen and short enough to leave a plateau.
  const double onset =
      settings.seconds * std::clamp(scenario.onset_s / (scenario.hours * 3600) * 10, 0.02, onset_share_max);
  const double calm = settings.seconds * calm_share;
  const double decline = settings.seconds * decline_share;
  phases.push_back({calm, normal});
  append_ramp(phases, onset, normal, peak);
  phases.push_back({settings.seconds - calm - onset - decline, peak});
  append_ramp(phases, decline, peak, normal);
  return phases;
}

std::vector<LoadSpec> plan_scenario(const Scenario& scenario, const ScenarioSettings& settings) {
  const auto course = course_of(scenario, settings);
  std::vector<LoadSpec> specs;
  for (const ScenarioPart& part : scenario.parts) {
    const bool emergency = part.request_class == RequestClass::emergency;
    LoadSpec spec{.name = std::string(to_string(part.request_class)),
                  .endpoint = emergency ? settings.emergency : settings.server,
                  .mix = part.mix,
                  .retry = settings.retry,
                  .seed = settings.seed * 8 + static_cast<std::uint64_t>(part.request_class),
                  .timeout = std::chrono::milliseconds(emergency ? 2000 : 1000),
                  .patients = settings.patients,
                  .patient_prefix = std::string(scenario_patients)};
    for (const Phase& phase : course) spec.phases.push_back({phase.seconds, phase.per_second * part.share});
    spec.connections =
        std::max<std::size_t>(4, static_cast<std::size_t>(static_cast<double>(settings.connections) * part.share));
    specs.push_back(std::move(spec));
  }
  return specs;
}

Result<Crew> prepare_scenario(const Scenario& scenario, const ScenarioSettings& settings, const Clock& clock) {
  MYDR24_TRY(make_patients(settings));
  return Crew::gather(settings.binary, -1, plan_scenario(scenario, settings), clock);
}

Result<std::vector<LoadResult>> run_scenario(const Scenario& scenario, const ScenarioSettings& settings,
                                             const Clock& clock) {
  MYDR24_ASSIGN(Crew crew, prepare_scenario(scenario, settings, clock));
  crew.begin();
  return crew.collect();
}

}  // namespace mydr24::surge
