// Accounts over HTTP: from the invitation to the end of the account, and what of it is in the trail.

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "app/server/access_fixture.h"
#include "base/net/uri.h"

namespace mydr24::server {
namespace {

constexpr std::string_view users = "/api/v1/access/users";
constexpr const char* password = "correct horse battery";

class Accounts : public AccessTest {
 protected:
  static Headers ada() { return log_in("ada", {"administrator"}); }
  static Answer add(std::string body, const Headers& as) {
    return send(Method::post, users, std::move(body), with(as, "Content-Type", "application/json"));
  }
  static std::string version(std::string_view name) {
    const auto listed = send(Method::get, users, {}, ada());
    for (const auto user : listed.body.root()["users"])
      if (user["name"].text() == name) return std::string(user["version"].text());
    return {};
  }
  // Of what is there now.
  static Answer decide(Method method, const std::string& what, const Headers& as, std::string body = {}) {
    const auto name = what.substr(0, what.find('/'));
    return send(method, fmt::format("{}/{}", users, what), std::move(body),
                with(with(as, "Content-Type", "application/json"), "If-Match", fmt::format("\"{}\"", version(name))));
  }
  static std::string where(const Answer& answer) { return std::string(answer.body.root()["instance"].text()); }
  // The path of the page at which a person chooses a password.
  static std::string invitation(const Answer& answer) {
    const std::string url(answer.body.root()["invitation"]["url"].text());
    EXPECT_TRUE(url.starts_with(system_->base_url() + "/setup/")) << answer.raw.body;
    return url.substr(system_->base_url().size());
  }
  // What a browser does on such a page.
  static Answer choose(const std::string& page, const std::string& chosen = password) {
    auto shown = send(Method::get, page);
    if (shown.status != 200) return shown;
    const auto cookie = std::string(shown.raw.header("Set-Cookie"));
    const std::string mark = "name=\"csrf\" value=\"";
    const auto at = shown.raw.body.find(mark) + mark.size();
    const auto csrf = shown.raw.body.substr(at, shown.raw.body.find('"', at) - at);
    const auto form = fmt::format("csrf={}&password={}&again={}", net::percent_encode(csrf),
                                  net::percent_encode(chosen), net::percent_encode(chosen));
    return send(
        Method::post, page, form,
        {{"Content-Type", "application/x-www-form-urlencoded"}, {"Cookie", cookie.substr(0, cookie.find(';'))}});
  }
  static int me(const Headers& as) { return send(Method::get, "/api/v1/access/me", {}, as).status; }
  static std::string trail() {
    return send(Method::get, "/fhir/R4/AuditEvent?_count=1000", {}, log_in("olga", {"compliance-officer"})).raw.body;
  }
};

TEST_F(Accounts, APersonIsAddedInvitedAndChoosesAPasswordOnce) {
  const auto made =
      add(R"({"name":"Nora","display":"Nora N","roles":["nurse","nurse"],"fhirUser":"Practitioner/nora"})", ada());
  ASSERT_EQ(made.status, 201) << made.raw.body;
  EXPECT_EQ(made.raw.header("Cache-Control"), "no-store");
  const auto user = made.body.root()["user"];
  EXPECT_EQ(user["name"].text(), "nora");
  EXPECT_EQ(user["roles"].raw(), R"(["nurse"])");
  EXPECT_FALSE(user["has_password"].is_true());
  EXPECT_EQ(user["version"].text(), version("nora"));
  const auto page = invitation(made);
  const auto shown = send(Method::get, page);
  EXPECT_TRUE(shown.raw.body.contains("Choose your password")) << shown.raw.body;
  EXPECT_TRUE(shown.raw.body.contains("value=\"nora\"")) << shown.raw.body;
  EXPECT_EQ(choose(page, "too short").status, 400);
  EXPECT_EQ(choose(page, "my name is nora!").status, 400) << "with the name in it";
  ASSERT_EQ(choose(page).status, 303);
  EXPECT_EQ(send(Method::get, page).status, 410);
  EXPECT_EQ(choose(page, "another long password").status, 410);
  EXPECT_TRUE(system_->store().read([](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto nora, identity::users::find(reader, "nora"));
    EXPECT_FALSE(nora->password.empty());
    return {};
  }));
}

TEST_F(Accounts, WhatIsWrongIsNamedAndNothingIsDone) {
  const auto as = ada();
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"({"name":"x y","roles":[]})", "name"},
      {R"({"roles":[]})", "name"},
      {R"({"name":"x"})", "roles"},
      {R"({"name":"x","roles":"nurse"})", "roles"},
      {R"({"name":"x","roles":[1]})", "roles"},
      {R"({"name":"x","roles":["wizard"]})", "roles"},
      {R"({"name":"x","roles":[],"display":7})", "display"},
      {R"({"name":"x","roles":[],"fhirUser":"Device/1"})", "fhirUser"},
      {R"({"name":"x","roles":[],"password":"correct horse battery"})", "password"},
  };
  for (const auto& [body, field] : wrong) {
    const auto refused = add(body, as);
    EXPECT_EQ(refused.status, 400) << body;
    EXPECT_EQ(where(refused), field) << body << refused.raw.body;
  }
  EXPECT_TRUE(add(R"({"name":"x","roles":["wizard"]})", as).raw.body.contains("emergency-clinician"));
  EXPECT_EQ(add("[]", as).status, 400);
  EXPECT_GE(add(fmt::format(R"({{"name":"x","roles":[],"display":"{}"}})", std::string(20'000, 'x')), as).status, 400);
  EXPECT_EQ(version("x"), "");
  ASSERT_EQ(add(R"({"name":"twice","roles":[]})", as).status, 201);
  EXPECT_EQ(add(R"({"name":"TWICE","roles":[]})", as).status, 409);
  EXPECT_EQ(decide(Method::post, "nobody/disable", as).status, 400) << "no version was seen";
  EXPECT_EQ(send(Method::post, fmt::format("{}/nobody/disable", users), {}, with(as, "If-Match", "\"x\"")).status, 404);
}

TEST_F(Accounts, OfTwoAdministratorsTheSecondIsToldOfTheFirst) {
  const auto as = ada();
  ASSERT_EQ(add(R"({"name":"both","roles":["nurse"]})", as).status, 201);
  const auto seen = version("both");
  const auto change = [&](const std::string& body) {
    return send(Method::put, fmt::format("{}/both", users), body,
                with(with(as, "Content-Type", "application/json"), "If-Match", fmt::format("W/\"{}\"", seen)));
  };
  const auto first = change(R"({"display":"Both","roles":["nurse","booking-desk"],"fhirUser":"Practitioner/b"})");
  ASSERT_EQ(first.status, 200) << first.raw.body;
  EXPECT_EQ(first.body.root()["user"]["version"].text(), version("both"));
  const auto second = change(R"({"roles":["nurse"]})");
  EXPECT_EQ(second.status, 412);
  EXPECT_EQ(where(second), "If-Match");
  EXPECT_EQ(
      send(Method::put, fmt::format("{}/both", users), R"({"roles":[]})", with(as, "Content-Type", "application/json"))
          .status,
      400);
}

TEST_F(Accounts, WhatWasGivenOutIsVoidWhenTheAccountIsDisabledOrInvitedAnew) {
  const auto as = ada();
  auto nurse = log_in("vera", {"nurse"});
  EXPECT_EQ(me(nurse), 200);
  ASSERT_EQ(decide(Method::post, "vera/disable", as).status, 200);
  EXPECT_EQ(me(nurse), 401);
  EXPECT_EQ(decide(Method::post, "vera/invitation", as).status, 409);
  ASSERT_EQ(decide(Method::post, "vera/enable", as).status, 200);
  EXPECT_EQ(me(nurse), 401) << "what is void stays void";
  const auto first = invitation(decide(Method::post, "vera/invitation", as));
  const auto second = invitation(decide(Method::post, "vera/invitation", as));
  EXPECT_EQ(choose(first).status, 410);
  EXPECT_EQ(choose(second).status, 303);
  EXPECT_EQ(decide(Method::del, "vera/second-factor", as).status, 409) << "there is none";
}

TEST_F(Accounts, NobodyDecidesOfThemselvesAndOneAdministratorStays) {
  const auto as = ada();
  for (const auto& [method, what, body] :
       {std::tuple(Method::post, "ada/disable", ""), std::tuple(Method::post, "ada/invitation", ""),
        std::tuple(Method::put, "ada", R"({"roles":["administrator","compliance-officer"]})"),
        std::tuple(Method::put, "ada", R"({"roles":["administrator"],"fhirUser":"Patient/p1"})")})
    EXPECT_EQ(decide(method, what, as, body).status, 403) << what << body;
  EXPECT_EQ(decide(Method::put, "ada", as, R"({"roles":["administrator"],"display":"Ada A"})").status, 200);
  EXPECT_EQ(me(as), 200);
  // A machine that administers.
  identity::Issued issued;
  ASSERT_TRUE(system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto made, identity::clients::add(transaction, {.id = "hr",
                                                                        .name = "Human resources",
                                                                        .proof = identity::ClientProof::secret,
                                                                        .grant_types = {"client_credentials"},
                                                                        .scopes = "mydr24/desk",
                                                                        .roles = {"administrator"}}));
    MYDR24_ASSIGN(issued, identity::Grants({}).issue_for_machine(transaction, made.client, "mydr24/desk"));
    return {};
  }));
  const Headers hr{{"Authorization", "Bearer " + issued.token}};
  const auto last = decide(Method::post, "ada/disable", hr);
  EXPECT_EQ(last.status, 409) << last.raw.body;
  EXPECT_EQ(decide(Method::put, "ada", hr, R"({"roles":["nurse"]})").status, 409);
  log_in("second", {"administrator"});
  EXPECT_EQ(decide(Method::post, "second/disable", as).status, 200);
}

TEST_F(Accounts, OnlyWhoAdministersAccountsMayChangeThem) {
  for (const auto* role : {"compliance-officer", "platform-engineer", "nurse"}) {
    const auto as = log_in(fmt::format("only-{}", role), {role});
    EXPECT_EQ(add(R"({"name":"mine","roles":["administrator"]})", as).status, 403) << role;
    for (const auto* what : {"ada/disable", "ada/enable", "ada/invitation"})
      EXPECT_EQ(decide(Method::post, what, as).status, 403) << role;
    EXPECT_EQ(decide(Method::put, "ada", as, R"({"roles":[]})").status, 403) << role;
    EXPECT_EQ(decide(Method::del, "ada/second-factor", as).status, 403) << role;
  }
  EXPECT_EQ(version("mine"), "");
}

TEST_F(Accounts, TheTrailSaysWhoDidWhatToWhomAndHoldsNoInvitation) {
  const auto as = ada();
  const auto made = add(R"({"name":"tom","roles":["nurse"]})", as);
  ASSERT_EQ(made.status, 201);
  const auto page = invitation(made);
  ASSERT_EQ(choose(page).status, 303);
  const auto token = page.substr(page.rfind('/') + 1);
  ASSERT_EQ(decide(Method::put, "tom", as, R"({"roles":["nurse","booking-desk"]})").status, 200);
  ASSERT_EQ(decide(Method::post, "tom/disable", as).status, 200);
  ASSERT_EQ(decide(Method::post, "tom/enable", as).status, 200);
  ASSERT_EQ(decide(Method::post, "tom/invitation", as).status, 200);
  send(Method::get, page);
  send(Method::put, page, {}, as);
  send(Method::get, page + "/", {}, as);
  // Entries of writes come after the commit.
  std::string told;
  for (int tried = 0; tried < 100 && !told.contains("account.invited"); ++tried) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    told = trail();
  }
  for (const auto* event : {"account.added", "account.invitation-taken", "account.changed", "account.disabled",
                            "account.enabled", "account.invited"})
    EXPECT_TRUE(told.contains(event)) << event;
  EXPECT_TRUE(told.contains(R"(user/tom: roles \"nurse\" to \"nurse booking-desk\")")) << told;
  EXPECT_TRUE(told.contains("user/ada"));
  EXPECT_FALSE(told.contains(token));
}

}  // namespace
}  // namespace mydr24::server
