#include "alerting/oncall/plan.h"

#include <gtest/gtest.h>

#include "alerting/notify/address_book.h"
#include "alerting/oncall/directory.h"
#include "alerting/oncall/proposal.h"
#include "base/core/date_time.h"
#include "storage/store/fake_store.h"

namespace mydr24::oncall {
namespace {

using namespace std::chrono_literals;

Instant utc(std::string_view text) { return parse_date_time(text).value().low; }

// A nurse, two doctors who take turns, and the ways to reach them.
Documents ward() {
  return {
      {"contact/nurse", R"({"methods":[{"kind":"webhook","target":"http://127.0.0.1:9/nurse"}]})"},
      {"contact/ann", R"({"methods":[{"kind":"sms","target":"+15550100","verified":true},{"kind":"console"}]})"},
      {"contact/bob", R"({"backup":"nurse","methods":[{"kind":"sms","target":"+15550101"}]})"},
      {"contact/day", R"({"availability":"business_hours","zone":"Europe/Paris","backup":"nurse",
        "methods":[{"kind":"webhook","target":"http://127.0.0.1:9/day"}]})"},
      {"team/all", R"({"lead":"nurse","members":["nurse","ann"]})"},
      {"schedule/doctors",
       R"({"zone":"UTC","layers":[{"members":["ann","bob"],"every":"day","start":"2026-01-01T08:00"}]})"},
      {"policy/default",
       R"({"steps":[{"targets":["contact:nurse"],"delay_s":15},{"targets":["schedule:doctors"],"delay_s":30}]})"},
      {"policy/team", R"({"steps":[{"targets":["team:all"],"delay_s":15,"acks":2}]})"},
      {"policy/day", R"({"steps":[{"targets":["contact:day"]}]})"},
  };
}

std::string answers(const Plan& plan, std::string_view policy, std::size_t step, std::string_view at) {
  std::string all;
  for (const Called& called : plan.who_answers(plan.policy(policy, 0), step, utc(at))) {
    if (!all.empty()) all += ' ';
    all += called.contact->name;
    if (!called.instead_of.empty()) all += "(" + std::string(called.instead_of) + ")";
  }
  return all;
}

TEST(Plan, ASteplLeadsToWhoIsThereOrToWhoStandsInForThem) {
  const auto plan = Plan::make(ward());
  ASSERT_TRUE(plan) << plan.error().where << ": " << plan.error().text;
  struct Row {
    std::string_view policy;
    std::size_t step;
    std::string_view at, who;
  };
  for (const Row& row : {
           Row{"default", 0, "2026-01-01T09:00:00Z", "nurse"}, Row{"default", 1, "2026-01-01T09:00:00Z", "ann"},
           Row{"default", 99, "2026-01-01T09:00:00Z", "ann"},
           Row{"default", 1, "2026-01-02T09:00:00Z", "nurse(bob)"},  // bob's number is not verified
           Row{"default", 1, "2025-12-31T09:00:00Z", "nurse"},       // nobody on duty yet: the step before
           Row{"team", 0, "2026-01-01T09:00:00Z", "nurse ann"},
           Row{"day", 0, "2026-01-05T07:00:00Z", "day"},         // Monday, 08:00 in Paris
           Row{"day", 0, "2026-01-05T06:59:59Z", "nurse(day)"},  // before
           Row{"day", 0, "2026-01-04T12:00:00Z", "nurse(day)"},  // Sunday
           Row{"day", 0, "2026-07-06T06:00:00Z", "day"},         // 08:00 in summer
           Row{"nonsense", 0, "2026-01-01T09:00:00Z", "nurse"},  // the default of the severity
       })
    EXPECT_EQ(answers(*plan, row.policy, row.step, row.at), row.who) << row.policy << " " << row.step << " " << row.at;
}

TEST(Plan, NobodyReachableIsTheOperatorThenTheConsole) {
  Documents documents{{"contact/bob", R"({"methods":[{"kind":"sms","target":"+15550101"}]})"},
                      {"contact/boss", R"({"methods":[{"kind":"email","target":"boss@example.org","verified":true}]})"},
                      {"policy/default", R"({"steps":[{"targets":["contact:bob"]}]})"}};
  EXPECT_EQ(answers(*Plan::make(documents), "default", 0, "2026-01-01T09:00:00Z"), "console(nobody)");
  documents["defaults/main"] = R"({"operator":"boss"})";
  EXPECT_EQ(answers(*Plan::make(documents), "default", 0, "2026-01-01T09:00:00Z"), "boss(nobody)");
  documents["contact/boss"] = R"({"methods":[{"kind":"email","target":"boss@example.org","disabled":true}]})";
  EXPECT_EQ(answers(*Plan::make(documents), "default", 0, "2026-01-01T09:00:00Z"), "console(nobody)");
  EXPECT_EQ(answers(*Plan::make({}), "default", 0, "2026-01-01T09:00:00Z"), "console");
}

TEST(Plan, APersonIsKnownByEveryNameAndAddressThatOnlyTheyHave) {
  const auto plan = Plan::make(
      {{"contact/ann", R"({"known_as":["U02ANN"],"methods":[{"kind":"email","target":"ann@example.org"},)"
                       R"({"kind":"sms","target":"+15551234567"},{"kind":"voice","target":"+15550000000"}]})"},
       {"contact/bob", R"({"known_as":["+15551111111"],"methods":[{"kind":"voice","target":"+15550000000"}]})"},
       {"policy/default", R"({"steps":[{"targets":["contact:ann"]}]})"},
       {"defaults/main", R"({"policy":{"emergency":"default","urgent":"default","advisory":"default"}})"}});
  ASSERT_TRUE(plan) << plan.error().where << plan.error().text;
  for (const std::string_view identity : {"ann", "Ann", "u02ann", "Ann@Example.ORG", "+15551234567"})
    EXPECT_EQ(plan->person(identity), "ann") << identity;
  EXPECT_EQ(plan->person("+15551111111"), "bob");
  EXPECT_EQ(plan->person("+15550000000"), "+15550000000") << "the ward's telephone is no person";
  EXPECT_EQ(plan->person("eve"), "eve");
}

TEST(Plan, OnCallPeopleAnswerOnlyOnDuty) {
  Documents documents = ward();
  documents["contact/ann"] = R"({"availability":"on_call","backup":"nurse","methods":[{"kind":"console"}]})";
  documents["policy/ann"] = R"({"steps":[{"targets":["contact:ann"]}]})";
  const auto plan = Plan::make(documents);
  ASSERT_TRUE(plan);
  EXPECT_EQ(answers(*plan, "ann", 0, "2026-01-01T09:00:00Z"), "ann");
  EXPECT_EQ(answers(*plan, "ann", 0, "2026-01-02T09:00:00Z"), "nurse(ann)");
}

// ON-07: what cannot be satisfied is refused, and the field is named.
TEST(Plan, WhatCannotWorkIsRefusedByItsField) {
  struct Row {
    std::string_view key, document, where;
    Code code = Code::invalid;
  };
  for (
      const Row& row : {
          Row{"policy/p", R"({"steps":[]})", "policy/p.steps"},
          Row{"policy/p", R"({})", "policy/p.steps"},
          Row{"policy/p", R"({"steps":[{"targets":[]}]})", "policy/p.steps[0].targets"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:porter"]}]})", "policy/p.steps[0].targets[0]"},
          Row{"policy/p", R"({"steps":[{"targets":["schedule:none"]}]})", "policy/p.steps[0].targets[0]"},
          Row{"policy/p", R"({"steps":[{"targets":["team:none"]}]})", "policy/p.steps[0].targets[0]"},
          Row{"policy/p", R"({"steps":[{"targets":["nurse"]}]})", "policy/p.steps[0].targets[0]"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"delay_s":0}]})", "policy/p.steps[0].delay_s"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"delay_s":1.5}]})", "policy/p.steps[0].delay_s"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"]}],"colour":"red"})", "policy/p.colour"},
          Row{"policy/p", R"({"name":"q","steps":[{"targets":["contact:nurse"]}]})", "policy/p.name"},
          Row{"policy/p", R"({"repeat":21,"steps":[{"targets":["contact:nurse"]}]})", "policy/p.repeat"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"if_count":{"more_than":2}}]})",
              "policy/p.steps[0].if_count"},
          Row{"policy/p",
              R"({"steps":[{"targets":["contact:nurse"]},{"targets":["contact:nurse"],"if_count":{"within_s":60}}]})",
              "policy/p.steps[1].if_count.more_than"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"if_time":{}}]})", "policy/p.steps[0].if_time"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"if_time":{"from":"08:00","until":"18:00"}}]})",
              "policy/p.steps[0].if_time.until"},
          Row{"policy/p", R"({"steps":[{"targets":["contact:nurse"],"if_time":{"from":"08:00","zone":"Mars/Base"}}]})",
              "policy/p.steps[0].if_time.zone"},
          Row{"policy/p", "[]", "policy/p"},
          Row{"policy/p", "{", "policy/p"},
          Row{"policy/", "{}", "policy/"},
          Row{"puppy/p", "{}", "puppy/p"},
          Row{"schedule/s", R"({"layers":[]})", "schedule/s.layers"},
          Row{"schedule/s", R"({"layers":[{"members":[],"start":"2026-01-01T08:00"}]})",
              "schedule/s.layers[0].members"},
          Row{"schedule/s", R"({"layers":[{"members":["porter"],"start":"2026-01-01T08:00"}]})",
              "schedule/s.layers[0].members[0]"},
          Row{"schedule/s", R"({"layers":[{"members":["nurse"],"start":"tomorrow"}]})", "schedule/s.layers[0].start"},
          Row{"schedule/s", R"({"zone":"Mars/Base","layers":[{"members":["nurse"],"start":"2026-01-01T08:00"}]})",
              "schedule/s.zone"},
          Row{"schedule/s", R"({"layers":[{"members":["nurse"],"every":"blue moon","start":"2026-01-01T08:00"}]})",
              "schedule/s.layers[0].every"},
          Row{"schedule/s",
              R"({"layers":[{"members":["nurse"],"start":"2026-01-01T08:00","windows":[{"days":"mon-fry"}]}]})",
              "schedule/s.layers[0].windows[0].days"},
          Row{"schedule/s",
              R"({"layers":[{"members":["nurse"],"start":"2026-01-01T08:00","windows":[{"from":"25:00"}]}]})",
              "schedule/s.layers[0].windows[0].from"},
          Row{"contact/c", R"({"methods":[]})", "contact/c.methods"},
          Row{"contact/c", R"({"methods":[{"kind":"sms","target":"555"}]})", "contact/c.methods[0].target"},
          Row{"contact/c", R"({"methods":[{"kind":"drum"}]})", "contact/c.methods[0].kind"},
          Row{"contact/c", R"({"methods":[{"kind":"console"}],"rules":[{"method":1}]})", "contact/c.rules[0].method"},
          Row{"contact/c", R"({"methods":[{"kind":"console"}],"backup":"c"})", "contact/c.backup"},
          Row{"contact/c", R"({"methods":[{"kind":"console"}],"backup":"d"})", "contact/c.backup"},
          Row{"team/t", R"({"members":[]})", "team/t.members"},
          Row{"team/t", R"({"members":["porter"]})", "team/t.members[0]"},
          Row{"override/o",
              R"({"schedule":"none","begin":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z","add":"ann"})",
              "override/o.schedule"},
          Row{"override/o",
              R"({"schedule":"doctors","begin":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z","add":"ann"})",
              "override/o.end"},
          Row{"override/o", R"({"schedule":"doctors","begin":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"})",
              "override/o.add"},
          Row{"override/o",
              R"({"schedule":"doctors","begin":"2026-01-01T00:00","end":"2026-01-02T00:00:00Z","add":"ann"})",
              "override/o.begin"},
          Row{"override/o",
              R"({"schedule":"doctors","begin":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z","add":"ann","remove":"ann"})",
              "override/o.add"},
          Row{"maintenance/m", R"({"policy":"none","begin":"2026-01-01T00:00:00Z","end":"2026-01-02T00:00:00Z"})",
              "maintenance/m.policy"},
          Row{"feed/f", R"({"schedule":"doctors","secret":"short"})", "feed/f.secret"},
          Row{"defaults/main", R"({"policy":{"emergency":"none"}})", "defaults/main.policy.emergency"},
          Row{"defaults/main", R"({"operator":"none"})", "defaults/main.operator"},
          Row{"defaults/main", R"({"limits":{"puppy":1}})", "defaults/main.limits.puppy"},
      }) {
    Documents documents = ward();
    documents[std::string(row.key)] = row.document;
    const auto plan = Plan::make(documents);
    ASSERT_FALSE(plan) << row.document;
    EXPECT_EQ(plan.error().code, row.code) << row.document;
    EXPECT_EQ(plan.error().where, row.where) << row.document << " " << plan.error().text;
    EXPECT_FALSE(plan.error().text.empty());
  }
}

TEST(Plan, TheOperationsDeskIsAPlanOfItsOwn) {
  const auto plan = Plan::make(operations_desk());
  ASSERT_TRUE(plan) << plan.error().where << " " << plan.error().text;
  const Policy& emergency = plan->policy("operations-emergency", 0);
  ASSERT_EQ(emergency.steps.size(), 4U);
  EXPECT_EQ(emergency.steps[0].delay, 15s);
  EXPECT_EQ(emergency.steps[1].delay, 15s);
  EXPECT_EQ(emergency.steps[2].delay, 30s);
  EXPECT_EQ(plan->teams().at("operations emergency").escalation_timeout, 300s);
  EXPECT_EQ(plan->teams().at("operations critical").escalation_timeout, 1800s);
  EXPECT_EQ(answers(*plan, "operations-emergency", 0, "2026-01-04T12:00:00Z"),
            "Database Emergency Specialist Application Emergency Specialist "
            "Medical Director(Healthcare Operations Director)");
  EXPECT_EQ(plan->defaults().sla[0].response, 180s);
  EXPECT_EQ(plan->defaults().sla[1].response, 900s);
  EXPECT_EQ(plan->defaults().sla[2].response, 3600s);
  EXPECT_EQ(plan->defaults().sla[0].resolution, 3600s);
  EXPECT_EQ(plan->defaults().sla[1].resolution, 14400s);
  EXPECT_EQ(plan->defaults().sla[2].resolution, 28800s);
}

Settings two_steps() {
  return {.contacts = {{"nurse", {{notify::Kind::webhook, "https://pager.example.org/nurse", "s1"}, {}}},
                       {"doctor", {{notify::Kind::webhook, "http://127.0.0.1:9/doctor", ""}}}},
          .steps = {{{"nurse"}}, {{"nurse", "doctor"}}}};
}

TEST(Settings, EachStepNamesWhoAnswersAndTheLastOneHoldsForEver) {
  const auto directory = Directory::make(two_steps());
  ASSERT_TRUE(directory) << directory.error().text;
  const auto plan = directory->plan();
  EXPECT_EQ(answers(*plan, "", 0, "2026-01-01T00:00:00Z"), "nurse");
  EXPECT_EQ(answers(*plan, "", 1, "2026-01-01T00:00:00Z"), "nurse doctor");
  EXPECT_EQ(answers(*plan, "", 99, "2026-01-01T00:00:00Z"), "nurse doctor");
  EXPECT_EQ(plan->contact("nurse")->methods[0].address.secret, "s1");
  EXPECT_EQ(plan->contact("porter"), nullptr);
  EXPECT_TRUE(plan->policies().contains("operations-emergency"));
}

TEST(Settings, WithoutThemTheConsoleIsCalled) {
  const auto directory = Directory::make({});
  ASSERT_TRUE(directory);
  EXPECT_EQ(answers(*directory->plan(), "", 0, "2026-01-01T00:00:00Z"), "console");
}

TEST(Settings, AWrongOneIsNamed) {
  struct Row {
    void (*spoil)(Settings&);
    std::string_view where;
  };
  for (const Row& row : {
           Row{[](Settings& s) { s.steps[1].contacts[1] = "porter"; }, "oncall.steps[1].contacts[1]"},
           Row{[](Settings& s) { s.steps[0].contacts.clear(); }, "oncall.steps[0].contacts"},
           Row{[](Settings& s) { s.steps.clear(); }, "oncall.steps"},
           Row{[](Settings& s) { s.contacts[1].channels.clear(); }, "oncall.contacts[1].channels"},
           Row{[](Settings& s) { s.contacts[1].name = "nurse"; }, "oncall.contacts[1].name"},
           Row{[](Settings& s) { s.contacts[0].name.clear(); }, "oncall.contacts[0].name"},
           Row{[](Settings& s) { s.contacts[0].name = "a/b"; }, "oncall.contacts[0].name"},
           Row{[](Settings& s) { s.contacts[0].channels[0].target = "ftp://x"; },
               "oncall.contacts[0].channels[0].target"},
           Row{[](Settings& s) { s.contacts[0].channels[1].target = "https://x"; },
               "oncall.contacts[0].channels[1].target"},
           Row{[](Settings& s) { s.steps.resize(33, s.steps[0]); }, "oncall.steps"},
       }) {
    Settings settings = two_steps();
    row.spoil(settings);
    const auto directory = Directory::make(settings);
    ASSERT_FALSE(directory) << row.where;
    EXPECT_EQ(directory.error().code, Code::invalid);
    EXPECT_EQ(directory.error().where, row.where);
  }
}

class DirectoryTest : public testing::Test {
 protected:
  Result<> change(const Change& wanted) {
    PlanPointer next;
    MYDR24_TRY(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(next, directory_.change(transaction, wanted));
      return {};
    }));
    directory_.publish(next);
    return {};
  }
  Result<> set(std::string key, std::optional<std::string> document) {
    return change({.parts = {{std::move(key), std::move(document)}}, .by = "test"});
  }

  ManualClock clock_{from_us(1'700'000'000'000'000)};
  store::FakeStore store_{clock_};
  Directory directory_{*Plan::make(ward())};
};

TEST_F(DirectoryTest, AChangeIsInForceAfterItsCommitAndAfterARestart) {
  const PlanPointer before = directory_.plan();
  ASSERT_TRUE(set("contact/eve", R"({"methods":[{"kind":"console"}]})"));
  EXPECT_EQ(before->contact("eve"), nullptr);
  EXPECT_NE(directory_.plan()->contact("eve"), nullptr);
  EXPECT_EQ(directory_.plan()->revision(), 1);
  ASSERT_EQ(store_.events_of("oncall.changed").size(), 1U);
  EXPECT_EQ(store_.events_of("oncall.changed")[0].payload, R"({"revision":1,"by":"test","parts":["contact/eve"]})");
  const Directory restarted = *Directory::make({});
  ASSERT_TRUE(restarted.load(store_));
  EXPECT_EQ(restarted.plan()->documents(), directory_.plan()->documents());
  EXPECT_EQ(restarted.plan()->revision(), 1);
  ASSERT_TRUE(set("contact/eve", std::nullopt));
  ASSERT_TRUE(restarted.load(store_));
  EXPECT_EQ(restarted.plan()->contact("eve"), nullptr);
}

TEST_F(DirectoryTest, ARefusedChangeLeavesEverythingAsItWas) {
  const auto refused = set("contact/nurse", std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().where, "contact/bob.backup");
  EXPECT_EQ(set("contact/nobody", std::nullopt).error().code, Code::not_found);
  EXPECT_EQ(directory_.plan()->revision(), 0);
  EXPECT_TRUE(store_.events_of("oncall.changed").empty());
}

TEST_F(DirectoryTest, WhatAChangeWouldComeToIsSaidAndNothingIsWritten) {
  const Change wanted{.parts = {{"contact/eve", R"({"methods":[{"kind":"console"}]})"},
                                {"contact/nurse", R"({"role":"nurse","methods":[{"kind":"console"}]})"}},
                      .by = "test"};
  Proposal outcome;
  ASSERT_TRUE(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(outcome, propose(reader, *directory_.plan(), wanted));
    return {};
  }));
  EXPECT_EQ(outcome.added, std::vector<std::string>{"contact/eve"});
  EXPECT_EQ(outcome.changed, std::vector<std::string>{"contact/nurse"});
  EXPECT_TRUE(outcome.removed.empty());
  EXPECT_NE(outcome.plan->contact("eve"), nullptr);
  EXPECT_EQ(directory_.plan()->contact("eve"), nullptr);
  EXPECT_TRUE(store_.events_of("oncall.changed").empty());
}

TEST_F(DirectoryTest, WhatChangesNothingIsNoRevision) {
  ASSERT_TRUE(set("contact/eve", R"({"methods":[{"kind":"console"}]})"));
  ASSERT_TRUE(set("contact/eve", R"({"methods":[{"kind":"console"}]})"));
  EXPECT_EQ(directory_.plan()->revision(), 1);
  EXPECT_EQ(store_.events_of("oncall.changed").size(), 1U);
}

TEST_F(DirectoryTest, OfTwoChangesToOneRevisionTheSecondIsStale) {
  const Change wanted{.parts = {{"contact/eve", R"({"methods":[{"kind":"console"}]})"}}, .by = "test", .revision = 0};
  ASSERT_TRUE(change(wanted));
  EXPECT_EQ(change(wanted).error().code, Code::stale);
}

// ON-23: both have seen the plan without the other's override.
TEST_F(DirectoryTest, OfTwoOverlappingOverridesTheSecondIsRefused) {
  const auto entry = [](std::string_view who) {
    return std::string(
               R"({"schedule":"doctors","begin":"2026-05-10T00:00:00Z","end":"2026-05-12T00:00:00Z","remove":"ann","add":")") +
           std::string(who) + R"("})";
  };
  PlanPointer first, second;
  ASSERT_TRUE(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(first, directory_.change(transaction, {.parts = {{"override/1", entry("nurse")}}}));
    return {};
  }));
  const auto refused = store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(second, directory_.change(transaction, {.parts = {{"override/2", entry("day")}}}));
    return {};
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().text.find("\"1\""), std::string::npos);
}

// ON-29: set to 2 with 4 present.
TEST_F(DirectoryTest, ALimitLetsAKindShrinkAndNotGrow) {
  const auto shift = [](int day) {
    return fmt::format(
        R"({{"schedule":"doctors","begin":"2026-05-{0:02}T00:00:00Z","end":"2026-05-{0:02}T12:00:00Z","add":"nurse"}})",
        day);
  };
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(set(fmt::format("override/{}", i), shift(i)));
  ASSERT_TRUE(set("defaults/main", R"({"limits":{"override":2}})"));
  EXPECT_EQ(set("override/5", shift(5)).error().code, Code::too_large);  // 4 to 5
  ASSERT_TRUE(set("override/4", std::nullopt));                          // 4 to 3
  ASSERT_TRUE(set("override/3", std::nullopt));                          // 3 to 2
  EXPECT_EQ(set("override/3", shift(3)).error().code, Code::too_large);  // 2 to 3
  ASSERT_TRUE(set("defaults/main", R"({"limits":{"override":-1}})"));
  EXPECT_TRUE(set("override/3", shift(3)));
}

TEST_F(DirectoryTest, AnAddressCountsWhenItsPersonConfirmedItAndNotAfterStop) {
  const notify::AddressBook book(store_, "0123456789abcdef");
  const notify::Address bob{notify::Kind::sms, "+15550101", ""}, ann{notify::Kind::sms, "+15550100", ""};
  EXPECT_FALSE(directory_.plan()->contact("bob")->reachable());
  ASSERT_TRUE(store_.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const std::string code, book.begin_verification(transaction, bob));
    MYDR24_ASSIGN(const notify::Confirmation confirmed, book.confirm(transaction, bob, code));
    EXPECT_TRUE(confirmed.verified);
    return book.set_stopped(transaction, ann.target, true);
  }));
  ASSERT_TRUE(directory_.load(store_));
  EXPECT_TRUE(directory_.plan()->contact("bob")->reachable());
  EXPECT_TRUE(directory_.plan()->contact("ann")->methods[0].disabled);
  EXPECT_TRUE(directory_.plan()->contact("ann")->reachable());  // by the console
}

TEST_F(DirectoryTest, SecretsAreShownAsStarsAndStarsKeepThem) {
  ASSERT_TRUE(
      set("contact/nurse", R"({"methods":[{"kind":"webhook","target":"http://127.0.0.1:9/nurse","secret":"whsec"}]})"));
  const std::string seen = shown(directory_.plan()->documents().at("contact/nurse"));
  EXPECT_EQ(seen.find("whsec"), std::string::npos);
  ASSERT_TRUE(set("contact/nurse", seen));
  EXPECT_EQ(directory_.plan()->contact("nurse")->methods[0].address.secret, "whsec");
}

}  // namespace
}  // namespace mydr24::oncall
