// Alerts with labels on the whole server, whose clock somebody sets.

#include <atomic>

#include "app/server/server_fixture.h"
#include "base/core/date_time.h"

namespace mydr24::server {
namespace {

class SetClock : public Clock {
 public:
  Instant now() const override { return system_clock().now() + Microseconds(ahead_us.load()); }
  std::chrono::nanoseconds steady() const override { return system_clock().steady(); }
  std::atomic<std::int64_t> ahead_us = 0;
};

class LabelAlertsServer : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("mydr24-label-alerts-test-{}", getpid());
    std::filesystem::remove_all(folder_);
    settings_ = {};
    settings_.server.listen = settings_.server.admin = "127.0.0.1:0";
    settings_.server.drain_time_max_ms = 500;
    settings_.store.path = folder_.string();
    settings_.log.level = "error";
    settings_.access.mode = "off";
    clock_.ahead_us = Microseconds(std::chrono::hours(1)).count();
    auto started = start(settings_, clock_);
    ASSERT_TRUE(started) << started.error().text;
    system_ = std::move(*started).release();
  }
  static Answer post(std::string_view name, Microseconds lasts) {
    const Instant now = system_clock().now();
    return send(
        Method::post, "/api/v2/alerts",
        fmt::format(R"([{{"labels":{{"alertname":"{}","severity":"emergency"}},"startsAt":"{}","endsAt":"{}"}}])", name,
                    format_instant(now - std::chrono::minutes(1)), format_instant(now + lasts)),
        {{"Content-Type", "application/json"}});
  }
  // Not those by which an incident's people are called.
  static std::size_t open() {
    const Answer list = send(Method::get, "/api/v1/alerts");
    std::size_t count = 0;
    for (const auto alert : list.body.root()["alerts"]) count += alert["source"].text() == "label" ? 1 : 0;
    return count;
  }

  static inline SetClock clock_;
};

TEST_F(LabelAlertsServer, WhatSendersWithTheRightTimeSayCountsAsSoonAsOurClockIsSetRight) {
  clock_.ahead_us = 0;
  EXPECT_EQ(post("Arrest", std::chrono::minutes(4)).status, 200);
  EXPECT_EQ(open(), 1U) << "it ends in four minutes, not an hour ago";
  EXPECT_EQ(post("Arrest", Microseconds(0)).status, 200);
  EXPECT_EQ(open(), 0U);
}

}  // namespace
}  // namespace mydr24::server
