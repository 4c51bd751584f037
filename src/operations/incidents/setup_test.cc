#include "operations/incidents/setup.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "alerting/oncall/settings.h"
#include "base/core/date_time.h"

namespace mydr24::incidents {
namespace {

using namespace std::chrono_literals;

Setup default_setup() {
  auto made = Setup::parse(Setup::default_text());
  EXPECT_TRUE(made) << made.error().where << ": " << made.error().text;
  return std::move(*made);
}

// The built-in setup with one text in place of another.
Result<Setup> changed(std::string_view what, std::string_view by) {
  std::string text(Setup::default_text());
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return Setup::parse(text.replace(at, what.size(), by));
}

Instant time(std::string_view text) { return parse_date_time(text)->low; }

TEST(Setup, TheTimesOfTheOperationsPlan) {
  const auto setup = default_setup();
  EXPECT_EQ(setup.criteria(Severity::emergency).response, 180s);
  EXPECT_EQ(setup.criteria(Severity::critical).response, 900s);
  EXPECT_EQ(setup.criteria(Severity::high).response, 3600s);
  EXPECT_EQ(setup.criteria(Severity::emergency).resolution, 3600s);
  EXPECT_EQ(setup.criteria(Severity::critical).resolution, 14400s);
  EXPECT_EQ(setup.criteria(Severity::high).resolution, 28800s);
  EXPECT_TRUE(setup.criteria(Severity::emergency).escalation_required);
  EXPECT_TRUE(setup.criteria(Severity::critical).escalation_required);
  EXPECT_FALSE(setup.criteria(Severity::high).escalation_required);
  EXPECT_EQ(setup.criteria(Severity::emergency).escalation_timeout, 300s);
  EXPECT_EQ(setup.criteria(Severity::critical).escalation_timeout, 1800s);
  for (const Severity severity : severities)
    EXPECT_EQ(setup.criteria(severity).external_notification, severity == Severity::emergency);
}

TEST(Setup, EverySeverityHasATeamAndAPolicyOfTheOnCallPlan) {
  const auto setup = default_setup();
  for (const Severity severity : severities) {
    EXPECT_FALSE(setup.criteria(severity).description.empty());
    EXPECT_FALSE(setup.criteria(severity).team.empty());
    EXPECT_GT(setup.criteria(severity).resolution, 0s);
  }
  const auto plan = oncall::Plan::make(oncall::operations_desk());
  ASSERT_TRUE(plan) << plan.error().text;
  EXPECT_EQ(setup.warnings(*plan), std::vector<std::string>());
  EXPECT_FALSE(setup.warnings(*oncall::Plan::make({})).empty());
}

TEST(Setup, SeedRulesClassifyAndTheHighestWins) {
  const auto setup = default_setup();
  EXPECT_EQ(setup.failed_vectors(), std::vector<std::string>());
  const auto severity = [&](std::string title, std::string status) {
    return setup.classify({.title = std::move(title), .status = std::move(status)}).severity;
  };
  EXPECT_EQ(severity("emergency gateway", "down"), Severity::emergency);
  EXPECT_EQ(severity("database replica", "down"), Severity::critical);
  EXPECT_EQ(severity("unauthorized access", ""), Severity::emergency);
  EXPECT_EQ(severity("a printer", "down"), Severity::high);
  EXPECT_EQ(severity("security patch applied", ""), Severity::high);
  const Classification both = setup.classify({.title = "emergency database", .status = "down"});
  EXPECT_EQ(both.severity, Severity::emergency);
  EXPECT_EQ(both.rule, "Emergency Response Failure");
  EXPECT_EQ(both.terms, (std::vector<std::string>{"keyword:emergency", "status:down"}));
  ASSERT_EQ(both.alternatives.size(), 1U);
  EXPECT_EQ(both.alternatives[0].rule, "Database Failure");
  EXPECT_TRUE(setup.classify({.title = "unauthorized access"}).breach);
}

TEST(Setup, TheSeedsRuleWithoutItsExceptionFailsItsVectors) {
  const auto setup = changed(
      "keyword:breach OR keyword:unauthorized OR (keyword:security AND NOT (keyword:patch OR "
      "keyword:update OR keyword:training))",
      "keyword:security OR keyword:breach OR keyword:unauthorized");
  ASSERT_TRUE(setup) << setup.error().text;
  const auto failed = setup->failed_vectors();
  ASSERT_EQ(failed.size(), 2U);
  EXPECT_NE(failed[0].find("security patch applied"), std::string::npos);
}

TEST(Setup, WhatIsIncompleteIsRefusedByItsPath) {
  const auto where = [](std::string_view what, std::string_view by) {
    const auto made = changed(what, by);
    return made ? std::string("accepted") : made.error().where;
  };
  EXPECT_EQ(where(R"("severity": "low", "desc)", R"("severity": "medium", "desc)"), "setup.severities[4].severity");
  EXPECT_EQ(where(R"("response_s": 180,)", R"("response_s": 0,)"), "setup.severities[0].response_s");
  EXPECT_EQ(where(R"("response_s": 900,)", R"("response_s": 100,)"), "setup.severities");
  EXPECT_EQ(where(R"("escalation_timeout_s": 1800,)", ""), "setup.severities[1].escalation_timeout_s");
  EXPECT_EQ(where(R"("external_notification": false)", R"("external_notification": true)"),
            "setup.severities[1].external_notification");
  EXPECT_EQ(where("keyword:database AND status:down", "keyword:database & status:down"), "setup.rules[1].condition");
  EXPECT_EQ(where(R"({"title": "database replica is slow", "status": "degraded", "matches": false})",
                  R"({"title": "database", "status": "down", "matches": true})"),
            "setup.rules[1].vectors");
  EXPECT_EQ(where(R"({"name": "database", "title": "Database"})",
                  R"({"name": "database", "title": "Database", "depends_on": ["records"]})"),
            "setup.services");
  EXPECT_EQ(where(R"("depends_on": ["database"], "public": true},
    {"name": "login")",
                  R"("depends_on": ["network"], "public": true},
    {"name": "login")"),
            "setup.services");
  EXPECT_EQ(where(R"("zone": "UTC")", R"("zone": "UTC", "colour": "red")"), "setup.colour");
  EXPECT_EQ(where(R"("zone": "UTC")", R"("zone": "UTC", "external": [{"kind": "email", "target": "nobody"}])"),
            "setup.external[0].target");
}

TEST(Setup, AServiceReachesWhatDependsOnIt) {
  const auto setup = changed(R"({"name": "login", "title": "Login")",
                             R"({"name": "app", "depends_on": ["records"], "wards": ["icu", "a1"]},
                                {"name": "login", "title": "Login", "wards": ["er"])");
  ASSERT_TRUE(setup) << setup.error().where << setup.error().text;
  const Reach reach = setup->reach_of("database");
  EXPECT_EQ(reach.services.front(), "database");
  EXPECT_EQ(reach.services.size(), 8U);
  EXPECT_EQ(reach.wards, (std::vector<std::string>{"a1", "er", "icu"}));
  EXPECT_EQ(setup->reach_of("app").services, std::vector<std::string>{"app"});
  EXPECT_TRUE(setup->reach_of("").services.empty());
}

TEST(Setup, ReviewsAreDueAfterThreeDaysAndFiveBusinessDays) {
  const auto setup = changed(R"("zone": "UTC")", R"("zone": "Europe/Paris", "holidays": ["2026-12-25", "2027-01-01"])");
  ASSERT_TRUE(setup) << setup.error().text;
  EXPECT_EQ(setup->review_due(Severity::emergency, time("2026-12-24T10:00:00Z")), time("2026-12-27T10:00:00Z"));
  // Thursday: not the holiday on Friday, not the weekend; Monday to Thursday are four, Friday is a holiday, Monday.
  EXPECT_EQ(setup->review_due(Severity::critical, time("2026-12-24T10:00:00Z")), time("2027-01-04T10:00:00Z"));
  // The clocks change in between: the same time on the wall.
  EXPECT_EQ(setup->review_due(Severity::critical, time("2026-10-23T08:00:00Z")), time("2026-10-30T09:00:00Z"));
}

TEST(Setup, SecretsAreNotShown) {
  const auto setup = changed(
      R"("zone": "UTC")",
      R"("zone": "UTC", "webhooks": [{"kind": "webhook", "target": "https://a.example/", "secret": "0123456789abcdef"}])");
  ASSERT_TRUE(setup) << setup.error().where << setup.error().text;
  EXPECT_EQ(setup->webhooks().front().secret, "0123456789abcdef");
  EXPECT_EQ(setup->shown().find("0123456789abcdef"), std::string::npos);
  EXPECT_NE(setup->shown().find("***"), std::string::npos);
  EXPECT_TRUE(Setup::parse(setup->text()));
}

}  // namespace
}  // namespace mydr24::incidents
