// Vital signs by MQTT: in whose name they are written, by the audit and by the policy.

#include <fstream>

#include "api/mqtt/broker_fixture.h"
#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

class MqttFeedTest : public AccessTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(mqtt::broker_program)) GTEST_SKIP() << mqtt::broker_program << " is not there";
  }
  static std::string found(const std::string& query) {
    system_->store().settle();
    return send(Method::get, "/fhir/R4/AuditEvent?" + query, {}, log_in("olga", {"compliance-officer"})).raw.body;
  }
  static std::string sample(std::string_view id) {
    return fmt::format(R"({{"id":"{}","at":"2026-01-05T08:00:00Z","spo2":97}})", id);
  }
};

TEST_F(MqttFeedTest, IsAPrincipalOfItsOwnThatThePolicyBoundsAndTheAuditNames) {
  mqtt::Broker broker;
  broker.start();
  restart([&](Settings& settings) {
    settings.vitals.mqtt_host = "127.0.0.1";
    settings.vitals.mqtt_port = broker.port();
  });
  mqtt::publish(broker, "mydr24/vitals/p1", sample("one"));
  ASSERT_TRUE(mqtt::wait_for([] { return found("patient=Patient/p1&subtype=vitals-mqtt").contains("service/mqtt"); }));
  const auto entry = found("patient=Patient/p1&subtype=vitals-mqtt&outcome=0");
  EXPECT_TRUE(entry.contains("device-feed")) << entry;
  EXPECT_TRUE(entry.contains("\"TREAT\"")) << entry;

  // A policy of one's own may know it by a role of its own, here one that may nothing.
  const auto file = folder_ / "policy.json";
  std::ofstream(file)
      << R"({"roles":{"mqtt-feed":{"purpose":"TREAT"},"compliance-officer":{"fhir":[{"types":["AuditEvent"],)"
         R"("permissions":"rs"}],"labels":["*"]}}})";
  restart([&](Settings& settings) { settings.access.policy_file = file.string(); });
  mqtt::publish(broker, "mydr24/vitals/p2", sample("two"));
  ASSERT_TRUE(mqtt::wait_for(
      [] { return found("patient=Patient/p2&subtype=vitals-mqtt&outcome=4").contains("service/mqtt"); }));
  EXPECT_FALSE(found("patient=Patient/p2&subtype=vitals-mqtt&outcome=0").contains("service/mqtt"))
      << "nothing was written";
}

}  // namespace
}  // namespace mydr24::server
