#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/routing/config.h"
#include "alerting/routing/inhibit.h"
#include "alerting/routing/notify_when.h"
#include "alerting/routing/silence.h"
#include "base/core/date_time.h"

namespace mydr24::routing {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Instant at(std::string_view text) { return parse_date_time(text)->low; }
Labels labels(std::initializer_list<Label> list) { return Labels(std::vector<Label>(list)); }

ConfigPtr load(std::string_view yaml) {
  auto loaded = load_config(yaml);
  EXPECT_TRUE(loaded) << loaded.error().where << ": " << loaded.error().text;
  return loaded ? *loaded : nullptr;
}

TEST(Labels, HaveTheFingerprintThatAlertmanagerGivesThem) {
  // Measured with Alertmanager 0.25.
  EXPECT_EQ(to_text(fingerprint(labels(
                {{"alertname", "EmergencyResponseSlow"}, {"team", "er"}, {"ward", "A"}, {"severity", "warning"}}))),
            "8d4cf5fbea00b4fd");
  EXPECT_EQ(to_text(fingerprint(labels({{"alertname", "good"}}))), "fff7f30401697f7b");
}

TEST(Labels, AnEmptyValueIsNoLabelAndTextsAreQuotedAsGoDoes) {
  Labels set = labels({{"b", "x\"y\n"}, {"a", ""}, {"Σ", "ü"}});
  EXPECT_EQ(set.size(), 2U);
  EXPECT_EQ(to_text(set), "{b=\"x\\\"y\\n\", \"Σ\"=\"ü\"}");
  set.set("b", "");
  EXPECT_EQ(set["b"], "");
  EXPECT_EQ(go_quoted("\x01\xFF"), "\"\\x01\\xff\"");
}

struct MatcherCase {
  std::string_view text;
  std::string_view utf8;     // what comes of it; empty: refused
  std::string_view classic;  // likewise
};

class MatcherTable : public testing::TestWithParam<MatcherCase> {};
TEST_P(MatcherTable, IsReadByBothGrammars) {
  const auto& given = GetParam();
  for (const auto& [names, expected] : {std::pair(Names::utf8, given.utf8), std::pair(Names::classic, given.classic)}) {
    const auto read = parse_matchers(given.text, names);
    EXPECT_EQ(read ? to_text(*read) : "", expected) << given.text;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, MatcherTable,
    testing::Values(MatcherCase{"{foo=\"bar\"}", "{foo=\"bar\"}", "{foo=\"bar\"}"},
                    MatcherCase{"foo=bar", "{foo=\"bar\"}", "{foo=\"bar\"}"},
                    MatcherCase{" foo != bar , a=~\"b.*\",", "{foo!=\"bar\",a=~\"b.*\"}", "{foo!=\"bar\",a=~\"b.*\"}"},
                    MatcherCase{"foo!~\"a,b\"", "{foo!~\"a,b\"}", "{foo!~\"a,b\"}"},
                    MatcherCase{"foo=", "{foo=\"\"}", "{foo=\"\"}"},
                    MatcherCase{"foo=\"a\\nb\\\"\"", "{foo=\"a\\nb\\\"\"}", "{foo=\"a\\nb\\\"\"}"},
                    MatcherCase{"00=b", "{\"00\"=\"b\"}", ""}, MatcherCase{"Σ=c", "{\"Σ\"=\"c\"}", ""},
                    MatcherCase{"\"🙂\"=\"x\"", "{\"🙂\"=\"x\"}", ""}, MatcherCase{"foo", "", ""},
                    MatcherCase{"=bar", "", ""}, MatcherCase{"foo=~\"(\"", "", ""}, MatcherCase{"foo=\"a", "", ""},
                    MatcherCase{"foo=a\"b", "", ""}, MatcherCase{"", "{}", "{}"}, MatcherCase{"{}", "{}", "{}"},
                    MatcherCase{"foo=\xFF", "", ""}));

TEST(Matcher, MatchesTheWholeValueAndAnAbsentLabelIsEmpty) {
  const Labels set = labels({{"job", "node"}});
  const auto holds = [&](std::string_view text) { return matches(*parse_matchers(text, Names::utf8), set); };
  EXPECT_TRUE(holds("job=~\"no.e\""));
  EXPECT_FALSE(holds("job=~\"no\""));
  EXPECT_TRUE(holds("job!~\"no\""));
  EXPECT_TRUE(holds("ward=\"\""));
  EXPECT_TRUE(holds("ward=~\".*\""));
  EXPECT_FALSE(holds("ward=~\".+\""));
}

constexpr std::string_view routing_file = R"(
route:
  receiver: default
  routes:
    - match: {test: "1"}
      receiver: test1
    - match: {test: "2"}
      receiver: test1
      continue: true
    - matchers: [test="2"]
      receiver: test2
receivers: [{name: default}, {name: test1}, {name: test2}]
)";

std::vector<std::string> receivers(const Config& config, const Labels& set) {
  std::vector<std::string> names;
  for (const Route* route : match(config.root, set)) names.push_back(route->receiver);
  return names;
}

TEST(Routes, AreTakenInOrderUntilOneDoesNotContinue) {
  const ConfigPtr config = load(routing_file);
  EXPECT_EQ(receivers(*config, labels({{"test", "1"}})), (std::vector<std::string>{"test1"}));
  EXPECT_EQ(receivers(*config, labels({{"test", "2"}})), (std::vector<std::string>{"test1", "test2"}));
  EXPECT_EQ(receivers(*config, labels({{"volume", "3"}})), (std::vector<std::string>{"default"}));
}

TEST(Routes, InheritAndNameTheirGroupsAsAlertmanagerDoes) {
  const ConfigPtr config = load(R"(
route:
  receiver: w
  group_by: [alertname, ward]
  group_wait: 10s
  routes:
    - match: {team: er}
      match_re: {a: "x|y"}
      group_interval: 1m30s
receivers: [{name: w}]
)");
  const Route& child = config->root.routes[0];
  EXPECT_EQ(child.receiver, "w");
  EXPECT_EQ(child.group_wait, 10s);
  EXPECT_EQ(child.group_interval, 90s);
  EXPECT_EQ(child.repeat_interval, 4h);
  const Labels group = group_labels(child, labels({{"alertname", "X"}, {"ward", "A"}, {"team", "er"}, {"b", "c"}}));
  EXPECT_EQ(group_key(child, group), "{}/{a=~\"x|y\",team=\"er\"}:{alertname=\"X\", ward=\"A\"}");
}

TEST(Routes, ThreeDotsGroupByEveryLabel) {
  const ConfigPtr config = load("route: {receiver: w, group_by: ['...']}\nreceivers: [{name: w}]");
  const Labels all = labels({{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(group_labels(config->root, all), all);
}

struct Bad {
  std::string_view yaml;
  std::string_view where;
  std::string_view text;
};
class BadConfig : public testing::TestWithParam<Bad> {};
TEST_P(BadConfig, IsRefusedWithTheLine) {
  const auto loaded = load_config(GetParam().yaml);
  ASSERT_FALSE(loaded) << GetParam().yaml;
  EXPECT_EQ(loaded.error().where, GetParam().where);
  EXPECT_THAT(loaded.error().text, HasSubstr(std::string(GetParam().text)));
}
INSTANTIATE_TEST_SUITE_P(
    Table, BadConfig,
    testing::Values(
        Bad{"receivers: [{name: w}]", "line 1: the configuration", "no route"},
        Bad{"route:\n  receiver: x\nreceivers:\n- name: w\n", "line 2: route.receiver", "undefined receiver \"x\""},
        Bad{"route:\n  receiver: w\n  group_wait: soon\nreceivers: [{name: w}]", "line 3: route.group_wait",
            "duration"},
        Bad{"route:\n  receiver: w\n  routes:\n  - receivr: w\nreceivers: [{name: w}]",
            "line 4: route.routes[0].receivr", "no such setting"},
        Bad{"route: {receiver: w, group_by: [a, a]}\nreceivers: [{name: w}]", "line 1: route.group_by", "duplicated"},
        Bad{"route: {receiver: w, group_by: ['...', a]}\nreceivers: [{name: w}]", "line 1: route.group_by", "wildcard"},
        Bad{"route: {receiver: w, group_interval: 0s}\nreceivers: [{name: w}]", "line 1: route", "cannot be zero"},
        Bad{"route: {receiver: w, match: {a: b}}\nreceivers: [{name: w}]", "line 1: route",
            "must not have any matchers"},
        Bad{"route: {receiver: w}\nreceivers:\n- name: w\n- name: w\n", "line 4: receivers[1]", "not unique"},
        Bad{"route: {receiver: w}\nreceivers:\n- name: w\n  webhook_configs:\n  - url: ftp://x\n",
            "line 5: receivers[0].webhook_configs[0].url", "unsupported scheme"},
        Bad{"route: {receiver: w}\nreceivers:\n- name: w\n  sns_configs: []\n", "line 4: receivers[0].sns_configs",
            "no such way"},
        Bad{"route: {receiver: w}\nreceivers: [{name: w}]\ninhibit_rules:\n- source_matchers: ['a=~(']\n",
            "line 4: inhibit_rules[0].source_matchers[0]", "missing"},
        Bad{"route: {receiver: w}\nreceivers: [{name: w}]\ntime_intervals:\n- name: n\n  time_intervals:\n  - "
            "location: "
            "Mars/North\n",
            "line 6: time_intervals[0].time_intervals[0].location", "Mars/North"},
        Bad{"route: [", "line 1", ""}));

TEST(Config, IsShownWithoutSecretsAndWithoutWhatOnlyWeKnow) {
  const ConfigPtr config = load(R"(
route: {receiver: w, group_by: ['...']}
receivers:
- name: w
  pagerduty_configs: [{routing_key: "0123"}]
  oncall_configs: [{policy: p}]
time_intervals:
- name: n
  time_intervals: [{times: [{start_time: '09:00', end_time: '24:00'}]}]
)");
  EXPECT_THAT(config->shown, HasSubstr("routing_key: \"<secret>\""));
  EXPECT_THAT(config->shown, testing::Not(HasSubstr("oncall")));
  EXPECT_TRUE(load_config(config->shown)) << config->shown;
  EXPECT_EQ(config->receiver("w")->integrations[0].secret, "0123");
}

TEST(TimeInterval, FollowsTheWallClockAcrossBothChanges) {
  const ConfigPtr config = load(R"(
route: {receiver: w, routes: [{mute_time_intervals: [office]}, {active_time_intervals: [office]}]}
receivers: [{name: w}]
time_intervals:
- name: office
  time_intervals:
  - times: [{start_time: '09:00', end_time: '17:00'}]
    weekdays: ['monday:friday']
    location: Australia/Sydney
)");
  const Route& muted = config->root.routes[0];
  // Sydney is UTC+11 until the first Sunday of April, then UTC+10, from the first Sunday of October UTC+11.
  EXPECT_FALSE(is_muted(*config, muted, at("2026-04-02T21:59:59Z")));
  EXPECT_TRUE(is_muted(*config, muted, at("2026-04-02T22:00:00Z")));   // Friday 09:00
  EXPECT_FALSE(is_muted(*config, muted, at("2026-04-05T22:00:00Z")));  // Monday 08:00
  EXPECT_TRUE(is_muted(*config, muted, at("2026-04-05T23:00:00Z")));   // Monday 09:00
  EXPECT_TRUE(is_muted(*config, muted, at("2026-04-06T06:59:59Z")));
  EXPECT_FALSE(is_muted(*config, muted, at("2026-04-06T07:00:00Z")));  // 17:00 does not belong to it
  EXPECT_TRUE(is_muted(*config, muted, at("2026-10-04T22:00:00Z")));   // Monday 09:00 again an hour earlier
  EXPECT_FALSE(is_muted(*config, muted, at("2026-10-03T22:00:00Z")));  // Sunday
  EXPECT_TRUE(is_muted(*config, config->root.routes[1], at("2026-10-03T22:00:00Z")));
  EXPECT_FALSE(is_muted(*config, config->root.routes[1], at("2026-10-04T22:00:00Z")));
}

TEST(TimeInterval, CountsDaysFromTheEndOfTheMonth) {
  TimeInterval last;
  last.days_of_month = {*parse_days_of_month("-3:-1")};
  EXPECT_FALSE(last.contains(at("2024-02-26T12:00:00Z")));
  EXPECT_TRUE(last.contains(at("2024-02-27T12:00:00Z")));
  EXPECT_TRUE(last.contains(at("2024-02-29T12:00:00Z")));
  EXPECT_TRUE(last.contains(at("2023-02-26T12:00:00Z")));
  EXPECT_FALSE(last.contains(at("2023-03-01T12:00:00Z")));
  TimeInterval late;
  late.days_of_month = {*parse_days_of_month("31")};
  EXPECT_FALSE(late.contains(at("2024-02-29T12:00:00Z")));
  for (const std::string_view wrong : {"0", "5:1", "-1:-3", "-5:3", "32", "x"})
    EXPECT_FALSE(parse_days_of_month(wrong)) << wrong;
  EXPECT_EQ(parse_months("may:august")->end, 8);
  EXPECT_EQ(parse_weekdays("Tuesday")->begin, 2);
  for (const std::string_view wrong : {"24:01", "9:00", "12:60", ""}) EXPECT_FALSE(parse_time_of_day(wrong)) << wrong;
}

TEST(Duration, IsReadAndWrittenAsPrometheusDoes) {
  for (const auto& [text, expected] : {std::pair<std::string_view, milliseconds>{"1h30m", 90min},
                                       {"500ms", 500ms},
                                       {"4d", 96h},
                                       {"1w", 168h},
                                       {"5m0s", 5min},
                                       {"0", 0ms}})
    EXPECT_EQ(parse_duration(text).value_or(-1ms), expected) << text;
  for (const std::string_view wrong : {"", "5", "m", "1m1h", "-1s", "1.5h", "99999999999999999999s", "1000y"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  EXPECT_EQ(duration_text(90min), "1h30m");
  EXPECT_EQ(duration_text(100ms), "100ms");
}

Alert alert(int start, int end, int updated, bool timeout = false) {
  Alert made;
  made.labels = labels({{"alertname", "X"}});
  made.starts_at = Instant(std::chrono::seconds(start));
  made.ends_at = Instant(std::chrono::seconds(end));
  made.updated_at = Instant(std::chrono::seconds(updated));
  made.timeout = timeout;
  return made;
}

TEST(Merge, KeepsTheEarliestStartAndTheLatestEnd) {
  const Alert earlier = merged(alert(10, 100, 20, true), alert(5, 90, 30, true));
  EXPECT_EQ(earlier.starts_at, alert(5, 0, 0).starts_at);
  EXPECT_EQ(earlier.ends_at, alert(0, 90, 0).ends_at) << "an end that was made up gives way";
  EXPECT_EQ(merged(alert(5, 100, 20), alert(10, 90, 30)).ends_at, alert(0, 100, 0).ends_at);
  // Resolved several times: the latest end.
  EXPECT_EQ(merged(alert(1, 48, 50), alert(1, 41, 51)).ends_at, alert(0, 48, 0).ends_at);
  // A resolution ends what was still open.
  EXPECT_EQ(merged(alert(1, 500, 40, true), alert(1, 45, 46)).ends_at, alert(0, 45, 0).ends_at);
  // A start after the end is a new alert.
  EXPECT_EQ(merged(alert(1, 48, 50), alert(52, 100, 53)).starts_at, alert(52, 0, 0).starts_at);
}

TEST(PostedAlert, FillsInTimesAndSaysWhatIsWrong) {
  const Instant now = at("2026-01-01T00:00:00Z");
  const auto read = [&](std::string text, Names names = Names::utf8) {
    const auto document = json::Document::parse(std::move(text));
    return read_posted(document->root(), now, 5min, names);
  };
  const auto plain = read(R"({"labels":{"a":"b","c":""},"startsAt":"0001-01-01T00:00:00.000Z"})");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->starts_at, now);
  EXPECT_EQ(plain->ends_at, now + 5min);
  EXPECT_TRUE(plain->timeout);
  EXPECT_EQ(*alert_from_json(to_json(*plain)), *plain);
  EXPECT_EQ(read(R"({"labels":{"a":""}})").error().text, "at least one label pair required");
  EXPECT_EQ(read(R"({"labels":{"a-b":"x"}})", Names::classic).error().text, "invalid label set: invalid name \"a-b\"");
  EXPECT_TRUE(read(R"({"labels":{"a-b":"x"}})"));
  EXPECT_EQ(
      read(R"({"labels":{"a":"x"},"startsAt":"2026-01-02T00:00:00Z","endsAt":"2026-01-01T00:00:00Z"})").error().text,
      "start time must be before end time");
  EXPECT_EQ(read(R"({"annotations":{}})").error().code, Code::unprocessable);
  EXPECT_EQ(read(R"({"labels":{"a":"x"},"endsAt":"rubbish"})").error().code, Code::unprocessable);
}

TEST(Severity, ComesFromTheLabel) {
  for (const auto& [word, expected] : {std::pair<std::string, Severity>{"emergency", Severity::emergency},
                                       {"urgent", Severity::urgent},
                                       {"critical", Severity::urgent},
                                       {"error", Severity::urgent},
                                       {"high", Severity::urgent},
                                       {"warning", Severity::advisory},
                                       {"", Severity::advisory}})
    EXPECT_EQ(severity_of(labels({{"severity", word}})), expected) << word;
}

TEST(Rfc3339, HasAsManyDigitsAsNeeded) {
  EXPECT_EQ(rfc3339(at("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(at("2026-01-01T00:00:00.250Z")), "2026-01-01T00:00:00.25Z");
}

struct When {
  bool told;
  std::set<Fingerprint> told_firing;
  std::set<Fingerprint> told_resolved;
  int told_ago_s;
  std::set<Fingerprint> firing;
  std::set<Fingerprint> resolved;
  bool send_resolved;
  Why expected;
};
class WhenTable : public testing::TestWithParam<When> {};
TEST_P(WhenTable, DecidesWhetherAGroupIsToldOf) {
  const When& given = GetParam();
  const Instant now = at("2026-01-01T00:00:00Z");
  const LogEntry entry{now - std::chrono::seconds(given.told_ago_s), given.told_firing, given.told_resolved, now};
  EXPECT_EQ(notify_when(given.told ? &entry : nullptr, given.firing, given.resolved, given.send_resolved, now, 60s),
            given.expected);
  if (given.told) {
    const auto read = log_entry_from_json(to_json(entry));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->firing, entry.firing);
    EXPECT_EQ(read->at, entry.at);
    EXPECT_EQ(read->episode, entry.episode);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Table, WhenTable,
    testing::Values(When{false, {}, {}, 0, {1}, {}, true, Why::first},             // nobody was told
                    When{false, {}, {}, 0, {}, {1}, true, Why::nothing},           // only resolved, never told
                    When{true, {1, 2}, {}, 1, {1}, {}, true, Why::nothing},        // a subset
                    When{true, {1, 2}, {}, 61, {1}, {}, true, Why::repeat},        // a subset, and time is up
                    When{true, {1, 2}, {}, 60, {1}, {}, true, Why::nothing},       // not before
                    When{true, {1}, {}, 1, {1, 2}, {}, true, Why::new_firing},     // a new one
                    When{true, {1}, {}, 1, {}, {1}, true, Why::all_resolved},      // all are over
                    When{true, {1}, {}, 1, {}, {1}, false, Why::all_resolved},     // that is written down anyway
                    When{true, {}, {1}, 1, {}, {2}, true, Why::nothing},           // fired and ended in between
                    When{true, {1, 2}, {}, 1, {1}, {2}, true, Why::new_resolved},  // one of two is over
                    When{true, {1, 2}, {}, 1, {1}, {2}, false, Why::nothing},      // and who does not want to know
                    When{true, {1, 2}, {2}, 1, {1}, {2}, true, Why::nothing}));    // was told already

TEST(Inhibitor, HidesTargetsWhileASourceFires) {
  const ConfigPtr config = load(R"(
route: {receiver: w}
receivers: [{name: w}]
inhibit_rules:
- source_matchers: [alertname=JobDown]
  target_matchers: [alertname=InstanceDown]
  equal: [job, zone]
- {}
)");
  Inhibitor inhibitor(config);
  const Labels down = labels({{"alertname", "JobDown"}, {"job", "x"}, {"zone", "aa"}});
  const Labels instance_aa = labels({{"alertname", "InstanceDown"}, {"job", "x"}, {"zone", "aa"}});
  const Labels instance_ab = labels({{"alertname", "InstanceDown"}, {"job", "x"}, {"zone", "ab"}});
  inhibitor.fires(fingerprint(down), down);
  EXPECT_EQ(inhibitor.inhibited_by(instance_aa), fingerprint(down));
  EXPECT_FALSE(inhibitor.inhibited_by(instance_ab));
  EXPECT_FALSE(inhibitor.inhibited_by(down)) << "the empty rule makes everything source and target: nothing is hidden";
  inhibitor.ends(fingerprint(down), down);
  EXPECT_FALSE(inhibitor.inhibited_by(instance_aa));
}

TEST(Inhibitor, WhatIsSourceAndTargetIsNotHiddenByItsLike) {
  const ConfigPtr config = load(R"(
route: {receiver: w}
receivers: [{name: w}]
inhibit_rules:
- source_matchers: ['s=1']
  target_matchers: ['t=1']
  equal: [e]
)");
  Inhibitor inhibitor(config);
  const Labels both = labels({{"s", "1"}, {"t", "1"}, {"e", "1"}});
  const Labels other_both = labels({{"s", "1"}, {"t", "1"}, {"e", "1"}, {"n", "2"}});
  const Labels target = labels({{"t", "1"}, {"e", "1"}});
  const Labels source = labels({{"s", "1"}});          // without e
  const Labels target_without = labels({{"t", "1"}});  // an absent label is an empty one
  inhibitor.fires(fingerprint(both), both);
  EXPECT_FALSE(inhibitor.inhibited_by(both));
  EXPECT_FALSE(inhibitor.inhibited_by(other_both));
  EXPECT_EQ(inhibitor.inhibited_by(target), fingerprint(both));
  EXPECT_FALSE(inhibitor.inhibited_by(target_without));
  inhibitor.fires(fingerprint(source), source);
  EXPECT_EQ(inhibitor.inhibited_by(target_without), fingerprint(source));
}

Result<Silence> silence(std::string text) {
  const auto document = json::Document::parse(std::move(text));
  EXPECT_TRUE(document);
  return read_silence(document->root(), Names::utf8);
}

std::string silence_body(std::string_view matchers, std::string_view more = "") {
  return fmt::format(R"({{"matchers":[{}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2027-01-01T00:00:00Z",)"
                     R"("createdBy":"me","comment":""{}}})",
                     matchers, more);
}

TEST(Silence, RecursInWallClockTimeAcrossBothChanges) {
  const auto made = silence(silence_body(
      R"({"name":"a","value":"b","isRegex":false})",
      R"(,"recurrence":[{"weekdays":["tuesday"],"times":[{"start_time":"02:00","end_time":"04:00"}],"location":"Europe/Paris"}])"));
  ASSERT_TRUE(made) << made.error().text;
  // Tuesdays around the last Sundays of March (29th) and October (25th) of 2026.
  for (const auto& [instant, silent] : {std::pair{"2026-03-24T01:00:00Z", true},
                                        {"2026-03-24T00:59:59Z", false},
                                        {"2026-03-24T03:00:00Z", false},
                                        {"2026-03-31T00:00:00Z", true},
                                        {"2026-03-31T01:59:59Z", true},
                                        {"2026-03-31T02:00:00Z", false},
                                        {"2026-10-20T00:00:00Z", true},
                                        {"2026-10-27T00:30:00Z", false},
                                        {"2026-10-27T01:00:00Z", true},
                                        {"2026-10-28T01:00:00Z", false}})
    EXPECT_EQ(made->is_silent(at(instant)), silent) << instant;
  const auto read = silence_from_json(to_json(*made));
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_TRUE(read->same_scope(*made));
  EXPECT_EQ(read->ends_at, made->ends_at);
}

TEST(Silence, HasRules) {
  const Instant now = at("2026-06-01T00:00:00Z");
  const auto judged = [&](std::string_view matcher) { return check(*silence(silence_body(matcher)), now); };
  EXPECT_TRUE(judged(R"({"name":"a","value":".+","isRegex":true})"));
  EXPECT_EQ(judged(R"({"name":"a","value":".*","isRegex":true})").error().text,
            "silence invalid: at least one matcher must not match the empty string");
  EXPECT_EQ(check(*silence(silence_body(R"({"name":"a","value":"b","isRegex":false})")), at("2028-01-01")).error().text,
            "Failed to create silence: end time can't be in the past");
  EXPECT_EQ(silence("{}").error().text, "comment in body is required");
  EXPECT_TRUE(is_broad(*silence(silence_body(R"({"name":"severity","value":".+","isRegex":true})"))));
  EXPECT_FALSE(is_broad(*silence(silence_body(R"({"name":"severity","value":"warn.*","isRegex":true})"))));
}

TEST(Silence, HasABudgetBySeverity) {
  EXPECT_EQ(silence_budget(labels({{"severity", "emergency"}})), 0h);
  EXPECT_EQ(silence_budget(labels({{"severity", "critical"}})), 1h);
  EXPECT_EQ(silence_budget(labels({{"severity", "high"}})), 4h);
  EXPECT_EQ(silence_budget(labels({})), 24h);
}

}  // namespace
}  // namespace mydr24::routing
