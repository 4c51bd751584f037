// Changes through a real server: proposed, approved, run and taken back over HTTP.

#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "api/pipeline/features.h"
#include "app/server/access_fixture.h"

namespace mydr24::server {
namespace {

const Headers json_type{{"Content-Type", "application/json"}};

class ChangeServer : public ServerTest {
 protected:
  static Answer post(const std::string& path, const std::string& body) {
    return until_admitted([&] { return send(Method::post, path, body, json_type); });
  }
  static std::string plan(std::string_view steps, std::string_view checks) {
    return fmt::format(R"({{"title":"A test","description":"of the server","service":"alerting",)"
                       R"("test":{{"passed":true,"evidence":"this one"}},"implementation":[{}],"checks":[{}]}})",
                       steps, checks);
  }
  static std::string started(const std::string& plan) {
    const auto proposed = post("/api/v1/changes", fmt::format(R"({{"by":"ann","plan":{}}})", plan));
    EXPECT_EQ(proposed.status, 201) << proposed.raw.body;
    const std::string id(proposed.body.root()["change"]["id"].text());
    for (const auto* member : {"senior-dba", "cmo", "ciso", "cco"}) {
      const auto approved =
          post(fmt::format("/api/v1/changes/{}/approve", id),
               fmt::format(R"({{"by":"{}","digest":"{}"}})", member, proposed.body.root()["change"]["digest"].text()));
      EXPECT_EQ(approved.status, 200) << approved.raw.body;
    }
    const auto begun = post(fmt::format("/api/v1/changes/{}/start", id), R"({"by":"ann"})");
    EXPECT_EQ(begun.status, 200) << begun.raw.body;
    return id;
  }
  // The state in which it is over.
  static std::string ended(const std::string& id) {
    for (int i = 0; i < 600; ++i) {
      const auto shown = send(Method::get, "/api/v1/changes/" + id);
      const std::string state(shown.body.root()["change"]["state"].text());
      if (state != "running" && state != "rolling_back") return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return "not over within a minute";
  }
  static std::string setting(const std::string& name) {
    return std::string(send(Method::get, "/api/v1/settings/" + name).body.root()["setting"]["applied"].text());
  }
};

TEST_F(ChangeServer, EverySettingThatIsListedSaysWhatItIs) {
  const auto all = send(Method::get, "/api/v1/settings");
  ASSERT_EQ(all.status, 200);
  std::set<std::string> names;
  for (const auto each : all.body.root()["settings"]) {
    if (!each["name"].text().starts_with("feature.")) names.emplace(each["name"].text());
    EXPECT_FALSE(each["about"].text().empty()) << each["name"].text();
    EXPECT_EQ(each["applied"].text(), each["default"].text()) << each["name"].text();
  }
  // Without access control nobody logs in.
  EXPECT_EQ(names, (std::set<std::string>{"admission.hold", "alerting.clear_days", "alerting.close_idle_days",
                                          "alerting.escalate_after_s", "store.limit_mib", "vitals.rules_version"}));
  EXPECT_EQ(send(Method::get, "/api/v1/settings/nothing").status, 404);
}

TEST_F(ChangeServer, EveryFeatureIsASettingAndHasRoutes) {
  const auto openapi = send(Method::get, "/api/v1/openapi.json");
  std::set<std::string> interactions;
  for (const auto path : openapi.body.root()["paths"])
    for (const auto operation : path) interactions.emplace(operation["x-mydr24-interaction"].text());
  for (const auto& feature : pipeline::features()) {
    EXPECT_EQ(setting(fmt::format("feature.{}", feature.name)), "true");
    if (feature.name == "client_registration") continue;  // there with access control only
    for (const auto interaction : feature.interactions)
      EXPECT_TRUE(interactions.contains(std::string(interaction))) << interaction;
  }
}

TEST_F(ChangeServer, APreviewIsJudgedAndNotKeptAndTheListSaysWhoIsStillNeeded) {
  const auto body = fmt::format(R"({{"by":"ann","plan":{}}})",
                                plan(R"({"kind":"set","setting":"alerting.escalate_after_s","value":45})",
                                     R"({"kind":"http","url":"/api/v1/status"})"));
  const auto listed = [](std::string_view id) {
    const auto all = send(Method::get, "/api/v1/changes");
    for (const auto each : all.body.root()["changes"])
      if (each["id"].text() == id) return std::string(each.raw());
    return std::string();
  };
  const auto preview = post("/api/v1/changes?preview=true", body);
  ASSERT_EQ(preview.status, 200) << preview.raw.body;
  EXPECT_EQ(preview.body.root()["change"]["risk"]["level"].text(), "critical");
  EXPECT_EQ(preview.body.root()["approvals_needed"].size(), 4U);
  EXPECT_EQ(listed(""), "") << "it was kept";
  EXPECT_EQ(post("/api/v1/changes?preview=true", R"({"by":"ann","plan":{}})").status, 400);
  EXPECT_EQ(post("/api/v1/changes?peek=true", body).status, 400);

  const auto proposed = post("/api/v1/changes", body);
  ASSERT_EQ(proposed.status, 201) << proposed.raw.body;
  const std::string id(proposed.body.root()["change"]["id"].text());
  EXPECT_EQ(post(fmt::format("/api/v1/changes/{}/approve", id),
                 fmt::format(R"({{"by":"cmo","digest":"{}"}})", proposed.body.root()["change"]["digest"].text()))
                .status,
            200);
  const auto line = listed(id);
  EXPECT_TRUE(line.contains(R"("approved_by":["cmo"])")) << line;
  EXPECT_TRUE(line.contains(R"("approvals_open":["technical","security",)")) << line;
  EXPECT_TRUE(line.contains(R"("services":["alerting"])")) << line;
  EXPECT_EQ(post(fmt::format("/api/v1/changes/{}/withdraw", id), R"({"by":"ann","reason":"a test"})").status, 200);
}

TEST_F(ChangeServer, AFeatureIsSwitchedOffByAChangeAndIsThereAgainWhenThatIsTakenBack) {
  const auto path = "/fhir/R4/Patient/nobody/$everything";
  EXPECT_EQ(send(Method::get, path).status, 404);
  const auto id = started(plan(R"({"kind":"set","setting":"feature.everything","value":false})",
                               R"({"kind":"http","url":"/api/v1/status"})"));
  EXPECT_EQ(ended(id), "successful") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  const auto off = send(Method::get, path);
  EXPECT_EQ(off.status, 503);
  EXPECT_TRUE(off.raw.body.contains("feature.everything")) << off.raw.body;
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient/nobody").status, 404) << "nothing else is off";
  EXPECT_EQ(post(fmt::format("/api/v1/changes/{}/rollback", id), R"({"by":"ann","reason":"a test"})").status, 200);
  EXPECT_EQ(ended(id), "rolled_back");
  EXPECT_EQ(send(Method::get, path).status, 404);
}

TEST_F(ChangeServer, AChangeSetsWhatTheServerWorksWithAndIsTakenBackAtOnce) {
  const auto id =
      started(plan(R"({"kind":"set","setting":"alerting.clear_days","value":40},
                                  {"kind":"verify",
                                   "checks":[{"kind":"setting","setting":"alerting.clear_days","is":"40"}]},
                                  {"kind":"set","setting":"alerting.escalate_after_s","value":45})",
                   R"({"kind":"http","url":"/api/v1/status"},{"kind":"fhir","search":"Patient","at_least":0})"));
  EXPECT_EQ(ended(id), "successful") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  EXPECT_EQ(setting("alerting.clear_days"), "40");
  // The on-call plan itself has changed.
  std::string delay;
  for (int i = 0; i < 50 && delay != "45"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    delay = send(Method::get, "/api/v1/oncall/parts/policy/default").body.root()["steps"].at(0)["delay_s"].text();
  }
  EXPECT_EQ(delay, "45");
  EXPECT_EQ(setting("alerting.escalate_after_s"), "45");
  EXPECT_EQ(post(fmt::format("/api/v1/changes/{}/rollback", id), R"({"by":"ann","reason":"a test"})").status, 200);
  EXPECT_EQ(ended(id), "rolled_back") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  EXPECT_EQ(setting("alerting.clear_days"), "0");
  EXPECT_EQ(setting("alerting.escalate_after_s"), "30");
  const auto history = send(Method::get, "/api/v1/settings/alerting.clear_days");
  EXPECT_EQ(history.body.root()["history"].size(), 2U);
  EXPECT_EQ(history.body.root()["history"].at(0)["change"].text(), id);
}

// One value could not be taken back to several.
TEST_F(ChangeServer, ADelayThatDiffersBetweenStepsIsChangedInTheOnCallPlanOnly) {
  const auto path = "/api/v1/oncall/parts/policy/default";
  const auto before = send(Method::get, path);
  ASSERT_EQ(before.status, 200) << before.raw.body;
  const auto targets = before.body.root()["steps"].at(0)["targets"].raw();
  const auto steps =
      fmt::format(R"({{"steps":[{{"targets":{0},"delay_s":20}},{{"targets":{0},"delay_s":50}}]}})", targets);
  const auto put = send(Method::put, path, steps, json_type);
  ASSERT_EQ(put.status, 200) << put.raw.body;
  EXPECT_EQ(setting("alerting.escalate_after_s"), "30");
  const auto id = started(plan(R"({"kind":"set","setting":"alerting.escalate_after_s","value":45})",
                               R"({"kind":"http","url":"/api/v1/status"})"));
  EXPECT_EQ(ended(id), "failed");
  const auto shown = send(Method::get, "/api/v1/changes/" + id);
  EXPECT_TRUE(shown.body.root()["change"]["run"]["because"].text().contains("on-call plan")) << shown.raw.body;
  EXPECT_EQ(send(Method::get, path).body.root()["steps"].at(1)["delay_s"].text(), "50");
  EXPECT_EQ(send(Method::put, path, before.raw.body, json_type).status, 200);
}

// A limit below what is stored already: ordinary writes are refused, which the check finds.
TEST_F(ChangeServer, ABadConfigurationIsTakenBackByItselfWithinAMinute) {
  // What compresses badly: it is the room on the disk that counts.
  std::mt19937 random(24);
  std::string big(900'000, 'x');
  for (char& letter : big) letter = static_cast<char>('a' + random() % 26);
  for (int i = 0; i < 3; ++i) {
    const auto written = until_admitted([&] {
      return send(Method::post, "/fhir/R4/Basic",
                  fmt::format(R"({{"resourceType":"Basic","code":{{"text":"x"}},"text":{{"status":"generated",)"
                              R"("div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>"}}}})",
                              big));
    });
    ASSERT_EQ(written.status, 201) << written.raw.body;
  }
  // A slow machine may be overloaded, which is not what is looked for: no room is 507.
  const auto write = R"({"kind":"http","url":"/fhir/R4/Basic/change-check","method":"PUT","status":[200,201,429,503],)"
                     R"("content_type":"application/fhir+json",)"
                     R"("body":"{\"resourceType\":\"Basic\",\"id\":\"change-check\",\"code\":{\"text\":\"x\"}}"})";
  const auto begun = std::chrono::steady_clock::now();
  const auto id =
      started(plan(R"({"kind":"set","setting":"store.limit_mib","value":1},{"kind":"wait","seconds":1})", write));
  EXPECT_EQ(ended(id), "validation_failed") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
  const auto shown = send(Method::get, "/api/v1/changes/" + id);
  EXPECT_EQ(shown.body.root()["change"]["run"]["because"].text(), "a check after it failed") << shown.raw.body;
  EXPECT_EQ(setting("store.limit_mib"), "0");
  const auto after = until_admitted(
      [] { return send(Method::post, "/fhir/R4/Basic", R"({"resourceType":"Basic","code":{"text":"y"}})"); });
  EXPECT_EQ(after.status, 201) << after.raw.body;
}

TEST_F(ChangeServer, ASettingThatIsChangedOutsideIsPutBackToWhatItWas) {
  const auto rules = send(Method::get, "/api/v1/vitals/rules/0");
  ASSERT_EQ(rules.status, 200) << rules.raw.body;
  EXPECT_EQ(setting("vitals.rules_version"), "0");
  const auto id = started(plan(R"({"kind":"set","setting":"vitals.rules_version","value":77})",
                               R"({"kind":"http","url":"/api/v1/status"})"));
  EXPECT_EQ(ended(id), "failed");
  const auto shown = send(Method::get, "/api/v1/changes/" + id);
  EXPECT_TRUE(shown.body.root()["change"]["run"]["because"].text().contains("77")) << shown.raw.body;
  EXPECT_EQ(setting("vitals.rules_version"), "0");
}

TEST_F(ChangeServer, WhatIsWrongIsToldByItsMember) {
  const auto wrong = post("/api/v1/changes", R"({"by":"ann","plan":{"title":"t"}})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.raw.body.contains("description")) << wrong.raw.body;
  EXPECT_EQ(post("/api/v1/changes", "{}").status, 400);
  EXPECT_EQ(send(Method::post, "/api/v1/changes", "{}", {{"Content-Type", "text/plain"}}).status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/changes/none").status, 404);
  EXPECT_EQ(send(Method::get, "/api/v1/changes?state=odd").status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/changes?limit=0").status, 400);
  EXPECT_EQ(send(Method::get, "/api/v1/change-figures?since=never").status, 400);
}

TEST_F(ChangeServer, TheCalendarShowsAFreezeUntilItIsEnded) {
  const auto added =
      post("/api/v1/change-freezes",
           R"({"by":"ann","why":"holidays","begin":"2026-01-01T00:00:00Z","end":"2099-01-01T00:00:00Z"})");
  ASSERT_EQ(added.status, 201) << added.raw.body;
  EXPECT_EQ(send(Method::get, "/api/v1/change-calendar").body.root()["freezes"].size(), 1U);
  const auto proposed =
      post("/api/v1/changes",
           fmt::format(R"({{"by":"ann","plan":{}}})", plan(R"({"kind":"wait"})", R"({"kind":"http","url":"/"})")));
  EXPECT_TRUE(proposed.raw.body.contains("holidays"));
  const std::string id(added.body.root()["id"].text());
  EXPECT_EQ(send(Method::del, "/api/v1/change-freezes/" + id).status, 200);
  EXPECT_EQ(send(Method::del, "/api/v1/change-freezes/" + id).status, 404);
  EXPECT_EQ(send(Method::get, "/api/v1/change-calendar").body.root()["freezes"].size(), 0U);
  EXPECT_EQ(send(Method::get, "/api/v1/change-policy").body.root()["members"].size(), 6U);
  EXPECT_EQ(send(Method::get, "/api/v1/change-figures").status, 200);
}

TEST_F(ChangeServer, APolicyThatNobodyCanSatisfyStopsTheStart) {
  const auto file = folder_ / "bad-policy.json";
  std::ofstream(file) << R"({"members":[{"name":"cto","authorities":["executive"]}]})";
  auto settings = settings_;
  settings.store.path = (folder_ / "other").string();
  settings.changes.policy_file = file.string();
  const auto refused = start(settings, system_clock());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "changes.policy_file");
  EXPECT_TRUE(refused.error().text.contains("can never have it")) << refused.error().text;
  settings.changes.policy_file.clear();
  settings.changes.scopes = "planet/mars";
  EXPECT_EQ(start(settings, system_clock()).error().where, "changes.scopes");
}

class ChangeAccess : public AccessTest {};

// A display name is nobody's own.
TEST_F(ChangeAccess, WhoShowsTheNameOfAMemberIsNone) {
  identity::User impostor{.name = "ivan", .display = "cto", .roles = {"platform-engineer"}};
  identity::User member{.name = "cto", .display = "Carla Tomas", .roles = {"platform-engineer"}};
  for (const auto& user : {impostor, member})
    ASSERT_TRUE(system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(identity::users::add(transaction, user));
      return {};
    }));
  const auto json = [&](Headers headers) { return with(std::move(headers), "Content-Type", "application/json"); };
  const auto manager = json(log_in("max", {"change-manager"}));
  const auto proposed = send(Method::post, "/api/v1/changes", R"({"plan":{"title":"t","description":"d",
    "service":"alerting","implementation":[{"kind":"wait"}],"checks":[{"kind":"http","url":"/"}]}})",
                             manager);
  ASSERT_EQ(proposed.status, 201) << proposed.raw.body;
  const auto approve = fmt::format("/api/v1/changes/{}/approve", proposed.body.root()["change"]["id"].text());
  const auto approval = fmt::format(R"({{"digest":"{}"}})", proposed.body.root()["change"]["digest"].text());
  const auto refused = send(Method::post, approve, approval, json(log_in("ivan", {})));
  EXPECT_EQ(refused.status, 403) << refused.raw.body;
  EXPECT_TRUE(refused.raw.body.contains("ivan")) << refused.raw.body;
  const auto approved = send(Method::post, approve, approval, json(log_in("cto", {})));
  EXPECT_EQ(approved.status, 200) << approved.raw.body;
  EXPECT_EQ(approved.body.root()["change"]["approvals"].at(0)["member"].text(), "cto");
}

// In whose name something is done is who is logged in, whatever the body says.
TEST_F(ChangeAccess, NobodyApprovesInTheNameOfAnother) {
  const auto manager = with(log_in("mia", {"change-manager"}), "Content-Type", "application/json");
  const auto member = with(log_in("senior-dba", {"platform-engineer"}), "Content-Type", "application/json");
  const auto nurse = with(log_in("nora", {"nurse"}), "Content-Type", "application/json");
  const auto body = R"({"by":"ann","plan":{"title":"t","description":"d","service":"alerting",
    "test":{"passed":true,"evidence":"e"},
    "implementation":[{"kind":"set","setting":"access.login_free_attempts","value":3}],
    "checks":[{"kind":"http","url":"/fhir/R4/metadata"}]}})";
  EXPECT_EQ(send(Method::post, "/api/v1/changes", body, nurse).status, 403);
  const auto proposed = send(Method::post, "/api/v1/changes", body, manager);
  ASSERT_EQ(proposed.status, 201) << proposed.raw.body;
  EXPECT_EQ(proposed.body.root()["change"]["requested_by"].text(), "mia");
  const auto id = std::string(proposed.body.root()["change"]["id"].text());
  const auto approval =
      fmt::format(R"({{"by":"senior-dba","digest":"{}"}})", proposed.body.root()["change"]["digest"].text());
  const auto approve = fmt::format("/api/v1/changes/{}/approve", id);
  EXPECT_EQ(send(Method::post, approve, approval, manager).status, 403);
  EXPECT_EQ(send(Method::post, approve, approval, nurse).status, 403);
  EXPECT_EQ(send(Method::post, approve, R"({"digest":"0"})", member).status, 412);
  const auto approved = send(Method::post, approve, approval, member);
  EXPECT_EQ(approved.status, 200) << approved.raw.body;
  EXPECT_EQ(approved.body.root()["change"]["approvals"].at(0)["member"].text(), "senior-dba");
}

// What a receiver outside is shown, and the checks of a change that log in.
class ChangeLogin : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    auto started = net::serve({}, [](net::Exchange& exchange) -> Task<> {
      {
        const std::lock_guard lock(mutex_);
        shown_ = exchange.request().header("Authorization");
      }
      co_await exchange.respond({.status = 200, .content_type = "text/plain", .body = "well"});
    });
    ASSERT_TRUE(started);
    receiver_ = std::move(*started).release();
    std::ofstream(folder_ / "secret") << secret << "\n";
    std::ofstream(folder_ / "policy.json") << fmt::format(
        R"({{"load_windows":[],"requirements":{{"low":[["technical"]],"medium":[["technical"]],"high":[["technical"]]}},
            "credentials":[{{"name":"own","url":"/fhir/R4/Patient/checked","roles":["nurse"]}},
                           {{"name":"outside","url":"{0}/health","file":"{1}"}},
                           {{"name":"gone","url":"{0}/gone","file":"{1}-gone"}}]}})",
        receiver(), (folder_ / "secret").string());
    cout_ = std::cout.rdbuf(log_.rdbuf());
    restart([](Settings& settings) {
      settings.log.level = "debug";
      settings.server.call_networks = "127.0.0.0/8";
      settings.changes.policy_file = (folder_ / "policy.json").string();
    });
    keep(R"({"resourceType":"Patient","id":"checked"})");
  }
  static void TearDownTestSuite() {
    AccessTest::TearDownTestSuite();
    std::cout.rdbuf(cout_);
    delete receiver_;
  }
  static std::string receiver() { return fmt::format("http://127.0.0.1:{}", receiver_->port()); }
  static Headers as(const std::string& name, const std::string& role) {
    return with(log_in(name, {role}), "Content-Type", "application/json");
  }
  static Answer propose(const std::string& checks) {
    return send(Method::post, "/api/v1/changes",
                fmt::format(R"({{"plan":{{"title":"t","description":"d","service":"alerting","settle_s":1,)"
                            R"("test":{{"passed":true,"evidence":"e"}},"implementation":[{{"kind":"wait"}}],)"
                            R"("checks":[{}]}}}})",
                            checks),
                as("mia", "change-manager"));
  }
  // How it ended, and all that is told of it.
  static std::string run(const std::string& checks, std::string& told) {
    const auto proposed = propose(checks);
    EXPECT_EQ(proposed.status, 201) << proposed.raw.body;
    const auto change = proposed.body.root()["change"];
    const auto path = fmt::format("/api/v1/changes/{}", change["id"].text());
    const auto approved =
        send(Method::post, path + "/approve", fmt::format(R"({{"digest":"{}"}})", change["digest"].text()),
             as("senior-dba", "platform-engineer"));
    EXPECT_EQ(approved.status, 200) << approved.raw.body;
    const auto begun = send(Method::post, path + "/start", "{}", as("mia", "change-manager"));
    EXPECT_EQ(begun.status, 200) << begun.raw.body;
    for (int i = 0; i < 600; ++i) {
      const auto shown = send(Method::get, path, {}, as("mia", "change-manager"));
      const std::string state(shown.body.root()["change"]["state"].text());
      told = shown.raw.body;
      if (state != "running" && state != "rolling_back") return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return "not over within a minute";
  }
  static constexpr std::string_view secret = "Qx7-not-to-be-seen";
  static inline std::mutex mutex_;
  static inline std::string shown_;
  static inline net::Server* receiver_ = nullptr;
  static inline std::ostringstream log_;
  static inline std::streambuf* cout_ = nullptr;
};

TEST_F(ChangeLogin, ACheckOfAPathOfThisServerHasTheRolesOfItsCredentialAndIsOnRecord) {
  std::string told;
  const std::string check = R"({"kind":"http","url":"/fhir/R4/Patient/checked","contains":"checked"%})";
  const auto with_login = check.substr(0, check.find('%')) + R"(,"credential":"own"})";
  EXPECT_EQ(run(with_login, told), "successful") << told;
  const auto without = check.substr(0, check.find('%')) + "}";
  EXPECT_EQ(run(without, told), "validation_failed");
  EXPECT_TRUE(told.contains("answered 401")) << told;
  const auto trail = send(Method::get, "/fhir/R4/AuditEvent?patient=Patient/checked&_count=50", {},
                          log_in("olga", {"compliance-officer"}));
  EXPECT_TRUE(trail.raw.body.contains("service/change-checks")) << trail.raw.body;
}

TEST_F(ChangeLogin, ASecretIsShownToItsReceiverAndToNobodyElse) {
  std::string told;
  EXPECT_EQ(
      run(fmt::format(R"({{"kind":"http","url":"{}/health/db","credential":"outside","contains":"well"}})", receiver()),
          told),
      "successful")
      << told;
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(shown_, fmt::format("Bearer {}", secret));
  }
  EXPECT_FALSE(told.contains(secret)) << told;
  EXPECT_EQ(run(fmt::format(R"({{"kind":"http","url":"{}/gone","credential":"gone"}})", receiver()), told),
            "validation_failed");
  EXPECT_TRUE(told.contains("cannot read a secret")) << told;
  const auto policy = send(Method::get, "/api/v1/change-policy", {}, as("mia", "change-manager"));
  EXPECT_TRUE(policy.raw.body.contains(R"("outside")")) << policy.raw.body;
  EXPECT_FALSE(policy.raw.body.contains(secret)) << policy.raw.body;
  const auto read = system_->store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto lines, reader.journal(0, 100'000));
    for (const auto& line : lines) EXPECT_FALSE(line.event.payload.contains(secret)) << line.event.kind;
    return {};
  });
  EXPECT_TRUE(read);
  EXPECT_FALSE(log_.str().contains(secret));
}

TEST_F(ChangeLogin, ACredentialIsForWhatItsOperatorSaysOnly) {
  const auto refused = [](const std::string& check, std::string_view where) {
    const auto answer = propose(check);
    EXPECT_EQ(answer.status, 400) << answer.raw.body;
    EXPECT_TRUE(answer.raw.body.contains(where)) << answer.raw.body;
  };
  refused(R"({"kind":"http","url":"/fhir/R4/Patient/other","credential":"own"})", "checks[0].url");
  refused(R"({"kind":"http","url":"/fhir/R4/Patient/checked/../other","credential":"own"})", "checks[0].url");
  refused(R"({"kind":"http","url":"http://127.0.0.1:1/health","credential":"outside"})", "checks[0].url");
  refused(R"({"kind":"http","url":"/x","credential":"odd"})", "checks[0].credential");
  auto settings = settings_;
  settings.store.path = (folder_ / "another").string();
  settings.changes.policy_file = (folder_ / "odd.json").string();
  std::ofstream(folder_ / "odd.json") << R"({"credentials":[{"name":"x","url":"/x","roles":["wizard"]}]})";
  const auto started = start(settings, system_clock());
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().text.contains("wizard")) << started.error().text;
}

TEST_F(ChangeServer, WhatIsScaledIsThereAndIsScaledBackWhenAnythingFails) {
  const auto number = folder_ / "number";
  std::ofstream(number) << "3";
  std::ofstream(folder_ / "scales.json") << fmt::format(
      R"({{"load_windows":[],
           "commands":[{{"name":"count","path":"/bin/cat","arguments":["{0}"]}},
                       {{"name":"scale","path":"/bin/sh","arguments":["-c","echo $1 > {0}","sh"]}}],
           "scales":[{{"name":"workers","low":1,"high":5,"read":{{"command":"count"}},"set":{{"command":"scale"}}}}]}})",
      number.string());
  restart([](Settings& settings) { settings.changes.policy_file = (folder_ / "scales.json").string(); });
  const auto there = [&] {
    std::string text;
    std::getline(std::ifstream(number) >> std::ws, text);
    return text;
  };
  const std::string scale = R"({"kind":"scale","scale":"workers","to":4})";
  const auto check = R"({"kind":"http","url":"/api/v1/status"})";
  const auto id = started(plan(scale, check));
  EXPECT_EQ(ended(id), "successful") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  EXPECT_EQ(there(), "4");
  EXPECT_EQ(post(fmt::format("/api/v1/changes/{}/rollback", id), R"({"by":"ann","reason":"a test"})").status, 200);
  EXPECT_EQ(ended(id), "rolled_back") << send(Method::get, "/api/v1/changes/" + id).raw.body;
  EXPECT_EQ(there(), "3");
  const auto failed = started(plan(
      scale + R"(,{"kind":"verify","checks":[{"kind":"http","url":"/api/v1/status","contains":"nothing like it"}]})",
      check));
  EXPECT_EQ(ended(failed), "failed") << send(Method::get, "/api/v1/changes/" + failed).raw.body;
  EXPECT_EQ(there(), "3");
  const auto wrong = post("/api/v1/changes", fmt::format(R"({{"by":"ann","plan":{}}})",
                                                         plan(R"({"kind":"scale","scale":"workers","to":6})", check)));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_TRUE(wrong.raw.body.contains("implementation[0].to")) << wrong.raw.body;
  restart([](Settings& settings) { settings.changes.policy_file.clear(); });
}

}  // namespace
}  // namespace mydr24::server
