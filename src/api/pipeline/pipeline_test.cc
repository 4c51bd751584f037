#include <gtest/gtest.h>

#include "api/pipeline/router.h"

namespace mydr24::pipeline {
namespace {

Router small_router() {
  Router router;
  router.add({net::Method::get, "/fhir/{type}", "search-type", RequestClass::routine, {}});
  router.add({net::Method::post, "/fhir/{type}", "create", RequestClass::routine, {}});
  router.add({net::Method::get, "/fhir/metadata", "capabilities", RequestClass::routine, {}});
  router.add({net::Method::get, "/fhir/{type}/{id}", "read", RequestClass::routine, {}});
  router.add({net::Method::get, "/", "page", RequestClass::routine, {}});
  return router;
}

TEST(Router, ALiteralSegmentWinsOverACapture) {
  const auto router = small_router();
  EXPECT_EQ(router.match(net::Method::get, "/fhir/metadata").route->interaction, "capabilities");
  const auto match = router.match(net::Method::get, "/fhir/Patient");
  EXPECT_EQ(match.route->interaction, "search-type");
  EXPECT_EQ(match.captures[0], "Patient");
}

TEST(Router, ARouteOfOneResourceTypeLeavesItTheOtherMethodsOfEveryType) {
  Router router;
  const auto nothing = [](Call&) -> Task<> { co_return; };
  router.add({net::Method::get, "/fhir/{type}", "search", RequestClass::routine, nothing});
  router.add({net::Method::post, "/fhir/{type}", "create", RequestClass::routine, nothing});
  router.add({net::Method::get, "/fhir/AuditEvent", "own search", RequestClass::routine, nothing});
  router.add({net::Method::get, "/fhir/metadata", "capabilities", RequestClass::routine, nothing});
  EXPECT_EQ(router.match(net::Method::get, "/fhir/AuditEvent").route->interaction, "own search");
  const auto created = router.match(net::Method::post, "/fhir/AuditEvent");
  ASSERT_NE(created.route, nullptr);
  EXPECT_EQ(created.route->interaction, "create");
  EXPECT_EQ(created.captures[0], "AuditEvent");
  EXPECT_EQ(router.match(net::Method::post, "/fhir/metadata").route, nullptr);
}

TEST(Router, TheVersionSegmentMayBeLeftOut) {
  const auto router = small_router();
  const auto match = router.match(net::Method::get, "/fhir/R4/Patient/12");
  EXPECT_EQ(match.route->interaction, "read");
  EXPECT_EQ(match.captures[1], "12");
}

TEST(Router, AWrongMethodNamesTheRightOnes) {
  const auto router = small_router();
  const auto match = router.match(net::Method::del, "/fhir/Patient");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, POST");
  EXPECT_EQ(router.match(net::Method::post, "/fhir/metadata").allow, "GET");
}

TEST(Router, HeadFindsTheGetRoute) {
  EXPECT_EQ(small_router().match(net::Method::head, "/fhir/Patient/1").route->interaction, "read");
}

TEST(Router, ARouteKnowsTheFeatureItBelongsTo) {
  Router router;
  router.add({net::Method::get, "/fhir/$graphql", "$graphql", RequestClass::routine, {}});
  router.add({net::Method::get, "/fhir/{type}/{id}", "read", RequestClass::routine, {}});
  const auto of = [&](std::string_view path) { return router.match(net::Method::get, path).route->feature; };
  FeatureSwitches switches;
  EXPECT_FALSE(switches.is_off(of("/fhir/$graphql")));
  for (std::uint8_t i = 0; i < features().size(); ++i) switches.set(i, false);
  EXPECT_TRUE(switches.is_off(of("/fhir/$graphql")));
  EXPECT_FALSE(switches.is_off(of("/fhir/Patient/1"))) << "belongs to none";
  switches.set(of("/fhir/$graphql"), true);
  EXPECT_FALSE(switches.is_off(of("/fhir/$graphql")));
  EXPECT_LE(features().size(), 32U);
}

TEST(Router, AnUnknownPathFindsNothing) {
  const auto router = small_router();
  EXPECT_EQ(router.match(net::Method::get, "/a/b/c/d/e/f/g/h/i/j").route, nullptr);
  EXPECT_TRUE(router.match(net::Method::get, "/nothing").allow.empty());
  EXPECT_EQ(router.match(net::Method::get, "/").route->interaction, "page");
}

}  // namespace
}  // namespace mydr24::pipeline
