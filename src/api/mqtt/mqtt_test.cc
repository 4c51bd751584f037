// Against a real broker: mosquitto, started by the test on a free port and ended with it.

#include "api/mqtt/mqtt.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <functional>
#include <mutex>
#include <sstream>
#include <thread>

#include "api/mqtt/broker_fixture.h"
#include "guard/access/policy.h"
#include "storage/store/fake_store.h"

namespace mydr24::mqtt {
namespace {

class MqttTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(broker_program)) GTEST_SKIP() << broker_program << " is not there: ./dev setup";
  }
  std::unique_ptr<Subscriber> subscribe(const Broker& broker, const std::function<void(Settings&)>& change = {}) {
    Settings settings{.host = "127.0.0.1", .port = broker.port(), .retry_first = 50ms, .retry_max = 200ms};
    if (change) change(settings);
    auto started = Subscriber::start(std::move(settings), records_, system_clock(), log_);
    EXPECT_TRUE(started) << started.error().text;
    return started ? std::move(*started) : nullptr;
  }
  static bool connected(const Subscriber& subscriber) {
    return wait_for([&] { return subscriber.counters().connected.load(); });
  }
  static bool stored(const Subscriber& subscriber, std::int64_t count) {
    return wait_for([&] { return subscriber.counters().stored >= count; });
  }
  static std::string sample(int spo2, std::string_view id) {
    return fmt::format(R"({{"id":"{}","at":"2026-01-05T08:00:00Z","spo2":{},"pulse":70}})", id, spo2);
  }

  std::ostringstream log_text_;
  store::FakeStore store_{system_clock()};
  records::Records records_{store_, system_clock()};
  telemetry::Log log_{{}, system_clock(), log_text_};
};

TEST_F(MqttTest, AMessageBecomesAnObservationOfThePatientInItsTopic) {
  for (const Protocol protocol : {Protocol::v5, Protocol::v311}) {
    Broker broker;
    broker.start();
    const auto subscriber = subscribe(broker, [&](Settings& settings) { settings.protocol = protocol; });
    ASSERT_TRUE(connected(*subscriber));
    const std::string patient = protocol == Protocol::v5 ? "p5" : "p311";
    publish(broker, "mydr24/vitals/" + patient, sample(97, "a"));
    ASSERT_TRUE(stored(*subscriber, 1));
    const auto resources = store_.resources();
    EXPECT_TRUE(std::ranges::any_of(resources, [&](const auto& resource) {
      return resource.first.starts_with("Observation/") &&
             resource.second.contains(fmt::format("\"reference\":\"Patient/{}\"", patient)) &&
             resource.second.contains("2708-6");
    }));
  }
}

TEST_F(MqttTest, TheSameSampleTwiceIsStoredOnce) {
  Broker broker;
  broker.start();
  const auto subscriber = subscribe(broker);
  ASSERT_TRUE(connected(*subscriber));
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  publish(broker, "mydr24/vitals/p1", sample(96, "b"));
  ASSERT_TRUE(stored(*subscriber, 3));
  EXPECT_EQ(store_.resources().size(), 2U);
}

TEST_F(MqttTest, WhatComesIsWrittenInTheNameThatItWasGiven) {
  const auto policy = std::make_shared<const access::Policy>(
      *access::parse_policy(R"({"roles":{"feed":{"fhir":[{"types":["Observation"],"permissions":"cu"}]}}})"));
  for (const std::string role : {"feed", "none"}) {
    auto caller = std::make_shared<access::Caller>();
    caller->principal.kind = access::PrincipalKind::machine;
    caller->principal.id = "service/mqtt";
    caller->principal.roles = {role};
    caller->sight = *access::Sight::of(policy, caller->principal);
    std::mutex mutex;
    std::vector<std::string> noted, refused;
    Broker broker;
    broker.start();
    auto subscriber = subscribe(broker, [&](Settings& settings) {
      settings.access = [&]() -> Result<std::shared_ptr<access::Access>> {
        auto made = std::make_shared<access::Access>(caller, system_clock());
        made->note_writes_by([&](store::Transaction&, std::span<const access::Access::Written> written) -> Result<> {
          const std::lock_guard lock(mutex);
          for (const auto& each : written) noted.push_back(each.type + " of " + each.patients.at(0));
          return {};
        });
        return made;
      };
      settings.refused = [&](std::string_view patient) {
        const std::lock_guard lock(mutex);
        refused.emplace_back(patient);
      };
    });
    ASSERT_TRUE(connected(*subscriber));
    publish(broker, "mydr24/vitals/p1", sample(97, "a"));
    ASSERT_TRUE(wait_for([&] { return subscriber->counters().stored + subscriber->counters().rejected >= 1; }));
    subscriber.reset();
    const bool may = role == "feed";
    EXPECT_EQ(noted, may ? std::vector<std::string>{"Observation of p1"} : std::vector<std::string>{});
    EXPECT_EQ(refused, may ? std::vector<std::string>{} : std::vector<std::string>{"p1"});
  }
}

TEST_F(MqttTest, WhatTheStoreDidNotTakeIsNotAcknowledgedAndComesAgain) {
  Broker broker;
  broker.start();
  store_.refuse_writes = 1;
  const auto subscriber = subscribe(broker);
  ASSERT_TRUE(connected(*subscriber));
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  ASSERT_TRUE(stored(*subscriber, 1));
  EXPECT_EQ(subscriber->counters().postponed, 1);
  EXPECT_EQ(subscriber->counters().received, 2);
  // It may come before the subscription is confirmed, from which on the connection counts.
  EXPECT_TRUE(wait_for([&] { return subscriber->counters().connections >= 2; }));
  EXPECT_EQ(store_.resources().size(), 1U);
}

TEST_F(MqttTest, AWrongMessageIsCountedAndNeverLoggedAndHoldsUpNothing) {
  Broker broker;
  broker.start();
  auto subscriber = subscribe(broker);
  ASSERT_TRUE(connected(*subscriber));
  publish(broker, "mydr24/vitals/secret-patient", R"({"spo2":"secret-value"})");
  publish(broker, "mydr24/vitals/secret-patient", R"({"spo2":97})");  // neither id nor time
  publish(broker, "mydr24/vitals/secret-patient", "\xff not even text");
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  ASSERT_TRUE(stored(*subscriber, 1));
  EXPECT_EQ(subscriber->counters().rejected, 3);
  subscriber.reset();
  EXPECT_TRUE(log_text_.str().contains("rejected"));
  EXPECT_FALSE(log_text_.str().contains("secret"));
}

TEST_F(MqttTest, WhatCameWhileItWasAwayComesLater) {
  Broker broker;
  broker.start();
  auto subscriber = subscribe(broker);
  ASSERT_TRUE(connected(*subscriber));
  subscriber.reset();
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  EXPECT_TRUE(store_.resources().empty());
  subscriber = subscribe(broker);
  EXPECT_TRUE(stored(*subscriber, 1));
}

TEST_F(MqttTest, ABrokerThatRestartsIsFoundAgain) {
  Broker broker;
  const auto subscriber = subscribe(broker);
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(subscriber->counters().connected);
  broker.start();
  ASSERT_TRUE(connected(*subscriber));
  broker.stop();
  ASSERT_TRUE(wait_for([&] { return !subscriber->counters().connected; }));
  broker.start();
  ASSERT_TRUE(connected(*subscriber));
  publish(broker, "mydr24/vitals/p1", sample(97, "a"));
  EXPECT_TRUE(stored(*subscriber, 1));
}

TEST_F(MqttTest, ABurstIsStoredWhole) {
  Broker broker;
  broker.start();
  auto subscriber = subscribe(broker);
  ASSERT_TRUE(connected(*subscriber));
  subscriber.reset();
  for (int i = 0; i < 100; ++i) publish(broker, "mydr24/vitals/p1", sample(97, fmt::format("s{}", i)));
  subscriber = subscribe(broker);
  ASSERT_TRUE(stored(*subscriber, 100));
  EXPECT_EQ(store_.resources().size(), 100U);
}

TEST_F(MqttTest, ThePasswordIsNeeded) {
  Broker broker;
  const std::string file = (broker.folder() / "passwords").string();
  ASSERT_EQ(std::system(fmt::format("mosquitto_passwd -b -c {} ward right", file).c_str()), 0);
  broker.configure(fmt::format("allow_anonymous false\npassword_file {}\n", file));
  broker.start();
  const auto wrong = subscribe(broker, [](Settings& settings) {
    settings.client_id = "wrong";
    settings.username = "ward";
    settings.password = "wrong";
  });
  const auto right = subscribe(broker, [](Settings& settings) {
    settings.username = "ward";
    settings.password = "right";
  });
  ASSERT_TRUE(connected(*right));
  publish(broker, "mydr24/vitals/p1", sample(97, "a"), "ward", "right");
  EXPECT_TRUE(stored(*right, 1));
  EXPECT_FALSE(wrong->counters().connected);
  EXPECT_EQ(wrong->counters().connections, 0);
}

TEST_F(MqttTest, TlsIsCheckedAgainstTheAuthority) {
  Broker broker;
  const std::string folder = broker.folder().string();
  ASSERT_EQ(std::system(fmt::format("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext "
                                    "subjectAltName=IP:127.0.0.1 -keyout {0}/key -out {0}/cert 2>/dev/null",
                                    folder)
                            .c_str()),
            0);
  broker.configure(fmt::format("allow_anonymous true\ncertfile {0}/cert\nkeyfile {0}/key\n", folder));
  broker.start();
  const auto trusting = subscribe(broker, [&](Settings& settings) {
    settings.tls = true;
    settings.ca_file = folder + "/cert";
  });
  ASSERT_TRUE(connected(*trusting));
  for (int i = 0; i < 5; ++i)
    publish(broker, "mydr24/vitals/p1", sample(97, fmt::format("s{}", i)), "", "", folder + "/cert");
  EXPECT_TRUE(stored(*trusting, 5));
  const auto strict = subscribe(broker, [](Settings& settings) {
    settings.client_id = "strict";
    settings.tls = true;
  });
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(strict->counters().connections, 0);
}

}  // namespace
}  // namespace mydr24::mqtt
