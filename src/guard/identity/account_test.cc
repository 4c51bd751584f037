// What administrators may do with accounts, and what is void afterwards.

#include <chrono>

#include "guard/identity/account.h"
#include "guard/identity/detail/fixture.h"

namespace mydr24::identity {
namespace {

using namespace std::chrono_literals;

class Account : public IdentityTest {
 protected:
  User read(std::string_view name) {
    User user;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, users::find(reader, name));
      if (found) user = *found;
      return {};
    }));
    return user;
  }
  // By `ada`, of what is there now.
  Order order(std::string_view name, std::string_view by = "user/ada") {
    seen = version_of(read(name));
    return {.by = by, .policy = *policy, .name = name, .seen = seen};
  }
  Result<Invited> add(User user) {
    return write<Invited>(
        [&](store::Transaction& transaction) { return accounts::add(transaction, *identity, *policy, user); });
  }
  Result<Invited> invite(const Order& of) {
    return write<Invited>(
        [&](store::Transaction& transaction) { return accounts::invite(transaction, *identity, of); });
  }
  Result<User> change(const Order& of, const std::function<void(User&)>& step) {
    return write<User>(
        [&](store::Transaction& transaction) { return accounts::change(transaction, *identity, of, step); });
  }
  Result<User> set_roles(const Order& of, std::vector<std::string> roles) {
    return change(of, [&](User& user) { user.roles = roles; });
  }
  Result<User> set_disabled(const Order& of, bool disabled) {
    return write<User>(
        [&](store::Transaction& transaction) { return accounts::set_disabled(transaction, *identity, of, disabled); });
  }
  Result<User> remove_factor(const Order& of) {
    return write<User>(
        [&](store::Transaction& transaction) { return accounts::remove_second_factor(transaction, *identity, of); });
  }
  Result<> choose(const std::string& token, std::string_view with = password) {
    const auto phc = crypto::hash_password(with, {.memory_kib = 64, .passes = 1, .lanes = 1});
    return write([&](store::Transaction& transaction) {
      return identity->finish_setup(transaction, token, "whatever is typed in", *phc);
    });
  }
  template <class T>
  static Code code_of(const Result<T>& result) {
    return result ? Code::internal : result.error().code;
  }
  template <class T>
  static std::string where_of(const Result<T>& result) {
    return result ? "it was done" : result.error().where;
  }

  std::shared_ptr<const access::Policy> policy = access::default_policy();
  std::string seen;
  std::unique_ptr<Identity> identity = make();
};

TEST_F(Account, IsMadeWithoutAPasswordAndItsPersonChoosesOne) {
  const auto made = add({.name = "Nora", .display = "Nora N", .roles = {"nurse"}, .fhir_user = "Practitioner/nora"});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->user.name, "nora");
  EXPECT_EQ(made->invitation.expires, clock.now() + 72h);
  EXPECT_FALSE(log_in(*identity, credentials("nora")));
  ASSERT_TRUE(choose(made->invitation.token));
  EXPECT_TRUE(log_in(*identity, credentials("nora")));
  EXPECT_EQ(read("nora").roles, std::vector<std::string>{"nurse"});
}

TEST_F(Account, IsRefusedWithTheFieldThatIsWrong) {
  ASSERT_TRUE(add({.name = "nora", .roles = {"nurse"}}));
  EXPECT_EQ(code_of(add({.name = "nora"})), Code::conflict);
  EXPECT_EQ(where_of(add({.name = "no ra"})), "name");
  EXPECT_EQ(where_of(add({.name = "a", .display = std::string(201, 'x')})), "display");
  EXPECT_EQ(where_of(add({.name = "a", .fhir_user = "Device/1"})), "fhir_user");
  const auto unknown = add({.name = "a", .roles = {"nurse", "wizard"}});
  EXPECT_EQ(code_of(unknown), Code::invalid);
  EXPECT_EQ(where_of(unknown), "roles");
  EXPECT_TRUE(unknown.error().text.contains("wizard")) << unknown.error().text;
  for (const auto& role : policy->roles) EXPECT_TRUE(unknown.error().text.contains(role.name)) << role.name;
  EXPECT_TRUE(read("a").name.empty());
}

TEST_F(Account, InvitationWorksOnceAndOnlyItsDigestIsKept) {
  const auto made = add({.name = "nora", .roles = {"nurse"}});
  ASSERT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    for (const auto* space : {"identity.once", "identity.user", "identity.expiry"}) {
      MYDR24_ASSIGN(const auto rows, reader.states(space, "", "", 100));
      for (const auto& row : rows) EXPECT_FALSE((row.key + row.value).contains(made->invitation.token)) << space;
    }
    return {};
  }));
  ASSERT_TRUE(choose(made->invitation.token));
  EXPECT_EQ(code_of(choose(made->invitation.token, "another long password")), Code::gone);
  EXPECT_TRUE(log_in(*identity, credentials("nora")));
  EXPECT_EQ(code_of(choose(crypto::random_token())), Code::gone);
  EXPECT_FALSE(logged.str().contains(made->invitation.token));
}

TEST_F(Account, InvitationEndsAfterThreeDays) {
  const auto made = add({.name = "nora", .roles = {"nurse"}});
  clock.advance(72h - 1s);
  EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto name, identity->check_setup_token(reader, made->invitation.token, clock.now()));
    EXPECT_EQ(name, "nora");
    return {};
  }));
  clock.advance(1s);
  EXPECT_EQ(code_of(choose(made->invitation.token)), Code::gone);
}

TEST_F(Account, InvitationIsVoidAfterALaterOneAndWhenTheAccountIsDisabled) {
  const auto first = add({.name = "nora", .roles = {"nurse"}});
  const auto second = invite(order("nora"));
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_EQ(code_of(choose(first->invitation.token)), Code::gone);
  ASSERT_TRUE(set_disabled(order("nora"), true));
  EXPECT_EQ(code_of(choose(second->invitation.token)), Code::gone);
  EXPECT_EQ(code_of(invite(order("nora"))), Code::conflict);
  ASSERT_TRUE(set_disabled(order("nora"), false));
  EXPECT_EQ(code_of(choose(second->invitation.token)), Code::gone);
  ASSERT_TRUE(choose(invite(order("nora"))->invitation.token));
}

TEST_F(Account, InvitedAnewHasNeitherTheOldPasswordNorItsSessions) {
  add_user("nora");
  const auto issued = log_in(*identity, credentials("nora"));
  ASSERT_TRUE(with_cookie(*identity, issued->token));
  const auto invited = invite(order("nora"));
  ASSERT_TRUE(invited);
  clock.advance(TokenCache::valid);
  EXPECT_FALSE(with_cookie(*identity, issued->token)) << "also on a server that was not told";
  EXPECT_FALSE(log_in(*identity, credentials("nora")));
  ASSERT_TRUE(choose(invited->invitation.token, "quite another password"));
  auto given = credentials("nora");
  EXPECT_FALSE(log_in(*identity, given));
  given.password = "quite another password";
  EXPECT_TRUE(log_in(*identity, given));
}

TEST_F(Account, DisabledIsRefusedWithWhatItWasGiven) {
  add_user("nora");
  const auto issued = log_in(*identity, credentials("nora"));
  ASSERT_TRUE(with_cookie(*identity, issued->token));
  ASSERT_TRUE(set_disabled(order("nora"), true));
  clock.advance(TokenCache::valid);
  EXPECT_FALSE(with_cookie(*identity, issued->token));
  EXPECT_FALSE(log_in(*identity, credentials("nora")));
  ASSERT_TRUE(set_disabled(order("nora"), false));
  identity->forget();
  EXPECT_FALSE(with_cookie(*identity, issued->token)) << "what is void stays void";
  EXPECT_TRUE(log_in(*identity, credentials("nora")));
}

TEST_F(Account, RolesCountInSessionsThatAreOpen) {
  add_user("nora");
  const auto issued = log_in(*identity, credentials("nora"));
  ASSERT_TRUE(set_roles(order("nora"), {"nurse", "booking-desk"}));
  identity->forget();
  const auto principal = with_cookie(*identity, issued->token);
  ASSERT_TRUE(principal) << principal.error().text;
  EXPECT_TRUE(principal->has_role("booking-desk"));
}

TEST_F(Account, WhoGetsARoleThatNeedsASecondFactorHasToShowOneFirst) {
  add_user("nora");
  const auto issued = log_in(*identity, credentials("nora"));
  ASSERT_TRUE(set_roles(order("nora"), {"nurse", "administrator"}));
  identity->forget();
  EXPECT_FALSE(with_cookie(*identity, issued->token));
  EXPECT_EQ(log_in(*identity, credentials("nora")).error().where, "totp_enrolment");
  // Who has not begun yet keeps the invitation.
  const auto made = add({.name = "ben", .roles = {"nurse"}});
  ASSERT_TRUE(set_roles(order("ben"), {"administrator"}));
  EXPECT_TRUE(choose(made->invitation.token));
}

TEST_F(Account, SecondFactorIsTakenAwayWithTheSessionsAndEnrolledAnew) {
  add_user("nora", {"administrator"});
  EXPECT_EQ(code_of(remove_factor(order("nora"))), Code::conflict) << "there is none";
  ASSERT_TRUE(
      write<std::string>([&](store::Transaction& transaction) { return identity->set_totp(transaction, "nora"); }));
  const auto nora = read("nora");
  const auto issued = write<Issued>(
      [&](store::Transaction& transaction) { return identity->grants().open_page(transaction, nora, "192.0.2.1"); });
  ASSERT_TRUE(with_cookie(*identity, issued->token));
  ASSERT_TRUE(remove_factor(order("nora")));
  identity->forget();
  EXPECT_FALSE(with_cookie(*identity, issued->token));
  EXPECT_EQ(log_in(*identity, credentials("nora")).error().where, "totp_enrolment");
  // After a reset nobody is logged in: the invitation still counts.
  ASSERT_TRUE(
      write<std::string>([&](store::Transaction& transaction) { return identity->set_totp(transaction, "nora"); }));
  const auto invited = invite(order("nora"));
  ASSERT_TRUE(remove_factor(order("nora")));
  EXPECT_TRUE(choose(invited->invitation.token));
}

TEST_F(Account, OnesOwnRightsAreForAnother) {
  add_user("ada", {"administrator"}, "Practitioner/ada");
  add_user("ben", {"administrator"});
  ASSERT_TRUE(
      write<std::string>([&](store::Transaction& transaction) { return identity->set_totp(transaction, "ada"); }));
  EXPECT_EQ(where_of(set_roles(order("ada"), {"administrator", "compliance-officer"})), "roles");
  EXPECT_EQ(code_of(set_roles(order("ada"), {})), Code::refused);
  EXPECT_EQ(code_of(set_disabled(order("ada"), true)), Code::refused);
  EXPECT_EQ(code_of(remove_factor(order("ada"))), Code::refused);
  EXPECT_EQ(code_of(invite(order("ada"))), Code::refused);
  EXPECT_EQ(where_of(change(order("ada"), [](User& user) { user.fhir_user = "Patient/p1"; })), "fhir_user");
  EXPECT_TRUE(change(order("ada"), [](User& user) { user.display = "Ada A"; }));
  EXPECT_EQ(read("ada").display, "Ada A");
  // The same by another.
  EXPECT_TRUE(set_roles(order("ada", "user/ben"), {"administrator", "compliance-officer"}));
}

TEST_F(Account, TheLastEnabledAdministratorStaysOne) {
  add_user("ada", {"administrator"});
  add_user("ben", {"administrator"});
  ASSERT_TRUE(set_disabled(order("ben"), true));
  // Of a machine, or of two who do it to each other.
  for (const std::string by : {"client/export", "user/ben"}) {
    EXPECT_EQ(code_of(set_disabled(order("ada", by), true)), Code::conflict) << by;
    EXPECT_EQ(code_of(set_roles(order("ada", by), {"nurse"})), Code::conflict) << by;
  }
  EXPECT_TRUE(set_roles(order("ada", "client/export"), {"nurse", "administrator"}));
  ASSERT_TRUE(set_disabled(order("ben"), false));
  EXPECT_TRUE(set_disabled(order("ada", "user/ben"), true));
}

TEST_F(Account, WhoAdministersIsSaidByThePolicy) {
  policy = std::make_shared<const access::Policy>(
      *access::parse_policy(R"({"roles":{"it":{"operations":["account-*"]},"administrator":{}}})"));
  add_user("ada", {"administrator"});
  add_user("ben", {"it"});
  EXPECT_EQ(code_of(set_disabled(order("ben"), true)), Code::conflict);
  EXPECT_TRUE(set_disabled(order("ada", "user/ben"), true));
}

TEST_F(Account, ARoleThatThePolicyHasNoMoreMayStayAndNotBeGiven) {
  add_user("nora", {"nurse", "gone"});
  EXPECT_TRUE(set_roles(order("nora"), {"gone", "booking-desk"}));
  EXPECT_TRUE(set_roles(order("nora"), {"booking-desk"}));
  EXPECT_EQ(code_of(set_roles(order("nora"), {"booking-desk", "gone"})), Code::invalid);
}

TEST_F(Account, WhatSomebodyElseChangedMeanwhileIsNotOverwritten) {
  add_user("nora");
  auto first = order("nora");
  const auto old = std::string(first.seen);
  ASSERT_TRUE(set_roles(first, {"nurse", "booking-desk"}));
  const Order late{.by = "user/ben", .policy = *policy, .name = "nora", .seen = old};
  for (const auto& refused : {set_roles(late, {"nurse"}), set_disabled(late, true), remove_factor(late)}) {
    EXPECT_EQ(code_of(refused), Code::stale);
    EXPECT_EQ(where_of(refused), "If-Match");
  }
  EXPECT_EQ(code_of(invite(late)), Code::stale);
  EXPECT_EQ(read("nora").roles.size(), 2U);
  EXPECT_EQ(code_of(set_disabled(order("nobody"), true)), Code::not_found);
}

TEST_F(Account, ALoginIsNoChange) {
  add_user("nora");
  const auto before = version_of(read("nora"));
  ASSERT_TRUE(log_in(*identity, credentials("nora")));
  EXPECT_EQ(version_of(read("nora")), before);
}

}  // namespace
}  // namespace mydr24::identity
