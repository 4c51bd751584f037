#include <algorithm>

#include "app/server/server_fixture.h"
#include "base/core/date_time.h"

namespace mydr24::server {
namespace {

using VitalsTest = ServerTest;

const Headers json_body{{"Content-Type", "application/json"}};
const Headers lines_body{{"Content-Type", "application/x-ndjson"}};

std::string now() { return format_instant(system_clock().now()); }

std::vector<std::string> lines_of(const Answer& answer) {
  std::vector<std::string> lines;
  std::string_view rest = answer.raw.body;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  return lines;
}

TEST_F(VitalsTest, AStreamIsAnsweredLineByLineAndWhatItStoredIsThere) {
  const std::string body = fmt::format(
      "{{\"patient\":\"s1\",\"id\":\"a\",\"spo2\":97,\"pulse\":70}}\n"
      "\n"
      "{{\"patient\":\"s1\",\"id\":\"b\",\"spo2\":\"high\"}}\n"
      "not json\n"
      "{{\"patient\":\"s1\",\"id\":\"a\",\"spo2\":96,\"pulse\":70,\"at\":\"{0}\"}}\n"
      "{{\"resourceType\":\"Observation\",\"id\":\"own\",\"status\":\"final\",\"code\":{{\"coding\":[{{\"system\":"
      "\"http://loinc.org\",\"code\":\"8867-4\"}}]}},\"subject\":{{\"reference\":\"Patient/s1\"}},"
      "\"effectiveDateTime\":\"{0}\",\"valueQuantity\":{{\"value\":71,\"unit\":\"/min\",\"system\":"
      "\"http://unitsofmeasure.org\",\"code\":\"/min\"}}}}\n"
      "{{\"patient\":\"s1\",\"id\":\"last\",\"spo2\":98}}",
      now());
  const auto answer = send(Method::post, "/api/v1/vitals/stream", body, lines_body);
  EXPECT_EQ(answer.status, 200);
  const auto lines = lines_of(answer);
  ASSERT_EQ(lines.size(), 6U) << answer.raw.body;
  EXPECT_TRUE(lines[0].starts_with(R"({"line":1,"status":"stored","id":")")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with(R"({"line":3,"status":"rejected","where":"spo2")")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with(R"({"line":4,"status":"rejected")")) << lines[2];
  EXPECT_TRUE(lines[3].contains(R"("version":2)")) << lines[3];
  EXPECT_TRUE(lines[4].starts_with(R"({"line":6,"status":"stored","id":"own","version":1)")) << lines[4];
  EXPECT_TRUE(lines[5].starts_with(R"({"line":7,"status":"stored")")) << lines[5];
  EXPECT_EQ(send(Method::get, "/fhir/R4/Observation/own").status, 200);
  const auto again = send(Method::post, "/api/v1/vitals/stream",
                          "{\"patient\":\"s1\",\"at\":\"2026-01-05T08:00:00Z\",\"spo2\":97}\n"
                          "{\"patient\":\"s1\",\"at\":\"2026-01-05T08:00:00Z\",\"spo2\":97}\n",
                          lines_body);
  EXPECT_TRUE(again.raw.body.contains("\"unchanged\"")) << again.raw.body;
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/stream", "{}", json_body).status, 400);
}

TEST_F(VitalsTest, AnEmergencyInAStreamRaisesItsAlert) {
  const auto answer = send(Method::post, "/api/v1/vitals/stream",
                           R"({"patient":"s2","id":"a","respiration":30,"spo2":85,"pulse":140})", lines_body);
  ASSERT_EQ(lines_of(answer).size(), 1U);
  EXPECT_TRUE(send(Method::get, "/api/v1/alerts").raw.body.contains("\"patient\":\"Patient/s2\""));
  const auto scores = send(Method::get, "/api/v1/vitals/s2/scores");
  EXPECT_EQ(scores.body.root()["news2"]["partial"].text(), "9");
  EXPECT_EQ(scores.body.root()["response"]["assess_within_min"].text(), "30");
  EXPECT_EQ(scores.body.root()["qsofa"]["points"].text(), "1");
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/nobody/scores").status, 404);
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/s2/scores?at=never").status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/s2/scores?at=2020-01-01").body.root()["news2"].exists(), false);
}

TEST_F(VitalsTest, AnEmergencyStandsWhenWhatCameAfterItIsTakenBack) {
  const Instant start = system_clock().now() - std::chrono::minutes(30);
  const auto observation = [&](int number, int value, std::string_view status) {
    return fmt::format(
        R"({{"resourceType":"Observation","id":"k-{}","status":"{}","code":{{"coding":[{{"system":)"
        R"("http://loinc.org","code":"2708-6"}}]}},"subject":{{"reference":"Patient/k1"}},"effectiveDateTime":"{}",)"
        R"("valueQuantity":{{"value":{},"unit":"%","system":"http://unitsofmeasure.org","code":"%"}}}})",
        number, status, format_instant(start + std::chrono::minutes(number)), value);
  };
  for (int i = 0; i < 4; ++i) {
    const auto written =
        send(Method::put, fmt::format("/fhir/R4/Observation/k-{}", i), observation(i, i == 0 ? 78 : 97, "final"));
    ASSERT_EQ(written.status, 201) << written.raw.body;
  }
  const auto emergencies = [&] {
    int open = 0;
    for (const auto alert : send(Method::get, "/api/v1/alerts").body.root()["alerts"])
      if (alert["patient"].text() == "Patient/k1" && alert["severity"].text() == "emergency") ++open;
    return open;
  };
  EXPECT_EQ(emergencies(), 0);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Observation/k-3", observation(3, 97, "entered-in-error")).status, 200);
  EXPECT_EQ(send(Method::del, "/fhir/R4/Observation/k-2").status, 204);
  EXPECT_EQ(emergencies(), 0);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Observation/k-1", observation(1, 97, "entered-in-error")).status, 200);
  EXPECT_EQ(emergencies(), 1);
  const auto then = send(Method::get, fmt::format("/api/v1/vitals/k1/scores?at={}", format_instant(start)));
  EXPECT_EQ(then.body.root()["news2"]["partial"].text(), "3") << then.raw.body;
}

TEST_F(VitalsTest, EarlyWarningIsABundleOfScores) {
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/none/$early-warning").status, 404);
  EXPECT_EQ(send(Method::put, "/fhir/R4/Patient/e1", R"({"resourceType":"Patient","id":"e1"})").status, 201);
  const auto empty = send(Method::get, "/fhir/R4/Patient/e1/$early-warning");
  EXPECT_EQ(empty.status, 200);
  EXPECT_EQ(empty.body.root()["entry"].size(), 0U);
  send(
      Method::post, "/api/v1/vitals/stream",
      R"({"patient":"e1","id":"a","respiration":16,"spo2":97,"oxygen_l_min":0,"systolic":120,"pulse":70,"acvpu":"A","temperature":37})",
      lines_body);
  const auto bundle = send(Method::get, "/fhir/R4/Patient/e1/$early-warning");
  const auto news2 = bundle.body.root()["entry"].at(0)["resource"];
  EXPECT_EQ(news2["code"]["coding"].at(0)["code"].text(), "1104051000000101");
  EXPECT_EQ(news2["valueQuantity"]["value"].text(), "0");
  EXPECT_EQ(news2["component"].size(), 7U);
  EXPECT_TRUE(send(Method::get, "/fhir/R4/metadata").raw.body.contains("early-warning"));
}

TEST_F(VitalsTest, RulesAreAddedTriedOnHistoryAndActivated) {
  const std::string set = R"({"format":"mydr24.vitals-rules.v1","name":"ward","rules":[
    {"id":"e","signal":"spo2","at_most":79,"severity":"emergency","class":"life-threat"}]})";
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/rules/validate", set, json_body).status, 200);
  const auto wrong = send(Method::post, "/api/v1/vitals/rules/validate", "{\n\"format\":\"x\"}", json_body);
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.raw.body.contains("line 2")) << wrong.raw.body;
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/rules", set, json_body).status, 400);
  const auto added = send(Method::post, "/api/v1/vitals/rules?by=dr", set, json_body);
  EXPECT_EQ(added.status, 201);
  const std::string version(added.body.root()["version"].text());
  send(Method::post, "/api/v1/vitals/stream", R"({"patient":"r1","id":"a","spo2":85})", lines_body);
  const auto tried = send(Method::post, "/api/v1/vitals/dry-run", set, json_body);
  ASSERT_EQ(tried.status, 200) << tried.raw.body;
  EXPECT_EQ(tried.body.root()["complete"].text(), "true");
  const auto only = tried.body.root()["only_in_force"];
  EXPECT_TRUE(std::ranges::any_of(only, [](json::Value id) { return id.text() == "r1"; })) << tried.raw.body;
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/rules").body.root()["in_force"].text(), "0");
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/rules/99/activate", R"({"by":"dr"})", json_body).status, 404);
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/rules/" + version + "/activate", R"({"by":"dr"})", json_body).status,
            200);
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/rules").body.root()["in_force"].text(), version);
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/rules/" + version).body.root()["rules"]["name"].text(), "ward");
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/rules/0/activate", R"({"by":"dr"})", json_body).status, 200);
}

TEST_F(VitalsTest, LimitsMonitoringAndOutcomesAreAPersonsDecisions) {
  send(Method::post, "/api/v1/vitals/stream", R"({"patient":"l1","id":"a","spo2":89})", lines_body);
  const auto limit =
      send(Method::put, "/api/v1/vitals/l1/limits/spo2",
           R"({"low":88,"high":92,"spo2_scale":2,"by":"dr","reason":"COPD","until":"2100-01-01"})", json_body);
  ASSERT_EQ(limit.status, 200) << limit.raw.body;
  EXPECT_EQ(limit.body.root()["level"].text(), "none");
  EXPECT_EQ(limit.body.root()["limits"].at(0)["by"].text(), "dr");
  EXPECT_EQ(send(Method::put, "/api/v1/vitals/l1/limits/spo2", R"({"low":88})", json_body).status, 400);
  EXPECT_EQ(send(Method::put, "/api/v1/vitals/l1/limits/weight", R"({"low":88,"by":"dr"})", json_body).status, 400);
  EXPECT_EQ(send(Method::del, "/api/v1/vitals/l1/limits/spo2?by=dr").body.root()["limits"].size(), 0U);
  const auto monitored = send(Method::put, "/api/v1/vitals/l1/monitoring",
                              R"({"signs":["spo2","pulse"],"stale_after_s":60,"by":"nurse"})", json_body);
  EXPECT_EQ(monitored.body.root()["monitoring"]["signs"].size(), 2U) << monitored.raw.body;
  EXPECT_EQ(send(Method::put, "/api/v1/vitals/l1/monitoring", R"({"signs":["mood"],"by":"x"})", json_body).status, 400);
  EXPECT_EQ(send(Method::del, "/api/v1/vitals/l1/monitoring?by=nurse").status, 200);
  EXPECT_EQ(send(Method::del, "/api/v1/vitals/l1/monitoring?by=nurse").status, 404);

  const auto alerts = send(Method::get, "/api/v1/alerts");
  std::string id;
  for (const auto alert : alerts.body.root()["alerts"])
    if (alert["patient"].text() == "Patient/l1") id = alert["id"].text();
  ASSERT_FALSE(id.empty());
  const auto said =
      send(Method::post, "/api/v1/vitals/outcomes/" + id, R"({"acted":false,"by":"dr","note":"probe off"})", json_body);
  EXPECT_EQ(said.body.root()["acted"].text(), "false") << said.raw.body;
  EXPECT_EQ(send(Method::get, "/api/v1/vitals/outcomes/none").status, 404);
}

TEST_F(VitalsTest, CrowdingIsCalculated) {
  const auto score =
      send(Method::post, "/api/v1/vitals/crowding/cedocs",
           R"({"ed_beds":15,"visits_a_year":2900,"patients":10,"critical":8,"waiting_room":6,"longest_admitted_h":5})",
           json_body);
  EXPECT_EQ(score.body.root()["points"].text(), "44") << score.raw.body;
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/crowding/nedocs", R"({"ed_beds":0})", json_body).status, 400);
  EXPECT_EQ(send(Method::post, "/api/v1/vitals/crowding/other", R"({})", json_body).status, 404);
}

}  // namespace
}  // namespace mydr24::server
