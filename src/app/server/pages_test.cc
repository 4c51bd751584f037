// What browsers are told with every answer: pages that run nothing of a stranger's, cookies that count for pages of
// this origin only, pages of other sites that read only what their origin is registered for.

#include <map>
#include <set>

#include "app/server/access_fixture.h"
#include "base/crypto/password.h"
#include "base/net/uri.h"
#include "guard/identity/client.h"
#include "guard/identity/throttle.h"

namespace mydr24::server {
namespace {

constexpr const char* app = "https://app.example";
constexpr const char* redirect = "https://app.example/back";
constexpr const char* challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";  // RFC 7636, appendix B

struct Operation {
  Method method;
  std::string path;  // captures filled in
};

class Pages : public AccessTest {
 protected:
  static void SetUpTestSuite() {
    AccessTest::SetUpTestSuite();
    const auto done = system_->store().write(RequestClass::routine, [](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(identity::clients::add(transaction, {.id = "app",
                                                      .name = "App",
                                                      .redirect_uris = {redirect},
                                                      .grant_types = {"authorization_code"},
                                                      .scopes = "user/*.rs openid"}));
      return {};
    });
    ASSERT_TRUE(done) << done.error().text;
  }

  // Every route that there is, by the OpenAPI document.
  static std::vector<Operation> operations() {
    std::vector<Operation> found;
    const auto document = json::Document::parse(system_->openapi());
    for (const auto path : document->root()["paths"]) {
      for (const auto each : path) {
        std::string filled(path.key());
        for (auto at = filled.find('{'); at != filled.npos; at = filled.find('{'))
          filled.replace(at, filled.find('}') - at + 1, "Patient");
        for (const auto method : {Method::get, Method::post, Method::put, Method::patch, Method::del}) {
          std::string name(net::to_string(method));
          std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c | 0x20); });
          if (name == each.key()) found.push_back({method, filled});
        }
      }
    }
    return found;
  }
  static std::string asked() {
    return "/oauth/authorize?response_type=code&client_id=app&scope=user/"
           "*.rs&state=s&code_challenge_method=S256&redirect_uri=" +
           net::percent_encode(redirect) + "&code_challenge=" + challenge +
           "&aud=" + net::percent_encode(system_->base_url() + "/fhir/R4");
  }
  static std::string policy_of(const Answer& answer, std::string_view name) {
    std::string_view rest = answer.raw.header("Content-Security-Policy");
    while (!rest.empty()) {
      auto directive = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), directive.size() + 1));
      while (directive.starts_with(' ')) directive.remove_prefix(1);
      if (directive.starts_with(name) && directive.substr(name.size()).starts_with(' '))
        return std::string(directive.substr(name.size() + 1));
    }
    return {};
  }
  static void check_page(const Answer& page, const std::string& path) {
    EXPECT_EQ(policy_of(page, "frame-ancestors"), "'none'") << path;
    EXPECT_EQ(policy_of(page, "base-uri"), "'none'") << path;
    EXPECT_TRUE(policy_of(page, "form-action").starts_with("'self'")) << path;
    const auto sources = policy_of(page, "default-src");
    EXPECT_TRUE(sources == "'none'" || sources == "'self'") << path << " " << sources;
    EXPECT_FALSE(page.raw.header("Content-Security-Policy").contains("unsafe")) << path;
    EXPECT_EQ(page.raw.header("X-Content-Type-Options"), "nosniff") << path;
    const auto referrer = page.raw.header("Referrer-Policy");
    EXPECT_TRUE(referrer == "no-referrer" || referrer == "same-origin") << path << " " << referrer;
    // The console and the board hold nothing of anybody: they may be kept, and are asked for each time.
    const bool holds_nothing = path == "/desk" || page.raw.body.contains("<div id=\"root\">");
    EXPECT_TRUE(page.raw.header("Cache-Control").contains(holds_nothing ? "no-cache" : "no-store")) << path;
    EXPECT_EQ(page.raw.header("Access-Control-Allow-Origin"), "") << path;
    EXPECT_FALSE(page.raw.body.contains(" style=")) << path;
    EXPECT_FALSE(page.raw.body.contains("javascript:")) << path;
    for (std::size_t at = 0; (at = page.raw.body.find("<script", at)) != std::string::npos; ++at)
      EXPECT_TRUE(page.raw.body.substr(at, page.raw.body.find('>', at) - at).contains(" src=\"/")) << path;
    const bool has_form = page.raw.body.contains("<form");
    if (has_form && !path.starts_with("/ack") && !holds_nothing)
      EXPECT_TRUE(page.raw.body.contains("name=\"csrf\"")) << path;
  }
};

TEST_F(Pages, EveryPageForbidsScriptsOfOthersFramesAndGuessing) {
  const auto person = log_in("page-reader", {"emergency-clinician"});
  std::set<std::string> seen;
  auto paths = std::vector<std::string>{asked(), "/oauth/authorize?client_id=none", "/login?to=//evil.example"};
  for (const auto& operation : operations())
    if (operation.method == Method::get && !operation.path.contains("events")) paths.push_back(operation.path);
  for (const auto& path : paths) {
    for (const auto& who : {Headers(), person}) {
      const auto page = send(Method::get, path, {}, with(who, "Accept", "text/html, */*"));
      EXPECT_EQ(page.raw.header("X-Content-Type-Options"), "nosniff") << path;
      if (!page.raw.header("Content-Type").starts_with("text/html")) continue;
      seen.insert(path.substr(0, path.find('?')));
      check_page(page, path);
    }
  }
  for (const char* path :
       {"/", "/board", "/desk", "/login", "/logout", "/setup/Patient", "/oauth/authorize", "/ack/Patient"})
    EXPECT_TRUE(seen.contains(path)) << path;
  const auto consent = send(Method::get, asked(), {}, person);
  EXPECT_TRUE(consent.raw.body.contains("Allow access?")) << consent.raw.body;
  EXPECT_EQ(policy_of(consent, "form-action"), "'self' https://app.example");
}

TEST_F(Pages, NothingIsChangedByTheCookieInARequestOfAnotherOrigin) {
  const auto person =
      log_in("victim", {"administrator", "emergency-clinician", "compliance-officer", "operations-lead"});
  std::size_t asked_for = 0;
  for (const char* origin : {"http://127.0.0.1:1", "null", app}) {
    for (const auto& [method, path] : operations()) {
      if (method == Method::get) continue;
      ++asked_for;
      const auto answer = send(method, path, "{}", with(person, "Origin", origin));
      EXPECT_TRUE(answer.status >= 300 && answer.status != 500)
          << net::to_string(method) << " " << path << " " << answer.status;
      if (path.starts_with("/fhir")) EXPECT_EQ(answer.status, 401) << net::to_string(method) << " " << path;
    }
  }
  EXPECT_GT(asked_for, 100U);
  EXPECT_EQ(send(Method::get, "/api/v1/sessions", {}, person).status, 200) << "nobody was logged out";
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, with(person, "Origin", app)).status, 401);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, with(person, "Origin", system_->base_url())).status, 200);
}

TEST_F(Pages, AFormOfALoginIsNotSentForSomebodyElse) {
  const auto page = send(Method::get, "/login");
  const auto cookie = page.raw.header("Set-Cookie");
  EXPECT_TRUE(cookie.contains("; Path=/; HttpOnly; SameSite=Lax")) << cookie;
  // A token that was made for another browser's cookie.
  const auto other = send(Method::get, "/login");
  const std::string mine(cookie.substr(0, cookie.find(';')));
  const auto at = other.raw.body.find("name=\"csrf\" value=\"") + 19;
  const auto token = other.raw.body.substr(at, other.raw.body.find('"', at) - at);
  const Headers headers{{"Cookie", mine}, {"Content-Type", "application/x-www-form-urlencoded"}};
  EXPECT_EQ(send(Method::post, "/login", "user=a&password=b&csrf=" + token, headers).status, 403);
  EXPECT_EQ(send(Method::post, "/login", "user=a&password=b", headers).status, 403);
}

TEST_F(Pages, GuessingAPasswordIsAnsweredByHavingToWait) {
  ASSERT_TRUE(system_->store().write(RequestClass::routine, [](store::Transaction& transaction) -> Result<> {
    return identity::users::add(transaction,
                                {.name = "guessed", .password = *crypto::hash_password("correct horse battery")});
  }));
  const auto attempt = [](const std::string& password) {
    const auto page = send(Method::get, "/login");
    const auto at = page.raw.body.find("name=\"csrf\" value=\"") + 19;
    const auto token = page.raw.body.substr(at, page.raw.body.find('"', at) - at);
    const auto cookie = page.raw.header("Set-Cookie");
    return send(Method::post, "/login", "user=guessed&password=" + password + "&csrf=" + token,
                {{"Cookie", std::string(cookie.substr(0, cookie.find(';')))},
                 {"Content-Type", "application/x-www-form-urlencoded"}});
  };
  for (int i = 0; i < identity::Throttle::account_free; ++i) EXPECT_EQ(attempt("wrong").status, 400) << i;
  const auto refused = attempt("correct+horse+battery");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.raw.body.contains("too many attempts"));
  EXPECT_TRUE(refused.raw.header("Set-Cookie").empty() || !refused.raw.header("Set-Cookie").starts_with("mydr24="));
}

TEST_F(Pages, PagesOfRegisteredApplicationsMayReadAndOthersMayNot) {
  const auto token = [] {
    std::string made;
    const auto done = system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      identity::Client client{.id = "feed",
                              .name = "Feed",
                              .proof = identity::ClientProof::secret,
                              .grant_types = {"client_credentials"},
                              .scopes = "system/*.rs"};
      MYDR24_ASSIGN(auto registered, identity::clients::add(transaction, client));
      MYDR24_ASSIGN(const auto issued,
                    identity::Grants({}).issue_for_machine(transaction, registered.client, "system/*.rs"));
      made = issued.token;
      return {};
    });
    EXPECT_TRUE(done) << done.error().text;
    return made;
  }();
  const Headers bearer{{"Authorization", "Bearer " + token}};
  const auto read = send(Method::get, "/fhir/R4/Patient", {}, with(bearer, "Origin", app));
  EXPECT_EQ(read.status, 200);
  EXPECT_EQ(read.raw.header("Access-Control-Allow-Origin"), app);
  EXPECT_EQ(read.raw.header("Cache-Control"), "no-store");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, with(bearer, "Origin", "https://evil.example"))
                .raw.header("Access-Control-Allow-Origin"),
            "");
  const auto preflight = send(Method::options, "/fhir/R4/Patient/1", {},
                              {{"Origin", app},
                               {"Access-Control-Request-Method", "PUT"},
                               {"Access-Control-Request-Headers", "authorization,content-type,if-match"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_TRUE(preflight.raw.header("Access-Control-Allow-Methods").contains("PUT"));
  EXPECT_EQ(preflight.raw.header("Access-Control-Allow-Headers"), "authorization,content-type,if-match");
  for (const char* path : {"/oauth/token", "/oauth/userinfo", "/oauth/revoke", "/oauth/introspect"}) {
    const auto of_app = send(Method::options, path, {}, {{"Origin", app}});
    EXPECT_EQ(of_app.status, 204) << path;
    EXPECT_EQ(of_app.raw.header("Access-Control-Allow-Origin"), app) << path;
    EXPECT_EQ(of_app.raw.header("Access-Control-Allow-Credentials"), "true") << path;
    const auto of_other = send(Method::options, path, {}, {{"Origin", "https://evil.example"}});
    EXPECT_EQ(of_other.raw.header("Access-Control-Allow-Origin"), "*") << path;
    EXPECT_EQ(of_other.raw.header("Access-Control-Allow-Credentials"), "") << path;
  }
}

TEST_F(Pages, TheCapabilityStatementSaysHowToGetIn) {
  const auto statement = send(Method::get, "/fhir/R4/metadata");
  const auto security = statement.body.root()["rest"].at(0)["security"];
  EXPECT_TRUE(security["cors"].is_true());
  EXPECT_EQ(security["service"].at(0)["coding"].at(0)["code"].text(), "SMART-on-FHIR");
  std::map<std::string, std::string> uris;
  EXPECT_EQ(security["extension"].at(0)["url"].text(),
            "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
  for (const auto each : security["extension"].at(0)["extension"])
    uris[std::string(each["url"].text())] = each["valueUri"].text();
  const auto base = system_->base_url();
  EXPECT_EQ(uris["authorize"], base + "/oauth/authorize");
  EXPECT_EQ(uris["token"], base + "/oauth/token");
  for (const auto& [name, uri] : uris) EXPECT_NE(send(Method::post, uri.substr(base.size())).status, 404) << name;
  const auto as_xml = send(Method::get, "/fhir/R4/metadata?_format=xml");
  EXPECT_TRUE(as_xml.raw.body.contains("oauth-uris"));
}

TEST_F(Pages, Z8WithoutAccessControlOnlyOriginsOfTheSettingsMayRead) {
  restart([](Settings& settings) {
    settings.access.mode = "off";
    settings.server.cors_origins = "https://set.example, http://localhost:3000";
  });
  const auto security = send(Method::get, "/fhir/R4/metadata").body.root()["rest"].at(0)["security"];
  EXPECT_EQ(security.raw(), R"({"cors":true})");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, {{"Origin", "http://localhost:3000"}})
                .raw.header("Access-Control-Allow-Origin"),
            "http://localhost:3000");
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, {{"Origin", app}}).raw.header("Access-Control-Allow-Origin"), "");
  restart([](Settings& settings) { settings.server.cors_origins.clear(); });
  EXPECT_FALSE(send(Method::get, "/fhir/R4/metadata").body.root()["rest"].at(0)["security"]);
  EXPECT_EQ(send(Method::get, "/fhir/R4/Patient", {}, {{"Origin", "http://localhost:3000"}})
                .raw.header("Access-Control-Allow-Origin"),
            "");
}

TEST_F(Pages, Z9AnOriginThatIsNoneIsNamedAtTheStart) {
  auto settings = settings_;
  settings.server.cors_origins = "*";
  settings.store.path = (folder_ / "other").string();
  const auto started = start(settings, system_clock());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().where, "server.cors_origins");
}

}  // namespace
}  // namespace mydr24::server
