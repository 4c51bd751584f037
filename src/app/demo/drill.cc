#include "app/demo/drill.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "app/load/bodies.h"
#include "base/core/date_time.h"

namespace mydr24::demo {
namespace {

using namespace std::chrono_literals;
using Phase = DrillState::Phase;

constexpr std::size_t patients = 40;
// So many that a request finds one free also when each answer takes as long as it may.
constexpr std::size_t connections = 1000;
constexpr std::chrono::seconds late_max{10};  // after its time: what is in flight, and what is sent late
constexpr int settle_attempts = 20;           // while the server still refuses
constexpr std::array<std::string_view, 5> phase_names{"none", "preparing", "running", "settling", "over"};

// A normal saturation for each of them: what the alarms of a scenario are about is over.
std::string treatment(Instant at) {
  const std::string when = format_instant(at);
  std::string out = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (std::size_t n = 0; n < patients; ++n) {
    const std::string patient = fmt::format("Patient/{}-{}", surge::scenario_patients, n);
    out += fmt::format(R"({}{{"resource":{},"request":{{"method":"POST","url":"Observation"}}}})", n > 0 ? "," : "",
                       load::oxygen_saturation().fill({{"patient", patient}, {"value", "98"}, {"at", when}}));
  }
  return out + "]}";
}

}  // namespace

std::string_view to_string(Phase phase) { return phase_names[static_cast<std::size_t>(phase)]; }

void Drill::aim(load::Endpoint server, load::Endpoint emergency) {
  server_ = std::move(server);
  emergency_ = std::move(emergency);
}

Result<> Drill::begin(std::string_view name, std::chrono::seconds time) {
  const surge::Scenario* scenario = surge::find_scenario(name);
  if (scenario == nullptr) {
    std::vector<std::string_view> names;
    for (const surge::Scenario& known : surge::scenarios()) names.push_back(known.name);
    return fail(Code::invalid, fmt::format("there is no scenario \"{}\"; there are {}", name, fmt::join(names, ", ")),
                "scenario");
  }
  if (time < time_min || time > time_max)
    return fail(Code::invalid, fmt::format("from {} to {} seconds", time_min.count(), time_max.count()), "seconds");
  const std::lock_guard lock(mutex_);
  if (closing_) return fail(Code::busy, "the server is about to end");
  if (state_.phase != Phase::none && state_.phase != Phase::over)
    return fail(Code::conflict, "a drill is under way; end it, or wait for its end");
  if (thread_.joinable()) thread_.join();  // it is over
  state_ = {.phase = Phase::preparing,
            .scenario = scenario->name,
            .multiplier = scenario->multiplier,
            .time = time,
            .begun = clock_.now()};
  ending_ = false;
  surge::ScenarioSettings settings;
  settings.binary = binary_;
  settings.server = server_;
  settings.emergency = emergency_;
  settings.multiplier = scenario->multiplier;
  settings.seconds = static_cast<double>(time.count());
  settings.patients = patients;
  settings.connections = connections;
  thread_ = std::thread([this, scenario, settings = std::move(settings)] { run(*scenario, settings); });
  return {};
}

void Drill::run(const surge::Scenario& scenario, const surge::ScenarioSettings& settings) {
  auto crew = surge::prepare_scenario(scenario, settings, clock_);
  std::string problem = crew ? std::string() : crew.error().text;
  if (crew) {
    {
      const std::lock_guard lock(mutex_);
      crew_.emplace(std::move(*crew));
      if (ending_) crew_->stop();
      crew_->begin();
      state_.phase = Phase::running;
      state_.begun = clock_.now();
    }
    auto results = crew_->collect();
    const std::lock_guard lock(mutex_);
    crew_.reset();
    if (results) {
      state_.results = std::move(*results);
    } else if (!ending_) {
      problem = results.error().text;
    }
  }
  note(Phase::settling);
  const auto settled = settle();
  if (problem.empty() && !settled) problem = settled.error().text;
  const std::lock_guard lock(mutex_);
  if (state_.problem.empty()) state_.problem = std::move(problem);
  state_.phase = Phase::over;
}

void Drill::note(Phase phase) {
  const std::lock_guard lock(mutex_);
  state_.phase = phase;
}

bool Drill::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return closing_; });
}

Result<> Drill::settle() {
  load::HttpClient client(server_, 5s);
  Error last;
  for (int i = 0; i < settle_attempts && !wait(i == 0 ? 0ms : 500ms); ++i) {
    const auto reply = client.send("POST", "/fhir/R4/", treatment(clock_.now()));
    if (reply && reply->status == 200) return {};
    last = reply ? fail(Code::busy, fmt::format("its patients could not be treated: {} {}", reply->status,
                                                reply->body.substr(0, 300)))
                 : reply.error();
  }
  return last;
}

void Drill::end() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  if (crew_) crew_->stop();
}

void Drill::keep_time() {
  const std::lock_guard lock(mutex_);
  if (!crew_ || ending_ || clock_.now() < state_.begun + state_.time + late_max) return;
  ending_ = true;
  state_.problem = "this machine is too busy to send a drill in its time: it was ended";
  crew_->stop();
}

void Drill::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    ending_ = true;
    if (crew_) crew_->stop();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

DrillState Drill::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace mydr24::demo
