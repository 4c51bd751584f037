// Clients, what they show, and key sets that are fetched; OpenID providers.

#include <fmt/format.h>

#include <array>

#include "guard/identity/detail/fixture.h"

namespace mydr24::identity {
namespace {

using namespace std::chrono_literals;

constexpr const char* jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr const char* token_url = "https://ehr.example/oauth/token";
constexpr const char* key_url = "https://app.example/jwks.json";

class ClientOf : public IdentityTest {
 protected:
  void SetUp() override { identity = make(); }

  std::int64_t seconds(std::chrono::seconds from_now) const {
    return std::chrono::floor<std::chrono::seconds>(clock.now().time_since_epoch() + from_now).count();
  }
  std::string assertion(const crypto::Key& by, std::string jti, std::string_view more = "",
                        std::chrono::seconds lifetime = 300s, std::string_view aud = token_url,
                        std::string_view sub = "export") const {
    return crypto::sign_jws(by, fmt::format(R"({{"iss":"export","sub":"{}","aud":"{}","exp":{},"jti":"{}"{}}})", sub,
                                            aud, seconds(lifetime), jti, more));
  }
  Result<ProvenClient> show(const std::string& text) {
    return identity->check_client({.assertion_type = jwt_bearer, .assertion = text}, {token_url}, clock.now());
  }
  Result<> use(const ProvenClient& proven) {
    return write([&](store::Transaction& transaction) { return identity->use_assertion(transaction, proven); });
  }
  void add_machine(std::string keys, std::string url = {}) {
    add_client({.id = "export",
                .proof = ClientProof::key,
                .key_set = std::move(keys),
                .key_set_url = std::move(url),
                .grant_types = {"client_credentials"},
                .scopes = "system/*.rs"});
  }
  void refused(const Result<ProvenClient>& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::refused);
    EXPECT_EQ(result.error().where, "invalid_client");
  }

  const crypto::Key key = crypto::Key::generate(crypto::Algorithm::es384);
  std::unique_ptr<Identity> identity;
};

TEST_F(ClientOf, ASecretProvesItselfByBasicOrInTheBody) {
  const auto client = add_client({.id = "web.app",
                                  .proof = ClientProof::secret,
                                  .redirect_uris = {std::string(redirect)},
                                  .grant_types = {"authorization_code"}});
  const auto basic = "Basic " + crypto::base64("web.app:" + secret);
  EXPECT_TRUE(identity->check_client({.authorization = basic}, {token_url}, clock.now()));
  EXPECT_TRUE(identity->check_client({.id = "web.app", .secret = secret}, {token_url}, clock.now()));
  refused(identity->check_client({.id = "web.app", .secret = secret + "x"}, {token_url}, clock.now()));
  refused(identity->check_client({.id = "web.app"}, {token_url}, clock.now()));
  refused(identity->check_client({.id = "other", .secret = secret}, {token_url}, clock.now()));
  refused(identity->check_client({.authorization = basic, .secret = secret}, {token_url}, clock.now()));
  refused(identity->check_client({.authorization = basic, .id = "other"}, {token_url}, clock.now()));
  for (const char* bad : {"Basic", "Basic !!", "Bearer x", "Basic d2Vi"})
    refused(identity->check_client({.authorization = bad}, {token_url}, clock.now()));
  EXPECT_FALSE(client.secret_digest.contains(secret));
}

TEST_F(ClientOf, APublicClientHasNothingToShow) {
  add_app();
  EXPECT_TRUE(identity->check_client({.id = "app"}, {token_url}, clock.now()));
  refused(identity->check_client({.id = "app", .secret = "x"}, {token_url}, clock.now()));
}

TEST_F(ClientOf, AnAssertionCountsOnce) {
  for (const auto algorithm : {crypto::Algorithm::es384, crypto::Algorithm::rs384}) {
    const auto own = crypto::Key::generate(algorithm);
    add_machine(crypto::print_key_set({own}));
    const auto text = assertion(own, "1");
    const auto proven = show(text);
    ASSERT_TRUE(proven) << proven.error().text;
    EXPECT_EQ(proven->client.id, "export");
    EXPECT_TRUE(use(*proven));
    const auto again = show(text);
    ASSERT_TRUE(again);
    EXPECT_EQ(use(*again).error().where, "invalid_client");
    EXPECT_TRUE(use(*show(assertion(own, "2"))));
    ASSERT_TRUE(write([](store::Transaction& transaction) { return clients::remove(transaction, "export"); }));
    clock.advance(10min);
    store.tick();
    clock.advance(1min);
    store.tick();
  }
}

TEST_F(ClientOf, AnAssertionThatIsWrongIsRefused) {
  add_machine(crypto::print_key_set({key}));
  const auto es256 = crypto::Key::generate(crypto::Algorithm::es256);
  refused(show(assertion(crypto::Key::generate(crypto::Algorithm::es384), "1")));
  refused(show(assertion(es256, "1")));
  refused(show(assertion(key, "1", "", 311s)));
  refused(show(assertion(key, "1", "", -10s)));
  refused(show(assertion(key, "1", "", 300s, "https://evil.example/token")));
  refused(show(assertion(key, "1", "", 300s, token_url, "other")));
  refused(show(assertion(key, "")));
  refused(show(assertion(key, "1", R"(,"nbf":99999999999)")));
  refused(show("a.b.c"));
  refused(show(""));
  refused(
      identity->check_client({.assertion_type = "jwt", .assertion = assertion(key, "1")}, {token_url}, clock.now()));
  refused(identity->check_client({.id = "app", .assertion_type = jwt_bearer, .assertion = assertion(key, "1")},
                                 {token_url}, clock.now()));
  refused(identity->check_client({.id = "export", .secret = "x"}, {token_url}, clock.now()));
  EXPECT_TRUE(show(assertion(key, "1", "", 310s)));
}

TEST_F(ClientOf, KeysAreFetchedOnceAndAgainForAKeyThatIsNotKnown) {
  add_machine({}, key_url);
  refused(show(assertion(key, "1")));  // not reachable
  EXPECT_EQ(fetched(key_url), 1);
  network[key_url] = {crypto::print_key_set({key}), std::nullopt};
  clock.advance(1min);
  EXPECT_TRUE(show(assertion(key, "1")));
  EXPECT_TRUE(show(assertion(key, "2")));
  EXPECT_EQ(fetched(key_url), 2);
  const auto next = crypto::Key::generate(crypto::Algorithm::es384);
  network[key_url].body = crypto::print_key_set({key, next});
  refused(show(assertion(next, "3")));  // at most once a minute
  EXPECT_EQ(fetched(key_url), 2);
  clock.advance(1min);
  EXPECT_TRUE(show(assertion(next, "3")));
  EXPECT_TRUE(show(assertion(key, "4")));
  EXPECT_EQ(fetched(key_url), 3);
  // Of a server that is away the last set is used.
  network.erase(key_url);
  clock.advance(1h);
  EXPECT_TRUE(show(assertion(next, "5")));
}

// What stands at an address that a client registered is not for whoever asks for a token.
TEST_F(ClientOf, WhyAKeySetCannotBeHadIsForTheLogAlone) {
  add_machine({}, key_url);
  const auto said = [&] {
    const auto shown = show(assertion(key, "1"));
    EXPECT_FALSE(shown);
    return shown ? std::string() : shown.error().text;
  };
  const auto away = said();
  EXPECT_EQ(said(), away) << "it is left alone for a while";
  for (const auto* const body : {"<html>intranet</html>", "{}", ""}) {
    clock.advance(2min);
    network[key_url] = {body, std::nullopt};
    EXPECT_EQ(said(), away) << body;
  }
  EXPECT_EQ(away, "the client's key set cannot be had");
  EXPECT_GE(fetched(key_url), 4);
}

TEST_F(ClientOf, KeysAreKeptNoLongerThanTheirServerSays) {
  add_machine({}, key_url);
  network[key_url] = {crypto::print_key_set({key}), 10s};
  EXPECT_TRUE(show(assertion(key, "1")));
  clock.advance(11s);
  EXPECT_TRUE(show(assertion(key, "2")));
  EXPECT_EQ(fetched(key_url), 2);
}

TEST_F(ClientOf, AHeaderMayNameTheRegisteredKeySetAndNoOther) {
  add_machine({}, key_url);
  network[key_url] = {crypto::print_key_set({key}), std::nullopt};
  const auto with_jku = [&](std::string_view jku) {
    const auto text =
        crypto::base64_url(fmt::format(R"({{"alg":"ES384","kid":"{}","jku":"{}"}})", key.id(), jku)) + "." +
        crypto::base64_url(
            fmt::format(R"({{"iss":"export","sub":"export","aud":"{}","exp":{},"jti":"1"}})", token_url, seconds(60s)));
    return text + "." + crypto::base64_url(key.sign(crypto::Algorithm::es384, text));
  };
  EXPECT_TRUE(show(with_jku(key_url)));
  refused(show(with_jku("https://evil.example/jwks.json")));
}

TEST_F(ClientOf, RegistrationTakesWhatIsRight) {
  const auto client = parse_client(fmt::format(
      R"({{"client_name":"An app",)"
      R"("redirect_uris":["https://app.example/cb","com.example.app:/cb","http://127.0.0.1:7/cb"],)"
      R"("grant_types":["authorization_code","client_credentials"],"token_endpoint_auth_method":"private_key_jwt",)"
      R"("scope":"patient/*.rs launch/patient","jwks":{},"id_token_signed_response_alg":"ES256"}})",
      crypto::print_key_set({key})));
  ASSERT_TRUE(client) << client.error().text;
  EXPECT_EQ(client->proof, ClientProof::key);
  EXPECT_EQ(client->redirect_uris.size(), 3U);
  EXPECT_EQ(client->id_token_algorithm, "ES256");
}

TEST_F(ClientOf, RegistrationRefusesWhatIsWrong) {
  const auto with = [](std::string_view member) {
    return fmt::format(R"({{"client_name":"x","token_endpoint_auth_method":"none",{}}})", member);
  };
  for (const char* uri : {"http://app.example/cb", "http://127.evil.example/cb", "https://app.example/cb#x",
                          "javascript:alert(1)", "data:x", "myapp:/cb", "/cb", "https://a.example/ x", "https://a;b/",
                          "https:///x", "http:n", "https:", "http:/x", ""}) {
    const auto client = parse_client(with(fmt::format(R"("redirect_uris":["{}"])", uri)));
    ASSERT_FALSE(client) << uri;
    EXPECT_EQ(client.error().where, "invalid_redirect_uri");
  }
  const std::string back = R"("redirect_uris":["https://a.example/cb"])";
  for (const std::string& member :
       {std::string(R"("grant_types":["authorization_code"])"), back + R"(,"grant_types":["password"])",
        back + R"(,"grant_types":[])", back + R"(,"grant_types":["authorization_code","client_credentials"])",
        back + R"(,"scope":"patient/Observation.x")", back + R"(,"jwks":{"keys":[]})",
        back + R"(,"id_token_signed_response_alg":"none")"})
    EXPECT_FALSE(parse_client(with(member))) << member;
  for (const char* text :
       {"", "[]", "{}", R"({"client_name":"x"})",
        R"({"client_name":"x","token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"]})",
        R"({"client_name":"x","token_endpoint_auth_method":"tls_client_auth","redirect_uris":["https://a/"]})"})
    EXPECT_FALSE(parse_client(text)) << text;
}

TEST_F(ClientOf, APagesPolicyNamesWhereAnAnswerGoes) {
  EXPECT_EQ(redirect_source("https://app.example:8443/cb?x=1"), "https://app.example:8443");
  EXPECT_EQ(redirect_source("https://app.example?x"), "https://app.example");
  EXPECT_EQ(redirect_source("com.example.app:/cb"), "com.example.app:");
}

// An OpenID provider whose network is in this test.
class ProviderOf : public ClientOf {
 protected:
  static constexpr const char* issuer = "https://id.example/realm";
  static constexpr const char* jwks = "https://id.example/keys";

  void SetUp() override {
    settings.providers = {{.name = "corp",
                           .issuer = issuer,
                           .audience = {"mydr24"},
                           .roles_claim = "realm_access.roles",
                           .roles = {{"ward-nurse", "nurse"}, {"it", "administrator"}}}};
    network[std::string(issuer) + "/.well-known/openid-configuration"] = {
        fmt::format(R"({{"issuer":"{}","jwks_uri":"{}"}})", issuer, jwks), std::nullopt};
    network[jwks] = {crypto::print_key_set({rsa}), std::nullopt};
    identity = make();
    for (int i = 0; i < 1000 && fetched(jwks) == 0; ++i) std::this_thread::sleep_for(1ms);
    ASSERT_EQ(fetched(jwks), 1);
    // The keys are there a moment after they were fetched.
    for (int i = 0; i < 1000 && !with_token(*identity, token(rsa)); ++i) std::this_thread::sleep_for(1ms);
  }
  std::string token(const crypto::Key& by, std::string_view iss = issuer, std::string_view aud = "mydr24",
                    std::chrono::seconds lifetime = 300s, std::string_view more = "") const {
    return crypto::sign_jws(
        by,
        fmt::format(R"({{"iss":"{}","sub":"u-1","aud":"{}","exp":{},"name":"Anna","azp":"portal",)"
                    R"("scope":"user/*.rs openid","realm_access":{{"roles":["ward-nurse","other"]}},)"
                    R"("fhirUser":"https://ehr.example/fhir/R4/Practitioner/12"{}}})",
                    iss, aud, seconds(lifetime), more),
        "at+jwt");
  }
  const crypto::Key rsa = crypto::Key::generate(crypto::Algorithm::rs256);
};

TEST_F(ProviderOf, ATokenOfItIsAPersonWithMappedRoles) {
  const auto principal = with_token(*identity, token(rsa));
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_EQ(principal->id, "oidc/corp/u-1");
  EXPECT_EQ(principal->kind, access::PrincipalKind::person);
  EXPECT_EQ(principal->roles, std::vector<std::string>{"nurse"});
  EXPECT_EQ(principal->fhir_user, "Practitioner/12");
  EXPECT_EQ(principal->client, "portal");
  EXPECT_EQ(access::to_string(*principal->scopes), "user/*.rs openid");
}

TEST_F(ProviderOf, ATokenThatIsWrongIsRefused) {
  const auto bad = [&](const std::string& text) {
    const auto principal = with_token(*identity, text);
    ASSERT_FALSE(principal);
    EXPECT_EQ(principal.error().code, Code::refused) << principal.error().text;
  };
  bad(token(rsa, "https://evil.example"));
  bad(token(rsa, issuer, "another"));
  bad(token(rsa, issuer, "mydr24", -60s));
  bad(token(rsa, issuer, "mydr24", 300s, R"(,"sub":"u-2")"));
  auto changed = token(rsa);
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  bad(changed);
  bad(crypto::base64_url(R"({"alg":"none"})") + token(rsa).substr(token(rsa).find('.')));
}

TEST_F(ProviderOf, KeysThatChangeAreFetchedInTheBackground) {
  const auto next = crypto::Key::generate(crypto::Algorithm::es256);
  {
    const std::lock_guard lock(network_mutex);
    network[jwks].body = crypto::print_key_set({rsa, next});
  }
  clock.advance(61s);
  EXPECT_EQ(with_token(*identity, token(next)).error().code, Code::busy);
  Result<access::Principal> principal = fail(Code::busy, "");
  for (int i = 0; i < 3000 && !principal; ++i) {
    std::this_thread::sleep_for(1ms);
    principal = with_token(*identity, token(next));
  }
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_TRUE(with_token(*identity, token(rsa)));
  EXPECT_EQ(fetched(jwks), 2);
  // Tokens of nobody's key are no reason to ask again and again.
  for (int i = 0; i < 20; ++i)
    EXPECT_FALSE(with_token(*identity, token(crypto::Key::generate(crypto::Algorithm::es256))));
  EXPECT_EQ(fetched(jwks), 2);
}

TEST_F(ProviderOf, APurposeOfUseIsUnderstoodOrTheTokenRefused) {
  const ProviderSettings settings{.name = "p"};
  const auto purpose = [&](std::string_view claim) {
    const auto claims = json::Document::parse(fmt::format(R"({{"sub":"a"{}{}}})", claim.empty() ? "" : ",", claim));
    const auto principal = principal_of(claims->root(), settings, clock.now());
    return principal ? principal->purpose : principal.error().where + "!";
  };
  EXPECT_EQ(purpose(""), "");
  EXPECT_EQ(purpose(R"("purpose_of_use":"ETREAT")"), "ETREAT");
  EXPECT_EQ(purpose(R"("purpose_of_use":["HPAYMT"])"), "HPAYMT");
  EXPECT_EQ(
      purpose(
          R"("extensions":{"ihe_iua":{"purpose_of_use":[{"system":"urn:oid:2.16.840.1.113883.5.8","code":"TREAT"}]}})"),
      "TREAT");
  EXPECT_EQ(purpose(R"("extensions":{"ihe_iua":{"purpose_of_use":{"system":)"
                    R"("http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HRESCH"}}})"),
            "HRESCH");
  for (const auto* bad :
       {R"("purpose_of_use":"care")", R"("purpose_of_use":"")", R"("purpose_of_use":null)", R"("purpose_of_use":[])",
        R"("purpose_of_use":["TREAT","HRESCH"])", R"("purpose_of_use":[{"system":"urn:other","code":"TREAT"}])",
        R"("extensions":{"ihe_iua":{"purpose_of_use":7}})"})
    EXPECT_EQ(purpose(bad), "purpose_of_use!") << bad;
}

TEST_F(ProviderOf, ScopesBoundATokenOrTheRolesDo) {
  const auto claims = json::Document::parse(R"({"sub":"a","scope":"openid","roles":"it x","client_id":"a"})");
  const ProviderSettings by_scope{.name = "p", .roles = {{"it", "administrator"}}};
  const auto bounded = principal_of(claims->root(), by_scope, clock.now());
  ASSERT_TRUE(bounded->scopes.has_value());
  EXPECT_TRUE(bounded->scopes->resources.empty());
  EXPECT_EQ(bounded->kind, access::PrincipalKind::machine);
  EXPECT_TRUE(bounded->has_role("administrator"));
  const ProviderSettings by_role{.name = "p", .roles = {{"it", "administrator"}}, .uses_scopes = false};
  EXPECT_FALSE(principal_of(claims->root(), by_role, clock.now())->scopes.has_value());
  EXPECT_FALSE(principal_of(json::Document::parse("{}")->root(), by_role, clock.now()));
}

TEST(Client, AnswersGoWhereItIsRegisteredAndToAnyPortOfALoopbackAddress) {
  const Client client{.redirect_uris = {"https://app.example/back", "http://127.0.0.1/callback", "http://[::1]:1/x"}};
  for (const auto* const good : {"https://app.example/back", "http://127.0.0.1/callback",
                                 "http://127.0.0.1:51004/callback", "http://[::1]:9/x", "http://[::1]/x"})
    EXPECT_TRUE(has_redirect_uri(client, good)) << good;
  for (const auto* const bad :
       {"", "https://app.example:444/back", "https://app.example/back/", "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004/callback?x", "http://127.0.0.1:/callback", "http://127.0.0.1:1@evil.example/callback",
        "http://127.0.0.1.evil.example/callback", "https://127.0.0.1:51004/callback", "http://localhost:1/callback",
        "http://127.0.0.1:123456/callback", "http://[::1]:9/callback"})
    EXPECT_FALSE(has_redirect_uri(client, bad)) << bad;
}

}  // namespace
}  // namespace mydr24::identity
