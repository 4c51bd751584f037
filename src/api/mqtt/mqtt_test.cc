// Against a real broker: mosquitto, started by the test on a free port and ended with it.

#include "api/mqtt/mqtt.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <mosquitto.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <sstream>
#include <thread>

#include "storage/store/fake_store.h"

namespace mydr24::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr const char* broker_program = "/usr/sbin/mosquitto";

int open_socket(std::uint16_t port, bool listening) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int done = listening ? bind(fd, generic, sizeof address) : connect(fd, generic, sizeof address);
  if (done == 0) return fd;
  close(fd);
  return -1;
}

std::uint16_t free_port() {
  const int fd = open_socket(0, true);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

bool wait_for(const std::function<bool()>& holds, std::chrono::milliseconds time = 10s) {
  for (auto passed = 0ms; passed < time; passed += 10ms) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return holds();
}

class Broker {
 public:
  explicit Broker(std::string more = "allow_anonymous true\n") : port_(free_port()), more_(std::move(more)) {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-mqtt-{}-{}", getpid(), port_);
    std::filesystem::create_directories(folder_);
  }
  ~Broker() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void start() {
    std::ofstream(folder_ / "conf") << fmt::format(
        "user root\npersistence true\npersistence_location {}/\nlistener {} 127.0.0.1\n{}", folder_.string(), port_,
        more_);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (freopen((folder_ / "log").c_str(), "a", stderr) == nullptr) _exit(126);
      execl(broker_program, broker_program, "-c", (folder_ / "conf").c_str(), nullptr);
      _exit(127);
    }
    ASSERT_TRUE(wait_for([this] {
      const int fd = open_socket(port_, false);
      if (fd >= 0) close(fd);
      return fd >= 0;
    })) << "mosquitto did not start";
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::uint16_t port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_; }
  void configure(std::string more) { more_ = std::move(more); }

 private:
  std::uint16_t port_;
  std::string more_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

// A device: publishes with QoS 1 and returns when the broker has it.
void publish(const Broker& broker, const std::string& topic, const std::string& payload, const std::string& user = {},
             const std::string& password = {}, const std::string& ca_file = {}) {
  mosquitto_lib_init();
  std::promise<void> published;
  auto done = published.get_future();
  mosquitto* client = mosquitto_new(nullptr, true, &published);
  if (!user.empty()) mosquitto_username_pw_set(client, user.c_str(), password.c_str());
  if (!ca_file.empty()) mosquitto_tls_set(client, ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
  mosquitto_publish_callback_set(
      client, [](mosquitto*, void* promise, int) { static_cast<std::promise<void>*>(promise)->set_value(); });
  ASSERT_EQ(mosquitto_connect(client, "127.0.0.1", broker.port(), 10), MOSQ_ERR_SUCCESS);
  mosquitto_loop_start(client);
  mosquitto_publish(client, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1, false);
  EXPECT_EQ(done.wait_for(10s), std::future_status::ready);
  mosquitto_disconnect(client);
  mosquitto_loop_stop(client, false);
  mosquitto_destroy(client);
}

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
