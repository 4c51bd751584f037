#include "alerting/groups/groups.h"

#include <gtest/gtest.h>

#include "alerting/groups/actionability.h"
#include "alerting/groups/detail/mail.h"
#include "alerting/groups/payload.h"
#include "alerting/groups/rules.h"
#include "base/core/date_time.h"
#include "storage/store/fake_store.h"

namespace mydr24::groups {
namespace {

using namespace std::chrono_literals;

// A notification that arrived, in words: "2.0 web firing test1 test2 | resolved test3".
struct Told {
  double at = 0;
  std::string receiver;
  std::set<std::string> firing;
  std::set<std::string> resolved;
  bool maybe_repeated = false;
};

Labels named(std::string name, std::vector<routing::Label> more = {}) {
  more.emplace_back("alertname", std::move(name));
  return Labels(std::move(more));
}

constexpr std::string_view one_webhook = R"(
route: {receiver: web, group_by: [], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: web
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
)";

// Groups on a virtual clock, with a store in memory and receivers that note what they are told. Time is told in seconds
// since the start.
class GroupsTest : public testing::Test {
 protected:
  void start(std::string_view yaml = one_webhook, milliseconds start_delay = 0ms) {
    if (!store_) {
      store_ = std::make_unique<store::FakeStore>(clock_);
      book_.attach(*store_);
    } else {
      store_->forget_process();
    }
    const auto config = routing::load_config(yaml);
    ASSERT_TRUE(config) << config.error().where << config.error().text;
    Settings settings;
    settings.start_delay = start_delay;
    settings.alerts_max = alerts_max_;
    if (!use_network_) settings.sender = [this](const Notice& notice) { return receive(notice); };
    settings.unrecorded = [this](const Alert& alert) { unrecorded_.emplace_back(alert.labels["alertname"]); };
    groups_ = std::make_unique<Groups>(book_, clock_, settings);
    ASSERT_TRUE(groups_->start(*store_, *config));
  }
  void TearDown() override {
    if (groups_) groups_->stop();
  }

  Task<notify::SendOutcome> receive(const Notice& notice) {
    if (failing_.contains(notice.receiver)) co_return notify::SendOutcome{notify::SendStatus::failed, 500, "no"};
    Told told{seconds(), notice.receiver, {}, {}, notice.maybe_repeated};
    for (const Alert& alert : notice.alerts)
      (alert.ends_at == Instant::max() ? told.firing : told.resolved).emplace(alert.labels["alertname"]);
    told_.push_back(std::move(told));
    co_return notify::SendOutcome{notify::SendStatus::delivered, 200, ""};
  }

  template <class T>
  T run(Task<T> task) {
    asio::io_context context;
    std::optional<T> result;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& error, T value) {
      EXPECT_FALSE(error);
      result.emplace(std::move(value));
    });
    context.run();
    return std::move(*result);
  }

  double seconds() const { return static_cast<double>((clock_.now() - start_).count()) / 1e6; }
  // Goes on to that second in steps of 50 ms.
  void to(double second) {
    while (seconds() < second - 1e-9) {
      clock_.advance(50ms);
      groups_->tick();
      ASSERT_TRUE(groups_->settle());
      store_->tick();
    }
  }
  Instant instant(double second) const { return start_ + Microseconds(static_cast<std::int64_t>(second * 1e6)); }
  Alert alert(Labels labels, std::optional<double> start = {}, std::optional<double> end = {}) {
    return {.labels = std::move(labels),
            .starts_at = start ? instant(*start) : clock_.now(),
            .ends_at = end ? instant(*end) : clock_.now() + 5min,
            .updated_at = clock_.now(),
            .timeout = !end};
  }
  Result<> push(Alert alert) {
    std::vector<Alert> all{std::move(alert)};
    return run(groups_->take(std::move(all)));
  }
  Result<> push(std::string name) { return push(alert(named(std::move(name)))); }
  Result<std::string> silence(std::string matcher, double seconds_long, std::string approved_by = {}) {
    Silence made{.matchers = *routing::parse_matchers(matcher, routing::Names::utf8),
                 .starts_at = clock_.now(),
                 .ends_at = clock_.now() + Microseconds(static_cast<std::int64_t>(seconds_long * 1e6)),
                 .created_by = "me",
                 .comment = "",
                 .approved_by = std::move(approved_by)};
    auto seen = groups_->preview(made);
    EXPECT_TRUE(seen);
    return run(groups_->put_silence(std::move(made), *seen));
  }
  std::vector<alerts::Alert> book(bool resolved = false) {
    std::vector<alerts::Alert> all;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(auto page, alerts::Book::list(reader, {.resolved = resolved}));
      all = std::move(page.alerts);
      return {};
    }));
    return all;
  }
  std::size_t events(std::string_view kind) {
    std::size_t count = 0;
    EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto all, reader.events(0, 100'000));
      for (const store::Event& event : all) count += event.kind == kind ? 1 : 0;
      return {};
    }));
    return count;
  }
  // As if the process had been killed: what is in memory is gone.
  void crash(std::string_view yaml = one_webhook) {
    groups_->stop();
    groups_.reset();
    start(yaml);
  }

  const Instant start_ = from_us(1'790'000'000'000'000);
  ManualClock clock_{start_};
  const oncall::Directory directory_ = *oncall::Directory::make({});
  alerts::Book book_{directory_};
  std::unique_ptr<store::FakeStore> store_;
  std::unique_ptr<Groups> groups_;
  bool use_network_ = false;
  std::size_t alerts_max_ = 1000;
  std::set<std::string> failing_;
  std::vector<Told> told_;
  std::vector<std::string> unrecorded_;
};

using Names = std::set<std::string>;

TEST_F(GroupsTest, AlertsOfOneGroupAreToldTogetherAfterGroupWaitAndNotAgain) {
  start();
  to(1.1);
  ASSERT_TRUE(push("test1"));
  to(1.7);
  ASSERT_TRUE(push("test2"));
  to(3.3);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_NEAR(told_[0].at, 2.1, 0.06);
  EXPECT_EQ(told_[0].firing, (Names{"test1", "test2"}));
  ASSERT_TRUE(push("test3"));
  to(60);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_NEAR(told_[1].at, 4.1, 0.11);
  EXPECT_EQ(told_[1].firing, (Names{"test1", "test2", "test3"}));
}

TEST_F(GroupsTest, TheEndIsToldOnceAndANewBeginningAgain) {
  start();
  ASSERT_TRUE(push("test"));
  to(3);
  ASSERT_TRUE(push(alert(named("test"), 0, 2.9)));
  to(10);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].resolved, Names{"test"});
  EXPECT_EQ(groups_->counters().groups, 0);
  EXPECT_EQ(events("label.resolved"), 1U);
  ASSERT_TRUE(push("test"));
  to(12);
  ASSERT_EQ(told_.size(), 3U);
  EXPECT_EQ(told_[2].firing, Names{"test"});
  EXPECT_EQ(events("label.fired"), 2U);
}

TEST_F(GroupsTest, WhatIsNotSentAgainEndsByItself) {
  start();
  ASSERT_TRUE(push("test"));
  to(299);
  EXPECT_EQ(told_.size(), 1U);
  to(302);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].resolved, Names{"test"});
  EXPECT_EQ(events("label.resolved"), 1U);
}

TEST_F(GroupsTest, ItIsRepeatedAfterTheRepeatInterval) {
  start(R"(
route: {receiver: web, group_wait: 1s, group_interval: 1s, repeat_interval: 4900ms}
receivers: [{name: web, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]
)");
  ASSERT_TRUE(push("test"));
  to(6.5);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_NEAR(told_[1].at, 6.0, 0.36);
}

TEST_F(GroupsTest, AFailingReceiverDelaysNoOtherAndIsToldInTheEnd) {
  start(R"(
route: {receiver: both, group_wait: 1s, group_interval: 2s}
receivers:
- name: both
  webhook_configs: [{url: 'http://127.0.0.1:1/'}]
- name: other
)");
  failing_.insert("both");
  ASSERT_TRUE(push("test"));
  to(3);
  EXPECT_TRUE(told_.empty());
  EXPECT_GE(groups_->counters().failed, 2);
  failing_.clear();
  to(6);
  ASSERT_EQ(told_.size(), 1U);
  to(30);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(GroupsTest, AfterACrashItIsToldOfWhatWasAcceptedAndOnlyOnce) {
  start();
  to(1);
  ASSERT_TRUE(push("test"));
  crash();
  to(2.2);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_LE(told_[0].at, 2.2);
  EXPECT_TRUE(told_[0].maybe_repeated);
  crash();
  to(4);
  ASSERT_TRUE(push("test"));
  to(30);
  EXPECT_EQ(told_.size(), 1U);
  ASSERT_TRUE(push("other"));
  to(40);
  ASSERT_EQ(told_.size(), 2U);
}

TEST_F(GroupsTest, ASilenceHoldsBackAndSurvivesACrash) {
  start();
  ASSERT_TRUE(push("test1"));
  const auto id = silence("alertname=test1", 5);
  ASSERT_TRUE(id);
  crash();
  ASSERT_TRUE(push("test2"));
  to(3);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].firing, Names{"test2"});
  to(7);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1].firing, (Names{"test1", "test2"}));
  EXPECT_EQ(run(groups_->expire_silence("none")).error().code, Code::not_found);
}

TEST_F(GroupsTest, AnExpiredSilenceLetsGoAtOnce) {
  start();
  const auto id = silence("alertname=~\".+\"", 30);
  ASSERT_TRUE(id);
  ASSERT_TRUE(push("test"));
  to(5);
  EXPECT_TRUE(told_.empty());
  ASSERT_TRUE(run(groups_->expire_silence(*id)));
  ASSERT_TRUE(run(groups_->expire_silence(*id))) << "twice does no harm";
  to(6.1);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(GroupsTest, ASilenceMayNotBeBroaderOrLongerThanOnePersonMayDecide) {
  start();
  ASSERT_TRUE(push(alert(named("slow", {{"severity", "critical"}}))));
  EXPECT_EQ(silence("severity=~\".+\"", 3600).error().code, Code::refused);
  EXPECT_EQ(silence("severity=~\".+\"", 3600, "me").error().code, Code::refused) << "who asks is not the second";
  EXPECT_TRUE(silence("severity=~\".+\"", 3600, "somebody else"));
  EXPECT_EQ(silence("alertname=slow", 3601).error().code, Code::refused) << "critical: one hour";
  EXPECT_TRUE(silence("alertname=slow", 3600));
  EXPECT_EQ(silence("severity=emergency", 60, "somebody else").error().code, Code::refused);
  EXPECT_EQ(events("silence.refused"), 4U);
  EXPECT_EQ(events("silence.created"), 2U);
}

TEST_F(GroupsTest, APreviewSaysWhatASilenceWouldMute) {
  start();
  ASSERT_TRUE(push(alert(named("slow", {{"severity", "critical"}}))));
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  ASSERT_TRUE(push(alert(named("gone"), 0, 0.0)));
  Silence made{.matchers = *routing::parse_matchers("alertname=~\".+\"", routing::Names::utf8),
               .starts_at = clock_.now(),
               .ends_at = clock_.now() + 1h};
  const auto seen = groups_->preview(made);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->firing, 2U);
  EXPECT_EQ(seen->recent, 3U);
  EXPECT_EQ(seen->urgent, 1U);
  EXPECT_EQ(seen->emergency, 1U);
  EXPECT_FALSE(seen->needs_second_person.empty());
}

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
  EXPECT_EQ(unrecorded_, std::vector<std::string>{"down"});
}

constexpr std::string_view to_people = R"(
route: {receiver: people, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: people, oncall_configs: [{}]}]
)";

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

TEST_F(GroupsTest, EventsHaveKeysOfTheirOwn) {
  use_network_ = true;
  start(to_people);
  const auto send = [&](std::string key, std::string text, Event::Action action = Event::Action::trigger) {
    Event event{.integration = "i", .dedup_key = key, .action = action, .by = "pager"};
    event.labels = named("event", {{"dedup_key", key}, {"severity", "error"}});
    event.annotations = Labels({{"summary", std::move(text)}});
    const auto outcome = run(groups_->take(std::move(event)));
    EXPECT_TRUE(outcome);
    return *outcome;
  };
  EXPECT_TRUE(send("a", "first").is_new);
  EXPECT_TRUE(send("b", "second").is_new);
  EXPECT_FALSE(send("a", "other words").is_new);
  EXPECT_EQ(groups_->counters().known, 2);
  to(1.2);
  ASSERT_EQ(book().size(), 1U) << "one group";
  send("a", "", Event::Action::acknowledge);
  EXPECT_EQ(book()[0].state, alerts::State::acknowledged);
  EXPECT_FALSE(send("a", "", Event::Action::resolve).is_open);
  EXPECT_FALSE(send("never", "", Event::Action::resolve).is_open) << "closing opens nothing";
  to(3);
  EXPECT_EQ(groups_->counters().known, 1);
  send("b", "", Event::Action::resolve);
  to(5);
  EXPECT_TRUE(book().empty());
  EXPECT_TRUE(send("a", "again").is_new);
}

TEST_F(GroupsTest, AReloadBeginsTheWaitsAnewAndForgetsNothing) {
  constexpr std::string_view yaml = R"(
route: {receiver: web, group_by: [], group_wait: 1s, group_interval: 6s, repeat_interval: 10m}
receivers: [{name: web, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]
)";
  start(yaml);
  to(1);
  ASSERT_TRUE(push("test1"));
  to(3);
  run([](Groups& groups, routing::ConfigPtr config) -> Task<bool> {
    co_await groups.reload(std::move(config));
    co_return true;
  }(*groups_, *routing::load_config(yaml)));
  to(4);
  ASSERT_TRUE(push("test2"));
  to(20);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_NEAR(told_[1].at, 9.05, 0.15);
}

TEST_F(GroupsTest, AfterAColdStartNobodyIsToldBeforeTheDelayIsOver) {
  start(one_webhook, 5000ms);
  to(1);
  ASSERT_TRUE(push("test1"));
  to(2);
  ASSERT_TRUE(push("test2"));
  to(4.9);
  EXPECT_TRUE(told_.empty());
  ASSERT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  to(5.2);
  ASSERT_GE(told_.size(), 1U);
  EXPECT_LT(told_[0].at, 5.0) << "an emergency does not wait";
}

TEST_F(GroupsTest, AClockThatIsSetFiresNothingAndLosesNothing) {
  State state(*routing::load_config(one_webhook));
  const Instant begin = start_;
  Alert made = alert(named("test"));
  state.put(made, begin);
  state.shift(1h);
  EXPECT_TRUE(state.end(begin + 1h + 4min).empty());
  EXPECT_EQ(state.next(), begin + 1h + 1s);
  EXPECT_EQ(state.end(begin + 1h + 5min).size(), 1U);
}

TEST_F(GroupsTest, ManyAlertsAreWrittenInSlices) {
  start();
  std::vector<Alert> many;
  for (int i = 0; i < 1000; ++i) many.push_back(alert(named("test", {{"n", std::to_string(i)}})));
  ASSERT_TRUE(run(groups_->take(std::move(many))));
  EXPECT_EQ(groups_->counters().known, 1000);
  EXPECT_EQ(events("label.fired"), 5U);
}

TEST_F(GroupsTest, WhenTooManyAreKnownOnlyTheyAndEmergenciesAreTaken) {
  alerts_max_ = 2;
  start();
  ASSERT_TRUE(push("a"));
  ASSERT_TRUE(push("b"));
  EXPECT_EQ(push("c").error().code, Code::busy);
  EXPECT_TRUE(push("a")) << "one that is known is taken";
  EXPECT_TRUE(push(alert(named("down", {{"severity", "emergency"}}))));
  EXPECT_EQ(groups_->counters().known, 3);
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

TEST_F(GroupsTest, TheWebhookIsAlertmanagersFourthVersion) {
  State state(*routing::load_config(R"(
route: {receiver: w, group_by: [alertname, ward], routes: [{matchers: [team=er], group_wait: 0s}]}
receivers: [{name: w, webhook_configs: [{url: 'http://x/', max_alerts: 1}]}]
)"));
  Alert made = alert(named("X", {{"team", "er"}, {"ward", "A"}}));
  made.annotations = Labels({{"summary", "s"}});
  state.put(made, start_);
  made.labels.set("n", "2");
  state.put(made, start_);
  const auto notices = state.look(start_, 10, [](const auto&, std::size_t) { return true; });
  ASSERT_EQ(notices.size(), 1U);
  const auto document = json::Document::parse(webhook_body(notices[0], "http://us"));
  const auto root = document->root();
  EXPECT_EQ(root["groupKey"].text(), "{}/{team=\"er\"}:{alertname=\"X\", ward=\"A\"}");
  EXPECT_EQ(root["version"].text(), "4");
  EXPECT_EQ(root["status"].text(), "firing");
  EXPECT_EQ(root["truncatedAlerts"].text(), "1");
  EXPECT_EQ(root["alerts"].size(), 1U);
  EXPECT_EQ(root["alerts"].at(0)["endsAt"].text(), routing::zero_time);
  EXPECT_EQ(json::compact(root["commonLabels"]), R"({"alertname":"X","team":"er","ward":"A"})");
  EXPECT_EQ(json::compact(root["groupLabels"]), R"({"alertname":"X","ward":"A"})");
  EXPECT_EQ(headline(notices[0]), "[FIRING:2] X");
  for (const auto& text : {pagerduty_body(notices[0], ""), slack_body(notices[0], ""), mail_text(notices[0], "")})
    EXPECT_EQ(text.find("ward"), text.npos) << "labels do not leave by chat, mail or pager: " << text;
}

struct Smarthost {
  std::string text;
  bool require_tls;
  std::optional<std::pair<std::uint16_t, notify::MailTls>> expected;
};
class SmarthostTable : public testing::TestWithParam<Smarthost> {};
TEST_P(SmarthostTable, SaysWhereAndHowMailIsSubmitted) {
  const routing::Integration way{.smarthost = GetParam().text, .require_tls = GetParam().require_tls};
  const auto settings = mailer_settings(way);
  ASSERT_EQ(settings.has_value(), GetParam().expected.has_value());
  if (!settings) return;
  EXPECT_EQ(settings->host, "mail.example");
  EXPECT_EQ(settings->port, GetParam().expected->first);
  EXPECT_EQ(settings->tls, GetParam().expected->second);
}
INSTANTIATE_TEST_SUITE_P(Table, SmarthostTable,
                         testing::Values(Smarthost{"mail.example:587", true, {{587, notify::MailTls::required}}},
                                         Smarthost{"mail.example:25", false, {{25, notify::MailTls::opportunistic}}},
                                         Smarthost{"mail.example:465", true, {{465, notify::MailTls::implicit}}},
                                         Smarthost{"mail.example", true, {}},
                                         Smarthost{"mail.example:smtp", true, {}}));

struct Limit {
  Measure measure;
  double seconds;
  std::string_view severity;  // empty: no alert
  std::string_view category;
};
class LimitTable : public testing::TestWithParam<Limit> {};
TEST_P(LimitTable, AnAlertIsBeyondTheLimitNotAtIt) {
  const auto alert = judge(GetParam().measure, GetParam().seconds, Instant(), 1min);
  EXPECT_EQ(alert.has_value(), !GetParam().severity.empty());
  if (!alert) return;
  EXPECT_EQ(alert->labels["severity"], GetParam().severity);
  EXPECT_EQ(alert->labels["category"], GetParam().category);
  for (const auto* action : {"action_1", "action_2", "action_3"}) EXPECT_NE(alert->annotations[action], "");
}
INSTANTIATE_TEST_SUITE_P(Seed, LimitTable,
                         testing::Values(Limit{Measure::emergency_response, 2.0, "", ""},
                                         Limit{Measure::emergency_response, 2.001, "critical", "PatientSafety"},
                                         Limit{Measure::record_access, 10.0, "", ""},
                                         Limit{Measure::record_access, 10.001, "high", "ProviderEfficiency"},
                                         Limit{Measure::audit_lag, 30.0, "", ""},
                                         Limit{Measure::audit_lag, 30.001, "high", "ComplianceViolation"}));

TEST(Observed, TellsOfTheWorstSinceItWasAsked) {
  Observed observed;
  observed.observe(Measure::record_access, 11);
  observed.observe(Measure::record_access, 1);
  EXPECT_EQ(observed.take(Instant(), 1min).size(), 1U);
  EXPECT_TRUE(observed.take(Instant(), 1min).empty());
}

TEST(Feed, IsMissingWhenNothingCameForSoLong) {
  Feed feed(*routing::parse_matchers("alertname=Watchdog", routing::Names::utf8), 60s, Instant());
  EXPECT_FALSE(feed.judge(Instant(59s), 1min));
  EXPECT_TRUE(feed.judge(Instant(60s), 1min));
  feed.see(named("Other"), Instant(60s));
  EXPECT_TRUE(feed.judge(Instant(60s), 1min));
  feed.see(named("Watchdog"), Instant(60s));
  EXPECT_FALSE(feed.judge(Instant(119s), 1min));
  EXPECT_EQ(feed.judge(Instant(120s), 1min)->labels["severity"], "critical");
}

TEST_F(GroupsTest, ActionabilityIsCountedForEachRule) {
  start();
  const auto in_book = [&](auto work) {
    EXPECT_TRUE(store_->write(RequestClass::emergency,
                              [&](store::Transaction& transaction) -> Result<> { return work(transaction); }));
  };
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i)
    in_book([&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto raised, book_.raise(transaction, {.source = "vitals",
                                                                 .cause = "c" + std::to_string(i),
                                                                 .title = "Score",
                                                                 .values = i == 0 ? "" : R"({"rule":"news2"})"}));
      ids.push_back(raised.id);
      return {};
    });
  in_book([&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(book_.acknowledge(transaction, ids[1], "nurse", "gave oxygen"));
    MYDR24_TRY(book_.acknowledge(transaction, ids[2], "nurse"));
    MYDR24_TRY(book_.resolve(transaction, ids[2], "score 2"));
    MYDR24_TRY(book_.resolve(transaction, ids[3], "score 2"));
    return {};
  });
  std::vector<RuleRecord> rules;
  ASSERT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(rules, actionability(reader, start_ - 1h));
    return {};
  }));
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].rule, "news2");
  EXPECT_EQ(rules[0].fired, 3U);
  EXPECT_EQ(rules[0].acknowledged, 2U);
  EXPECT_EQ(rules[0].acted, 1U);
  EXPECT_EQ(rules[0].auto_resolved, 1U);
  EXPECT_EQ(rules[1].rule, "vitals/Score");
}

}  // namespace
}  // namespace mydr24::groups
