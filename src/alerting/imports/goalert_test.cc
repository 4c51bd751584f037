#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/imports/imports.h"
#include "alerting/imports/imports_fixture.h"

namespace mydr24::imports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The answer of the query in docs/oncall.md.
constexpr std::string_view hospital = R"({"data": {
 "users": {"nodes": [
  {"id": "u-ann", "name": "Ann", "email": "ann@example.org", "role": "admin",
   "contactMethods": [
    {"id": "m1", "name": "mobile", "type": "SMS", "value": "+13125550101", "disabled": false, "pending": false},
    {"id": "m2", "name": "call", "dest": {"type": "builtin-twilio-voice", "args": {"phone_number": "+13125550101"}},
     "disabled": false},
    {"id": "m3", "name": "slack", "type": "SLACK_DM", "value": "U02ANN", "disabled": true}],
   "notificationRules": [
    {"id": "r1", "delayMinutes": 0, "contactMethodID": "m1"},
    {"id": "r2", "delayMinutes": 5, "contactMethod": {"id": "m2"}}]},
  {"id": "u-bob", "name": "Bob", "email": "bob@example.org",
   "contactMethods": [{"id": "m4", "name": "mail", "type": "EMAIL", "value": "bob@example.org", "disabled": false}],
   "notificationRules": [{"id": "r3", "delayMinutes": 1, "contactMethodID": "m4"}]},
  {"id": "u-cyd", "name": "Cyd", "email": "", "contactMethods": [], "notificationRules": []}],
  "pageInfo": {"hasNextPage": false, "endCursor": ""}},
 "rotations": {"nodes": [
  {"id": "r-week", "name": "Primary", "timeZone": "America/Chicago", "start": "2026-01-05T14:00:00Z", "type": "weekly",
   "shiftLength": 1, "activeUserIndex": 1, "userIDs": ["u-ann", "u-bob", "u-cyd"],
   "nextHandoffTimes": ["2026-03-09T13:00:00Z"]},
  {"id": "r-half", "name": "Halves", "timeZone": "America/Chicago", "start": "2026-01-05T14:00:00Z", "type": "hourly",
   "shiftLength": 12, "activeUserIndex": 0, "userIDs": ["u-ann", "u-bob", "u-cyd"],
   "nextHandoffTimes": ["2026-03-08T02:00:00Z"]}]},
 "schedules": {"nodes": [
  {"id": "s-ward", "name": "Ward", "timeZone": "America/Chicago",
   "targets": [{"target": {"id": "r-week", "type": "rotation", "name": "Primary"},
     "rules": [{"start": "00:00", "end": "00:00", "weekdayFilter": [true, true, true, true, true, true, true]}]}],
   "temporarySchedules": [{"start": "2026-07-03T13:00:00Z", "end": "2026-07-06T13:00:00Z", "shifts": [
     {"userID": "u-bob", "start": "2026-07-03T13:00:00Z", "end": "2026-07-06T13:00:00Z"}]}],
   "onCallNotificationRules": [
    {"id": "n1", "target": {"id": "C01", "type": "slackChannel", "name": "#ward"}, "time": null, "weekdayFilter": null},
    {"id": "n2", "dest": {"type": "builtin-slack-channel", "args": {"slack_channel_id": "C01"}}, "time": "09:00",
     "weekdayFilter": [false, true, true, true, true, true, false]}]},
  {"id": "s-night", "name": "Night", "timeZone": "America/Chicago",
   "targets": [{"target": {"id": "u-bob", "type": "user", "name": "Bob"},
     "rules": [{"start": "22:00", "end": "06:00", "weekdayFilter": [false, false, false, false, false, false, true]},
               {"start": "08:00", "end": "12:00", "weekdayFilter": [true, false, false, false, false, false, false]}]}],
   "temporarySchedules": [], "onCallNotificationRules": []},
  {"id": "s-half", "name": "Half days", "timeZone": "America/Chicago",
   "targets": [{"target": {"id": "r-half", "type": "rotation", "name": "Halves"},
     "rules": [{"start": "00:00", "end": "00:00", "weekdayFilter": [true, true, true, true, true, true, true]}]}]}]},
 "userOverrides": {"nodes": [
  {"id": "o1", "start": "2026-04-01T00:00:00Z", "end": "2026-04-02T00:00:00Z", "addUserID": "u-bob",
   "removeUserID": "u-ann", "target": {"id": "s-ward", "type": "schedule"}},
  {"id": "o2", "start": "2026-04-01T12:00:00Z", "end": "2026-04-03T00:00:00Z", "addUserID": "u-bob",
   "removeUserID": "", "target": {"id": "s-ward", "type": "schedule"}}]},
 "escalationPolicies": {"nodes": [
  {"id": "p1", "name": "Ward policy", "repeat": 2, "steps": [
   {"id": "t1", "stepNumber": 0, "delayMinutes": 5, "targets": [{"id": "s-ward", "type": "schedule", "name": "Ward"}]},
   {"id": "t2", "stepNumber": 1, "delayMinutes": 10, "targets": [{"id": "C01", "type": "slackChannel", "name": "#ward"}]},
   {"id": "t3", "stepNumber": 2, "delayMinutes": 15, "actions": [
     {"type": "builtin-user", "args": {"user_id": "u-bob"}},
     {"type": "builtin-rotation", "args": {"rotation_id": "r-week"}}]}]},
  {"id": "p2", "name": "Empty", "repeat": 0, "steps": []}]},
 "services": {"nodes": [
  {"id": "v1", "name": "Monitors", "escalationPolicyID": "p1", "maintenanceExpiresAt": null,
   "integrationKeys": [{"id": "k1", "type": "generic", "name": "bedside", "href": "https://goalert/api/v2/generic"}],
   "heartbeatMonitors": [{"id": "h1", "name": "gateway", "timeoutMinutes": 10}]},
  {"id": "v2", "name": "Orphan", "escalationPolicyID": "p2", "integrationKeys": [], "heartbeatMonitors": []}]}
}})";

TEST(GoAlertImport, AHospitalIsCarriedOverAndWhatIsNotIsNamed) {
  const Result<Imported> made = from_goalert(hospital, at("2026-03-05T00:00:00Z"));
  ASSERT_TRUE(made) << made.error().where << ": " << made.error().text;
  EXPECT_TRUE(makes_a_plan(made->parts));
  EXPECT_EQ(made->parts.at("contact/Ann"),
            R"({"known_as":["U02ANN"],"methods":[{"kind":"sms","target":"+13125550101","verified":false},)"
            R"({"kind":"voice","target":"+13125550101","verified":false},)"
            R"({"kind":"chat","target":"U02ANN","verified":false,"disabled":true}],)"
            R"("rules":[{"method":0,"after_s":0},{"method":1,"after_s":300}]})");
  EXPECT_EQ(made->parts.at("contact/Cyd"), R"({"methods":[{"kind":"console"}]})");
  // The step that led to a channel only is left out; the one after it keeps its time.
  EXPECT_EQ(made->parts.at("policy/Ward policy"),
            R"({"steps":[{"targets":["schedule:Ward"],"delay_s":900},)"
            R"({"targets":["contact:Bob","schedule:Primary"],"delay_s":900}],"repeat":2})");
  EXPECT_EQ(made->parts.at("monitor/Monitors gateway"), R"({"timeout_s":600,"policy":"Ward policy"})");
  EXPECT_EQ(made->parts.at("notice/Ward C01"),
            R"({"schedule":"Ward","channel":{"kind":"chat","target":"C01"},"changes":true,"daily":false})");
  EXPECT_EQ(
      made->parts.at("override/o1"),
      R"({"schedule":"Ward","begin":"2026-04-01T00:00:00Z","end":"2026-04-02T00:00:00Z","add":"Bob","remove":"Ann",)"
      R"("reason":"imported from GoAlert"})");
  EXPECT_THAT(places(made->left),
              ElementsAre("users \"Cyd\"", "schedules \"Ward\".onCallNotificationRules \"n2\"", "userOverrides \"o2\"",
                          "escalationPolicies \"Ward policy\".steps[1]", "escalationPolicies \"Ward policy\".steps[1]",
                          "escalationPolicies \"Empty\"", "services \"Monitors\"",
                          "services \"Monitors\".integrationKeys \"bedside\"",
                          "services \"Monitors\".heartbeatMonitors \"gateway\"", "services \"Orphan\""));
}

TEST(GoAlertImport, WeeklyTurnsChangeHandsByTheWallClockAsTheyDidThere) {
  const Imported made = from_goalert(hospital, at("2026-03-05T00:00:00Z")).value();
  // Hand-overs Monday 08:00 in Chicago; clocks go forward on 8 March, back on 1 November 2026.
  EXPECT_THAT(duty(made.parts, "Ward", "2026-03-02T14:00:00Z", "2026-03-16T13:00:00Z"),
              ElementsAre("Bob 2026-03-02T14:00 2026-03-09T13:00", "Cyd 2026-03-09T13:00 2026-03-16T13:00"));
  EXPECT_THAT(duty(made.parts, "Ward", "2026-10-26T13:00:00Z", "2026-11-09T14:00:00Z"),
              ElementsAre("Cyd 2026-10-26T13:00 2026-11-02T14:00", "Ann 2026-11-02T14:00 2026-11-09T14:00"));
}

TEST(GoAlertImport, TurnsOfHoursAreCountedByTheWallClock) {
  const Imported made = from_goalert(hospital, at("2026-03-05T00:00:00Z")).value();
  // 08:00 and 20:00 in Chicago; the night of 8 March has 11 hours, that of 1 November 13.
  EXPECT_THAT(duty(made.parts, "Half days", "2026-03-07T14:00:00Z", "2026-03-09T13:00:00Z"),
              ElementsAre("Ann 2026-03-07T14:00 2026-03-08T02:00", "Bob 2026-03-08T02:00 2026-03-08T13:00",
                          "Cyd 2026-03-08T13:00 2026-03-09T01:00", "Ann 2026-03-09T01:00 2026-03-09T13:00"));
  const auto november = duty(made.parts, "Half days", "2026-11-01T01:00:00Z", "2026-11-01T14:00:00Z");
  ASSERT_EQ(november.size(), 1U);
  EXPECT_THAT(november[0], HasSubstr("2026-11-01T01:00 2026-11-01T14:00"));
}

TEST(GoAlertImport, RulesOverMidnightAndOnChosenDaysHoldOverAChangeOfClocks) {
  const Imported made = from_goalert(hospital, at("2026-03-05T00:00:00Z")).value();
  EXPECT_THAT(duty(made.parts, "Night", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z"),
              ElementsAre("Bob 2026-03-08T04:00 2026-03-08T11:00", "Bob 2026-03-08T13:00 2026-03-08T17:00"));
  EXPECT_THAT(duty(made.parts, "Night", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z"),
              ElementsAre("Bob 2026-11-01T03:00 2026-11-01T12:00", "Bob 2026-11-01T14:00 2026-11-01T18:00"));
}

TEST(GoAlertImport, ALaterExportOfTheSameIsTheSamePlan) {
  const Imported made = from_goalert(hospital, at("2026-03-05T00:00:00Z")).value();
  EXPECT_EQ(from_goalert(hospital, at("2026-12-05T00:00:00Z")).value().parts, made.parts);
  std::string later(hospital);
  replace(later, R"("activeUserIndex": 1)", R"("activeUserIndex": 0)");
  replace(later, "2026-03-09T13:00:00Z", "2026-03-23T13:00:00Z");
  EXPECT_EQ(from_goalert(later, at("2026-03-20T00:00:00Z")).value().parts, made.parts);
}

TEST(GoAlertImport, AnAddressThatWasVerifiedHereStaysSo) {
  Imported made = from_goalert(hospital, at("2026-03-05T00:00:00Z")).value();
  oncall::Documents present = made.parts;
  keep_verified(made.parts, present);
  EXPECT_EQ(made.parts, present);
  replace(present["contact/Ann"], R"("+13125550101","verified":false)", R"("+13125550101","verified":true)");
  keep_verified(made.parts, present);
  EXPECT_EQ(made.parts, present);
}

TEST(GoAlertImport, ARotationThatBeginsLaterRanBeforeItsStart) {
  std::string text(hospital);
  replace(text, R"("start": "2026-01-05T14:00:00Z", "type": "weekly")",
          R"("start": "2027-01-04T14:00:00Z", "type": "weekly")");
  const Imported made = from_goalert(text, at("2026-03-05T00:00:00Z")).value();
  EXPECT_THAT(duty(made.parts, "Ward", "2026-03-02T14:00:00Z", "2026-03-16T13:00:00Z"),
              ElementsAre("Bob 2026-03-02T14:00 2026-03-09T13:00", "Cyd 2026-03-09T13:00 2026-03-16T13:00"));
}

TEST(GoAlertImport, BothPeopleOfOneNameAreKeptApart) {
  std::string text(hospital);
  replace(text, R"("name": "Bob", "email")", R"("name": "Ann", "email")");
  const Imported made = from_goalert(text, at("2026-03-05T00:00:00Z")).value();
  EXPECT_TRUE(made.parts.contains("contact/Ann"));
  EXPECT_TRUE(made.parts.contains("contact/Ann (u-bob)"));
  EXPECT_TRUE(makes_a_plan(made.parts));
}

TEST(GoAlertImport, WhatPointsNowhereIsNamedAndTheRestMakesAPlan) {
  std::string text(hospital);
  replace(text, R"("id": "u-bob", "name")", R"("id": "u-nobody", "name")");
  const Imported made = from_goalert(text, at("2026-03-05T00:00:00Z")).value();
  EXPECT_TRUE(makes_a_plan(made.parts));
  EXPECT_FALSE(made.parts.contains("schedule/Night"));
  EXPECT_THAT(places(made.left), testing::Contains("schedules \"Night\""));
}

TEST(GoAlertImport, AnEndWithinTheRepeatedHourIsNamed) {
  std::string text(hospital);
  replace(text, R"("start": "22:00", "end": "06:00")", R"("start": "22:00", "end": "01:30")");
  const Imported made = from_goalert(text, at("2026-03-05T00:00:00Z")).value();
  EXPECT_THAT(texts(made.left), testing::Contains(HasSubstr("within the hour that clocks repeat")));
}

TEST(GoAlertImport, WhateverIsDamagedInItTheRestMakesAPlan) {
  expect_plans_of_damaged(hospital,
                          [](std::string_view text) { return from_goalert(text, at("2026-03-05T00:00:00Z")); });
}

TEST(GoAlertImport, WhatIsNoWholeExportIsRefusedWithItsPlace) {
  struct Row {
    std::string text, where;
  };
  std::string page(hospital), unnamed(hospital);
  replace(page, R"("hasNextPage": false)", R"("hasNextPage": true)");
  replace(unnamed, R"("id": "s-ward", "name")", R"("name")");
  const Row rows[] = {{page, "data.users"},
                      {unnamed, "data.schedules.nodes[0]"},
                      {R"({"errors": [{"message": "not logged in"}]})", "errors"},
                      {R"({"data": {"users": []}})", "data.users"},
                      {R"([1])", "data"},
                      {R"({"data")", ""}};
  for (const Row& row : rows) {
    const auto made = from_goalert(row.text, at("2026-03-05T00:00:00Z"));
    ASSERT_FALSE(made) << row.where;
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_EQ(made.error().where, row.where) << made.error().text;
  }
}

}  // namespace
}  // namespace mydr24::imports
