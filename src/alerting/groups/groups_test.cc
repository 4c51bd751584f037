#include "alerting/groups/groups.h"

#include <gtest/gtest.h>

#include "alerting/groups/actionability.h"
#include "alerting/groups/detail/mail.h"
#include "alerting/groups/groups_fixture.h"
#include "alerting/groups/payload.h"
#include "alerting/groups/rules.h"
#include "base/core/date_time.h"

namespace mydr24::groups {
namespace {

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

TEST_F(GroupsTest, WhereTheyAreLoggedInTheSecondPersonApprovesWhatTheFirstAskedFor) {
  start();
  const std::string all = "severity=~\".+\"";
  EXPECT_EQ(silence(all, 3600, "ben", "ben").error().code, Code::refused) << "nobody has asked";
  EXPECT_EQ(silence(all, 3600, "", "ann").error().code, Code::refused) << "she asks, and is one";
  EXPECT_EQ(silence(all, 3600, "ben", "ann").error().code, Code::refused) << "she is not ben, whatever she says";
  EXPECT_EQ(silence("severity=~\".*\"", 3600, "ben", "ben").error().code, Code::refused) << "not what she asked for";
  const auto id = silence(all, 9 * 3600, "ann", "ben");
  ASSERT_TRUE(id) << id.error().text;
  EXPECT_TRUE(store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto row, reader.state("silences", *id));
    const auto kept = routing::silence_from_json(*row);
    EXPECT_EQ(kept->created_by, "ann");
    EXPECT_EQ(kept->approved_by, "ben");
    EXPECT_EQ(kept->ends_at, instant(3600)) << "as long as she asked for";
    return {};
  }));
  EXPECT_EQ(silence(all, 3600, "ben", "ben").error().code, Code::refused) << "an approval counts once";
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

TEST_F(GroupsTest, WhatIsLeftOutOfANoticeIsTheLeastUrgentAndNeverWhatStillFires) {
  State state(*routing::load_config(one_webhook));
  for (std::size_t i = 0; i < alerts_told_max; ++i)
    state.put(alert(named("over", {{"n", std::to_string(i)}}), -2, -1), start_);
  for (const char* name : {"a", "b", "c", "d"}) state.put(alert(named(name)), start_);
  state.put(alert(named("high", {{"severity", "high"}})), start_);
  state.put(alert(named("down", {{"severity", "emergency"}})), start_);
  const auto notices = state.look(start_ + 1s, 10, [](const auto&, std::size_t) { return true; });
  ASSERT_EQ(notices.size(), 1U);
  const auto& told = notices[0].alerts;
  ASSERT_EQ(told.size(), alerts_told_max);
  EXPECT_EQ(notices[0].left_out, 6U);
  EXPECT_EQ(told[0].labels["alertname"], "down");
  EXPECT_EQ(told[1].labels["alertname"], "high");
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i].ends_at == Instant::max(), i < 6) << i;
}

TEST_F(GroupsTest, WhatFiresAgainAfterItsEndIsAnIncidentOfItsOwnInPagerDuty) {
  State state(*routing::load_config(one_webhook));
  const auto key_at = [&](double second) {
    std::string key;
    state.end(instant(second));
    for (const Notice& notice : state.look(instant(second), 10, [](const auto&, std::size_t) { return true; })) {
      const auto document = json::Document::parse(pagerduty_body(notice, ""));
      key = fmt::format("{} {}", document->root()["event_action"].text(), document->root()["dedup_key"].text());
      // As it is read after a restart.
      Notice kept = notice;
      kept.entry = *routing::log_entry_from_json(routing::to_json(notice.entry));
      state.told(kept, true, instant(second));
    }
    return key;
  };
  const auto key_of = [](const std::string& event) { return event.substr(event.find(' ') + 1); };
  state.put(alert(named("A"), 0), start_);
  const std::string first = key_at(1);
  EXPECT_TRUE(first.starts_with("trigger "));
  state.put(alert(named("B"), 1), instant(1.5));
  EXPECT_EQ(key_at(3), first) << "the incident goes on";
  state.put(alert(named("A"), 0, 4), instant(4));
  state.put(alert(named("B"), 1, 4), instant(4));
  EXPECT_EQ(key_at(5), "resolve " + key_of(first));
  state.put(alert(named("A"), 0), instant(6));
  const std::string second = key_at(8);
  EXPECT_TRUE(second.starts_with("trigger "));
  EXPECT_NE(key_of(second), key_of(first));
  state.put(alert(named("A"), 0, 9), instant(9));
  EXPECT_EQ(key_at(10), "resolve " + key_of(second));
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

TEST(Feed, IsMissingWhenNothingCameForSoLong) {
  const Instant now(1h);
  Feed feed(*routing::parse_matchers("alertname=Watchdog", routing::Names::utf8), 60s, 0s);
  EXPECT_FALSE(feed.judge(59s, now, 1min));
  EXPECT_TRUE(feed.judge(60s, now, 1min));
  feed.see(named("Other"), 60s);
  EXPECT_TRUE(feed.judge(60s, now, 1min));
  feed.see(named("Watchdog"), 60s);
  EXPECT_FALSE(feed.judge(119s, now, 1min));
  const auto missing = feed.judge(120s, now, 1min);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->labels["severity"], "critical");
  EXPECT_EQ(missing->starts_at, now);
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