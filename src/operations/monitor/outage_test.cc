// What is found while the store is away: by its silence, told from memory, and without what follows from it.

#include <gtest/gtest.h>

#include <sstream>

#include "base/json/document.h"
#include "operations/monitor/monitor.h"
#include "operations/monitor/pulse.h"
#include "storage/store/fake_store.h"

namespace mydr24::monitor {
namespace {

using namespace std::chrono_literals;

constexpr Instant start{std::chrono::seconds(1'700'000'000)};

// Keeps what is submitted until it is let go.
class HangingStore : public store::FakeStore {
 public:
  using FakeStore::FakeStore;
  void submit(RequestClass request_class, store::Work work, store::Done done) override {
    if (!hangs) return FakeStore::submit(request_class, std::move(work), std::move(done));
    held_.emplace_back(std::move(work), std::move(done));
  }
  void let_go() {
    hangs = false;
    for (auto& [work, done] : std::exchange(held_, {}))
      FakeStore::submit(RequestClass::emergency, std::move(work), std::move(done));
  }
  bool hangs = false;

 private:
  std::vector<std::pair<store::Work, store::Done>> held_;
};

class OutageTest : public testing::Test {
 protected:
  OutageTest() {
    book_.attach(store_);
    for (const char* name : {"database_unanswered_seconds", "disk_free_mib", "database_latency_seconds",
                             "store_queued_writes", "audit_lag_seconds"})
      monitor_.add({.name = name,
                    .unit = "s",
                    .help = "",
                    .group = Group::operational,
                    .every = 1s,
                    .read = [this, name]() -> std::optional<double> {
                      if (std::string_view(name) == "database_unanswered_seconds")
                        return std::chrono::duration<double>(pulse_.unanswered()).count();
                      return values_.at(name);
                    }});
    monitor_.call_with([this](const Unstored::Call& call) { calls_.push_back(call); });
    EXPECT_TRUE(monitor_.start());
    run(3s);
  }
  void run(std::chrono::seconds time) {
    for (std::chrono::seconds i{0}; i < time; ++i) {
      clock_.advance(1s);
      pulse_.tick();
      monitor_.tick();
    }
  }
  bool is_told(std::string_view cause) {
    bool found = false;
    (void)store_.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto alert, alerts::Book::find_unresolved(reader, cause));
      found = alert.has_value();
      return {};
    });
    return found;
  }

  ManualClock clock_{start};
  HangingStore store_{clock_};
  const oncall::Directory directory_ =
      *oncall::Directory::make({.contacts = {{"nurse", {{notify::Kind::webhook, "http://127.0.0.1:1/nurse", "s"}, {}}}},
                                .steps = {{{"nurse"}}}});
  alerts::Book book_{directory_};
  std::ostringstream lines_;
  telemetry::Log log_{{.level = telemetry::Level::error}, clock_, lines_};
  std::map<std::string, double, std::less<>> values_{{"disk_free_mib", 1'000},
                                                     {"database_latency_seconds", 0.01},
                                                     {"store_queued_writes", 0},
                                                     {"audit_lag_seconds", 0}};
  Pulse pulse_{store_, clock_};
  Monitor monitor_{store_, book_, clock_, log_};
  std::vector<Unstored::Call> calls_;
};

TEST_F(OutageTest, AStoreThatHangsIsFoundWithinFourSecondsAndPeopleAreCalledFromMemoryUntilItIsWrittenDown) {
  store_.hangs = true;
  run(2s);
  EXPECT_TRUE(calls_.empty()) << "two seconds are borne";
  run(2s);
  const std::string status = monitor_.status_json();
  EXPECT_TRUE(status.contains(R"("cause":"monitor/DatabaseDown","severity":"Critical")")) << status;
  run(1s);
  ASSERT_EQ(calls_.size(), 1U);
  EXPECT_EQ(calls_[0].finding.cause, "monitor/DatabaseDown");
  EXPECT_EQ(calls_[0].round, 0);
  EXPECT_EQ(policy_of(calls_[0].finding.severity), "operations-critical");
  run(29s);
  EXPECT_EQ(calls_.size(), 1U);
  run(1s);
  ASSERT_EQ(calls_.size(), 2U) << "the next ones";
  EXPECT_EQ(calls_[1].round, 1);
  EXPECT_EQ(calls_[1].id, calls_[0].id);

  EXPECT_FALSE(is_told("monitor/DatabaseDown"));
  store_.let_go();
  EXPECT_TRUE(is_told("monitor/DatabaseDown")) << "written down as soon as it can be";
  run(60s);
  EXPECT_EQ(calls_.size(), 2U);
  EXPECT_FALSE(is_told("monitor/DatabaseDown")) << "it is over";
}

TEST_F(OutageTest, AStoreThatRefusesIsFoundAsOneThatHangs) {
  store_.refuse_writes = 1'000'000;
  run(4s);
  EXPECT_TRUE(monitor_.status_json().contains("monitor/DatabaseDown"));
  run(1s);
  EXPECT_EQ(calls_.size(), 1U);
  store_.refuse_writes = 0;
  run(1s);
  EXPECT_EQ(pulse_.unanswered().count(), 0);
  EXPECT_TRUE(is_told("monitor/DatabaseDown"));
}

TEST_F(OutageTest, AMomentWithoutAnAnswerIsNone) {
  store_.refuse_writes = 1;
  run(10s);
  EXPECT_FALSE(is_told("monitor/DatabaseDown"));
  EXPECT_TRUE(calls_.empty());
}

TEST_F(OutageTest, AFullDiskIsToldAsThatAndNotAsADatabaseThatIsDown) {
  values_["disk_free_mib"] = 0;
  store_.full = true;
  run(2s);
  ASSERT_EQ(calls_.size(), 1U);
  EXPECT_EQ(calls_[0].finding.cause, "monitor/DiskFull");
  run(10s);
  EXPECT_FALSE(monitor_.status_json().contains("monitor/DatabaseDown"));
  store_.full = false;
  values_["disk_free_mib"] = 1'000;
  run(1s);
  EXPECT_TRUE(is_told("monitor/DiskFull"));
}

TEST_F(OutageTest, WhatFollowsFromItIsNotToldBesideItNorRightAfterIt) {
  store_.hangs = true;
  run(4s);
  values_["database_latency_seconds"] = 9;
  values_["store_queued_writes"] = 5'000;
  run(20s);
  const std::string status = monitor_.status_json();
  EXPECT_FALSE(status.contains("monitor/DatabaseSlow")) << status;
  EXPECT_FALSE(status.contains("monitor/SystemOverload")) << status;
  store_.let_go();
  run(60s);
  EXPECT_FALSE(is_told("monitor/DatabaseSlow")) << "the worst of a minute outlives its cause";
  run(120s);
  EXPECT_TRUE(is_told("monitor/DatabaseSlow")) << "it goes on without that cause";
  EXPECT_TRUE(is_told("monitor/SystemOverload"));
}

TEST_F(OutageTest, WhatWasToldBeforeItsCauseGoesOnBeingTold) {
  values_["database_latency_seconds"] = 9;
  run(2s);
  EXPECT_TRUE(is_told("monitor/DatabaseSlow"));
  store_.hangs = true;
  run(30s);
  EXPECT_TRUE(monitor_.status_json().contains("monitor/DatabaseSlow"));
}

TEST_F(OutageTest, WhatIsOnlyToBeLookedAtWaitsForTheStore) {
  values_["audit_lag_seconds"] = 31;
  store_.hangs = true;
  run(3s);
  ASSERT_FALSE(calls_.empty());
  EXPECT_EQ(calls_[0].finding.cause, "monitor/ComplianceRisk") << "high: people are called";
  Unstored unstored;
  const std::vector<Finding> findings{{.cause = "monitor/Odd", .severity = Severity::medium}};
  const auto nothing = [](std::string_view) { return false; };
  EXPECT_TRUE(unstored.due(findings, nothing, start, 1s).empty());
  EXPECT_TRUE(unstored.due(findings, nothing, start, 100s).empty());
}

TEST(RulesOfServices, AreReadAndWritten) {
  const auto document = json::Document::parse_view(
      R"([{"name":"A","metric":"m","comparison":"above","limit":1,"severity":"High","category":"SystemPerformance",)"
      R"("service":"database","unless":["B","C"],"title":"t","actions":["a"]}])");
  const auto rules = rules_of(document->root());
  ASSERT_TRUE(rules) << rules.error().text;
  EXPECT_EQ(rules->front().service, "database");
  EXPECT_EQ(rules->front().unless, (std::vector<std::string>{"B", "C"}));
  std::string text;
  json::Writer out(text);
  out.begin_array();
  write(out, rules->front());
  out.end_array();
  const auto again = json::Document::parse_view(text);
  EXPECT_EQ(*rules_of(again->root()), *rules);
  const auto bad = json::Document::parse_view(
      R"([{"name":"A","metric":"m","comparison":"above","limit":1,"severity":"High","category":"SystemPerformance",)"
      R"("unless":["not a name"],"title":"t","actions":["a"]}])");
  const auto refused = rules_of(bad->root());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "rules[0].unless");
}

}  // namespace
}  // namespace mydr24::monitor
