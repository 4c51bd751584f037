// Emergencies and on-call receivers: what reaches the Book, which calls people, and what ends there.

#include "alerting/groups/groups_fixture.h"

namespace mydr24::groups {
namespace {

constexpr std::string_view everything_holds_back = R"(
route:
  receiver: web
  group_wait: 1h
  routes:
  - receiver: web
    mute_time_intervals: [always]
receivers: [{name: web, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]
time_intervals: [{name: always, time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]}]
inhibit_rules:
- source_matchers: [alertname=source]
)";

TEST_F(GroupsTest, AnEmergencyIsHeldBackByNothing) {
  start(everything_holds_back);
  ASSERT_TRUE(silence("alertname=down", 60));
  ASSERT_TRUE(push("source"));
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  ASSERT_TRUE(push("quiet"));
  ASSERT_EQ(book().size(), 1U) << "people are called in the transaction that stored it";
  EXPECT_EQ(book()[0].severity, alerts::Severity::emergency);
  EXPECT_EQ(book()[0].title, "down");
  to(0.2);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"down"});
  // The same again is the same emergency; its end ends it in the Book.
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  EXPECT_EQ(book().size(), 1U);
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}), 0, 0.2)));
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsTest, AnEmergencyThatIsNotSentAgainEndsInTheBook) {
  start();
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  to(301);
  EXPECT_TRUE(book().empty());
  ASSERT_EQ(book(true).size(), 1U);
}

TEST_F(GroupsTest, AnEmergencyThatCannotBeWrittenDownIsToldAllTheSame) {
  start();
  to(1);
  store_->refuse_writes = 1;
  EXPECT_EQ(push(alert(named("down", {{"severity", "emergency"}}))).error().code, Code::busy);
  store_->refuse_writes = 1;
  EXPECT_EQ(push("test").error().code, Code::busy);
  to(2);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"down"});
  EXPECT_EQ(unrecorded_, std::vector<std::string>{"down 0"});
}

TEST_F(GroupsTest, AnOnCallReceiverIsOneAlertInTheBookForEachGroup) {
  use_network_ = true;
  start(to_people);
  ASSERT_TRUE(push(alert(named("slow", {{"ward", "A"}}))));
  ASSERT_TRUE(push(alert(named("slow", {{"ward", "B"}, {"severity", "critical"}}))));
  to(1.1);
  ASSERT_EQ(book().size(), 1U);
  EXPECT_EQ(book()[0].severity, alerts::Severity::urgent) << "of the worst";
  EXPECT_EQ(book()[0].title, "slow");
  ASSERT_TRUE(push(alert(named("slow", {{"ward", "C"}}))));
  to(3);
  EXPECT_EQ(book().size(), 1U);
  for (const char* ward : {"A", "C"}) ASSERT_TRUE(push(alert(named("slow", {{"ward", ward}}), 0, 3)));
  ASSERT_TRUE(push(alert(named("slow", {{"ward", "B"}, {"severity", "critical"}}), 0, 3)));
  to(5);
  EXPECT_TRUE(book().empty());
  ASSERT_EQ(book(true).size(), 1U);
}

TEST_F(GroupsTest, AnEmergencyThatCouldNotBeWrittenDownIsInTheBookAsSoonAsThatWorks) {
  use_network_ = true;
  start(to_people);
  store_->refuse_writes = 1;
  EXPECT_FALSE(push(alert(named("Arrest", {{"severity", "emergency"}}))));
  EXPECT_TRUE(book().empty());
  to(3);
  ASSERT_EQ(book().size(), 1U);
  EXPECT_EQ(book()[0].title, "Arrest");
  to(30);
  EXPECT_EQ(book().size(), 1U) << "once";
}

TEST_F(GroupsTest, WhileTheDiskIsFullAnEmergencyIsCalledAboutFromMemoryAgainAndAgain) {
  start();
  const auto arrest = [&] { return alert(named("Arrest", {{"severity", "emergency"}})); };
  const auto fall = [&] { return alert(named("Fall", {{"severity", "emergency"}})); };
  ASSERT_TRUE(push(fall()));
  to(1);
  store_->refuse_writes = 1'000'000;
  EXPECT_FALSE(push(arrest()));
  EXPECT_EQ(unrecorded_, std::vector<std::string>{"Arrest 0"}) << "at once";
  EXPECT_EQ(groups_->counters().unrecorded, 1);
  EXPECT_FALSE(push(fall())) << "never 200";
  pass(65s);
  EXPECT_EQ(unrecorded_, (std::vector<std::string>{"Arrest 0", "Arrest 1", "Arrest 2"}))
      << "that of the fall is in the Book, which has called";
  store_->refuse_writes = 0;
  pass(2s);
  EXPECT_EQ(book().size(), 2U);
  EXPECT_EQ(groups_->counters().unrecorded, 0);
  pass(60s);
  EXPECT_EQ(unrecorded_.size(), 3U);
}

TEST_F(GroupsTest, AnEmergencyEventThatCannotBeWrittenDownIsToldAllTheSame) {
  start();
  store_->refuse_writes = 1;
  Event event{.integration = "generic", .dedup_key = "k", .labels = named("Arrest", {{"severity", "emergency"}})};
  EXPECT_FALSE(run(groups_->take(std::move(event))));
  to(1);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"Arrest"});
  to(3);
  EXPECT_EQ(book().size(), 1U);
}

TEST_F(GroupsTest, AnEmergencyThatEndedWhileNoProcessRanEndsInTheBook) {
  start();
  ASSERT_TRUE(push(alert(named("Arrest", {{"severity", "emergency"}}))));
  ASSERT_EQ(book().size(), 1U);
  groups_->stop();
  groups_.reset();
  clock_.advance(3h);
  start();
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsTest, AGroupFullOfEmergenciesCallsForItsOtherAlertsToo) {
  use_network_ = true;
  alerts_max_ = 10'000;
  start(R"(
route: {receiver: people, group_by: [], group_wait: 1s, group_interval: 1s}
receivers: [{name: people, oncall_configs: [{}]}]
)");
  ASSERT_TRUE(push(alert(named("slow", {{"severity", "high"}}))));
  to(2);
  ASSERT_EQ(book().size(), 1U);
  std::vector<Alert> many;
  for (std::size_t i = 0; i < alerts_told_max; ++i)
    many.push_back(alert(named("down", {{"severity", "emergency"}, {"n", std::to_string(i)}})));
  ASSERT_TRUE(run(groups_->take(std::move(many))));
  to(5);
  std::size_t slow = 0;
  for (const alerts::Alert& one : book(true)) slow += one.severity == alerts::Severity::urgent ? 1 : 0;
  EXPECT_EQ(slow, 0U) << "it fires and is not over";
}

TEST_F(GroupsTest, TwoPoliciesOfOneReceiverAreBothCalled) {
  use_network_ = true;
  start(R"(
route: {receiver: people, group_wait: 1s}
receivers:
- name: people
  oncall_configs: [{policy: ward}, {policy: it}]
)");
  ASSERT_TRUE(push("A"));
  to(3);
  EXPECT_EQ(book().size(), 2U);
}

TEST_F(GroupsTest, WhatEndsWhileItIsSilencedEndsInTheBookAllTheSame) {
  use_network_ = true;
  start(R"(
route: {receiver: people, group_wait: 1s, group_interval: 1s}
receivers:
- name: people
  oncall_configs: [{}]
)");
  ASSERT_TRUE(push("A"));
  to(3);
  ASSERT_EQ(book().size(), 1U);
  ASSERT_TRUE(silence("alertname=A", 600));
  ASSERT_TRUE(push(alert(named("A"), 0, 3)));
  to(10);
  EXPECT_TRUE(book().empty());
}

TEST_F(GroupsTest, AWindowThatNeverClosesNeedsASecondPersonForWhatIsCritical) {
  start();
  ASSERT_TRUE(push(alert(named("A", {{"severity", "critical"}}))));
  Silence made{.matchers = *routing::parse_matchers("alertname=A", routing::Names::utf8),
               .starts_at = clock_.now(),
               .ends_at = clock_.now() + 24h * 365,
               .created_by = "me",
               .comment = "",
               .windows = {routing::TimeInterval{}}};
  auto seen = groups_->preview(made);
  ASSERT_TRUE(seen);
  EXPECT_FALSE(seen->needs_second_person.empty());
  made.windows[0].times.push_back({60, 90});
  seen = groups_->preview(made);
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->needs_second_person.empty()) << "half an hour a day";
}

TEST_F(GroupsTest, AnOnCallReceiverIsAskedAgainWhenTheStoreIsBusy) {
  use_network_ = true;
  start(to_people);
  ASSERT_TRUE(push("slow"));
  to(0.9);
  store_->refuse_writes = 1;
  to(1.2);
  EXPECT_TRUE(book().empty());
  to(1.8);
  EXPECT_EQ(book().size(), 1U);
}

}  // namespace
}  // namespace mydr24::groups
