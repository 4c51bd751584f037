#include "app/demo/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json/writer.h"

namespace mydr24::demo {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view requester = "change manager (simulated)";
constexpr std::array<std::string_view, 6> board{"senior-dba", "deputy-cto", "cmo", "ciso", "cco", "cto"};
constexpr std::chrono::minutes scene_max{8};  // then the script goes on without it
// Neighbours in the list of patients lie in one ward: the next one to fall ill lies elsewhere.
constexpr std::size_t stride = 7;

// Believed to be harmless, and is not: discharge letters are made with $everything. The first check after it says so.
std::string plan_of(std::string_view patient, double pace) {
  const std::string check =
      fmt::format(R"({{"kind":"http","url":"/fhir/R4/Patient/{}/$everything?_count=1","status":[200]}})", patient);
  return fmt::format(
      R"({{"by":"{}","plan":{{
        "title":"Switch off whole-record queries","description":"$everything is said to be unused, and costs reading time at rounds",
        "type":"normal","kind":"configuration","service":"records","settle_s":10,
        "test":{{"passed":true,"evidence":"tried on the test server"}},
        "checks":[{}],
        "implementation":[
          {{"kind":"wait","seconds":{}}},
          {{"kind":"set","setting":"feature.everything","value":false}},
          {{"kind":"watch","every_s":{},"count":5,"failure_limit":1,"checks":[{}]}}]}}}})",
      requester, check, std::max(1, static_cast<int>(15 / pace)), std::max(1, static_cast<int>(5 / pace)), check);
}

bool is_over(std::string_view state) {
  constexpr std::array<std::string_view, 8> ended{"successful",  "failed",          "validation_failed", "aborted",
                                                  "rolled_back", "rollback_failed", "rejected",          "withdrawn"};
  return std::ranges::find(ended, state) != ended.end();
}

}  // namespace

std::span<const Story::Scene> Story::script() {
  static constexpr std::array<Scene, 9> scenes{{
      {"worsens", 5s, &Story::worsen, &Story::is_called},
      {"called", 0s, nullptr, &Story::is_answered},
      {"treated", 20s, &Story::treat, &Story::is_well},
      {"resolved", 0s, nullptr, &Story::is_calm},
      {"proposed", 20s, &Story::propose, nullptr},
      {"approved", 10s, nullptr, &Story::is_approved},
      {"changed", 10s, &Story::start, &Story::is_back},
      {"looked_after", 0s, nullptr, &Story::is_calm},
      {"calm", 60s, nullptr, nullptr},
  }};
  return scenes;
}

Story::Story(Ward ward, double pace, const Clock& clock) : ward_(std::move(ward)), pace_(pace), clock_(clock) {
  // After a restart others fall ill than at the last start.
  const auto minutes = std::chrono::floor<std::chrono::minutes>(clock.now().time_since_epoch()).count();
  number_ = static_cast<std::size_t>(minutes) % ward_.patients;
  state_.round = 1;
  enter(0);
}

void Story::enter(std::size_t place) {
  place_ = place;
  is_begun_ = false;
  entered_ = clock_.steady();
  state_.scene = script()[place].name;
  state_.since = clock_.now();
}

std::chrono::nanoseconds Story::paced(std::chrono::milliseconds time) const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time / pace_);
}

void Story::look(Desk& desk) {
  const auto time = clock_.steady() - entered_;
  const auto wait = paced(script()[place_].wait);
  if (time < wait) return;
  const auto done = play(desk);
  const bool is_done = done && *done;
  if (!is_done && time < wait + scene_max) return;
  // Something is in its way that lasts, as an incident that a visitor works on: it is not left lying about.
  if (!is_done && !state_.change.empty())
    (void)desk.post("/api/v1/changes/" + state_.change + "/withdraw", body_by(requester, "reason", "not now"));
  const bool was_last = place_ + 1 == script().size();
  if (was_last) {
    ++state_.round;
    number_ = (number_ + stride) % ward_.patients;
    state_.change.clear();
  }
  enter(was_last ? 0 : place_ + 1);
}

// True: the scene is over.
Result<bool> Story::play(Desk& desk) {
  const Scene& scene = script()[place_];
  if (!is_begun_ && scene.begin != nullptr) MYDR24_TRY((this->*scene.begin)(desk));
  is_begun_ = true;
  return scene.is_over == nullptr ? Result<bool>(true) : (this->*scene.is_over)(desk);
}

// ---- the patient

Result<> Story::worsen(Desk&) {
  alert_.clear();
  state_.patient = ward_.id(number_);
  ward_.worsen(number_);
  return {};
}

Result<bool> Story::is_called(Desk& desk) {
  MYDR24_ASSIGN(const auto list, desk.get("/api/v1/alerts?state=open&count=500"));
  for (const json::Value alert : list.root()["alerts"]) {
    if (alert["patient"].text() != "Patient/" + state_.patient || alert["severity"].text() != "emergency") continue;
    alert_ = alert["id"].text();
    return true;
  }
  return false;
}

Result<bool> Story::is_answered(Desk& desk) {
  if (alert_.empty()) return true;
  MYDR24_ASSIGN(const auto shown, desk.get("/api/v1/alerts/" + alert_));
  return shown.root()["alert"]["state"].text() != "open";
}

Result<> Story::treat(Desk&) {
  ward_.treat(number_);
  return {};
}

Result<bool> Story::is_well(Desk& desk) {
  if (alert_.empty()) return true;
  MYDR24_ASSIGN(const auto shown, desk.get("/api/v1/alerts/" + alert_));
  return shown.root()["alert"]["state"].text() == "resolved";
}

Result<bool> Story::is_calm(Desk& desk) {
  MYDR24_ASSIGN(const auto list, desk.get("/api/v1/incidents?state=open&count=1"));
  return list.root()["incidents"].size() == 0;
}

// ---- the change

Result<> Story::propose(Desk& desk) {
  MYDR24_ASSIGN(const auto made, desk.post("/api/v1/changes", plan_of(state_.patient, pace_)));
  state_.change = made.root()["change"]["id"].text();
  return {};
}

Result<json::Document> Story::change(Desk& desk) const { return desk.get("/api/v1/changes/" + state_.change); }

// One member of the board at each look, as many as it needs.
Result<bool> Story::is_approved(Desk& desk) {
  if (state_.change.empty()) return true;
  MYDR24_ASSIGN(const auto shown, change(desk));
  const json::Value proposed = shown.root()["change"];
  if (proposed["state"].text() == "approved" || is_over(proposed["state"].text())) return true;
  for (const std::string_view member : board) {
    bool has_said = false;
    for (const json::Value approval : proposed["approvals"]) has_said = has_said || approval["member"].text() == member;
    if (has_said) continue;
    MYDR24_TRY(desk.post("/api/v1/changes/" + state_.change + "/approve",
                         body_by(member, "digest", proposed["digest"].text())));
    return false;
  }
  return false;
}

Result<> Story::start(Desk& desk) {
  if (state_.change.empty()) return {};
  MYDR24_TRY(desk.post("/api/v1/changes/" + state_.change + "/start", body_by(requester)));
  return {};
}

Result<bool> Story::is_back(Desk& desk) {
  if (state_.change.empty()) return true;
  MYDR24_ASSIGN(const auto shown, change(desk));
  return is_over(shown.root()["change"]["state"].text());
}

}  // namespace mydr24::demo
