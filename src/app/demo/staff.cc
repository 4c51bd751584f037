#include "app/demo/staff.h"

#include <fmt/format.h>

#include <set>
#include <string>

#include "base/core/date_time.h"

namespace mydr24::demo {
namespace {

constexpr std::string_view open_alerts = "/api/v1/alerts?state=open&count=500";
constexpr std::string_view open_incidents = "/api/v1/incidents?state=open&count=100";
constexpr std::string_view past_incidents = "/api/v1/incidents?state=over&count=20";
constexpr std::string_view of_incidents = "incidents";  // the source of their calls

constexpr std::string_view review = R"json({
  "by": "duty coordinator (simulated)",
  "summary": "What called people is over: see the timeline",
  "impact": "None: nobody real is here",
  "root_cause": "The script of the demo"
})json";

std::string incident_path(json::Value incident, std::string_view what) {
  return fmt::format("/api/v1/incidents/{}{}", incident["id"].text(), what);
}

}  // namespace

Result<> Staff::look(Desk& desk) {
  MYDR24_ASSIGN(const auto alerts, desk.get(std::string(open_alerts)));
  MYDR24_TRY(answer_alerts(desk, alerts.root()["alerts"]));
  MYDR24_TRY(work_on_incidents(desk, alerts.root()["alerts"]));
  return finish_reviews(desk);
}

bool Staff::is_older(std::string_view since, std::chrono::milliseconds than) const {
  const auto range = parse_date_time(since);
  return range && clock_.now() - range->low >= than;
}

Result<> Staff::answer_alerts(Desk& desk, json::Value alerts) {
  for (const json::Value alert : alerts) {
    // Who answers the incident answers its call.
    if (alert["state"].text() != "open" || alert["source"].text() == of_incidents) continue;
    if (!is_older(alert["raised_at"].text(), settings_.answers_after)) continue;
    const std::string_view who = alert["step"].text() == "0" ? nurse : registrar;
    MYDR24_TRY(
        desk.post(fmt::format("/api/v1/alerts/{}/ack", alert["id"].text()), body_by(who, "note", "I am on my way")));
  }
  return {};
}

Result<> Staff::work_on_incidents(Desk& desk, json::Value alerts) {
  std::set<std::string, std::less<>> going_on;
  for (const json::Value alert : alerts) going_on.emplace(alert["id"].text());
  MYDR24_ASSIGN(const auto list, desk.get(std::string(open_incidents)));
  for (const json::Value incident : list.root()["incidents"]) {
    const std::string_view opened = incident["opened_at"].text();
    if (incident["state"].text() == "open") {
      if (is_older(opened, settings_.answers_after))
        MYDR24_TRY(desk.post(incident_path(incident, "/ack"), body_by(coordinator, "note", "We are on it")));
      continue;
    }
    if (incident["acknowledged_by"].text() != coordinator || !is_older(opened, settings_.resolves_after)) continue;
    MYDR24_ASSIGN(const auto whole, desk.get(incident_path(incident, "")));
    bool is_over = true;
    for (const json::Value id : whole.root()["alerts"]) is_over = is_over && !going_on.contains(id.text());
    if (is_over)
      MYDR24_TRY(desk.post(incident_path(incident, "/resolve"), body_by(coordinator, "how", "It is over and checked")));
  }
  return {};
}

// A review that nobody writes would call people in three days.
Result<> Staff::finish_reviews(Desk& desk) {
  MYDR24_ASSIGN(const auto list, desk.get(std::string(past_incidents)));
  for (const json::Value incident : list.root()["incidents"]) {
    if (incident["state"].text() != "resolved" || incident["acknowledged_by"].text() != coordinator) continue;
    if (incident["review_due"]) {
      MYDR24_TRY(desk.post(incident_path(incident, "/review"), review));
      MYDR24_TRY(desk.post(incident_path(incident, "/review/close"), body_by(coordinator)));
    }
    MYDR24_TRY(desk.post(incident_path(incident, "/close"), body_by(coordinator)));
  }
  return {};
}

}  // namespace mydr24::demo
