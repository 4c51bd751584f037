#pragma once

// Identity on a store in memory with a clock moved by hand, and requests as it sees them. For tests.

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/jwt.h"
#include "base/crypto/password.h"
#include "base/crypto/totp.h"
#include "guard/identity/identity.h"
#include "storage/store/fake_store.h"

namespace mydr24::identity {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class FakeRequest : public net::Headers {
 public:
  FakeRequest(Pairs headers, net::Method method = net::Method::get) : headers_(std::move(headers)) {
    request.method = method;
    request.headers = this;
  }
  FakeRequest(const FakeRequest&) = delete;
  std::string_view operator[](std::string_view name) const override {
    for (const auto& [key, value] : headers_)
      if (key == name) return value;
    return {};
  }
  net::Request request;

 private:
  Pairs headers_;
};

class IdentityTest : public testing::Test {
 protected:
  static constexpr std::string_view password = "correct horse battery";
  static constexpr std::string_view verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";  // RFC 7636, appendix B
  static constexpr std::string_view challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  static constexpr std::string_view redirect = "https://app.example/back";

  IdentityTest() { settings.totp_roles = {"administrator"}; }

  // What the network would answer, by URL; how often it was asked.
  Fetch fetch() {
    return [this](const std::string& url) -> Result<Fetched> {
      const std::lock_guard lock(network_mutex);
      ++fetches[url];
      const auto found = network.find(url);
      if (found == network.end()) return fail(Code::busy, "not reachable");
      return found->second;
    };
  }
  int fetched(const std::string& url) {
    const std::lock_guard lock(network_mutex);
    return fetches[url];
  }

  std::unique_ptr<Identity> make() {
    auto made = std::make_unique<Identity>(store, clock, settings, log, fetch());
    made->attach();
    EXPECT_TRUE(made->start());
    return made;
  }

  template <class T>
  Result<T> write(std::function<Result<T>(store::Transaction&)> work) {
    Result<T> result = fail(Code::internal, "not run");
    const auto done = store.write(RequestClass::routine, committing<T>(std::move(work), result));
    return done ? std::move(result) : Result<T>(done.error());
  }
  Result<> write(const std::function<Result<>(store::Transaction&)>& work) {
    return store.write(RequestClass::routine, [&](store::Transaction& transaction) { return work(transaction); });
  }

  void add_user(std::string name, std::vector<std::string> roles = {"nurse"}, std::string fhir_user = {}) {
    const auto phc = crypto::hash_password(password, {.memory_kib = 64, .passes = 1, .lanes = 1});
    const auto added = write([&](store::Transaction& transaction) {
      return users::add(transaction, {.name = name, .password = *phc, .roles = roles, .fhir_user = fhir_user});
    });
    ASSERT_TRUE(added) << added.error().text;
  }
  Client add_client(Client client) {
    client.name = "An app";
    auto added =
        write<clients::Registered>([&](store::Transaction& transaction) { return clients::add(transaction, client); });
    EXPECT_TRUE(added) << added.error().text;
    secret = added->secret;
    return added->client;
  }
  Client add_app(std::string id = "app") {
    return add_client({.id = std::move(id),
                       .redirect_uris = {std::string(redirect)},
                       .grant_types = {"authorization_code", "refresh_token"},
                       .scopes = "patient/*.rs user/*.cruds offline_access online_access openid fhirUser"});
  }

  Credentials credentials(std::string name, std::string code = {}) {
    return {std::move(name), std::string(password), std::move(code), "192.0.2.1"};
  }
  Result<Issued> log_in(Identity& identity, const Credentials& given) {
    auto checked = identity.check_password(given, clock.now());
    if (!checked) return checked.error();
    return write<Issued>(
        [&](store::Transaction& transaction) { return identity.log_in(transaction, *checked, given, clock.now()); });
  }
  Result<Issued> redeem(Identity& identity, const std::string& code, const Client& client,
                        std::string_view with_verifier = verifier, std::string_view with_redirect = redirect) {
    return write<Issued>([&](store::Transaction& transaction) {
      return identity.grants().redeem_code(transaction, code, client, with_redirect, with_verifier);
    });
  }
  Result<Issued> refresh(Identity& identity, const std::string& token, const Client& client, std::string scopes = {}) {
    return write<Issued>(
        [&](store::Transaction& transaction) { return identity.grants().refresh(transaction, token, client, scopes); });
  }
  std::string code_for(Identity& identity, const Client& client, std::string user, std::string scopes,
                       std::string parent = {}) {
    auto code = write<std::string>([&](store::Transaction& transaction) -> Result<std::string> {
      MYDR24_ASSIGN(const auto found, users::find(transaction, user));
      return identity.grants().issue_code(transaction, {.client = client.id,
                                                        .redirect_uri = std::string(redirect),
                                                        .code_challenge = std::string(challenge),
                                                        .user = user,
                                                        .generation = found->generation,
                                                        .scopes = scopes,
                                                        .patient = "p1",
                                                        .nonce = "n",
                                                        .parent = parent,
                                                        .client_created = client.created});
    });
    EXPECT_TRUE(code) << code.error().text;
    return *code;
  }
  Result<access::Principal> with_cookie(Identity& identity, const std::string& token, Pairs more = {},
                                        net::Method method = net::Method::get) {
    more.emplace_back("Cookie", "a=b; mydr24=" + token);
    const FakeRequest request(std::move(more), method);
    return identity.authenticate(request.request, clock.now());
  }
  Result<access::Principal> with_token(Identity& identity, const std::string& token) {
    const FakeRequest request(Pairs{{"Authorization", "Bearer " + token}});
    return identity.authenticate(request.request, clock.now());
  }

  ManualClock clock{Instant(std::chrono::seconds(1'800'000'000))};
  store::FakeStore store{clock};
  std::ostringstream logged;
  telemetry::Log log{{.level = telemetry::Level::debug}, clock, logged};
  Settings settings;
  std::string secret;  // of the client added last
  std::mutex network_mutex;
  std::map<std::string, Fetched> network;
  std::map<std::string, int> fetches;
};

}  // namespace mydr24::identity
