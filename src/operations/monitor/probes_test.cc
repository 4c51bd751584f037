#include "operations/monitor/probes.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/json/document.h"
#include "storage/store/fake_store.h"

namespace mydr24::monitor {
namespace {

using namespace std::chrono_literals;

class OneChannel : public notify::Channel {
 public:
  explicit OneChannel(std::atomic<int>& sent, bool works) : sent_(sent), works_(works) {}
  Task<notify::SendOutcome> send(notify::Message message) override {
    EXPECT_EQ(message.purpose, notify::Purpose::notice);
    EXPECT_TRUE(message.title.starts_with("TEST")) << message.title;
    EXPECT_TRUE(message.patient.empty() && message.reason.empty());
    ++sent_;
    co_return works_ ? notify::SendOutcome{.status = notify::SendStatus::delivered}
                     : notify::SendOutcome{.text = "it does not work"};
  }
  std::string_view medium() const override { return "test"; }

 private:
  std::atomic<int>& sent_;
  const bool works_;
};

class ProbesTest : public testing::Test {
 protected:
  ProbesTest() {
    auto started = net::serve({}, [this](net::Exchange& exchange) -> Task<> {
      const auto body = co_await exchange.read_body(1U << 12);
      if (body && body->contains("heartbeat")) ++beats_;
      co_await exchange.respond({.status = 204});
    });
    EXPECT_TRUE(started);
    outside_ = std::move(*started);
  }
  // `console`: one that always delivers before them.
  std::unique_ptr<Probes> make(std::vector<bool> channels, bool console = false) {
    return std::make_unique<Probes>(ProbeParts{
        .calls = calls_,
        .store = store_,
        .clock = system_clock(),
        .log = log_,
        .make_probes =
            [this, channels, console](asio::io_context&) {
              std::vector<Probe> probes;
              if (console)
                probes.push_back(
                    {.name = "console", .channel = std::make_unique<OneChannel>(sent_, true), .always_delivers = true});
              for (const bool works : channels)
                probes.push_back(
                    {.name = fmt::format("c{}", probes.size()), .channel = std::make_unique<OneChannel>(sent_, works)});
              return probes;
            },
        .read_record = [this] { return can_read_ ? Result<>() : Result<>(fail(Code::internal, "no")); },
        .is_working = [this] { return works_.load(); },
        .keep = [this] { ++kept_; },
        .heartbeat_url = fmt::format("http://127.0.0.1:{}/", outside_->port()),
        .probe_every = 1s,
        .look_every = 1s});
  }
  template <class Holds>
  static bool wait(Holds holds) {
    for (int i = 0; i < 400 && !holds(); ++i) std::this_thread::sleep_for(10ms);
    return holds();
  }

  std::ostringstream lines_;
  telemetry::Log log_{{.level = telemetry::Level::error}, system_clock(), lines_};
  store::FakeStore store_{system_clock()};
  Calls calls_{store_, system_clock()};
  std::atomic<int> sent_ = 0, beats_ = 0, kept_ = 0;
  std::atomic<bool> works_ = true, can_read_ = true;
  std::unique_ptr<net::Server> outside_;
};

TEST_F(ProbesTest, EachChannelIsTriedAndItsOutcomeCounted) {
  const auto probes = make({true, false});
  probes->start();
  ASSERT_TRUE(wait([&] { return calls_.messages() >= 2; }));
  probes->stop();
  EXPECT_EQ(sent_.load(), static_cast<int>(calls_.messages()));
  EXPECT_EQ(calls_.delivered() * 2, calls_.messages());
  EXPECT_NEAR(*calls_.success(), 0.5, 1e-9);
  EXPECT_TRUE(probes->is_available()) << "one channel works";
  const std::string text = probes->channels_json();
  const auto document = json::Document::parse_view(text);
  ASSERT_EQ(document->root()["channels"].size(), 2U) << text;
  EXPECT_TRUE(document->root()["channels"].at(0)["delivered"].is_true());
  EXPECT_EQ(document->root()["channels"].at(1)["text"].text(), "it does not work");
}

TEST_F(ProbesTest, WithoutAnyChannelThatWorksNoEmergencyCanBeSent) {
  const auto probes = make({false, false});
  probes->start();
  EXPECT_TRUE(wait([&] { return !probes->is_available(); }));
}

TEST_F(ProbesTest, WhatAlwaysDeliversCountsOnlyAlone) {
  const auto probes = make({false}, true);
  probes->start();
  EXPECT_TRUE(wait([&] { return !probes->is_available(); }));
  const auto alone = make({}, true);
  alone->start();
  ASSERT_TRUE(wait([&] { return alone->channels_json().contains("console"); }));
  alone->stop();
  EXPECT_TRUE(alone->is_available());
}

TEST_F(ProbesTest, AtRestOneWriteAMinuteAndAfterAFailureUntilItGoesWell) {
  const auto probes = make({true});
  probes->start();
  ASSERT_TRUE(wait([&] { return sent_ >= 3; }));
  EXPECT_EQ(store_.writes_of_state(), 1U);
  EXPECT_EQ(kept_.load(), 1);
  store_.full = true;
  ASSERT_TRUE(wait([&] { return !probes->is_available(); }));
  store_.full = false;
  ASSERT_TRUE(wait([&] { return probes->is_available(); }));
  probes->stop();
  EXPECT_EQ(store_.writes_of_state(), 2U) << "that it goes well is known by a write";
}

TEST_F(ProbesTest, OnlyWhoLeadsSendsHeartbeats) {
  store_.leading = false;
  const auto probes = make({true});
  probes->start();
  ASSERT_TRUE(wait([&] { return sent_ >= 2; }));
  EXPECT_EQ(beats_.load(), 0);
  store_.leading = true;
  EXPECT_TRUE(wait([&] { return beats_ > 0; }));
}

TEST_F(ProbesTest, ARecordThatCannotBeReadIsNotAvailableAndHasNoTime) {
  can_read_ = false;
  const auto probes = make({true});
  probes->start();
  ASSERT_TRUE(wait([&] { return !probes->is_available(); }));
  for (const Source& source : probes->sources())
    if (source.name == "emergency_data_retrieval_seconds") EXPECT_FALSE(source.read());
  can_read_ = true;
  ASSERT_TRUE(wait([&] { return probes->is_available(); }));
  for (const Source& source : probes->sources()) {
    if (source.name == "emergency_data_retrieval_seconds") EXPECT_LT(source.read().value_or(99), 5.0);
    if (source.name == "database_latency_seconds") EXPECT_LT(source.read().value_or(99), 5.0);
  }
}

TEST_F(ProbesTest, AHeartbeatIsSentOnlyWhileTheMonitorWorks) {
  works_ = false;
  const auto probes = make({true});
  probes->start();
  std::this_thread::sleep_for(1200ms);
  EXPECT_EQ(beats_.load(), 0);
  works_ = true;
  EXPECT_TRUE(wait([&] { return beats_ > 0; }));
}

}  // namespace
}  // namespace mydr24::monitor
