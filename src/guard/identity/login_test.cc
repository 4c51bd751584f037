// Users, passwords, one-time codes, the first administrator, sessions of our page.

#include <array>
#include <chrono>

#include "guard/identity/detail/fixture.h"

namespace mydr24::identity {
namespace {

using namespace std::chrono_literals;

class Login : public IdentityTest {};

TEST_F(Login, RightPasswordOpensASessionOfThatPerson) {
  const auto identity = make();
  add_user("anna", {"nurse", "shift.lead"}, "Practitioner/12");
  const auto issued = log_in(*identity, credentials("Anna"));
  ASSERT_TRUE(issued) << issued.error().text;
  const auto principal = with_cookie(*identity, issued->token);
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_EQ(principal->kind, access::PrincipalKind::person);
  EXPECT_EQ(principal->id, "user/anna");
  EXPECT_EQ(principal->roles, (std::vector<std::string>{"nurse", "shift.lead"}));
  EXPECT_EQ(principal->fhir_user, "Practitioner/12");
  EXPECT_EQ(principal->session, issued->session.id);
  EXPECT_FALSE(principal->scopes.has_value());
  EXPECT_TRUE(principal->client.empty());
}

TEST_F(Login, AnAccountKnowsItsLastLogin) {
  const auto identity = make();
  add_user("anna");
  const auto last = [&] {
    Instant at;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto user, users::find(reader, "anna"));
      at = user->last_login;
      return {};
    }));
    return at;
  };
  EXPECT_EQ(last(), Instant());
  auto wrong = credentials("anna");
  wrong.password = "correct horse batterx";
  EXPECT_FALSE(log_in(*identity, wrong));
  EXPECT_EQ(last(), Instant());
  for (int i = 0; i < 2; ++i) {
    clock.advance(1h);
    const auto issued = log_in(*identity, credentials("anna"));
    ASSERT_TRUE(issued) << issued.error().text;
    EXPECT_EQ(last(), issued->session.created);
  }
}

TEST_F(Login, EverythingWrongIsRefusedInTheSameWords) {
  const auto identity = make();
  add_user("anna");
  add_user("bert");
  ASSERT_TRUE(write([](store::Transaction& transaction) { return users::set_disabled(transaction, "bert", true); }));
  std::vector<std::string> texts;
  auto wrong = credentials("anna");
  wrong.password = "correct horse batterx";
  for (const auto& each : {wrong, credentials("bert"), credentials("nobody"), credentials(std::string(5000, 'x'))}) {
    const auto refused = log_in(*identity, each);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::refused);
    texts.push_back(refused.error().text);
  }
  for (const auto& text : texts) EXPECT_EQ(text, texts.front());
}

TEST_F(Login, UnknownUserCostsAsMuchAsAWrongPassword) {
  const auto identity = make();
  ASSERT_TRUE(write([](store::Transaction& transaction) {
    return users::add(transaction, {.name = "anna", .password = *crypto::hash_password(password)});
  }));
  const auto least_of = [&](const std::string& name) {
    auto least = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 3; ++i) {
      auto wrong = credentials(name);
      wrong.password = "not the password";
      const auto begin = std::chrono::steady_clock::now();
      EXPECT_FALSE(identity->check_password(wrong, clock.now()));
      least = std::min(least, std::chrono::steady_clock::now() - begin);
    }
    return least;
  };
  const auto known = least_of("anna"), unknown = least_of("nobody");
  EXPECT_GT(2 * unknown, known);
  EXPECT_GT(2 * known, unknown);
}

TEST_F(Login, PasswordOfAnOldCostIsHashedAgain) {
  const auto identity = make();
  add_user("anna");
  ASSERT_TRUE(log_in(*identity, credentials("anna")));
  ASSERT_TRUE(store.read([](store::Reader& reader) -> Result<> {
    const auto user = users::find(reader, "anna");
    EXPECT_TRUE((*user)->password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    return {};
  }));
  EXPECT_TRUE(log_in(*identity, credentials("anna")));
}

TEST_F(Login, FailuresMakeAnAccountWaitAndSuccessEndsThat) {
  Throttle throttle;
  Instant now = clock.now();
  for (int i = 0; i < Throttle::account_free; ++i) EXPECT_TRUE(throttle.attempt("anna", "a", now)) << i;
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    now += wait - 1us;
    const auto refused = throttle.attempt("anna", "b", now);
    ASSERT_FALSE(refused) << wait.count();
    EXPECT_EQ(refused.error().code, Code::busy);
    EXPECT_TRUE(throttle.attempt("bert", "b", now));
    throttle.succeed("bert", "b");
    now += 1us;
    EXPECT_TRUE(throttle.attempt("anna", "b", now)) << wait.count();
  }
  throttle.succeed("anna", "b");
  EXPECT_TRUE(throttle.attempt("anna", "b", now));
}

TEST_F(Login, AStrangerWhoGuessesDoesNotKeepTheOwnerOut) {
  Throttle throttle;
  const Instant now = clock.now();
  EXPECT_TRUE(throttle.attempt("anna", "ward", now));
  throttle.succeed("anna", "ward");
  for (int i = 0; i < Throttle::account_free; ++i) EXPECT_TRUE(throttle.attempt("anna", "elsewhere", now));
  EXPECT_FALSE(throttle.attempt("anna", "elsewhere", now));
  EXPECT_FALSE(throttle.attempt("anna", "anywhere", now));
  // There too guesses are counted.
  for (int i = 0; i < Throttle::account_free; ++i) EXPECT_TRUE(throttle.attempt("anna", "ward", now)) << i;
  EXPECT_FALSE(throttle.attempt("anna", "ward", now));
}

TEST_F(Login, ManyAccountsTriedFromOneAddressMakeItWait) {
  Throttle throttle;
  for (int i = 0; i < Throttle::address_free; ++i)
    EXPECT_TRUE(throttle.attempt(std::to_string(i), "192.0.2.1", clock.now()));
  EXPECT_EQ(throttle.attempt("another", "192.0.2.1", clock.now()).error().code, Code::busy);
  EXPECT_TRUE(throttle.attempt("another", "192.0.2.2", clock.now()));
  EXPECT_TRUE(throttle.attempt("another", "192.0.2.1", clock.now() + Throttle::forgotten_after));
}

TEST_F(Login, AttemptsThatNeverEndTakeNoMoreRoom) {
  Throttle throttle;
  for (std::size_t i = 0; i < Throttle::entries_max + 1000; ++i)
    ASSERT_TRUE(throttle.attempt(std::to_string(i), std::to_string(i), clock.now()));
}

TEST_F(Login, GuessingIsSlowedDown) {
  const auto identity = make();
  add_user("anna");
  auto wrong = credentials("anna");
  wrong.password = "not the password";
  for (int i = 0; i < Throttle::account_free; ++i) EXPECT_EQ(log_in(*identity, wrong).error().code, Code::refused);
  EXPECT_EQ(log_in(*identity, credentials("anna")).error().code, Code::busy);
  clock.advance(1s);
  EXPECT_TRUE(log_in(*identity, credentials("anna")));
}

TEST_F(Login, GuessingOneTimeCodesIsSlowedDownThoughThePasswordIsRight) {
  const auto identity = make();
  add_user("root", {"administrator"});
  const auto uri =
      write<std::string>([&](store::Transaction& transaction) { return identity->set_totp(transaction, "root"); });
  ASSERT_TRUE(uri);
  const auto secret =
      *crypto::base32_decode(uri->substr(uri->find("secret=") + 7, uri->find("&issuer") - uri->find("secret=") - 7));
  const auto right = crypto::hotp(secret, static_cast<std::uint64_t>(crypto::totp_step(clock.now())));
  const std::string wrong = right == "000000" ? "000001" : "000000";
  for (int i = 0; i < Throttle::account_free; ++i)
    EXPECT_EQ(log_in(*identity, credentials("root", wrong)).error().code, Code::refused);
  EXPECT_EQ(log_in(*identity, credentials("root", right)).error().code, Code::busy);
  clock.advance(1s);
  EXPECT_TRUE(log_in(*identity, credentials("root", right)));
}

TEST_F(Login, RoleThatNeedsACodeEnrolsAnAppFirst) {
  const auto identity = make();
  add_user("root", {"administrator"});
  auto given = credentials("root");
  const auto refused = log_in(*identity, given);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, "totp_enrolment");
  const auto checked = identity->check_password(given, clock.now());
  const auto enrolment = write<Enrolment>(
      [&](store::Transaction& transaction) { return identity->begin_enrolment(transaction, *checked); });
  ASSERT_TRUE(enrolment);
  const auto finish = [&](const std::string& code) {
    given.code = code;
    return write<Issued>([&](store::Transaction& transaction) {
      return identity->finish_enrolment(transaction, given, enrolment->token, clock.now());
    });
  };
  const auto right = crypto::hotp(enrolment->secret, static_cast<std::uint64_t>(crypto::totp_step(clock.now())));
  EXPECT_EQ(finish(right == "000000" ? "000001" : "000000").error().code, Code::refused);
  const auto issued = finish(right);
  ASSERT_TRUE(issued) << issued.error().text;
  EXPECT_TRUE(with_cookie(*identity, issued->token)->has_role("administrator"));
  EXPECT_EQ(finish(right).error().code, Code::gone);

  // From now on there is no way in without a code, and each counts once.
  EXPECT_FALSE(log_in(*identity, credentials("root")));
  EXPECT_FALSE(log_in(*identity, credentials("root", right)));
  clock.advance(30s);
  const auto next = crypto::hotp(enrolment->secret, static_cast<std::uint64_t>(crypto::totp_step(clock.now())));
  EXPECT_TRUE(log_in(*identity, credentials("root", next)));
  EXPECT_FALSE(log_in(*identity, credentials("root", next)));
}

TEST_F(Login, EnrolmentThatTakesTooLongIsOver) {
  const auto identity = make();
  add_user("root", {"administrator"});
  const auto checked = identity->check_password(credentials("root"), clock.now());
  const auto enrolment = write<Enrolment>(
      [&](store::Transaction& transaction) { return identity->begin_enrolment(transaction, *checked); });
  clock.advance(10min);
  const auto code = crypto::hotp(enrolment->secret, static_cast<std::uint64_t>(crypto::totp_step(clock.now())));
  EXPECT_EQ(write<Issued>([&](store::Transaction& transaction) {
              return identity->finish_enrolment(transaction, credentials("root", code), enrolment->token, clock.now());
            })
                .error()
                .code,
            Code::gone);
}

TEST_F(Login, SecretsAreSealedWhenThereIsAKey) {
  settings.key = "a key of the deployment's own";
  const auto identity = make();
  add_user("root", {"administrator"});
  const auto uri =
      write<std::string>([&](store::Transaction& transaction) { return identity->set_totp(transaction, "root"); });
  ASSERT_TRUE(uri);
  EXPECT_TRUE(uri->starts_with("otpauth://totp/MyDR24:root?secret="));
  const auto text = uri->substr(uri->find('=') + 1, 32);
  const auto shared = *crypto::base32_decode(text);
  ASSERT_TRUE(store.read([](store::Reader& reader) -> Result<> {
    const auto user = users::find(reader, "root");
    EXPECT_TRUE((*user)->totp.starts_with("sealed:"));
    return {};
  }));
  const auto code = crypto::hotp(shared, static_cast<std::uint64_t>(crypto::totp_step(clock.now())));
  EXPECT_TRUE(log_in(*identity, credentials("root", code)));
  // With another key nothing opens.
  settings.key = "another key of another one";
  Identity other(store, clock, settings, log, fetch());
  EXPECT_EQ(other.start().error().code, Code::internal);
}

TEST_F(Login, FirstAdministratorComesByALinkThatWorksOnce) {
  const auto identity = make();
  const auto token = write<std::optional<std::string>>(
      [&](store::Transaction& transaction) { return identity->make_setup_token(transaction); });
  ASSERT_TRUE(token && *token);
  const auto finish = [&](const std::string& with) {
    return write([&](store::Transaction& transaction) {
      return identity->finish_setup(transaction, with, "root", *crypto::hash_password(password));
    });
  };
  EXPECT_EQ(finish(crypto::random_token()).error().code, Code::gone);
  ASSERT_TRUE(finish(**token));
  EXPECT_EQ(finish(**token).error().code, Code::gone);
  EXPECT_EQ(log_in(*identity, credentials("root")).error().where, "totp_enrolment");
  const auto again = write<std::optional<std::string>>(
      [&](store::Transaction& transaction) { return identity->make_setup_token(transaction); });
  EXPECT_FALSE(again->has_value());
}

TEST_F(Login, SetUpLinkIsVoidAfterAnHourAndAsSoonAsThereIsAUser) {
  const auto identity = make();
  const auto make_token = [&] {
    return **write<std::optional<std::string>>(
        [&](store::Transaction& transaction) { return identity->make_setup_token(transaction); });
  };
  const auto valid = [&](const std::string& token) {
    return store
        .read([&](store::Reader& reader) -> Result<> {
          MYDR24_TRY(identity->check_setup_token(reader, token, clock.now()));
          return {};
        })
        .has_value();
  };
  const auto first = make_token();
  EXPECT_TRUE(valid(first));
  clock.advance(1h);
  EXPECT_FALSE(valid(first));
  const auto second = make_token();
  EXPECT_TRUE(valid(second));
  add_user("anna");
  EXPECT_FALSE(valid(second));
}

TEST_F(Login, SessionEndsWhenNobodyUsesIt) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  for (int i = 0; i < 5; ++i) {
    clock.advance(14min);
    EXPECT_TRUE(with_cookie(*identity, issued->token)) << i;
  }
  clock.advance(15min);
  EXPECT_EQ(with_cookie(*identity, issued->token).error().code, Code::refused);
}

TEST_F(Login, RequestsOfAPageWithoutItsPersonKeepNoSession) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  for (int i = 0; i < 14; ++i) {
    clock.advance(1min);
    EXPECT_TRUE(with_cookie(*identity, issued->token, {{"X-MyDR24-Unattended", "true"}}));
  }
  // A person's request counts although the same token was looked at a moment ago.
  clock.advance(500ms);
  EXPECT_TRUE(with_cookie(*identity, issued->token));
  clock.advance(14min);
  EXPECT_TRUE(with_cookie(*identity, issued->token, {{"X-MyDR24-Unattended", "true"}}));
  clock.advance(1min);
  EXPECT_FALSE(with_cookie(*identity, issued->token, {{"X-MyDR24-Unattended", "true"}}));
}

TEST_F(Login, SessionEndsAfterItsLongestTimeHoweverItIsUsed) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  for (int i = 0; i < 71; ++i) {
    clock.advance(10min);
    ASSERT_TRUE(with_cookie(*identity, issued->token)) << i;
  }
  clock.advance(10min);
  EXPECT_FALSE(with_cookie(*identity, issued->token));
}

TEST_F(Login, AnotherServerOnTheStoreSeesARevocationWithinTwoSeconds) {
  const auto here = make();
  const auto there = make();
  add_user("anna");
  const auto issued = log_in(*here, credentials("anna"));
  EXPECT_TRUE(with_cookie(*here, issued->token));
  EXPECT_TRUE(with_cookie(*there, issued->token));
  ASSERT_TRUE(
      write([&](store::Transaction& transaction) { return sessions::revoke(transaction, issued->session.id); }));
  here->forget();
  EXPECT_FALSE(with_cookie(*here, issued->token));
  clock.advance(TokenCache::valid);
  EXPECT_FALSE(with_cookie(*there, issued->token));
}

TEST_F(Login, ChangedPasswordAndDisabledAccountEndEverySession) {
  const auto identity = make();
  add_user("anna");
  add_user("bert");
  const auto anna = log_in(*identity, credentials("anna")), bert = log_in(*identity, credentials("bert"));
  EXPECT_TRUE(with_cookie(*identity, anna->token));
  EXPECT_TRUE(with_cookie(*identity, bert->token));
  ASSERT_TRUE(write([](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(users::set_password(transaction, "anna", "x"));
    return users::set_disabled(transaction, "bert", true);
  }));
  clock.advance(TokenCache::valid);
  EXPECT_FALSE(with_cookie(*identity, anna->token));
  EXPECT_FALSE(with_cookie(*identity, bert->token));
  // Enabled again, what was given before stays void.
  ASSERT_TRUE(write([](store::Transaction& transaction) { return users::set_disabled(transaction, "bert", false); }));
  EXPECT_FALSE(with_cookie(*identity, bert->token));
  EXPECT_TRUE(log_in(*identity, credentials("bert")));
}

TEST_F(Login, ChangedRolesCountWithinTwoSeconds) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  EXPECT_FALSE(with_cookie(*identity, issued->token)->has_role("doctor"));
  ASSERT_TRUE(write([](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto user, users::find(transaction, "anna"));
    user->roles = {"doctor"};
    return users::write(transaction, *user);
  }));
  clock.advance(TokenCache::valid);
  EXPECT_TRUE(with_cookie(*identity, issued->token)->has_role("doctor"));
}

TEST_F(Login, RequestThatAPageOfAnotherSiteMadeIsRefused) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  for (const auto& [site, accepted] :
       {std::pair{"same-origin", true}, {"none", true}, {"cross-site", false}, {"same-site", false}})
    EXPECT_EQ(with_cookie(*identity, issued->token, {{"Sec-Fetch-Site", site}}, net::Method::post).has_value(),
              accepted)
        << site;
  EXPECT_TRUE(with_cookie(*identity, issued->token, {{"Sec-Fetch-Site", "cross-site"}}));
  // Browsers that do not say which site it is say which origin.
  for (const auto& [origin, accepted] : {std::pair{"https://fhir.example:8443", true},
                                         {"null", false},
                                         {"https://evil.example", false},
                                         {"https://fhir.example", false},
                                         {"https://fhir.example:8443.evil.example", false},
                                         {"x", false}})
    EXPECT_EQ(
        with_cookie(*identity, issued->token, {{"Origin", origin}, {"Host", "fhir.example:8443"}}, net::Method::post)
            .has_value(),
        accepted)
        << origin;
  EXPECT_FALSE(with_cookie(*identity, issued->token, {{"Origin", "https://evil.example"}, {"Host", "fhir.example"}}));
}

TEST_F(Login, ACookieCountsForPagesOfThisOriginOnly) {
  settings.origin = "https://ehr.example";
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  struct Row {
    Pairs headers;
    bool read, change;  // accepted
  };
  for (const auto& [headers, read, change] :
       {Row{{}, true, true}, Row{{{"Origin", "https://ehr.example"}}, true, true},
        Row{{{"Origin", "http://10.0.0.5:8024"}, {"Host", "10.0.0.5:8024"}}, true, true},
        Row{{{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}, {"Host", "a"}}, true, true},
        Row{{{"Origin", "http://10.0.0.5:9999"}, {"Host", "10.0.0.5:8024"}}, false, false},
        Row{{{"Origin", "https://other.ehr.example"}, {"Host", "ehr.example"}}, false, false},
        Row{{{"Origin", "null"}, {"Host", "ehr.example"}}, false, false},
        Row{{{"Origin", "https://app.example"}, {"Sec-Fetch-Site", "cross-site"}}, false, false},
        // A link on another site that the person followed.
        Row{{{"Sec-Fetch-Site", "cross-site"}}, true, false}}) {
    const auto named = headers.empty() ? std::string("no header") : headers.front().second;
    EXPECT_EQ(with_cookie(*identity, issued->token, headers).has_value(), read) << named;
    EXPECT_EQ(with_cookie(*identity, issued->token, headers, net::Method::post).has_value(), change) << named;
  }
}

TEST_F(Login, WithoutCredentialsARequestIsAnonymousAndWithBadOnesItIsRefused) {
  const auto identity = make();
  const FakeRequest none(Pairs{});
  const auto nobody = identity->authenticate(none.request, clock.now());
  ASSERT_TRUE(nobody);
  EXPECT_FALSE(nobody->is_known());
  for (const char* header : {"Basic YTpi", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "token"}) {
    const FakeRequest bad(Pairs{{"Authorization", header}});
    const auto refused = identity->authenticate(bad.request, clock.now());
    ASSERT_FALSE(refused) << header;
    EXPECT_EQ(refused.error().code, Code::refused);
  }
  EXPECT_FALSE(with_token(*identity, crypto::random_token()));
  EXPECT_FALSE(with_cookie(*identity, crypto::random_token()));
}

TEST_F(Login, CookieIsNoBearerTokenAndCookiesOverTlsHaveANameOfTheirOwn) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  EXPECT_FALSE(with_token(*identity, issued->token));
  EXPECT_TRUE(with_cookie(*identity, issued->token));
  EXPECT_FALSE(with_token(*identity, issued->token));
  FakeRequest plain(Pairs{{"Cookie", "mydr24=" + issued->token}});
  plain.request.secure = true;
  EXPECT_FALSE(identity->authenticate(plain.request, clock.now())->is_known());
  FakeRequest secure(Pairs{{"Cookie", "__Host-mydr24=" + issued->token}});
  secure.request.secure = true;
  EXPECT_TRUE(identity->authenticate(secure.request, clock.now())->is_known());
}

TEST_F(Login, UsersThatAreMalformedAreRefused) {
  struct Row {
    const char* where;
    User user;
  };
  const std::array<Row, 7> rows{{{"name", {.name = ""}},
                                 {"name", {.name = "anna b"}},
                                 {"name", {.name = "../x"}},
                                 {"name", {.name = std::string(65, 'a')}},
                                 {"display", {.name = "a", .display = "x\ny"}},
                                 {"roles", {.name = "a", .roles = {"a b"}}},
                                 {"fhir_user", {.name = "a", .fhir_user = "Observation/1"}}}};
  for (const auto& [where, user] : rows) {
    const auto added = write([&](store::Transaction& transaction) { return users::add(transaction, user); });
    ASSERT_FALSE(added) << where;
    EXPECT_EQ(added.error().where, where);
  }
  add_user("anna");
  EXPECT_EQ(
      write([](store::Transaction& transaction) { return users::add(transaction, {.name = "ANNA"}); }).error().code,
      Code::conflict);
}

TEST_F(Login, PasswordsThatAreEasilyGuessedAreRefused) {
  for (const char* bad : {"", "short", "aaaaaaaaaaaaaaaa", "my name is Anna!"})
    EXPECT_FALSE(check_new_password(bad, "anna")) << bad;
  EXPECT_TRUE(check_new_password("a long enough sentence", "anna"));
}

TEST_F(Login, NoSecretIsLoggedOrKeptAsItIs) {
  const auto identity = make();
  add_user("anna");
  const auto issued = log_in(*identity, credentials("anna"));
  auto wrong = credentials("anna");
  wrong.password = "a wrong password";
  EXPECT_FALSE(log_in(*identity, wrong));
  EXPECT_TRUE(with_cookie(*identity, issued->token));
  std::string all = logged.str();
  ASSERT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    for (const char* space :
         {"identity.user", "identity.session", "identity.token", "identity.once", "identity.expiry"}) {
      const auto found = reader.states(space, "", "", 1000);
      for (const auto& row : *found) all += row.key + row.value;
    }
    return {};
  }));
  EXPECT_TRUE(all.contains("anna"));
  EXPECT_FALSE(all.contains(password));
  EXPECT_FALSE(all.contains("a wrong password"));
  EXPECT_FALSE(all.contains(issued->token));
}

}  // namespace
}  // namespace mydr24::identity
