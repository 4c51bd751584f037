#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerting/imports/imports.h"
#include "alerting/imports/imports_fixture.h"

namespace mydr24::imports {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

// Lists as the API answers them (docs/oncall.md says how they are fetched).
constexpr std::string_view hospital = R"json({
 "users": {"count": 3, "next": null, "previous": null, "results": [
  {"id": "U1", "email": "ann@example.org", "slack": {"user_id": "USLACK1", "team_id": "T1"}, "username": "ann",
   "role": "admin", "is_phone_number_verified": true, "timezone": "Europe/Paris", "teams": ["TM1"]},
  {"id": "U2", "email": "bob@example.org", "slack": [{"user_id": "USLACK2", "team_id": "T1"}], "username": "bob",
   "teams": ["TM1"]},
  {"id": "U3", "email": "cyd@example.org", "slack": null, "username": "cyd", "teams": []}]},
 "teams": {"next": null, "results": [{"id": "TM1", "name": "Ward", "email": null, "avatar_url": ""}]},
 "personal_notification_rules": {"next": null, "results": [
  {"id": "N3", "user_id": "U1", "position": 2, "important": false, "type": "notify_by_email"},
  {"id": "N1", "user_id": "U1", "position": 0, "important": false, "type": "notify_by_slack"},
  {"id": "N2", "user_id": "U1", "position": 1, "duration": 300, "important": false, "type": "wait"},
  {"id": "N4", "user_id": "U2", "position": 0, "important": false, "type": "notify_by_sms"}]},
 "schedules": {"next": null, "results": [
  {"id": "S1", "name": "Days", "type": "calendar", "team_id": null, "time_zone": "Europe/Paris", "on_call_now": ["U1"],
   "shifts": ["O1", "O5", "O6"], "ical_url_overrides": null},
  {"id": "S2", "name": "Weekends", "type": "calendar", "time_zone": "Europe/Paris", "shifts": ["O2"]},
  {"id": "S3", "name": "Clinic", "type": "calendar", "time_zone": "Europe/Paris", "shifts": ["O3"]},
  {"id": "S4", "name": "From a calendar", "type": "ical", "ical_url_primary": "https://example.org/a.ics"},
  {"id": "S5", "name": "Web", "type": "web", "time_zone": "Europe/Paris", "shifts": ["O4", "O7"]}]},
 "on_call_shifts": {"next": null, "results": [
  {"id": "O1", "name": "day by day", "type": "rolling_users", "time_zone": null, "level": 0,
   "start": "2026-03-27T09:00:00", "rotation_start": "2026-03-27T09:00:00", "duration": 86400, "frequency": "daily",
   "interval": 1, "rolling_users": [["U1"], ["U2", "U3"]], "start_rotation_from_user_index": 0},
  {"id": "O2", "name": "weekends", "type": "rolling_users", "time_zone": "Europe/Paris", "level": 1,
   "start": "2026-10-23T18:00:00", "duration": 223200, "frequency": "weekly", "interval": 1, "week_start": "MO",
   "by_day": ["FR"], "rolling_users": [["U1"], ["U2"]], "start_rotation_from_user_index": 1},
  {"id": "O3", "name": "clinic", "type": "rolling_users", "time_zone": null, "level": 0, "start": "2026-03-23T09:00:00",
   "duration": 28800, "frequency": "daily", "interval": 1, "by_day": ["MO", "WE", "FR"],
   "rolling_users": [["U1"], ["U2"]], "start_rotation_from_user_index": 0},
  {"id": "O4", "name": "office", "type": "recurrent_event", "time_zone": null, "level": 0,
   "start": "2026-01-05T08:00:00", "duration": 36000, "frequency": "weekly", "interval": 1, "week_start": "MO",
   "by_day": ["MO", "TU", "WE", "TH", "FR"], "users": ["U3"]},
  {"id": "O5", "name": "a single day", "type": "single_event", "start": "2026-05-02T08:00:00", "duration": 10800,
   "users": ["U3"]},
  {"id": "O6", "name": "every other", "type": "recurrent_event", "start": "2026-01-05T08:00:00", "duration": 3600,
   "frequency": "weekly", "interval": 2, "week_start": "MO", "by_day": ["MO"], "users": ["U1"]},
  {"id": "O7", "name": "holiday", "type": "override", "start": "2026-05-04T06:00:00", "duration": 43200, "users": ["U1"]},
  {"id": "O8", "name": "unused", "type": "single_event", "start": "2026-05-02T08:00:00", "duration": 10800, "users": []}]},
 "shift_swaps": {"next": null, "results": [
  {"id": "W1", "schedule": "S1", "beneficiary": "U1", "benefactor": "U3", "status": "taken",
   "swap_start": "2026-06-11T00:00:00.000000Z", "swap_end": "2026-06-12T00:00:00.000000Z"},
  {"id": "W2", "schedule": "S1", "beneficiary": "U1", "benefactor": null, "status": "open",
   "swap_start": "2026-06-14T00:00:00Z", "swap_end": "2026-06-15T00:00:00Z"}]},
 "escalation_chains": {"next": null, "results": [{"id": "F1", "name": "ward", "team_id": null},
                                                 {"id": "F2", "name": "calendar only", "team_id": null}]},
 "escalation_policies": {"next": null, "results": [
  {"id": "E2", "escalation_chain_id": "F1", "position": 2, "type": "wait", "duration": 300},
  {"id": "E0", "escalation_chain_id": "F1", "position": 0, "type": "notify_on_call_from_schedule",
   "notify_on_call_from_schedule": "S1", "important": false},
  {"id": "E1", "escalation_chain_id": "F1", "position": 1, "type": "notify_persons", "persons_to_notify": ["U3"]},
  {"id": "E3", "escalation_chain_id": "F1", "position": 3, "type": "notify_if_time_from_to",
   "notify_if_time_from": "09:00:00Z", "notify_if_time_to": "18:00:00Z"},
  {"id": "E4", "escalation_chain_id": "F1", "position": 4, "type": "notify_team_members", "team_to_notify": "TM1"},
  {"id": "E5", "escalation_chain_id": "F1", "position": 5, "type": "wait", "duration": 900},
  {"id": "E6", "escalation_chain_id": "F1", "position": 6, "type": "notify_if_num_alerts_in_window",
   "num_alerts_in_window": 3, "num_minutes_in_window": 10},
  {"id": "E7", "escalation_chain_id": "F1", "position": 7, "type": "notify_person_next_each_time",
   "persons_to_notify_next_each_time": ["U1", "U2"]},
  {"id": "E8", "escalation_chain_id": "F1", "position": 8, "type": "trigger_webhook", "action_to_trigger": "KGEFG74LU1D8L"},
  {"id": "E9", "escalation_chain_id": "F1", "position": 9, "type": "repeat_escalation"},
  {"id": "EA", "escalation_chain_id": "F2", "position": 0, "type": "notify_on_call_from_schedule",
   "notify_on_call_from_schedule": "S4"}]},
 "integrations": {"next": null, "results": [{"id": "CF1", "name": "Prometheus", "type": "alertmanager",
   "default_route": {"id": "R2", "escalation_chain_id": "F1"}}]},
 "routes": {"next": null, "results": [
  {"id": "R1", "integration_id": "CF1", "escalation_chain_id": "F1", "routing_regex": "us-(east|west)",
                           "position" : 0, "is_the_last_route" : false
},
  {"id": "R2", "integration_id": "CF1", "escalation_chain_id": "F1", "routing_regex": ".*", "position": 1,
   "is_the_last_route": true}]
}
})json";

Imported made_of(std::string_view text) {
  auto made = from_grafana_oncall(text, at("2026-03-20T00:00:00Z"));
  EXPECT_TRUE(made) << made.error().where << ": " << made.error().text;
  return made ? std::move(*made) : Imported();
}

TEST(GrafanaOnCallImport, AHospitalIsCarriedOverAndWhatIsNotIsNamed) {
  const Imported made = made_of(hospital);
  EXPECT_TRUE(makes_a_plan(made.parts));
  EXPECT_EQ(made.parts.at("contact/ann"), R"({"known_as":["USLACK1"],"zone":"Europe/Paris","methods":[)"
                                          R"({"kind":"email","target":"ann@example.org","verified":false},)"
                                          R"({"kind":"chat","target":"USLACK1","verified":false}],)"
                                          R"("rules":[{"method":1,"after_s":0},{"method":0,"after_s":300}]})");
  EXPECT_EQ(made.parts.at("team/Ward"), R"({"members":["ann","bob"]})");
  // Without a wait in between people are called at once; conditions belong to the people after them.
  EXPECT_EQ(made.parts.at("policy/ward"),
            R"({"steps":[{"targets":["schedule:Days","contact:cyd"],"delay_s":300},)"
            R"({"targets":["team:Ward"],"delay_s":900,"if_time":{"from":"09:00","to":"18:00"}},)"
            R"({"targets":["contact:ann","contact:bob"],"delay_s":300,)"
            R"("if_count":{"more_than":3,"within_s":600,"of":"cause"}}],"repeat":5})");
  EXPECT_FALSE(made.parts.contains("policy/calendar only"));
  EXPECT_THAT(
      places(made.left),
      ElementsAre("users \"ann\"", "users \"bob\"", "on_call_shifts \"every other\"", "schedules \"From a calendar\"",
                  "shift_swaps \"W2\"", "on_call_shifts \"unused\"", "escalation_chains \"ward\".7",
                  "escalation_chains \"ward\".8", "escalation_chains \"calendar only\".0",
                  "escalation_chains \"calendar only\"", "integrations \"Prometheus\"", "routes \"R1\""));
}

TEST(GrafanaOnCallImport, TurnsOfDaysKeepTheirWallClockTimeAndGroupsAreOnDutyTogether) {
  const Imported made = made_of(hospital);
  // 09:00 in Paris; clocks go forward on 29 March 2026.
  EXPECT_THAT(duty(made.parts, "Days", "2026-03-27T08:00:00Z", "2026-03-30T07:00:00Z"),
              ElementsAre("ann 2026-03-27T08:00 2026-03-28T08:00", "bob 2026-03-28T08:00 2026-03-29T07:00",
                          "cyd 2026-03-28T08:00 2026-03-29T07:00", "ann 2026-03-29T07:00 2026-03-30T07:00"));
  // The single day adds somebody, the swap puts one in the place of another.
  EXPECT_THAT(duty(made.parts, "Days", "2026-05-02T06:00:00Z", "2026-05-02T07:00:00Z"),
              Contains("cyd 2026-05-02T06:00 2026-05-02T07:00"));
}

TEST(GrafanaOnCallImport, AWeekendLongerThanADayChangesHandsOnItsFirstDay) {
  const Imported made = made_of(hospital);
  // Friday 18:00 to Monday 08:00 in Paris; clocks go back on 25 October 2026. The second group begins.
  EXPECT_THAT(duty(made.parts, "Weekends", "2026-10-23T00:00:00Z", "2026-11-03T00:00:00Z"),
              ElementsAre("bob 2026-10-23T16:00 2026-10-26T07:00", "ann 2026-10-30T17:00 2026-11-02T07:00"));
}

TEST(GrafanaOnCallImport, OnChosenDaysTheTurnChangesFromDayToDay) {
  const Imported made = made_of(hospital);
  EXPECT_THAT(duty(made.parts, "Clinic", "2026-03-23T00:00:00Z", "2026-04-02T00:00:00Z"),
              ElementsAre("ann 2026-03-23T08:00 2026-03-23T16:00", "bob 2026-03-25T08:00 2026-03-25T16:00",
                          "ann 2026-03-27T08:00 2026-03-27T16:00", "bob 2026-03-30T07:00 2026-03-30T15:00",
                          "ann 2026-04-01T07:00 2026-04-01T15:00"));
}

TEST(GrafanaOnCallImport, ShiftsMadeOnTheWebAreInUtcAndAnOverrideTakesThePlaceOfAll) {
  const Imported made = made_of(hospital);
  EXPECT_THAT(duty(made.parts, "Web", "2026-03-27T00:00:00Z", "2026-03-31T00:00:00Z"),
              ElementsAre("cyd 2026-03-27T08:00 2026-03-27T18:00", "cyd 2026-03-30T08:00 2026-03-30T18:00"));
  EXPECT_THAT(duty(made.parts, "Web", "2026-05-04T00:00:00Z", "2026-05-05T00:00:00Z"),
              ElementsAre("ann 2026-05-04T06:00 2026-05-04T18:00"));
}

TEST(GrafanaOnCallImport, AHigherLevelDoesNotSilenceALowerOneAndThatIsSaid) {
  std::string text(hospital);
  replace(text, R"("shifts": ["O2"])", R"("shifts": ["O2", "O3"])");
  const Imported made = made_of(text);
  EXPECT_THAT(texts(made.left), Contains(HasSubstr("a shift of a higher level")));
  EXPECT_THAT(places(made.left), Contains("schedules \"Weekends\""));
}

TEST(GrafanaOnCallImport, AShiftInAnotherZoneKeepsItsTimeWhereClocksGoTogether) {
  std::string text(hospital);
  replace(text, R"("time_zone": null, "level": 0, "start": "2026-03-23T09:00:00")",
          R"("time_zone": "Europe/London", "level": 0, "start": "2026-03-23T09:00:00")");
  replace(text, R"("shifts": ["O3"])", R"("shifts": ["O3", "O1"])");
  const Imported made = made_of(text);
  EXPECT_TRUE(makes_a_plan(made.parts));
  EXPECT_THAT(duty(made.parts, "Clinic", "2026-03-23T00:00:00Z", "2026-03-24T00:00:00Z"),
              ElementsAre("ann 2026-03-23T09:00 2026-03-23T17:00"));
}

TEST(GrafanaOnCallImport, AStateOfTerraformIsReadAsWell) {
  const Imported made = made_of(R"({"format_version": "1.0", "values": {"root_module": {"resources": [
    {"address": "data.grafana_oncall_user.ann", "mode": "data", "type": "grafana_oncall_user",
     "values": {"id": "U1", "username": "ann", "email": "ann@example.org", "role": "admin"}},
    {"address": "grafana_oncall_escalation_chain.c", "type": "grafana_oncall_escalation_chain",
     "values": {"id": "F1", "name": "ward"}},
    {"address": "grafana_folder.f", "type": "grafana_folder", "values": {"id": "1"}}],
   "child_modules": [{"resources": [
    {"address": "module.a.grafana_oncall_escalation.e", "type": "grafana_oncall_escalation",
     "values": {"id": "E1", "escalation_chain_id": "F1", "position": 0, "type": "notify_persons",
                "persons_to_notify": ["U1"], "duration": null}},
    {"address": "module.a.grafana_oncall_schedule.s", "type": "grafana_oncall_schedule",
     "values": {"id": "S1", "name": "Ward", "type": "calendar", "time_zone": "Europe/Paris", "shifts": ["O1"]}},
    {"address": "module.a.grafana_oncall_on_call_shift.o", "type": "grafana_oncall_on_call_shift",
     "values": {"id": "O1", "name": "w", "type": "rolling_users", "start": "2026-03-23T09:00:00", "duration": 604800,
                "frequency": "weekly", "interval": 1, "week_start": "MO", "by_day": null, "rolling_users": [["U1"]],
                "users": null, "until": null, "time_zone": null, "level": 0}}]}]}}})");
  EXPECT_TRUE(makes_a_plan(made.parts));
  EXPECT_EQ(made.parts.at("policy/ward"), R"({"steps":[{"targets":["contact:ann"],"delay_s":300}]})");
  EXPECT_TRUE(made.parts.contains("schedule/Ward"));
  EXPECT_THAT(made.left, testing::IsEmpty());
}

TEST(GrafanaOnCallImport, WhateverIsDamagedInItTheRestMakesAPlan) {
  expect_plans_of_damaged(hospital,
                          [](std::string_view text) { return from_grafana_oncall(text, at("2026-03-20T00:00:00Z")); });
}

TEST(GrafanaOnCallImport, WhatIsNoWholeExportIsRefusedWithItsPlace) {
  struct Row {
    std::string text, where;
  };
  const Row rows[] = {{R"({"users": {"next": "https://example.org/?page=2", "results": []}})", "users"},
                      {R"({"users": [{"username": "ann"}]})", "users[0]"},
                      {R"({"users": "ann"})", "users"},
                      {R"({"detail": "Invalid token."})", ""},
                      {R"({)", ""}};
  for (const Row& row : rows) {
    const auto made = from_grafana_oncall(row.text, at("2026-03-20T00:00:00Z"));
    ASSERT_FALSE(made) << row.text;
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_EQ(made.error().where, row.where) << made.error().text;
  }
}

}  // namespace
}  // namespace mydr24::imports
