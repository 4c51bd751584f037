// On-call over HTTP, on the whole server.

#include <thread>

#include "app/server/server_fixture.h"
#include "base/core/clock.h"
#include "base/core/date_time.h"

namespace mydr24::server {
namespace {

class OnCallServer : public ServerTest {
 protected:
  static Answer put(std::string_view part, std::string body) {
    return send(Method::put, "/api/v1/oncall/parts/" + std::string(part), std::move(body), json_type());
  }
  static Answer post(std::string_view path, std::string body) {
    return send(Method::post, path, std::move(body), json_type());
  }
  static Headers json_type() { return {{"Content-Type", "application/json"}}; }
  static std::string_view text(const Answer& answer, std::string_view member) {
    return answer.body.root()[member].text();
  }

  static void make_ward() {
    for (const auto* const name : {"ann", "bob"})
      EXPECT_EQ(put(std::string("contact/") + name, R"({"methods":[{"kind":"console"}]})").status, 200);
    EXPECT_EQ(put("schedule/ward", R"({"layers":[{"members":["ann","bob"],"every":"day","start":"2026-01-01T08:00"}]})")
                  .status,
              200);
  }
};

TEST_F(OnCallServer, APartIsWrittenShownAndRefusedByItsField) {
  make_ward();
  EXPECT_EQ(put("policy/night", R"({"steps":[{"targets":["schedule:ward"],"delay_s":15}]})").status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/parts/policy/night").body.root()["steps"].size(), 1U);
  const Answer refused = put("policy/wrong", R"({"steps":[{"targets":["contact:nobody"]}]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(text(refused, "instance"), "policy/wrong.steps[0].targets[0]");
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/parts/policy/wrong").status, 404);
  EXPECT_EQ(send(Method::del, "/api/v1/oncall/parts/schedule/ward").status, 400);  // the policy needs it
  EXPECT_EQ(send(Method::del, "/api/v1/oncall/parts/policy/night").status, 200);
  EXPECT_EQ(send(Method::put, "/api/v1/oncall/parts/policy/x", "{}", {{"Content-Type", "text/plain"}}).status, 400);
  EXPECT_EQ(put("policy/night?revision=0", R"({"steps":[{"targets":["schedule:ward"]}]})").status, 412);
}

TEST_F(OnCallServer, WhoIsOnDutyFollowsOverridesAndSwaps) {
  make_ward();
  const auto who = [](std::string_view at) {
    const Answer answer = send(Method::get, "/api/v1/oncall/who?schedule=ward&at=" + std::string(at));
    return std::string(answer.body.root()["people"].at(0).text());
  };
  EXPECT_EQ(who("2026-01-01T09:00:00Z"), "ann");
  EXPECT_EQ(who("2026-01-02T09:00:00Z"), "bob");
  const Answer swapped = post("/api/v1/oncall/swap", R"({"schedule":"ward","by":"ann",
      "a":{"who":"ann","begin":"2026-01-01T08:00:00Z","end":"2026-01-02T08:00:00Z"},
      "b":{"who":"bob","begin":"2026-01-02T08:00:00Z","end":"2026-01-03T08:00:00Z"}})");
  EXPECT_EQ(swapped.status, 200) << swapped.raw.body;
  EXPECT_EQ(who("2026-01-01T09:00:00Z"), "bob");
  EXPECT_EQ(who("2026-01-02T09:00:00Z"), "ann");
  const Answer clash =
      put("override/late",
          R"({"schedule":"ward","add":"ann","begin":"2026-01-01T12:00:00Z","end":"2026-01-01T13:00:00Z"})");
  EXPECT_EQ(clash.status, 409);
  const Answer shifts =
      send(Method::get, "/api/v1/oncall/shifts?schedule=ward&from=2026-01-01T08:00:00Z&to=2026-01-03T08:00:00Z");
  EXPECT_EQ(shifts.body.root()["shifts"].size(), 2U);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/who?schedule=none").status, 404);
  EXPECT_EQ(
      send(Method::get, "/api/v1/oncall/shifts?schedule=ward&from=2026-01-01T08:00:00Z&to=2029-01-03T08:00:00Z").status,
      400);
}

TEST_F(OnCallServer, ACalendarIsServedSwitchedOffAndUnknown) {
  make_ward();
  EXPECT_EQ(put("feed/f", R"({"schedule":"ward","secret":"0123456789abcdef0123"})").status, 200);
  const Answer served = send(Method::get, "/api/v1/oncall/calendars/0123456789abcdef0123.ics");
  EXPECT_EQ(served.status, 200);
  EXPECT_TRUE(served.raw.header("Content-Type").starts_with("text/calendar"));
  EXPECT_TRUE(served.raw.body.starts_with("BEGIN:VCALENDAR\r\n"));
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/parts/feed/f").body.root()["secret"].text(), "***");
  EXPECT_EQ(put("feed/f", R"({"schedule":"ward","secret":"***","disabled":true})").status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/calendars/0123456789abcdef0123.ics").status, 403);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/calendars/0123456789abcdef0124.ics").status, 404);
}

TEST_F(OnCallServer, AHeartbeatThatStopsIsAnAlertAndATestPageReachesEveryChannel) {
  make_ward();
  EXPECT_EQ(post("/api/v1/oncall/heartbeats/lab", "{}").status, 404);
  EXPECT_EQ(put("monitor/lab", R"({"timeout_s":3600})").status, 200);
  EXPECT_EQ(post("/api/v1/oncall/heartbeats/lab", "{}").status, 200);
  const Answer page = post("/api/v1/oncall/test-page", R"({"contacts":["ann"],"by":"bob"})");
  ASSERT_EQ(page.status, 200) << page.raw.body;
  const std::string alert = "/api/v1/alerts/" + std::string(text(page, "id"));
  std::string state;
  for (int i = 0; i < 100 && state != "delivered"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    state = send(Method::get, alert).body.root()["deliveries"].at(0)["state"].text();
  }
  EXPECT_EQ(state, "delivered");
  EXPECT_EQ(post("/api/v1/oncall/test-page", R"({"contacts":["porter"]})").status, 400);
}

TEST_F(OnCallServer, AnOverrideNeedsTwoPeople) {
  const Answer asked =
      post("/api/v1/alert-overrides", R"({"cause":"drill/*","reason":"a drill","minutes":5,"by":"dora"})");
  ASSERT_EQ(asked.status, 200) << asked.raw.body;
  const std::string path = "/api/v1/alert-overrides/" + std::string(text(asked, "id"));
  EXPECT_EQ(post(path + "/confirm", R"({"by":"dora"})").status, 403);
  EXPECT_EQ(post(path + "/confirm", R"({"by":"erik"})").status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/alert-overrides").body.root()["overrides"].size(), 1U);
  EXPECT_EQ(send(Method::del, path + "?by=erik").status, 200);
  EXPECT_EQ(send(Method::get, "/api/v1/alert-overrides").body.root()["overrides"].size(), 0U);
  EXPECT_EQ(post("/api/v1/alert-overrides", R"({"cause":"a","reason":"b","minutes":31,"by":"dora"})").status, 400);
}

TEST_F(OnCallServer, ThePlanIsImportedWholeOrNotAtAllAndItsCoverageProven) {
  const Answer before = send(Method::get, "/api/v1/oncall/plan");
  const Answer refused = send(
      Method::put, "/api/v1/oncall/plan",
      R"({"by":"t","parts":{"contact/eve":{"methods":[{"kind":"console"}]},"policy/bad":{"steps":[]}}})", json_type());
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/parts/contact/eve").status, 404);
  EXPECT_EQ(text(send(Method::get, "/api/v1/oncall/plan"), "revision"), text(before, "revision"));
  const Answer dry =
      send(Method::put, "/api/v1/oncall/plan",
           R"({"by":"t","dry_run":true,"parts":{"contact/eve":{"methods":[{"kind":"console"}]}}})", json_type());
  EXPECT_EQ(dry.status, 200) << dry.raw.body;
  EXPECT_EQ(dry.body.root()["added"].raw(), R"(["contact/eve"])");
  EXPECT_GT(dry.body.root()["gaps"].size(), 0U);
  EXPECT_EQ(send(Method::get, "/api/v1/oncall/parts/contact/eve").status, 404);
  EXPECT_EQ(text(send(Method::get, "/api/v1/oncall/plan"), "revision"), text(before, "revision"));
  const Answer coverage = send(Method::get, "/api/v1/oncall/coverage?days=7");
  EXPECT_EQ(coverage.status, 200);
  EXPECT_GT(coverage.body.root()["gaps"].size(), 0U);  // nobody can be paged away from the console
}

}  // namespace
}  // namespace mydr24::server
