#include "guard/access/scope.h"

#include <gtest/gtest.h>

namespace mydr24::access {
namespace {

std::string normal(std::string_view text) {
  const auto scopes = parse_scopes(text);
  return scopes ? to_string(*scopes) : scopes.error().text;
}

std::string cut(std::string_view asked, std::string_view allowed) {
  return to_string(granted(*parse_scopes(asked), *parse_scopes(allowed)));
}

TEST(Scope, Version1BecomesVersion2) {
  EXPECT_EQ(normal("patient/Observation.read"), "patient/Observation.rs");
  EXPECT_EQ(normal("user/*.write"), "user/*.cud");
  EXPECT_EQ(normal("system/*.*"), "system/*.cruds");
}

TEST(Scope, Version2KeepsItsPermissionsAndCriteria) {
  EXPECT_EQ(normal("patient/Observation.rs?category=a%7Cb openid  launch/patient"),
            "patient/Observation.rs?category=a%7Cb openid launch/patient");
}

TEST(Scope, PermissionsOutOfOrderOrUnknownAreRefused) {
  for (const auto* text :
       {"patient/Observation.sr", "patient/Observation.x", "patient/Observation.", "patient/Observation",
        "user/observation.r", "user/.r", "system/*.rr", "patient/Observation.r?"})
    EXPECT_FALSE(parse_scopes(text)) << text;
}

TEST(Scope, WhatCannotBeUnderstoodIsLeftOutWhenReadLeniently) {
  EXPECT_EQ(to_string(parse_scopes_leniently("patient/Observation.sr openid user/Patient.r")), "user/Patient.r openid");
}

TEST(Scope, AListWithoutEndIsRefused) {
  std::string text;
  for (std::size_t i = 0; i <= scopes_max; ++i) text += "a ";
  EXPECT_FALSE(parse_scopes(text));
  EXPECT_FALSE(parse_scopes(std::string(scope_bytes_max + 1, 'a')));
}

TEST(Scope, ATokenHasNoMoreThanItsClientMayHave) {
  EXPECT_EQ(cut("patient/*.cruds openid", "patient/*.rs openid"), "patient/*.rs openid");
  EXPECT_EQ(cut("patient/Observation.cruds", "patient/*.rs"), "patient/Observation.rs");
  EXPECT_EQ(cut("user/Observation.rs", "patient/*.rs"), "");
  EXPECT_EQ(cut("patient/Observation.rs?a=b", "patient/Observation.rs"), "patient/Observation.rs?a=b");
  EXPECT_EQ(cut("patient/Observation.rs", "patient/Observation.rs?a=b"), "");
  EXPECT_EQ(cut("offline_access", "openid"), "");
}

TEST(Scope, AWildcardAskedForMeansEachTypeThatIsAllowed) {
  EXPECT_EQ(cut("patient/*.rs", "patient/Observation.r patient/Patient.rs?a=b"),
            "patient/Observation.r patient/Patient.rs?a=b");
  EXPECT_EQ(cut("patient/*.rs?a=b", "patient/Observation.r"), "patient/Observation.r?a=b");
}

}  // namespace
}  // namespace mydr24::access
