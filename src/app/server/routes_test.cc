// The default policy against the router: what a role may do there is, and what there is, is for some role or open on
// purpose.

#include <set>

#include "app/server/access_fixture.h"
#include "guard/access/decision.h"
#include "guard/access/policy.h"

namespace mydr24::server {
namespace {

struct Served {
  std::string method, pattern, interaction;
  bool open = false;
};

class Routes : public AccessTest {
 protected:
  static std::vector<Served> served() {
    std::vector<Served> found;
    const auto document = json::Document::parse(system_->openapi());
    EXPECT_TRUE(document);
    for (const auto path : document->root()["paths"]) {
      for (const auto operation : path) {
        found.push_back({.method = std::string(operation.key()),
                         .pattern = std::string(path.key()),
                         .interaction = std::string(operation["x-mydr24-interaction"].text()),
                         .open = operation["x-mydr24-open"].is_true()});
      }
    }
    return found;
  }
  static bool is_fhir(const Served& route) { return route.pattern.starts_with("/fhir"); }
};

TEST_F(Routes, EveryOperationOfThePolicyIsServed) {
  const auto routes = served();
  ASSERT_GT(routes.size(), 100U);
  const auto policy = access::default_policy();
  for (const auto& role : policy->roles) {
    for (const auto& operation : role.operations) {
      // By the words of the policy itself: "alert-*" names at least one route.
      const access::Role one{.operations = {operation}};
      EXPECT_TRUE(std::ranges::any_of(
          routes,
          [&](const Served& route) { return !is_fhir(route) && !route.open && one.may_operate(route.interaction); }))
          << role.name << " may " << operation << ", which nothing serves";
    }
  }
}

TEST_F(Routes, EveryRouteIsForSomeRoleOrOpenOnPurpose) {
  // What proves by itself who it comes from, or tells what is public.
  const std::set<std::string> open_on_purpose{"page",
                                              "console-config",
                                              "monitor-probe",
                                              "openapi",
                                              "capabilities",
                                              "discovery",
                                              "authorize",
                                              "token",
                                              "token-preflight",
                                              "introspect-preflight",
                                              "revoke-token-preflight",
                                              "userinfo-preflight",
                                              "introspect",
                                              "revoke-token",
                                              "register-client",
                                              "userinfo",
                                              "login-page",
                                              "login",
                                              "logout-page",
                                              "logout",
                                              "setup-page",
                                              "setup",
                                              "ack-page",
                                              "ack-link",
                                              "twilio-sms",
                                              "twilio-voice",
                                              "twilio-status",
                                              "slack-action",
                                              "pagerduty-webhook",
                                              "oncall-calendar",
                                              "status-page",
                                              "status-feed",
                                              "am-healthy",
                                              "am-ready"};
  const auto policy = access::default_policy();
  std::set<std::string> opened;
  for (const auto& route : served()) {
    if (route.open) {
      EXPECT_TRUE(open_on_purpose.contains(route.interaction)) << route.method << " " << route.pattern << " is open";
      opened.insert(route.interaction);
      continue;
    }
    if (is_fhir(route) || route.interaction.starts_with("session-")) continue;
    EXPECT_TRUE(std::ranges::any_of(policy->roles,
                                    [&](const access::Role& role) { return role.may_operate(route.interaction); }))
        << route.method << " " << route.pattern << " (" << route.interaction << ") is for nobody";
  }
  EXPECT_EQ(opened, open_on_purpose);
}

// Of FHIR the policy speaks of types: each interaction asks for one permission, or passes a guarded reader.
TEST_F(Routes, EveryInteractionOfFhirIsDecidedOrGuarded) {
  const std::set<std::string> each_resource_by_itself{"$graphql",      "$validate", "transaction",    "history-system",
                                                      "search-system", "$expand",   "$validate-code", "$lookup",
                                                      "$subsumes",     "$translate"};
  // Sees nothing at all: whoever may no type is refused what is decided by type.
  auto caller = std::make_shared<access::Caller>();
  caller->principal.kind = access::PrincipalKind::person;
  caller->principal.id = "user/nemo";
  caller->sight = access::Sight::of(access::default_policy(), caller->principal).value();
  std::set<std::string> guarded;
  for (const auto& route : served()) {
    if (!is_fhir(route) || route.open) continue;
    const auto decision = access::decide_fhir(*caller, route.interaction, "Patient");
    if (decision.allowed) guarded.insert(route.interaction);
  }
  EXPECT_EQ(guarded, each_resource_by_itself);
}

}  // namespace
}  // namespace mydr24::server
