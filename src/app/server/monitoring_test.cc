// The monitor on the whole server: what it measures, what it finds, and how soon.

#include <boost/asio/ip/tcp.hpp>
#include <map>
#include <thread>

#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;

const Headers json_type{{"Content-Type", "application/json"}};

// Waits until `holds`; the time it took.
template <class Holds>
std::chrono::nanoseconds wait_until(Holds holds, std::chrono::seconds at_most) {
  const auto begin = system_clock().steady();
  while (!holds() && system_clock().steady() - begin < at_most) std::this_thread::sleep_for(50ms);
  return system_clock().steady() - begin;
}

bool has_finding(const Answer& status, std::string_view cause) {
  for (const json::Value finding : status.body.root()["findings"])
    if (finding["cause"].text() == cause && finding["alerted"].is_true()) return true;
  return false;
}

class MonitoringTest : public ServerTest {
 protected:
  static Answer status() { return send(Method::get, "/api/v1/monitor"); }
  static std::map<std::string, std::string> metrics(std::string_view member) {
    std::map<std::string, std::string> found;
    const Answer answer = status();
    for (const json::Value metric : answer.body.root()["metrics"])
      found[std::string(metric["name"].text())] = metric[member].text();
    return found;
  }
};

TEST_F(MonitoringTest, MeasuresWhatIsThereAndSaysWhatIsNot) {
  send(Method::put, "/fhir/R4/Patient/mon-1", R"({"resourceType":"Patient","id":"mon-1"})");
  ASSERT_EQ(send(Method::get, "/fhir/R4/Patient/mon-1").status, 200);
  wait_until([] { return metrics("state")["record_access_seconds"] == "ok"; }, 5s);
  const auto values = metrics("value");
  for (const auto* name :
       {"emergency_alert_response_seconds", "emergency_data_retrieval_seconds", "emergency_communication_success_ratio",
        "emergency_available", "record_access_seconds", "portal_up", "database_latency_seconds", "disk_free_ratio",
        "store_queued_writes", "alerts_waiting"}) {
    ASSERT_TRUE(values.contains(name)) << name;
    EXPECT_FALSE(values.at(name).empty() || values.at(name) == "null") << name;
  }
  EXPECT_EQ(values.at("emergency_available"), "1");
  EXPECT_EQ(values.at("emergency_communication_success_ratio"), "1");
  EXPECT_EQ(values.at("portal_up"), "1");
  EXPECT_FALSE(values.contains("audit_lag_seconds")) << "nothing is recorded: access control is off";
  const Answer channels = send(Method::get, "/api/v1/monitor/channels");
  ASSERT_EQ(channels.body.root()["channels"].size(), 2U) << channels.raw.body;
  for (const json::Value channel : channels.body.root()["channels"])
    EXPECT_TRUE(channel["delivered"].is_true()) << channels.raw.body;
}

TEST_F(MonitoringTest, ABackupHasAnAge) {
  const auto to = (folder_ / "backup.db").string();
  ASSERT_EQ(send_to(system_->admin_url() + "/backup?to=" + to, Method::post).status, 200);
  wait_until([] { return metrics("state")["backup_age_seconds"] == "ok"; }, 5s);
  EXPECT_EQ(metrics("state")["backup_age_seconds"], "ok");
}

TEST_F(MonitoringTest, AChannelThatHangsIsFoundWithinFiveSeconds) {
  // It takes connections and never answers.
  asio::io_context context;
  asio::ip::tcp::acceptor silent(context, {asio::ip::make_address("127.0.0.1"), 0});
  const auto changed = send(
      Method::put, "/api/v1/oncall/plan",
      fmt::format(
          R"({{"by":"test","parts":{{"contact/ann":{{"methods":[{{"kind":"webhook","target":"http://127.0.0.1:{}/"}}]}},)"
          R"("policy/default":{{"steps":[{{"targets":["contact:ann"],"delay_s":600}}]}}}}}})",
          silent.local_endpoint().port()),
      json_type);
  ASSERT_EQ(changed.status, 200) << changed.raw.body;
  EXPECT_FALSE(has_finding(status(), "monitor/EmergencyResponseSlow"));
  const Answer raised =
      send(Method::post, "/api/v2/alerts", R"([{"labels":{"alertname":"Hanging","severity":"emergency"}}])", json_type);
  ASSERT_EQ(raised.status, 200) << raised.raw.body;
  const auto took = wait_until([] { return has_finding(status(), "monitor/EmergencyResponseSlow"); }, 15s);
  EXPECT_LE(took, 5s);
  std::cout << "found after " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
  EXPECT_TRUE(has_finding(status(), "monitor/slo/emergency-response/failure"));
  const Answer alerts = send(Method::get, "/api/v1/alerts");
  EXPECT_TRUE(alerts.raw.body.contains("exceeds 2 second threshold")) << alerts.raw.body;
}

TEST_F(MonitoringTest, RulesAndObjectivesAreChangedByRevisionAndName) {
  const std::string rules =
      R"({"by":"ada","rules":[{"name":"Reads","metric":"record_reads_total","comparison":"above",)"
      R"("limit":-1,"severity":"Low","category":"SystemPerformance","title":"t","actions":["a"]}]})";
  EXPECT_EQ(send(Method::post, "/api/v1/monitor/rules/preview", rules, json_type)
                .body.root()["rules"]
                .at(0)["would_fire"]
                .text(),
            "true");
  const Answer changed = send(Method::put, "/api/v1/monitor/rules", rules, json_type);
  ASSERT_EQ(changed.status, 200) << changed.raw.body;
  wait_until([] { return has_finding(status(), "monitor/Reads"); }, 5s);
  EXPECT_TRUE(has_finding(status(), "monitor/Reads"));
  EXPECT_NE(status().body.root()["verdict"].text(), "ok");
  const Answer changes = send(Method::get, "/api/v1/monitor/changes");
  EXPECT_TRUE(changes.raw.body.contains(R"("by":"ada")")) << changes.raw.body;

  EXPECT_EQ(send(Method::put, "/api/v1/monitor/rules", R"({"by":"ada","rules":[{}]})", json_type).status, 400);
  EXPECT_EQ(send(Method::put, "/api/v1/monitor/rules", R"({"by":"ada","revision":99,"rules":[]})", json_type).status,
            409);
  EXPECT_EQ(send(Method::del, "/api/v1/monitor/slos/nothing?by=ada").status, 404);
  const Answer large = until_admitted([] {
    return send(Method::post, "/api/v1/monitor/openslo?by=ada", std::string((1 << 20) + 10, ' '),
                {{"Content-Type", "application/yaml"}});
  });
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(send(Method::put, "/api/v1/monitor/rules", rules, {{"Content-Type", "text/plain"}}).status, 400);

  const Answer exported = send(Method::get, "/api/v1/monitor/openslo");
  ASSERT_EQ(exported.status, 200);
  const Answer imported = send(Method::post, "/api/v1/monitor/openslo?by=ada&replace=true", exported.raw.body,
                               {{"Content-Type", "application/yaml"}});
  EXPECT_EQ(imported.status, 200) << imported.raw.body;
  const Answer slos = send(Method::get, "/api/v1/monitor/slos");
  EXPECT_EQ(slos.body.root()["slos"].size(), 6U) << slos.raw.body;
  EXPECT_EQ(send(Method::get, "/api/v1/monitor/slos/emergency-availability").status, 200);
  EXPECT_TRUE(send(Method::get, "/api/v1/monitor/prometheus-rules").raw.body.contains("SloBurnRate1h"));
  EXPECT_TRUE(send(Method::get, "/api/v1/monitor/prometheus-rules?test").raw.body.contains("alert_rule_test"));
  EXPECT_TRUE(send_to(system_->admin_url() + "/metrics", Method::get)
                  .raw.body.contains(R"(mydr24_slo_events_total{objective="0",slo="emergency-availability"})"));
}

TEST_F(MonitoringTest, OnlyWhatThisServerSignedIsTakenAsItsProbe) {
  EXPECT_EQ(send(Method::post, "/api/v1/monitor/probe", "{}", json_type).status, 403);
}

class MonitoredAudit : public AccessTest {};

TEST_F(MonitoredAudit, ALagOfTheAuditIsFoundWithinFiveSeconds) {
  const auto as = log_in("ops", {"operations-lead"});
  // Every entry waits up to half a second for its sync: as a slow disk against 30 seconds is a lag of 20 ms here.
  const Answer changed = send(
      Method::put, "/api/v1/monitor/rules",
      R"({"rules":[{"name":"ComplianceRisk","metric":"audit_lag_seconds","comparison":"above","limit":0.02,"clear_s":30,)"
      R"("severity":"High","category":"ComplianceViolation","title":"lag","actions":["a","b","c"]}]})",
      with(as, "Content-Type", "application/json"));
  ASSERT_EQ(changed.status, 200) << changed.raw.body;
  const auto took = wait_until(
      [&] { return has_finding(send(Method::get, "/api/v1/monitor", {}, as), "monitor/ComplianceRisk"); }, 15s);
  EXPECT_LE(took, 5s);
  const auto nurse = log_in("nina", {"nurse"});
  EXPECT_EQ(send(Method::get, "/api/v1/monitor", {}, nurse).status, 403);
  EXPECT_EQ(
      send(Method::put, "/api/v1/monitor/rules", R"({"rules":[]})", with(nurse, "Content-Type", "application/json"))
          .status,
      403);
}

}  // namespace
}  // namespace mydr24::server
