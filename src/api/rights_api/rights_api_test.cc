#include "api/rights_api/rights_api.h"

#include <gtest/gtest.h>

namespace mydr24::rights_api {
namespace {

TEST(RightsApi, AnExportSeesWhatItsPersonSeesAndNothingOfOthers) {
  access::Principal officer;
  officer.kind = access::PrincipalKind::person;
  officer.id = "user/olga";
  officer.roles = {"compliance-officer", "nurse"};
  const auto caller = as_patient(*access::default_policy(), officer, "p1", nullptr);
  ASSERT_TRUE(caller);
  EXPECT_EQ((*caller)->principal.id, "user/olga") << "who asks stays who it is";
  EXPECT_EQ((*caller)->denials, nullptr) << "no Consent keeps a record from its person";
  const auto& sight = *(*caller)->sight;
  EXPECT_EQ(sight.reach(access::Permission::read, "Observation").extent, access::Reach::Extent::some);
  EXPECT_FALSE(sight.may(access::Permission::update, "Observation"));
}

}  // namespace
}  // namespace mydr24::rights_api
