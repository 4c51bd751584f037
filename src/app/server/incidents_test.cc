// Incidents over HTTP, on the whole server: from an Observation to the team that is called.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <set>
#include <thread>

#include "app/server/access_fixture.h"
#include "app/server/server_fixture.h"
#include "base/core/date_time.h"

namespace mydr24::server {
namespace {

Headers json_type() { return {{"Content-Type", "application/json"}}; }

std::string_view text(const Answer& answer, std::string_view member) { return answer.body.root()[member].text(); }

class IncidentServer : public ServerTest {
 protected:
  static Answer post(std::string_view path, std::string body) {
    return send(Method::post, path, std::move(body), json_type());
  }
  static Answer act(std::string_view id, std::string_view action, std::string body) {
    return post(fmt::format("/api/v1/incidents/{}/{}", id, action), std::move(body));
  }
  static Answer get(std::string_view id, std::string_view rest = "") {
    return send(Method::get, fmt::format("/api/v1/incidents/{}{}", id, rest));
  }
  static std::string open(std::string_view title, std::string_view more = "") {
    const Answer opened = post("/api/v1/incidents", fmt::format(R"({{"by":"ann","title":"{}"{}}})", title, more));
    EXPECT_EQ(opened.status, 201) << opened.raw.body;
    return std::string(text(opened, "id"));
  }
  // Incidents that are not over and have an alert of this patient.
  static std::vector<std::string> incidents_of(std::string_view patient) {
    std::vector<std::string> found;
    const Answer list = send(Method::get, "/api/v1/incidents");
    for (const auto incident : list.body.root()["incidents"]) {
      const auto patients = get(incident["id"].text(), "/patients");
      for (const auto each : patients.body.root()["patients"])
        if (each.text() == patient) found.emplace_back(incident["id"].text());
    }
    return found;
  }
  template <class Holds>
  static bool comes_true(Holds holds) {
    for (int i = 0; i < 200; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return false;
  }
  static void observe(std::string_view id, std::string_view patient, int saturation) {
    const Answer written =
        send(Method::put, fmt::format("/fhir/R4/Observation/{}", id),
             fmt::format(R"({{"resourceType":"Observation","id":"{}","status":"final","code":{{"coding":[{{"system":)"
                         R"("http://loinc.org","code":"2708-6"}}]}},"subject":{{"reference":"Patient/{}"}},)"
                         R"("effectiveDateTime":"{}","valueQuantity":{{"value":{},"unit":"%","system":)"
                         R"("http://unitsofmeasure.org","code":"%"}}}})",
                         id, patient, format_instant(system_clock().now()), saturation));
    EXPECT_EQ(written.status, 201) << written.raw.body;
  }
};

TEST_F(IncidentServer, AnEmergencyObservationOpensOneIncidentAndCallsTheTeam) {
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/in1", R"({"resourceType":"Patient","id":"in1"})").status, 201);
  observe("in1-a", "in1", 60);
  observe("in1-b", "in1", 58);
  ASSERT_TRUE(comes_true([] { return !incidents_of("Patient/in1").empty(); }));
  system_->store().settle();
  const auto found = incidents_of("Patient/in1");
  ASSERT_EQ(found.size(), 1U);
  const Answer incident = get(found.front());
  EXPECT_EQ(text(incident, "severity"), "emergency");
  EXPECT_EQ(text(incident, "team"), "operations emergency");
  EXPECT_EQ(text(incident, "service"), "clinical care");
  EXPECT_EQ(text(incident, "patient_count"), "1");
  EXPECT_FALSE(incident.body.root()["patients"].exists());
  // Neither whom it is about nor what was measured: that is told by another route, and by the record.
  EXPECT_FALSE(incident.raw.body.contains("Patient/in1")) << incident.raw.body;
  EXPECT_EQ(text(incident, "text"), "");
  EXPECT_EQ(incident.body.root()["impact"]["patients"].text(), "1");
  // The whole team is called, each of them.
  const std::string page = "/api/v1/alerts/" + std::string(text(incident, "page"));
  std::set<std::string> called;
  EXPECT_TRUE(comes_true([&] {
    const Answer alert = send(Method::get, page);
    for (const auto delivery : alert.body.root()["deliveries"])
      if (delivery["state"].text() == "delivered") called.emplace(delivery["contact"].text());
    return called.contains("Database Emergency Specialist") && called.contains("Application Emergency Specialist");
  }));
  EXPECT_EQ(send(Method::get, page).body.root()["alert"]["policy"].text(), "operations-emergency");
  EXPECT_EQ(send(Method::get, page).body.root()["alert"]["reason"].text(), "");
  // A patient safety event is in the record.
  EXPECT_TRUE(comes_true([&] {
    const Answer events = send(Method::get, "/fhir/R4/AdverseEvent?subject=Patient/in1");
    return events.body.root()["entry"].size() == 1;
  }));
  // The timeline writes itself.
  EXPECT_TRUE(comes_true([&] { return get(found.front(), "/timeline").raw.body.contains("alert.delivered"); }));
  const Answer verified = get(found.front(), "/verify");
  EXPECT_TRUE(verified.body.root()["whole"].is_true()) << verified.raw.body;
}

TEST_F(IncidentServer, TheWayFromOpenToClosed) {
  const std::string id = open("emergency gateway", R"(,"status":"down","service":"login")");
  EXPECT_EQ(text(act(id, "ack", R"({"by":"bob","note":"on it"})"), "state"), "acknowledged");
  EXPECT_EQ(act(id, "ack", R"({"by":"carla"})").status, 409);
  EXPECT_EQ(act(id, "pause", R"({"by":"bob","reason":"waiting on vendor"})").status, 409);  // an emergency
  EXPECT_EQ(act(id, "roles", R"({"by":"bob","role":"commander","person":"bob"})").status, 200);
  EXPECT_EQ(text(act(id, "roles", R"({"by":"bob","role":"king","person":"bob"})"), "instance"), "role");
  EXPECT_EQ(act(id, "tasks", R"({"by":"bob","text":"call the vendor"})").status, 200);
  EXPECT_EQ(act(id, "tasks/0/done", R"({"by":"bob"})").status, 200);
  EXPECT_EQ(act(id, "tasks/x/done", R"({"by":"bob"})").status, 400);
  EXPECT_EQ(act(id, "notes", R"({"by":"bob","text":"it was the switch"})").status, 200);
  EXPECT_EQ(text(act(id, "mitigate", R"({"by":"bob"})"), "state"), "mitigated");
  EXPECT_EQ(text(act(id, "resolve", R"({"by":"bob"})"), "instance"), "how");
  const Answer resolved = act(id, "resolve", R"({"by":"bob","how":"the switch was restarted"})");
  EXPECT_EQ(text(resolved, "state"), "resolved");
  EXPECT_EQ(resolved.body.root()["review"]["owner"].text(), "bob");
  EXPECT_EQ(act(id, "close", R"({"by":"bob"})").status, 409);
  EXPECT_EQ(act(id, "review", R"({"by":"bob","summary":"down for a while","root_cause":"one switch"})").status, 200);
  EXPECT_EQ(act(id, "review/actions", R"({"by":"bob","text":"a second switch"})").status, 200);
  EXPECT_EQ(text(act(id, "review/close", R"({"by":"bob"})"), "instance"), "actions[0]");
  EXPECT_EQ(act(id, "review/actions/0", R"({"by":"bob","owner":"carla","due":"2099-01-01"})").status, 200);
  EXPECT_EQ(act(id, "review/close", R"({"by":"bob"})").status, 200);
  EXPECT_EQ(text(act(id, "close", R"({"by":"bob"})"), "state"), "closed");
  EXPECT_TRUE(send(Method::get, "/api/v1/incidents?state=over").raw.body.contains(id));
  EXPECT_FALSE(send(Method::get, "/api/v1/incidents").raw.body.contains(id));
  EXPECT_EQ(get("none").status, 404);
  EXPECT_EQ(send(Method::get, "/api/v1/incidents?state=lost").status, 400);
}

TEST_F(IncidentServer, TheListSaysWhoCommandsAndWhatIsLeftOfItsTimes) {
  const std::string id = open("the label printer");
  const auto row_of = [&](std::string_view state) {
    const Answer list = send(Method::get, fmt::format("/api/v1/incidents?state={}", state));
    for (const auto each : list.body.root()["incidents"])
      if (each["id"].text() == id) return std::string(each.raw());
    return std::string("{}");
  };
  const auto opened = json::Document::parse(row_of("open"));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->root()["response_s"].text(), "3600");
  EXPECT_EQ(opened->root()["resolution_s"].text(), "28800");
  EXPECT_EQ(opened->root()["patient_count"].text(), "0");
  for (const std::string_view member : {"commander", "response_stopped", "resolution_stopped", "paused_at"})
    EXPECT_FALSE(opened->root()[member].exists()) << member;

  EXPECT_EQ(act(id, "ack", R"({"by":"bob"})").status, 200);
  EXPECT_EQ(act(id, "roles", R"({"by":"bob","role":"commander","person":"carla"})").status, 200);
  EXPECT_EQ(act(id, "pause", R"({"by":"bob","reason":"waiting on vendor"})").status, 200);
  const auto paused = json::Document::parse(row_of("open"));
  ASSERT_TRUE(paused);
  EXPECT_EQ(paused->root()["commander"].text(), "carla");
  EXPECT_EQ(paused->root()["acknowledged_at"].text(), paused->root()["response_stopped"].text());
  EXPECT_TRUE(paused->root()["paused_at"].exists());
  EXPECT_FALSE(paused->root()["resolution_stopped"].exists());

  EXPECT_EQ(act(id, "resolve", R"({"by":"bob","how":"new labels"})").status, 200);
  const auto over = json::Document::parse(row_of("over"));
  ASSERT_TRUE(over);
  EXPECT_EQ(over->root()["resolution_stopped"].text(), over->root()["resolved_at"].text());
  EXPECT_FALSE(over->root()["paused_at"].exists());
}

TEST_F(IncidentServer, ATimelineNamesTheChangesOfItsService) {
  const std::string id = open("records are slow", R"(,"service":"records")");
  const auto done = system_->store().write(RequestClass::urgent, [](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(
        transaction.note("change.started", R"({"id":"c7","title":"New disks","service":"database","by":"ann"})"));
    return {};
  });
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_TRUE(comes_true([&] { return get(id, "/timeline").raw.body.contains(R"("data":{"change":"c7"})"); }));
  EXPECT_EQ(act(id, "resolve", R"({"by":"ann","how":"gone back"})").status, 200);
}

TEST_F(IncidentServer, WhoClosesTheCallHasTakenIt) {
  const std::string id = open("emergency switchboard", R"(,"status":"down")");
  const std::string page(text(get(id), "page"));
  EXPECT_EQ(post("/api/v1/alerts/" + page + "/resolve", R"({"by":"bob"})").status, 200);
  EXPECT_TRUE(comes_true([&] { return text(get(id), "state") == "acknowledged"; }));
  EXPECT_EQ(text(get(id), "acknowledged_by"), "bob");
  EXPECT_EQ(text(act(id, "resolve", R"({"by":"bob","how":"it rings again"})"), "state"), "resolved");
}

TEST_F(IncidentServer, TheStatusPageTellsNothingThatWasNotPublished) {
  const std::string id = open("database of Mrs Miller", R"(,"status":"down","service":"database")");
  Answer page = send(Method::get, "/status.json");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(text(page, "state"), "degraded") << page.raw.body;  // what is public depends on it
  EXPECT_FALSE(page.raw.body.contains("Miller"));
  // An emergency of a patient is no outage, and nobody's business.
  EXPECT_FALSE(page.raw.body.contains("Clinical care"));
  EXPECT_EQ(act(id, "publish", R"({"by":"ann","text":"Records are <slow>"})").status, 200);
  page = send(Method::get, "/status.json");
  EXPECT_TRUE(page.raw.body.contains("Records are <slow>"));
  const Answer feed = send(Method::get, "/status.atom");
  EXPECT_TRUE(feed.raw.header("Content-Type").starts_with("application/atom+xml"));
  EXPECT_TRUE(feed.raw.body.contains("Records are &lt;slow&gt;"));
  EXPECT_FALSE(feed.raw.body.contains("Miller"));
  EXPECT_EQ(act(id, "resolve", R"({"by":"ann","how":"restarted"})").status, 200);
}

TEST_F(IncidentServer, ASetupIsInForceAfterItsDryRunAndWhenItsVectorsHold) {
  const std::string down = open("the lift", R"(,"status":"down")");
  EXPECT_EQ(act(down, "severity", R"({"by":"ann","severity":"low"})").status, 400);
  EXPECT_EQ(act(down, "severity", R"({"by":"ann","severity":"low","reason":"there are stairs"})").status, 200);
  const Answer now = send(Method::get, "/api/v1/incident-setup");
  EXPECT_EQ(now.body.root()["warnings"].size(), 0U) << now.raw.body;
  EXPECT_EQ(now.body.root()["failed_vectors"].size(), 1U) << now.raw.body;  // that correction
  std::string setup(now.body.root()["setup"].raw());
  const std::string_view rules = R"("rules":[)";
  setup.insert(setup.find(rules) + rules.size(),
               R"({"name":"Lift","condition":"keyword:lift","severity":"critical","vectors":[
                   {"title":"the lift","matches":true},{"title":"the stairs","matches":false}]},)");
  const Answer added = post("/api/v1/incident-setup", setup);
  ASSERT_EQ(added.status, 201) << added.raw.body;
  const std::string version = "/api/v1/incident-setup/versions/" + std::string(text(added, "version"));
  EXPECT_EQ(post(version + "/activate", "{}").status, 409);  // no dry run
  const Answer run = post(version + "/dry-run", "{}");
  EXPECT_EQ(run.status, 200) << run.raw.body;
  EXPECT_TRUE(run.raw.body.contains("the lift"));
  const Answer refused = post(version + "/activate", "{}");
  EXPECT_EQ(refused.status, 409);
  EXPECT_TRUE(refused.raw.body.contains("correction")) << refused.raw.body;
  EXPECT_EQ(send(Method::del, "/api/v1/incident-corrections/" + down).status, 200);
  EXPECT_EQ(post(version + "/activate", "{}").status, 200);
  const Answer classified = post("/api/v1/incident-classify", R"({"title":"a lift stands still"})");
  EXPECT_EQ(text(classified, "severity"), "critical");
  EXPECT_EQ(text(classified, "rule"), "Lift");
  const Answer wrong = post("/api/v1/incident-setup", R"({"format":"mydr24.incident-setup.v1"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(post("/api/v1/incident-setup/versions/0/activate", "{}").status, 200);
}

TEST_F(IncidentServer, ARequestInTheJournalOpensOne) {
  const auto done = system_->store().write(RequestClass::urgent, [](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.note("incident.request", R"({"cause":"change/9","title":"A change could not be rolled back",
                                 "severity":"emergency","service":"records","links":["/api/v1/changes/9"]})"));
    return {};
  });
  ASSERT_TRUE(done) << done.error().text;
  EXPECT_TRUE(comes_true(
      [] { return send(Method::get, "/api/v1/incidents").raw.body.contains("A change could not be rolled back"); }));
}

// MYDR24_MEASURE=1: ten thousand, and the list is compared with its bar, for a machine that does nothing else.
TEST_F(IncidentServer, AStormOfEmergenciesIsAFewIncidentsAndEachAlertIsCounted) {
  const bool measures = std::getenv("MYDR24_MEASURE") != nullptr;
  const int total = measures ? 10'000 : 1'000;
  constexpr int batch = 500;
  const auto counted = [] {
    std::pair<int, std::int64_t> sum;  // incidents, and their alerts
    const Answer list = send(Method::get, "/api/v1/incidents");
    for (const auto incident : list.body.root()["incidents"]) {
      // What the monitor finds of a loaded machine is of these.
      constexpr std::array<std::string_view, 4> monitored{"notifications", "emergency", "database", "records"};
      if (std::ranges::find(monitored, incident["service"].text()) != monitored.end()) continue;
      ++sum.first;
      sum.second += std::stoll(std::string(incident["alert_count"].text()));
    }
    return sum;
  };
  const auto before = counted();
  for (int first = 0; first < total; first += batch) {
    std::string alerts = "[";
    for (int i = first; i < first + batch; ++i)
      alerts += fmt::format(R"({}{{"labels":{{"alertname":"storm","instance":"i{}","severity":"emergency"}},)"
                            R"("annotations":{{"summary":"storm of the test"}}}})",
                            i == first ? "" : ",", i);
    EXPECT_EQ(post("/api/v2/alerts", alerts + "]").status, 200);
  }
  std::vector<std::chrono::nanoseconds> times;
  const auto end = system_clock().steady() + std::chrono::seconds(60);
  auto sum = counted();
  while (sum.second < before.second + total && system_clock().steady() < end) {
    const auto begin = system_clock().steady();
    sum = counted();
    times.push_back(system_clock().steady() - begin);
  }
  EXPECT_EQ(sum.second, before.second + total);
  EXPECT_LE(sum.first, before.first + 6);
  if (times.empty()) return;
  std::ranges::sort(times);
  const auto p99 = std::chrono::duration<double, std::milli>(times[times.size() * 99 / 100]).count();
  std::cerr << fmt::format("{} alerts in {} incidents; the list: p99 {:.1f} ms of {}\n", total,
                           sum.first - before.first, p99, times.size());
  if (measures) EXPECT_LT(p99, 100);
}

class IncidentAccess : public AccessTest {};

TEST_F(IncidentAccess, WhoRunsThePlatformWorksOnItWithoutKnowingWhomItIsAbout) {
  const auto engineer = with(log_in("eng", {"on-call-engineer"}), "Content-Type", "application/json");
  const auto clinician = with(log_in("clin", {"emergency-clinician"}), "Content-Type", "application/json");
  const auto patient = with(log_in("pat", {"patient"}), "Content-Type", "application/json");
  const Answer opened =
      send(Method::post, "/api/v1/incidents", R"({"title":"emergency gateway","status":"down"})", engineer);
  ASSERT_EQ(opened.status, 201) << opened.raw.body;
  EXPECT_EQ(text(opened, "opened_by"), "eng");
  const std::string path = "/api/v1/incidents/" + std::string(text(opened, "id"));
  EXPECT_EQ(send(Method::get, path + "/patients", {}, engineer).status, 403);
  EXPECT_EQ(send(Method::get, path + "/patients", {}, clinician).status, 200);
  EXPECT_EQ(send(Method::post, path + "/ack", "{}", engineer).status, 200);
  EXPECT_EQ(send(Method::get, path, {}, patient).status, 403);
  EXPECT_EQ(send(Method::get, path).status, 401);
  EXPECT_EQ(send(Method::get, "/status.json").status, 200);
}

}  // namespace
}  // namespace mydr24::server
