#pragma once

// The whole system with access control on, and people who are logged in.

#include <string>
#include <utility>
#include <vector>

#include "app/server/server_fixture.h"
#include "guard/identity/grant.h"
#include "guard/identity/user.h"

namespace mydr24::server {

class AccessTest : public ServerTest {
 protected:
  static void SetUpTestSuite() {
    ServerTest::SetUpTestSuite();
    restart([](Settings& settings) {
      settings.access.mode = "on";
      settings.admission.mode = "off";
    });
  }

  // Stores a resource as the server itself.
  static void keep(std::string text) {
    auto prepared = system_->records().prepare(std::move(text), {});
    ASSERT_TRUE(prepared) << prepared.error().issues.front().diagnostics;
    ASSERT_TRUE(system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_TRY(system_->records().put(transaction, *prepared));
      return {};
    }));
  }
  // The cookie of a new session of that person, who is added when there is none of that name.
  static Headers log_in(const std::string& name, std::vector<std::string> roles, const std::string& fhir_user = {}) {
    identity::User user;
    user.name = name;
    user.roles = std::move(roles);
    user.fhir_user = fhir_user;
    identity::Issued issued;
    const auto done = system_->store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto there, identity::users::find(transaction, user.name));
      if (!there) MYDR24_TRY(identity::users::add(transaction, user));
      MYDR24_ASSIGN(issued, identity::Grants({}).open_page(transaction, user, "127.0.0.1"));
      return {};
    });
    EXPECT_TRUE(done) << done.error().text;
    return {{"Cookie", fmt::format("mydr24={}", issued.token)}};
  }
  static Headers with(Headers headers, std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return headers;
  }
};

}  // namespace mydr24::server
