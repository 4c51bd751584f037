// The authorization server over HTTP: people, applications and machines from the first link to the last token.

#include <map>

#include "app/server/server_fixture.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/jwt.h"
#include "base/crypto/password.h"
#include "base/crypto/totp.h"
#include "base/net/uri.h"
#include "guard/identity/identity.h"

namespace mydr24::server {
namespace {

constexpr const char* password = "correct horse battery";
constexpr const char* redirect = "https://app.example/back";
constexpr const char* verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
constexpr const char* challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
constexpr const char* jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string encoded(const Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (!text.empty()) text += '&';
    text += net::percent_encode(name) + "=" + net::percent_encode(value);
  }
  return text;
}

std::string totp_now(const std::string& secret) {
  return crypto::hotp(secret, static_cast<std::uint64_t>(crypto::totp_step(system_clock().now())));
}

// What stands between two texts of a page.
std::string between(const std::string& text, std::string_view before, std::string_view after) {
  const auto at = text.find(before);
  if (at == text.npos) return {};
  const auto begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

// A browser: it keeps cookies, and follows nothing by itself.
class Browser {
 public:
  explicit Browser(std::function<Answer(Method, std::string_view, std::string, Headers)> send)
      : send_(std::move(send)) {}

  Answer get(const std::string& path) { return keep(send_(Method::get, path, {}, cookies())); }
  // A form of the last page, with what the person fills in.
  Answer post(const std::string& path, Fields fields) {
    fields.emplace_back("csrf", hidden("csrf"));
    for (const char* name : {"request", "enrolment", "secret"})
      if (const auto value = hidden(name); !value.empty()) fields.emplace_back(name, value);
    return post_as_is(path, fields);
  }
  Answer post_as_is(const std::string& path, const Fields& fields) {
    auto headers = cookies();
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return keep(send_(Method::post, path, encoded(fields), headers));
  }
  Headers cookies() const {
    std::string all;
    for (const auto& [name, value] : jar_) all += fmt::format("{}{}={}", all.empty() ? "" : "; ", name, value);
    return all.empty() ? Headers() : Headers{{"Cookie", all}};
  }
  bool has(const std::string& cookie) const { return jar_.contains(cookie); }
  std::string hidden(std::string_view name) const {
    auto value = between(page_, fmt::format("name=\"{}\" value=\"", name), "\"");
    for (std::size_t at = 0; (at = value.find("&amp;", at)) != value.npos; ++at) value.replace(at, 5, "&");
    return value;
  }

 private:
  Answer keep(Answer answer) {
    page_ = answer.raw.body;
    for (const auto& [name, value] : answer.raw.headers) {
      if (name != "Set-Cookie") continue;
      const auto pair = value.substr(0, value.find(';'));
      const auto cookie = pair.substr(0, pair.find('='));
      if (value.contains("Max-Age=0"))
        jar_.erase(cookie);
      else
        jar_[cookie] = pair.substr(pair.find('=') + 1);
    }
    return answer;
  }
  std::function<Answer(Method, std::string_view, std::string, Headers)> send_;
  std::map<std::string, std::string> jar_;
  std::string page_;
};

class AccessOverHttp : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    ServerTest::SetUpTestSuite();
    testing::internal::CaptureStderr();
    restart([](Settings& settings) { settings.access.mode = "on"; });
    invitation_ = testing::internal::GetCapturedStderr();
  }

  static Browser browser() {
    return Browser([](Method method, std::string_view path, std::string body, Headers headers) {
      return send(method, path, std::move(body), std::move(headers));
    });
  }
  static void add_user(identity::User user) {
    user.password = *crypto::hash_password(password);
    const auto added = system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) {
      return identity::users::add(transaction, user);
    });
    ASSERT_TRUE(added) << added.error().text;
  }
  static std::string add_client(identity::Client client) {
    std::string secret;
    client.name = "An <app>";
    const auto added = system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(auto registered, identity::clients::add(transaction, client));
      secret = registered.secret;
      return {};
    });
    EXPECT_TRUE(added) << added.error().text;
    return secret;
  }
  static void add_app(std::string id, std::string scopes =
                                          "launch launch/patient patient/*.rs user/*.cruds openid fhirUser "
                                          "offline_access system/*.rs") {
    add_client({.id = std::move(id),
                .redirect_uris = {redirect},
                .grant_types = {"authorization_code", "refresh_token"},
                .scopes = std::move(scopes)});
  }
  static std::string ask(std::string client, std::string scope, Fields more = {}) {
    Fields fields{{"response_type", "code"},
                  {"client_id", std::move(client)},
                  {"redirect_uri", redirect},
                  {"scope", std::move(scope)},
                  {"state", "s&1"},
                  {"nonce", "n1"},
                  {"code_challenge", challenge},
                  {"code_challenge_method", "S256"}};
    if (std::ranges::find(more, "aud", &std::pair<std::string, std::string>::first) == more.end())
      fields.emplace_back("aud", system_->base_url() + "/fhir/R4");
    for (auto& each : more) {
      std::erase_if(fields, [&](const auto& field) { return field.first == each.first; });
      if (!each.second.empty()) fields.push_back(each);
    }
    return "/oauth/authorize?" + encoded(fields);
  }
  static Answer token(Fields fields, Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return send(Method::post, "/oauth/token", encoded(fields), headers);
  }
  static std::string text(const Answer& answer, std::string_view member) {
    return std::string(answer.body.root()[member].text());
  }
  static std::string location(const Answer& answer) { return std::string(answer.raw.header("Location")); }
  static net::QueryParameters parameters(const std::string& uri) {
    return *net::parse_query(uri.substr(uri.find('?') + 1));
  }
  static std::string parameter(const std::string& uri, std::string_view name) {
    for (const auto& [key, value] : parameters(uri))
      if (key == name) return value;
    return {};
  }
  static void log_in(Browser& at, const std::string& user, const std::string& page = "/login") {
    at.get(page);
    const auto answer = at.post(page.substr(0, page.find('?')), {{"user", user}, {"password", password}, {"code", ""}});
    ASSERT_EQ(answer.status, 303) << answer.raw.body;
    ASSERT_TRUE(at.has("mydr24"));
  }
  // The code that an agreement to all that is asked gives.
  static std::string agreed(Browser& at, const std::string& asked) {
    EXPECT_EQ(at.get(asked).status, 200);
    const auto answer = at.post("/oauth/authorize", {{"decision", "approve"}});
    EXPECT_EQ(answer.status, 303) << answer.raw.body;
    return parameter(location(answer), "code");
  }
  static Answer redeemed(const std::string& client, const std::string& code, const char* with = verifier) {
    return token({{"grant_type", "authorization_code"},
                  {"client_id", client},
                  {"code", code},
                  {"redirect_uri", redirect},
                  {"code_verifier", with}});
  }
  static Answer introspected(const std::string& secret, const std::string& what) {
    return send(Method::post, "/oauth/introspect", encoded({{"token", what}}),
                {{"Content-Type", "application/x-www-form-urlencoded"},
                 {"Authorization", "Basic " + crypto::base64("watch:" + secret)}});
  }
  static inline std::string invitation_;
};

// First in the file: it needs a store without users.
TEST_F(AccessOverHttp, A0FirstAdministratorSetsUpEnrolsAndRegistersAClient) {
  const auto path = "/setup/" + between(invitation_, "/setup/", "\n");
  auto at = browser();
  ASSERT_EQ(at.get(path).status, 200) << invitation_;
  EXPECT_EQ(at.post(path, {{"user", "Root"}, {"password", "short"}, {"again", "short"}}).status, 400);
  EXPECT_EQ(at.post(path, {{"user", "Root"}, {"password", password}, {"again", "other"}}).status, 400);
  EXPECT_EQ(at.post_as_is(path, {{"user", "Root"}, {"password", password}, {"again", password}}).status, 400);
  ASSERT_EQ(at.get(path).status, 200);
  ASSERT_EQ(at.post(path, {{"user", "Root"}, {"password", password}, {"again", password}}).status, 303);
  EXPECT_EQ(at.get(path).status, 410);

  at.get("/login?to=/api/v1/sessions");
  const auto enrol = at.post("/login", {{"user", "root"}, {"password", password}, {"code", ""}});
  ASSERT_EQ(enrol.status, 200) << enrol.raw.body;
  EXPECT_FALSE(at.has("mydr24"));
  const auto secret = *crypto::base32_decode(between(enrol.raw.body, "<code>", "</code>"));
  EXPECT_EQ(at.post("/login", {{"user", "root"}, {"code", "x"}}).status, 400);
  const auto entered = at.post("/login", {{"user", "root"}, {"code", totp_now(secret)}});
  ASSERT_EQ(entered.status, 303) << entered.raw.body;
  EXPECT_EQ(location(entered), "/api/v1/sessions");

  const auto sessions = at.get("/api/v1/sessions");
  EXPECT_EQ(sessions.status, 200);
  EXPECT_EQ(sessions.body.root()["sessions"].at(0)["user"].text(), "root");
  auto headers = at.cookies();
  headers.emplace_back("Content-Type", "application/json");
  const std::string metadata =
      R"({"client_name":"Web app","redirect_uris":["https://web.example/cb"],"scope":"user/*.rs"})";
  const auto registered = send(Method::post, "/oauth/register", metadata, headers);
  EXPECT_EQ(registered.status, 201);
  EXPECT_EQ(text(registered, "client_secret").size(), 43U);
  EXPECT_EQ(text(registered, "token_endpoint_auth_method"), "client_secret_basic");
  EXPECT_EQ(send(Method::post, "/oauth/register", metadata, {{"Content-Type", "application/json"}}).status, 401);
  EXPECT_EQ(
      text(send(Method::post, "/oauth/register", R"({"client_name":"x","redirect_uris":["javascript:x"]})", headers),
           "error"),
      "invalid_redirect_uri");

  at.get("/logout");
  EXPECT_EQ(at.post("/logout", {}).status, 303);
  EXPECT_FALSE(at.has("mydr24"));
  EXPECT_EQ(send(Method::post, "/oauth/register", metadata, headers).status, 401);
}

TEST_F(AccessOverHttp, DiscoverySaysWhereEverythingIs) {
  for (const char* path : {"/.well-known/smart-configuration", "/fhir/R4/.well-known/smart-configuration",
                           "/fhir/.well-known/smart-configuration"}) {
    const auto answer = send(Method::get, path, {}, {{"Accept", "text/html"}});
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.raw.header("Content-Type"), "application/json");
    EXPECT_EQ(answer.raw.header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(text(answer, "token_endpoint"), system_->base_url() + "/oauth/token");
    EXPECT_EQ(answer.body.root()["code_challenge_methods_supported"].raw(), R"(["S256"])");
  }
  const auto answer = send(Method::get, "/.well-known/openid-configuration");
  EXPECT_EQ(text(answer, "issuer"), system_->base_url());
  EXPECT_EQ(text(answer, "jwks_uri"), system_->base_url() + "/.well-known/jwks.json");
  const auto keys = send(Method::get, "/.well-known/jwks.json");
  EXPECT_EQ(keys.body.root()["keys"].size(), 2U);
  EXPECT_FALSE(keys.raw.body.contains("\"d\":"));
}

TEST_F(AccessOverHttp, APersonAgreesAndTheApplicationGetsAndRefreshesTokens) {
  add_user({.name = "anna", .display = "Anna", .roles = {"emergency-clinician"}, .fhir_user = "Practitioner/12"});
  add_app("app");
  auto colleague = browser();
  add_user({.name = "carla", .roles = {"emergency-clinician"}});
  log_in(colleague, "carla");
  const auto patient_id =
      text(send(Method::post, "/fhir/R4/Patient", patient("Okonkwo", "a1"), colleague.cookies()), "id");
  const auto watch = add_client({.id = "watch",
                                 .proof = identity::ClientProof::secret,
                                 .grant_types = {"client_credentials"},
                                 .scopes = "mydr24/introspect"});
  const auto asked = ask("app", "launch/patient patient/Observation.read openid fhirUser offline_access system/*.rs");
  auto at = browser();
  const auto first = at.get(asked);
  EXPECT_EQ(first.status, 200);
  EXPECT_TRUE(first.raw.body.contains("Log in"));
  EXPECT_FALSE(first.raw.body.contains("<script"));
  EXPECT_EQ(first.raw.header("Cache-Control"), "no-store");
  EXPECT_TRUE(first.raw.header("Content-Security-Policy").contains("default-src 'none'"));
  EXPECT_TRUE(first.raw.header("Set-Cookie").contains("HttpOnly; SameSite=Lax"));

  EXPECT_EQ(at.post("/oauth/authorize", {{"user", "anna"}, {"password", "wrong"}}).status, 400);
  const auto entered = at.post("/oauth/authorize", {{"user", "anna"}, {"password", password}});
  ASSERT_EQ(entered.status, 303) << entered.raw.body;
  const auto picker = at.get(location(entered));
  EXPECT_TRUE(picker.raw.body.contains("Which patient?")) << picker.raw.body;
  EXPECT_TRUE(at.post("/oauth/authorize", {{"search", "nobody of that name"}}).raw.body.contains("No patient"));
  const auto found = at.post("/oauth/authorize", {{"search", "okon"}});
  EXPECT_TRUE(found.raw.body.contains("Ada Okonkwo 1950-03-01")) << found.raw.body;
  EXPECT_TRUE(at.post("/oauth/authorize", {{"patient", "no-such-patient"}}).raw.body.contains("No patient"));
  const auto consent = at.post("/oauth/authorize", {{"patient", patient_id}});
  EXPECT_TRUE(consent.raw.body.contains("An &lt;app&gt;")) << consent.raw.body;
  EXPECT_TRUE(consent.raw.body.contains("patient/Observation.rs"));
  EXPECT_FALSE(consent.raw.body.contains("system/"));
  EXPECT_TRUE(consent.raw.header("Content-Security-Policy").contains("form-action 'self' https://app.example;"));
  const auto back = at.post("/oauth/authorize", {{"decision", "approve"}, {"patient", patient_id}});
  ASSERT_EQ(back.status, 303) << back.raw.body;
  EXPECT_TRUE(location(back).starts_with(std::string(redirect) + "?code="));
  EXPECT_EQ(parameter(location(back), "state"), "s&1");
  EXPECT_EQ(parameter(location(back), "iss"), system_->base_url());
  const auto code = parameter(location(back), "code");

  const auto given = redeemed("app", code);
  ASSERT_EQ(given.status, 200) << given.raw.body;
  EXPECT_EQ(given.raw.header("Cache-Control"), "no-store");
  EXPECT_EQ(given.raw.header("Pragma"), "no-cache");
  EXPECT_EQ(text(given, "token_type"), "Bearer");
  EXPECT_EQ(text(given, "expires_in"), "3600");
  EXPECT_EQ(text(given, "patient"), patient_id);
  EXPECT_EQ(text(given, "scope"), "patient/Observation.rs launch/patient openid fhirUser offline_access");
  const auto keys = crypto::parse_key_set(send(Method::get, "/.well-known/jwks.json").raw.body);
  const auto base = system_->base_url();
  const auto claims =
      crypto::verify_jwt(text(given, "id_token"), *keys, {.issuer = base, .audience = {"app"}}, system_clock().now());
  ASSERT_TRUE(claims) << claims.error().text;
  EXPECT_EQ(claims->subject, "user/anna");
  EXPECT_EQ(claims->all.root()["nonce"].text(), "n1");
  EXPECT_EQ(claims->all.root()["fhirUser"].text(), base + "/fhir/R4/Practitioner/12");

  const Headers bearer{{"Authorization", "Bearer " + text(given, "access_token")}};
  EXPECT_EQ(text(send(Method::get, "/oauth/userinfo", {}, bearer), "sub"), "user/anna");
  // An application's token is no session of the page.
  EXPECT_EQ(send(Method::get, "/api/v1/sessions", {}, bearer).status, 403);
  const auto machine =
      token({{"grant_type", "client_credentials"}}, {{"Authorization", "Basic " + crypto::base64("watch:" + watch)}});
  ASSERT_EQ(machine.status, 200) << machine.raw.body;
  const auto shown = send(Method::post, "/oauth/introspect", encoded({{"token", text(given, "access_token")}}),
                          {{"Content-Type", "application/x-www-form-urlencoded"},
                           {"Authorization", "Bearer " + text(machine, "access_token")}});
  EXPECT_TRUE(shown.body.root()["active"].is_true()) << shown.raw.body;
  EXPECT_EQ(text(shown, "client_id"), "app");
  EXPECT_EQ(text(shown, "patient"), patient_id);
  EXPECT_EQ(text(shown, "scope"), text(given, "scope"));
  // A client without that scope sees only its own.
  EXPECT_EQ(introspected(watch, text(given, "access_token")).raw.body, R"({"active":false})");

  const auto refresh = [&](const std::string& with) {
    return token({{"grant_type", "refresh_token"}, {"client_id", "app"}, {"refresh_token", with}});
  };
  const auto second = refresh(text(given, "refresh_token"));
  ASSERT_EQ(second.status, 200) << second.raw.body;
  EXPECT_EQ(text(second, "scope"), text(given, "scope"));
  EXPECT_EQ(text(second, "patient"), patient_id);
  // A public client need not name itself (SMART App Launch 2.2.0).
  const auto third = token({{"grant_type", "refresh_token"}, {"refresh_token", text(second, "refresh_token")}});
  ASSERT_EQ(third.status, 200);
  // A refresh token that comes again ends all that came of it.
  const auto replayed = refresh(text(given, "refresh_token"));
  EXPECT_EQ(replayed.status, 400);
  EXPECT_EQ(text(replayed, "error"), "invalid_grant");
  EXPECT_EQ(refresh(text(third, "refresh_token")).status, 400);
  EXPECT_EQ(
      send(Method::get, "/oauth/userinfo", {}, {{"Authorization", "Bearer " + text(third, "access_token")}}).status,
      401);
}

TEST_F(AccessOverHttp, ACodeThatComesAgainTakesBackWhatItGave) {
  add_user({.name = "bert"});
  add_app("app2");
  auto at = browser();
  log_in(at, "bert");
  const auto code = agreed(at, ask("app2", "user/*.rs openid"));
  const auto given = redeemed("app2", code);
  ASSERT_EQ(given.status, 200) << given.raw.body;
  const Headers bearer{{"Authorization", "Bearer " + text(given, "access_token")}};
  EXPECT_EQ(send(Method::get, "/oauth/userinfo", {}, bearer).status, 200);
  const auto again = redeemed("app2", code);
  EXPECT_EQ(again.status, 400);
  EXPECT_EQ(text(again, "error"), "invalid_grant");
  EXPECT_EQ(send(Method::get, "/oauth/userinfo", {}, bearer).status, 401);
  EXPECT_EQ(redeemed("app2", agreed(at, ask("app2", "user/*.rs")), challenge).status, 400);

  const auto revocable = redeemed("app2", agreed(at, ask("app2", "user/*.rs openid")));
  const Headers revoked{{"Authorization", "Bearer " + text(revocable, "access_token")}};
  EXPECT_EQ(send(Method::get, "/oauth/userinfo", {}, revoked).status, 200);
  EXPECT_EQ(
      send(Method::post, "/oauth/revoke", encoded({{"token", text(revocable, "access_token")}, {"client_id", "app2"}}),
           {{"Content-Type", "application/x-www-form-urlencoded"}})
          .status,
      200);
  EXPECT_EQ(send(Method::get, "/oauth/userinfo", {}, revoked).status, 401);
}

TEST_F(AccessOverHttp, AMachineShowsAKeyAndEachAssertionCountsOnce) {
  const auto key = crypto::Key::generate(crypto::Algorithm::es384);
  add_client({.id = "export",
              .proof = identity::ClientProof::key,
              .key_set = crypto::print_key_set({key}),
              .grant_types = {"client_credentials"},
              .scopes = "system/*.rs"});
  const auto assertion = [&](std::string_view jti, std::string_view aud) {
    const auto expires =
        std::chrono::floor<std::chrono::seconds>(system_clock().now().time_since_epoch()).count() + 120;
    return crypto::sign_jws(
        key, fmt::format(R"({{"iss":"export","sub":"export","aud":"{}","exp":{},"jti":"{}"}})", aud, expires, jti));
  };
  const auto show = [&](const std::string& proof, std::string scope = "system/Patient.rs user/*.rs") {
    return token({{"grant_type", "client_credentials"},
                  {"scope", std::move(scope)},
                  {"client_assertion_type", jwt_bearer},
                  {"client_assertion", proof}});
  };
  const auto url = system_->base_url() + "/oauth/token";
  const auto first = assertion("1", url);
  const auto given = show(first);
  ASSERT_EQ(given.status, 200) << given.raw.body;
  EXPECT_EQ(text(given, "expires_in"), "300");
  EXPECT_EQ(text(given, "scope"), "system/Patient.rs");
  EXPECT_FALSE(given.body.root()["refresh_token"].exists());
  const auto replayed = show(first);
  EXPECT_EQ(replayed.status, 401);
  EXPECT_EQ(text(replayed, "error"), "invalid_client");
  EXPECT_EQ(show(assertion("2", "https://other.example/oauth/token")).status, 401);
  EXPECT_EQ(text(show(assertion("3", url), "patient/*.rs"), "error"), "invalid_scope");
  EXPECT_EQ(text(show(assertion("4", url), "system/Patient.x"), "error"), "invalid_scope");
  EXPECT_EQ(text(token({{"grant_type", "client_credentials"}, {"client_id", "export"}}), "error"), "invalid_client");
  // What a Host header says is not who we are.
  const auto elsewhere = token({{"grant_type", "client_credentials"},
                                {"client_assertion_type", jwt_bearer},
                                {"client_assertion", assertion("5", "http://evil.example/oauth/token")}},
                               {{"Host", "evil.example"}});
  EXPECT_EQ(elsewhere.status, 401);
}

TEST_F(AccessOverHttp, AWrongRequestGoesToAPageOrBackButNeverElsewhere) {
  add_user({.name = "cora"});
  add_app("app3");
  auto at = browser();
  for (const Fields& wrong : {Fields{{"client_id", "nobody"}}, Fields{{"redirect_uri", "https://evil.example/"}},
                              Fields{{"redirect_uri", "https://app.example/back?x"}}, Fields{{"redirect_uri", ""}}}) {
    const auto answer = at.get(ask("app3", "user/*.rs", wrong));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(location(answer), "");
  }
  struct Row {
    const char* error;
    Fields fields;
  };
  for (const auto& [error, fields] :
       {Row{"unsupported_response_type", {{"response_type", "token"}}},
        Row{"invalid_request", {{"aud", "https://evil/fhir"}}},
        Row{"invalid_request", {{"code_challenge_method", "plain"}}}, Row{"invalid_request", {{"code_challenge", ""}}},
        Row{"invalid_scope", {{"scope", "system/*.rs"}}}, Row{"login_required", {{"prompt", "none"}}}}) {
    const auto answer = at.get(ask("app3", "user/*.rs", fields));
    EXPECT_EQ(answer.status, 303) << error;
    EXPECT_EQ(parameter(location(answer), "error"), error);
    EXPECT_EQ(parameter(location(answer), "state"), "s&1");
  }
  EXPECT_EQ(at.get("/oauth/authorize?client_id=app3&client_id=app3").status, 400);
  log_in(at, "cora");
  at.get(ask("app3", "user/*.rs"));
  const auto refused = at.post("/oauth/authorize", {{"decision", "deny"}});
  EXPECT_EQ(parameter(location(refused), "error"), "access_denied");
  // A launch that this server did not give.
  EXPECT_EQ(parameter(location(at.get(ask("app3", "launch user/*.rs", {{"launch", "made-up"}}))), "error"),
            "invalid_request");
}

TEST_F(AccessOverHttp, AFormThatThisBrowserWasNotGivenDoesNothing) {
  add_user({.name = "dora"});
  add_app("app4");
  auto at = browser();
  log_in(at, "dora");
  const auto asked = ask("app4", "user/*.rs");
  const auto request = asked.substr(asked.find('?') + 1);
  at.get(asked);
  const auto csrf = at.hidden("csrf");
  for (const std::string& wrong : {std::string(), std::string("x"), csrf + "x"}) {
    const auto answer =
        at.post_as_is("/oauth/authorize", {{"csrf", wrong}, {"request", request}, {"decision", "approve"}});
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(location(answer), "");
  }
  auto other = browser();
  log_in(other, "dora");
  EXPECT_EQ(
      other.post_as_is("/oauth/authorize", {{"csrf", csrf}, {"request", request}, {"decision", "approve"}}).status,
      403);
  EXPECT_EQ(at.post_as_is("/oauth/authorize", {{"csrf", csrf}, {"request", request}, {"decision", "approve"}}).status,
            303);
  EXPECT_EQ(browser().post_as_is("/login", {{"user", "dora"}, {"password", password}}).status, 403);
}

TEST_F(AccessOverHttp, AnApplicationIsLaunchedForThePatientThatIsOpen) {
  add_user({.name = "emil", .roles = {"nurse"}, .fhir_user = "Practitioner/7"});
  add_app("app5");
  auto at = browser();
  log_in(at, "emil");
  auto headers = at.cookies();
  headers.emplace_back("Content-Type", "application/json");
  const auto launched =
      send(Method::post, "/api/v1/launch", R"({"patient":"p7","encounter":"e7","client":"app5"})", headers);
  ASSERT_EQ(launched.status, 201) << launched.raw.body;
  EXPECT_EQ(text(launched, "iss"), system_->base_url() + "/fhir/R4");
  const Fields with{{"launch", text(launched, "launch")}};
  add_user({.name = "eva"});
  auto other = browser();
  log_in(other, "eva");
  EXPECT_EQ(parameter(location(other.get(ask("app5", "launch patient/*.rs", with))), "error"), "invalid_request");
  const auto given = redeemed("app5", agreed(at, ask("app5", "launch patient/*.rs", with)));
  ASSERT_EQ(given.status, 200) << given.raw.body;
  EXPECT_EQ(text(given, "patient"), "p7");
  EXPECT_EQ(text(given, "encounter"), "e7");
  EXPECT_TRUE(given.body.root()["need_patient_banner"].is_true());
  // It is used.
  EXPECT_EQ(parameter(location(at.get(ask("app5", "launch patient/*.rs", with))), "error"), "invalid_request");
  EXPECT_EQ(send(Method::post, "/api/v1/launch", R"({"patient":"../x"})", headers).status, 400);
  EXPECT_EQ(send(Method::post, "/api/v1/launch", "{}", {{"Content-Type", "application/json"}}).status, 401);
}

TEST_F(AccessOverHttp, APatientAgreesForThemselvesAndARequestMayComeByPost) {
  add_user({.name = "paul", .roles = {"patient"}, .fhir_user = "Patient/p9"});
  add_app("app6");
  auto at = browser();
  log_in(at, "paul");
  const auto asked = ask("app6", "patient/*.rs launch/patient");
  Fields fields;
  for (const auto& field : parameters(asked)) fields.push_back(field);
  const auto page = at.post_as_is("/oauth/authorize", fields);
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.raw.body.contains("<code>p9</code>")) << page.raw.body;
  const auto back = at.post("/oauth/authorize", {{"decision", "approve"}, {"patient", "someone-else"}});
  const auto given = redeemed("app6", parameter(location(back), "code"));
  EXPECT_EQ(text(given, "patient"), "p9");
}

TEST_F(AccessOverHttp, PeopleSeeAndEndTheirOwnSessionsOnly) {
  add_user({.name = "fred"});
  add_user({.name = "gina"});
  auto fred = browser(), gina = browser();
  log_in(fred, "fred");
  log_in(gina, "gina");
  const auto listed = fred.get("/api/v1/sessions");
  ASSERT_EQ(listed.body.root()["sessions"].size(), 1U) << listed.raw.body;
  const auto mine = listed.body.root()["sessions"].at(0);
  EXPECT_TRUE(mine["this"].is_true());
  EXPECT_EQ(mine["address"].text(), "127.0.0.1");
  const auto path = fmt::format("/api/v1/sessions/{}", mine["id"].text());
  EXPECT_EQ(send(Method::del, path, {}, gina.cookies()).status, 404);
  EXPECT_EQ(send(Method::del, path).status, 401);
  EXPECT_EQ(send(Method::del, path, {}, fred.cookies()).status, 204);
  EXPECT_EQ(fred.get("/api/v1/sessions").status, 401);
  EXPECT_EQ(gina.get("/api/v1/sessions").status, 200);
}

TEST_F(AccessOverHttp, ErrorsOfTheTokenEndpointAreThoseOfRfc6749) {
  add_app("app7");
  const auto web = add_client({.id = "web7",
                               .proof = identity::ClientProof::secret,
                               .redirect_uris = {redirect},
                               .grant_types = {"authorization_code"}});
  struct Row {
    int status;
    const char* error;
    Fields fields;
  };
  for (const auto& [status, error, fields] :
       {Row{401, "invalid_client", {{"grant_type", "authorization_code"}}},
        Row{401, "invalid_client", {{"grant_type", "authorization_code"}, {"client_id", "nobody"}}},
        Row{401, "invalid_client", {{"grant_type", "authorization_code"}, {"client_id", "web7"}}},
        Row{400, "unsupported_grant_type", {{"grant_type", "password"}, {"client_id", "app7"}}},
        Row{400, "unauthorized_client", {{"grant_type", "client_credentials"}, {"client_id", "app7"}}},
        Row{400, "invalid_grant", {{"grant_type", "authorization_code"}, {"client_id", "app7"}, {"code", "x"}}},
        Row{400, "invalid_grant", {{"grant_type", "refresh_token"}, {"client_id", "app7"}, {"refresh_token", "x"}}},
        Row{400,
            "invalid_grant",
            {{"grant_type", "authorization_code"}, {"client_id", "web7"}, {"client_secret", web}}},
        Row{400, "invalid_request", {{"grant_type", "x"}, {"grant_type", "y"}}}}) {
    const auto answer = token(fields);
    EXPECT_EQ(answer.status, status) << answer.raw.body;
    EXPECT_EQ(text(answer, "error"), error) << answer.raw.body;
    EXPECT_EQ(answer.raw.header("Cache-Control"), "no-store");
    if (status == 401) EXPECT_EQ(answer.raw.header("WWW-Authenticate"), "Basic realm=\"mydr24\"");
  }
  EXPECT_EQ(text(send(Method::post, "/oauth/token", "{}", {{"Content-Type", "application/json"}}), "error"),
            "invalid_request");
  const auto preflight = send(Method::options, "/oauth/token", {}, {{"Origin", "https://nowhere.example"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.raw.header("Access-Control-Allow-Origin"), "*");
}

TEST_F(AccessOverHttp, Z9WithoutTheSettingNothingOfItIsThere) {
  restart([](Settings& settings) { settings.access.mode = "off"; });
  for (const char* path : {"/.well-known/smart-configuration", "/oauth/authorize", "/login"})
    EXPECT_EQ(send(Method::get, path).status, 404) << path;
}

}  // namespace
}  // namespace mydr24::server
