// Sessions and tokens of several servers on one database.

#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "base/crypto/digest.h"
#include "base/crypto/password.h"
#include "guard/identity/account.h"
#include "guard/identity/identity.h"
#include "storage/postgres/postgres.h"
#include "storage/postgres/throwaway.h"

namespace mydr24::server {
namespace {

using namespace std::chrono_literals;
using identity::Issued;

class SharedIdentity : public testing::Test {
 protected:
  // A server's part of it.
  struct Node {
    explicit Node(std::unique_ptr<store::Store> opened) : store(std::move(opened)) {
      identity.attach();
      const auto started = identity.start();
      EXPECT_TRUE(started) << started.error().text;
    }
    ~Node() {
      identity.stop();
      store.reset();
    }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    Result<> write(const std::function<Result<>(store::Transaction&)>& work) {
      return store->write(RequestClass::urgent, [&](store::Transaction& transaction) { return work(transaction); });
    }
    Result<Issued> refresh(const std::string& token) {
      Result<Issued> result = fail(Code::internal, "not run");
      const auto done = store->write(
          RequestClass::urgent, identity::committing<Issued>(
                                    [&](store::Transaction& transaction) -> Result<Issued> {
                                      MYDR24_ASSIGN(const auto client, identity::clients::find(transaction, "app"));
                                      return identity.grants().refresh(transaction, token, *client, {});
                                    },
                                    result));
      return done ? std::move(result) : Result<Issued>(done.error());
    }
    bool stands(const std::string& token) { return identity.find_principal(token, system_clock().now()).has_value(); }

    std::ostringstream said;
    telemetry::Log log{{.level = telemetry::Level::error}, system_clock(), said};
    std::unique_ptr<store::Store> store;
    identity::Identity identity{*store, system_clock(), {}, log};
  };

  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << "PostgreSQL is not installed";
    database_ = server_->lend_database();
    for (auto& node : nodes_) {
      auto opened = postgres::open({.url = server_->url(database_)}, system_clock());
      ASSERT_TRUE(opened) << opened.error().text;
      node = std::make_unique<Node>(std::move(*opened));
    }
    ASSERT_TRUE(nodes_[0]->write([](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(identity::users::add(transaction, {.name = "anna", .password = "x"}));
      MYDR24_TRY(identity::clients::add(transaction, {.id = "app",
                                                      .name = "app",
                                                      .redirect_uris = {"https://app.example/"},
                                                      .grant_types = {"authorization_code", "refresh_token"}}));
      return {};
    }));
  }
  void TearDown() override {
    for (auto& node : nodes_) node.reset();
    if (server_ != nullptr) server_->give_back(database_);
  }

  // What an agreement of anna's gives, at the first server.
  Issued agreed() {
    Issued issued;
    EXPECT_TRUE(nodes_[0]->write([&](store::Transaction& transaction) -> Result<> {
      const auto& grants = nodes_[0]->identity.grants();
      MYDR24_ASSIGN(const auto client, identity::clients::find(transaction, "app"));
      MYDR24_ASSIGN(const auto code,
                    grants.issue_code(transaction, {.client = "app",
                                                    .redirect_uri = "https://app.example/",
                                                    .code_challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                                                    .user = "anna",
                                                    .scopes = "user/*.rs offline_access",
                                                    .client_created = client->created}));
      MYDR24_ASSIGN(issued, grants.redeem_code(transaction, code, *client, "https://app.example/",
                                               "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
      return {};
    }));
    return issued;
  }

  postgres::ThrowawayServer* const server_ = postgres::shared_server();
  std::string database_;
  std::array<std::unique_ptr<Node>, 2> nodes_;
};

TEST_F(SharedIdentity, WhatOneServerRevokesTheOtherRefusesWithinFiveSeconds) {
  const auto issued = agreed();
  EXPECT_TRUE(nodes_[0]->stands(issued.token));
  EXPECT_TRUE(nodes_[1]->stands(issued.token));
  ASSERT_TRUE(nodes_[0]->write(
      [&](store::Transaction& transaction) { return identity::sessions::revoke(transaction, issued.session.id); }));
  nodes_[0]->identity.forget();
  EXPECT_FALSE(nodes_[0]->stands(issued.token));
  const auto begin = std::chrono::steady_clock::now();
  while (nodes_[1]->stands(issued.token) && std::chrono::steady_clock::now() - begin < 5s)
    std::this_thread::sleep_for(10ms);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(took, 5s);
  RecordProperty("milliseconds", std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
}

TEST_F(SharedIdentity, OfTwoServersThatAreGivenOneRefreshTokenOneTakesIt) {
  for (int round = 0; round < 5; ++round) {
    const auto issued = agreed();
    std::array<bool, 2> taken{};
    {
      std::array<std::jthread, 2> threads;
      for (std::size_t i = 0; i < 2; ++i)
        threads[i] = std::jthread([&, i] { taken[i] = nodes_[i]->refresh(issued.refresh).has_value(); });
    }
    EXPECT_EQ(taken[0] + taken[1], 1);
    // The other one was a replay: what the first was given is void too.
    for (auto& node : nodes_) node->identity.forget();
    EXPECT_FALSE(nodes_[0]->stands(issued.token));
  }
}

TEST_F(SharedIdentity, AnInvitationOfOneServerCountsAtTheOtherOnceAndEndsWhatWasGivenBefore) {
  const auto issued = agreed();
  EXPECT_TRUE(nodes_[1]->stands(issued.token));
  identity::Invited invited;
  ASSERT_TRUE(nodes_[0]->write([&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto anna, identity::users::find(transaction, "anna"));
    const auto seen = identity::version_of(*anna);
    const auto policy = access::default_policy();
    MYDR24_ASSIGN(invited,
                  identity::accounts::invite(transaction, nodes_[0]->identity,
                                             {.by = "user/ada", .policy = *policy, .name = "anna", .seen = seen}));
    return {};
  }));
  const auto begin = std::chrono::steady_clock::now();
  while (nodes_[1]->stands(issued.token) && std::chrono::steady_clock::now() - begin < 5s)
    std::this_thread::sleep_for(10ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  const auto choose = [&](Node& node) {
    return node.write([&](store::Transaction& transaction) {
      return node.identity.finish_setup(transaction, invited.invitation.token, {}, "a hash");
    });
  };
  EXPECT_TRUE(choose(*nodes_[1]));
  EXPECT_FALSE(choose(*nodes_[0]));
}

TEST_F(SharedIdentity, BothSignWithTheSameKeys) {
  EXPECT_TRUE(nodes_[1]->identity.keys().published().contains("ES256"));
  EXPECT_EQ(nodes_[0]->identity.keys().form_key().size(), 32U);
  EXPECT_EQ(nodes_[0]->identity.keys().form_key(), nodes_[1]->identity.keys().form_key());
  EXPECT_EQ(nodes_[0]->identity.keys().published(), nodes_[1]->identity.keys().published());
}

}  // namespace
}  // namespace mydr24::server
