// API2:2023 Broken Authentication: what was never given, was given to another, or was used before opens nothing.

#include <fmt/format.h>

#include <thread>

#include "base/core/clock.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/totp.h"
#include "hospital.h"

namespace mydr24::attacks {
namespace {

using crypto::Algorithm;

constexpr std::string_view verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
constexpr std::string_view challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
constexpr std::string_view other_verifier = "M25iVXpKU3puUjFaYWg3T1NDTDQtcW1ROUY5YXlwalNoc0hhakxifmZHag";
constexpr std::string_view opens = "/fhir/R4/Patient/open";

class Authentication : public testing::Test {
 protected:
  static void TearDownTestSuite() { EXPECT_GE(attacks_, 60); }
  void TearDown() override {
    hospital_.check_service();
    hospital_.check_trail();
  }

  // A request of nobody that shows this is refused as one of nobody.
  void refused(const std::string& what, const std::string& header, const std::string& value, int status = 401) {
    ++attacks_;
    const auto answer = hospital_.ask("nobody", {.target = std::string(opens), .headers = {{header, value}}});
    EXPECT_EQ(answer.status, status) << what << "\n" << answer.body;
    EXPECT_FALSE(answer.body.contains("Offen")) << what;
    if (status == 401) EXPECT_NE(answer.header("WWW-Authenticate"), "") << what;
  }
  void refused_token(const std::string& what, const std::string& token) {
    refused(what, "Authorization", "Bearer " + token);
  }
  Answer post(const std::string& target, const Headers& fields, Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    return hospital_.ask("nobody",
                         {.method = "POST", .target = target, .headers = std::move(headers), .body = form(fields)});
  }
  // The token endpoint says no, with that code of RFC 6749.
  void no_token(const std::string& what, const Headers& fields, const std::string& error, Headers headers = {}) {
    ++attacks_;
    const auto answer = post("/oauth/token", fields, std::move(headers));
    EXPECT_TRUE(answer.status == 400 || answer.status == 401) << what << " " << answer.status << answer.body;
    EXPECT_EQ(text_in(answer.body, "error"), error) << what << answer.body;
    EXPECT_FALSE(answer.body.contains("access_token")) << what;
  }

  std::string authorize_url(const std::string& client, const Headers& change = {}) {
    Headers fields{{"response_type", "code"},
                   {"client_id", client},
                   {"redirect_uri", std::string(redirect_uri)},
                   {"scope", "openid offline_access user/*.rs"},
                   {"state", "s1"},
                   {"code_challenge", std::string(challenge)},
                   {"code_challenge_method", "S256"},
                   {"aud", hospital_.base_url() + "/fhir/R4"}};
    for (const auto& [name, value] : change) {
      std::erase_if(fields, [&](const auto& field) { return field.first == name; });
      if (!value.empty()) fields.emplace_back(name, value);
    }
    return "/oauth/authorize?" + form(fields);
  }
  // The code that the nurse's agreement gives.
  std::string agreed(Browser& at, const std::string& client, const Headers& change = {}) {
    const auto asked = at.get(authorize_url(client, change));
    EXPECT_EQ(asked.status, 200) << asked.body;
    const auto answer = at.post("/oauth/authorize", {{"decision", "approve"}});
    EXPECT_EQ(answer.status, 303) << answer.body;
    return between(answer.header("Location"), "code=", "&");
  }
  static Headers redemption(const std::string& client, const std::string& code) {
    return {{"grant_type", "authorization_code"},
            {"client_id", client},
            {"code", code},
            {"redirect_uri", std::string(redirect_uri)},
            {"code_verifier", std::string(verifier)}};
  }
  static Headers changed(Headers fields, const std::string& name, const std::string& value) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    if (!value.empty()) fields.emplace_back(name, value);
    return fields;
  }
  void add_app(const std::string& id) {
    hospital_.administer(fmt::format(
        R"({{"do":"client.add","client_id":"{}","client_name":"App","grant_types":["authorization_code","refresh_token"],)"
        R"("redirect_uris":["{}"],"scope":"openid offline_access user/*.rs","token_endpoint_auth_method":"none"}})",
        id, redirect_uri));
  }
  int status_with(const std::string& token) {
    return hospital_.ask("nobody", {.target = std::string(opens), .headers = {{"Authorization", "Bearer " + token}}})
        .status;
  }

  Hospital& hospital_ = Hospital::get();
  static inline int attacks_ = 0;
};

TEST_F(Authentication, ATokenOfAnOpenIdProviderIsTakenOnlyAsItWasMeant) {
  const auto& provider = hospital_.provider();
  const auto good = provider.token(provider.claims());
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int status = 503;
  while (status == 503 && std::chrono::steady_clock::now() < until) {
    status = status_with(good);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ASSERT_EQ(status, 200) << "the control";
  const auto kid = provider.key().id();
  const auto header = [&](std::string_view more) { return fmt::format(R"({{"kid":"{}",{}}})", kid, more); };
  const auto claims = provider.claims();
  const auto rsa = [&](std::string_view head, std::string_view payload) {
    return signed_by(provider.key(), Algorithm::rs256, head, payload);
  };
  const auto ours = crypto::Key::generate(Algorithm::rs256);
  const auto ec = crypto::Key::generate(Algorithm::es256);
  const auto bare = crypto::base64_url(R"({"alg":"none"})") + "." + crypto::base64_url(claims) + ".";
  refused_token("alg none", bare);
  refused_token("alg None", crypto::base64_url(R"({"alg":"None"})") + "." + crypto::base64_url(claims) + ".");
  refused_token("alg none with a signature", rsa(header(R"("alg":"none")"), claims));
  refused_token("no alg", rsa(fmt::format(R"({{"kid":"{}"}})", kid), claims));
  refused_token("HS256 by the published key set",
                signed_by_secret(provider.published(), header(R"("alg":"HS256")"), claims));
  refused_token("HS256 by the published key",
                signed_by_secret(provider.key().public_jwk(), header(R"("alg":"HS256")"), claims));
  refused_token("HS256 by nothing", signed_by_secret("", header(R"("alg":"HS256")"), claims));
  refused_token("another key under the same kid",
                signed_by(ours, Algorithm::rs256, header(R"("alg":"RS256")"), claims));
  refused_token(
      "another key that comes along",
      signed_by(ours, Algorithm::rs256, fmt::format(R"({{"alg":"RS256","jwk":{}}})", ours.public_jwk()), claims));
  refused_token("a key at an address that comes along",
                signed_by(ours, Algorithm::rs256, R"({"alg":"RS256","jku":"http://127.0.0.1:1/keys"})", claims));
  refused_token(
      "a certificate that comes along",
      signed_by(ours, Algorithm::rs256, R"({"alg":"RS256","x5u":"http://127.0.0.1:1/","x5c":["AA=="]})", claims));
  refused_token("a kid that is a path",
                signed_by_secret("", R"({"alg":"HS256","kid":"../../../../dev/null"})", claims));
  // A key that is not known may be a new one: it is asked for, at most once a minute.
  ++attacks_;
  const auto unknown = status_with(rsa(R"({"alg":"RS256","kid":"x' UNION SELECT 'key"})", claims));
  EXPECT_TRUE(unknown == 401 || unknown == 503) << unknown;
  refused_token("an algorithm of another key type",
                signed_by(ec, Algorithm::es256, header(R"("alg":"ES256")"), claims));
  refused_token("RS384 in the header, RS256 in fact", rsa(header(R"("alg":"RS384")"), claims));
  refused_token("an extension that must be understood", rsa(header(R"("alg":"RS256","crit":["exp"],"exp":1)"), claims));
  refused_token("an unencoded payload", rsa(header(R"("alg":"RS256","b64":false,"crit":["b64"])"), claims));
  refused_token("the algorithm twice", rsa(header(R"("alg":"RS256","alg":"none")"), claims));
  const auto with = [&](std::initializer_list<std::string> change) { return provider.token(provider.claims(change)); };
  refused_token("another issuer", with({R"("iss":"http://127.0.0.1:1")"}));
  refused_token("the issuer with a slash", with({fmt::format(R"("iss":"{}/")", provider.issuer())}));
  refused_token("no issuer", with({R"("iss":null)"}));
  refused_token("another audience", with({R"("aud":"other")"}));
  refused_token("no audience", with({R"("aud":null)"}));
  refused_token("an audience that begins like ours", with({R"("aud":["mydr24.evil.example"])"}));
  refused_token("expired", with({R"("exp":1000000000)"}));
  refused_token("without an end", with({R"("exp":null)"}));
  refused_token("an end that is a text", with({R"("exp":"9999999999")"}));
  refused_token("not yet", with({R"("nbf":9999999999)"}));
  refused_token("issued in the future", with({R"("iat":9999999999)"}));
  refused_token("of nobody", with({R"("sub":"")"}));
  auto twice = claims;
  twice.replace(twice.size() - 1, 1, R"(,"aud":"other"})");
  refused_token("a claim twice", provider.token(twice));
  const auto dot = good.rfind('.');
  refused_token("without its signature", good.substr(0, dot + 1));
  refused_token("half its signature", good.substr(0, dot + 20));
  refused_token("with something behind it", good + ".AAAA");
  refused_token("with padding", good + "==");
  refused_token("the signature of another",
                provider.token(provider.claims({R"("sub":"x")"})).substr(0, good.find('.')) +
                    good.substr(good.find('.'), dot - good.find('.')) + "." + crypto::base64_url("x"));
  const auto admin = provider.token(provider.claims({R"("roles":["it"])"}));
  refused_token("a payload under another's signature", admin.substr(0, admin.rfind('.')) + good.substr(dot));
  // What their roles do not name gives nothing.
  ++attacks_;
  EXPECT_EQ(status_with(with({R"("roles":["administrator","nurse","emergency-clinician"])"})), 403);
  EXPECT_EQ(status_with(with({R"("scope":"")"})), 403);
}

TEST_F(Authentication, WhatIsForOneUseIsForNoOther) {
  const auto session = hospital_.who("nurse").shows.front().second.substr(std::string_view("mydr24=").size());
  const auto cookie = between(hospital_.who("nurse").shows.front().second + ";", "mydr24=", ";");
  refused_token("the cookie as a token", cookie);
  const auto token = hospital_.who("service").shows.front().second.substr(std::string_view("Bearer ").size());
  refused("a token as the cookie", "Cookie", "mydr24=" + token);
  refused("a token by Basic", "Authorization", "Basic " + crypto::base64("x:" + token));
  refused("a token without a scheme", "Authorization", token);
  refused("another scheme", "Authorization", "MAC " + token);
  refused("a cookie of almost that name", "Cookie", "mydr24x=" + cookie + "; xmydr24=" + cookie);
  refused("a cookie that is cut", "Cookie", "mydr24=" + cookie.substr(0, cookie.size() - 1));
  refused("a cookie with one other letter", "Cookie",
          "mydr24=" + cookie.substr(0, cookie.size() - 1) + (cookie.back() == 'A' ? "B" : "A"));
  refused("the digest of a token", "Authorization", "Bearer " + crypto::sha256_hex(token));
  refused("a very long token", "Authorization", "Bearer " + std::string(20'000, 'A'));
  refused("the form's cookie as a session", "Cookie", "mydr24=" + hospital_.log_in("nurse").get_cookie("mydr24-form"));
  const auto admin = load::read_text(hospital_.live().data() / "admin.token");
  refused_token("the operator's token on the general listener", admin);
}

TEST_F(Authentication, ACodeCountsOnceForItsClientWithItsVerifier) {
  add_app("app-code");
  add_app("app-other");
  auto at = hospital_.log_in("nurse");
  auto code = agreed(at, "app-code");
  refused_token("a code as a token", code);
  no_token("another client's code", redemption("app-other", code), "invalid_grant");
  code = agreed(at, "app-code");
  no_token("another verifier", changed(redemption("app-code", code), "code_verifier", std::string(other_verifier)),
           "invalid_grant");
  code = agreed(at, "app-code");
  no_token("no verifier", changed(redemption("app-code", code), "code_verifier", ""), "invalid_grant");
  code = agreed(at, "app-code");
  no_token("the challenge as the verifier",
           changed(redemption("app-code", code), "code_verifier", std::string(challenge)), "invalid_grant");
  code = agreed(at, "app-code");
  no_token("another redirect URI", changed(redemption("app-code", code), "redirect_uri", "https://evil.example/"),
           "invalid_grant");
  code = agreed(at, "app-code");
  const auto given = post("/oauth/token", redemption("app-code", code));
  ASSERT_EQ(given.status, 200) << given.body;
  const auto access = text_in(given.body, "access_token"), refresh = text_in(given.body, "refresh_token");
  EXPECT_EQ(status_with(access), 200);
  refused_token("a refresh token as a token", refresh);
  refused_token("an id_token as a token", text_in(given.body, "id_token"));
  refused("an application's token as a cookie", "Cookie", "mydr24=" + access);
  no_token("the code once more", redemption("app-code", code), "invalid_grant");
  EXPECT_EQ(status_with(access), 401) << "what it gave is revoked";
  no_token("the refresh token that it gave",
           {{"grant_type", "refresh_token"}, {"client_id", "app-code"}, {"refresh_token", refresh}}, "invalid_grant");

  // To a wrong address nothing is sent; the right one is told of an error.
  for (const auto& [name, value] : Headers{{"redirect_uri", "https://evil.example/"},
                                           {"redirect_uri", std::string(redirect_uri) + "/../evil"},
                                           {"redirect_uri", std::string(redirect_uri) + "?x=1"},
                                           {"redirect_uri", "https://app.example.evil.example/back"},
                                           {"redirect_uri", "https://app.example@evil.example/back"},
                                           {"client_id", "nobody"}}) {
    ++attacks_;
    const auto answer = at.get(authorize_url("app-code", {{name, value}}));
    EXPECT_EQ(answer.status, 400) << value;
    EXPECT_EQ(answer.header("Location"), "") << value;
  }
  for (const auto& [name, value] : Headers{{"code_challenge_method", "plain"},
                                           {"code_challenge_method", ""},
                                           {"code_challenge", ""},
                                           {"response_type", "token"},
                                           {"aud", "https://evil.example/fhir"},
                                           {"scope", "system/*.cruds"}}) {
    ++attacks_;
    const auto answer = at.get(authorize_url("app-code", {{name, value}}));
    EXPECT_TRUE(answer.status == 303 && answer.header("Location").contains("error=")) << name << "=" << value;
    EXPECT_FALSE(answer.header("Location").contains("code=")) << name << "=" << value;
  }
}

TEST_F(Authentication, ARefreshTokenCountsOnceAndWidensNothing) {
  add_app("app-refresh");
  add_app("app-thief");
  auto at = hospital_.log_in("nurse");
  const auto first = post("/oauth/token", redemption("app-refresh", agreed(at, "app-refresh")));
  const auto refresh = [&](const std::string& token, const std::string& client = "app-refresh") -> Headers {
    return {{"grant_type", "refresh_token"}, {"client_id", client}, {"refresh_token", token}};
  };
  no_token("another client's", refresh(text_in(first.body, "refresh_token"), "app-thief"), "invalid_grant");
  // Asked for more, it gives no more than it had.
  ++attacks_;
  const auto wider =
      post("/oauth/token", changed(refresh(text_in(first.body, "refresh_token")), "scope", "user/*.cruds"));
  EXPECT_FALSE(text_in(wider.body, "scope").contains("user/*.c")) << wider.body;
  const auto current = wider.status == 200 ? wider : first;
  const auto second = post("/oauth/token", refresh(text_in(current.body, "refresh_token")));
  ASSERT_EQ(second.status, 200) << second.body;
  // Another client ends nothing.
  EXPECT_EQ(post("/oauth/revoke", {{"client_id", "app-thief"}, {"token", text_in(second.body, "access_token")}}).status,
            200);
  EXPECT_EQ(status_with(text_in(second.body, "access_token")), 200);
  no_token("one that was used", refresh(text_in(first.body, "refresh_token")), "invalid_grant");
  EXPECT_EQ(status_with(text_in(second.body, "access_token")), 401) << "all that came of it is revoked";
  no_token("its successor", refresh(text_in(second.body, "refresh_token")), "invalid_grant");
  ++attacks_;
  EXPECT_TRUE(
      post("/oauth/introspect", {{"client_id", "app-thief"}, {"token", text_in(second.body, "access_token")}}).status >=
      400)
      << "a public client asks about nothing";
}

TEST_F(Authentication, AnAssertionOfAClientIsTakenOnlyAsItWasMeant) {
  const auto key = crypto::Key::generate(Algorithm::es384), other = crypto::Key::generate(Algorithm::es384);
  hospital_.administer(fmt::format(
      R"({{"do":"client.add","client_id":"export","client_name":"Export","grant_types":["client_credentials"],)"
      R"("scope":"system/*.rs","token_endpoint_auth_method":"private_key_jwt","jwks":{}}})",
      crypto::print_key_set({key})));
  const auto now = std::chrono::floor<std::chrono::seconds>(system_clock().now().time_since_epoch()).count();
  const auto claims = [&](const std::string& jti, const std::string& aud, std::int64_t exp,
                          const std::string& iss = "export", const std::string& sub = "export") {
    return fmt::format(R"({{"iss":"{}","sub":"{}","aud":"{}","exp":{}{}}})", iss, sub, aud, exp,
                       jti.empty() ? "" : fmt::format(R"(,"jti":"{}")", jti));
  };
  const auto url = hospital_.base_url() + "/oauth/token";
  const std::string header = R"({"alg":"ES384"})";
  const auto show = [](const std::string& assertion) -> Headers {
    return {{"grant_type", "client_credentials"},
            {"scope", "system/*.rs"},
            {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
            {"client_assertion", assertion}};
  };
  const auto sign = [&](const std::string& payload) { return signed_by(key, Algorithm::es384, header, payload); };
  const auto good = sign(claims("1", url, now + 120));
  ASSERT_EQ(post("/oauth/token", show(good)).status, 200);
  const std::string wrong = "invalid_client";
  no_token("replayed", show(good), wrong);
  no_token("the same jti again", show(sign(claims("1", url, now + 130))), wrong);
  no_token("no jti", show(sign(claims("", url, now + 120))), wrong);
  no_token("for another server", show(sign(claims("2", "https://other.example/oauth/token", now + 120))), wrong);
  no_token("for the issuer, not the endpoint", show(sign(claims("3", hospital_.base_url(), now + 120))), wrong);
  no_token("for a day", show(sign(claims("4", url, now + 86'400))), wrong);
  no_token("expired", show(sign(claims("5", url, now - 600))), wrong);
  no_token("by another key", show(signed_by(other, Algorithm::es384, header, claims("6", url, now + 120))), wrong);
  no_token("by no key",
           show(crypto::base64_url(R"({"alg":"none"})") + "." + crypto::base64_url(claims("7", url, now + 120)) + "."),
           wrong);
  no_token("by the public key as a secret",
           show(signed_by_secret(key.public_jwk(), R"({"alg":"HS256"})", claims("8", url, now + 120))), wrong);
  no_token("by the key set as a secret",
           show(signed_by_secret(crypto::print_key_set({key}), R"({"alg":"HS256"})", claims("9", url, now + 120))),
           wrong);
  no_token("of another issuer", show(sign(claims("10", url, now + 120, "archive"))), wrong);
  no_token("for another client", show(sign(claims("11", url, now + 120, "archive", "archive"))), wrong);
  no_token("in another's name", changed(show(sign(claims("12", url, now + 120))), "client_id", "archive"), wrong);
  no_token("together with a secret", changed(show(sign(claims("13", url, now + 120))), "client_secret", "x"), wrong);
  no_token("the client's id alone", {{"grant_type", "client_credentials"}, {"client_id", "export"}}, wrong);
  no_token("an empty secret", {{"grant_type", "client_credentials"}, {"client_id", "archive"}, {"client_secret", ""}},
           wrong);
  no_token("the password grant",
           {{"grant_type", "password"}, {"client_id", "export"}, {"username", "nurse"}, {"password", "x"}}, wrong);
  no_token("more than it is for", changed(show(sign(claims("14", url, now + 120))), "scope", "user/*.cruds"),
           "invalid_scope");
  no_token("a parameter twice", {{"grant_type", "client_credentials"}, {"grant_type", "authorization_code"}},
           "invalid_request");
}

TEST_F(Authentication, ASessionIsNobodyElses) {
  // Fixation: what was chosen before the login is not the session after it.
  auto at = Browser(hospital_.server());
  const std::string chosen(43, 'A');
  at.set("mydr24", chosen);
  at.get("/login");
  ASSERT_EQ(at.post("/login", {{"user", "nurse"}, {"password", std::string(password)}, {"code", ""}}).status, 303);
  EXPECT_NE(at.get_cookie("mydr24"), chosen);
  refused("a session chosen by another", "Cookie", "mydr24=" + chosen);
  const auto session = at.get_cookie("mydr24");
  // The cookie is not for scripts, and not for other sites.
  auto again = Browser(hospital_.server());
  again.get("/login");
  const auto entered = again.post(
      "/login", {{"user", "nurse"}, {"password", std::string(password)}, {"code", ""}, {"roles", "administrator"}});
  for (const auto& cookie : entered.headers("Set-Cookie"))
    EXPECT_TRUE(cookie.contains("HttpOnly") && cookie.contains("SameSite=")) << cookie;
  // A form that this browser was not given does nothing.
  for (const std::string& csrf : {std::string(), std::string("x"), at.hidden("csrf")}) {
    ++attacks_;
    const auto answer =
        Browser(hospital_.server())
            .post_as_is("/login", {{"user", "nurse"}, {"password", std::string(password)}, {"csrf", csrf}});
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.header("Location"), "");
  }
  // Logged out is out, at once.
  at.get("/logout");
  EXPECT_EQ(at.post("/logout", {}).status, 303);
  refused("a session that has ended", "Cookie", "mydr24=" + session);
  // So is who is disabled, and who has another password now.
  const auto disabled = hospital_.add_person("greta", {"nurse"});
  EXPECT_EQ(hospital_.ask(disabled, {.target = std::string(opens)}).status, 200);
  hospital_.administer(R"({"do":"user.disable","name":"greta"})");
  refused("a disabled account's session", "Cookie", disabled.shows.front().second);
  const auto renewed = hospital_.add_person("hanna", {"nurse"});
  hospital_.administer(R"({"do":"user.password","name":"hanna","password":"another horse battery"})");
  refused("a session before the password changed", "Cookie", renewed.shows.front().second);
  // The link of the first administrator is none any more.
  for (const std::string token : {"x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    ++attacks_;
    EXPECT_GE(hospital_.get("nobody", "/setup/" + token).status, 404);
    EXPECT_GE(post("/setup/" + token,
                   {{"user", "eve"}, {"password", "long enough for all"}, {"again", "long enough for all"}})
                  .status,
              400);
  }
}

TEST_F(Authentication, ACodeOfAnAppCountsOnce) {
  hospital_.administer(
      R"({"do":"user.add","name":"tina","roles":["compliance-officer"],"password":"correct horse battery"})");
  const auto uri = text_in(hospital_.administer(R"({"do":"user.totp","name":"tina"})"), "uri");
  const auto secret = *crypto::base32_decode(between(uri, "secret=", "&"));
  const auto code = crypto::hotp(secret, static_cast<std::uint64_t>(crypto::totp_step(system_clock().now())));
  const auto enter = [&](const std::string& shown) {
    Browser at(hospital_.server());
    at.get("/login");
    const auto answer = at.post("/login", {{"user", "tina"}, {"password", std::string(password)}, {"code", shown}});
    return answer.status == 303 && !at.get_cookie("mydr24").empty();
  };
  EXPECT_FALSE(enter("")) << "the password alone";
  EXPECT_FALSE(enter("000000"));
  EXPECT_TRUE(enter(code));
  EXPECT_FALSE(enter(code)) << "replayed";
  attacks_ += 3;
}

// From an address of its own: whoever guesses keeps nobody else out.
TEST_F(Authentication, GuessingIsSlowedDownAndTellsNothing) {
  hospital_.add_person("victor", {"nurse"});
  const std::string from = "127.0.0.77";
  const auto guess = [&](const std::string& name, const std::string& tried) {
    Browser at(hospital_.server(), from);
    at.get("/login");
    return at.post("/login", {{"user", name}, {"password", tried}, {"code", ""}});
  };
  std::string known, unknown;
  int limited = 0;
  for (int i = 0; i < 8; ++i) {
    const auto answer = guess("victor", fmt::format("guess number {}", i));
    EXPECT_TRUE(answer.status == 400 || answer.status == 429) << answer.status;
    limited += answer.status == 429 ? 1 : 0;
    if (i == 0) known = between(answer.body, "role=\"alert\">", "<");
  }
  EXPECT_GE(limited, 2);
  EXPECT_EQ(guess("victor", std::string(password)).status, 429) << "the right one too, by now";
  unknown = between(guess("nobody-of-that-name", "guess").body, "role=\"alert\">", "<");
  EXPECT_EQ(known, unknown) << "who there is, is not told";
  EXPECT_NE(known, "");
  EXPECT_EQ(hospital_.log_in("victor").get("/api/v1/access/me").status, 200) << "its owner gets in";
  attacks_ += 10;
}

}  // namespace
}  // namespace mydr24::attacks
