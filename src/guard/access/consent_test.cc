#include "guard/access/consent.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/core/date_time.h"
#include "guard/access/in_patient.h"

namespace mydr24::access {
namespace {

const Instant now = parse_date_time("2024-05-01T12:00:00Z")->low;

class ConsentTest : public testing::Test {
 protected:
  // The provision and what else stands beside status, scope and patient.
  void decide(std::string_view rest, std::string_view id = "c1") {
    const auto text = fmt::format(
        R"({{"resourceType":"Consent","id":"{}","status":"active","patient":{{"reference":"Patient/p"}},{}}})", id,
        rest);
    const auto document = json::Document::parse_view(text);
    ASSERT_TRUE(document) << document.error().text;
    if (auto consent = parse_consent(document->root())) book.put(std::move(*consent));
  }
  bool hides(std::string_view resource, Permission permission = Permission::read) {
    const auto document = json::Document::parse_view(resource);
    EXPECT_TRUE(document);
    const search::MatchContext context{.now = now, .last_updated = now, .catalogue = nullptr, .chain = {}, .has = {}};
    const ConsentBook::Asker asker{.principal = &principal, .purpose = purpose, .organization = {}, .now = at};
    for (const auto& condition : book.hidden(asker, permission, document->root()["resourceType"].text()))
      if (search::matches(condition, document->root(), context)) return true;
    return false;
  }

  static constexpr std::string_view patient = R"({"resourceType":"Patient","id":"p"})";
  static constexpr std::string_view other = R"({"resourceType":"Patient","id":"q"})";
  static constexpr std::string_view pulse =
      R"({"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},)"
      R"("subject":{"reference":"Patient/p"},"effectiveDateTime":"2020-02-02","performer":[{"reference":"Practitioner/d1"}]})";

  ConsentBook book;
  Principal principal = [] {
    Principal who;
    who.kind = PrincipalKind::person;
    who.fhir_user = "Practitioner/f204";
    return who;
  }();
  std::string purpose = "TREAT";
  Instant at = now;
};

constexpr std::string_view opt_in = R"("policyRule":{"coding":[{"code":"OPTIN"}]})";
constexpr std::string_view opt_out = R"("policyRule":{"coding":[{"code":"OPTOUT"}]})";

std::string actor(std::string_view role, std::string_view reference) {
  return fmt::format(R"({{"role":{{"coding":[{{"code":"{}"}}]}},"reference":{{"reference":"{}"}}}})", role, reference);
}

TEST_F(ConsentTest, OptingOutHidesTheRecordOfThatPatientAlone) {
  decide(opt_out);
  EXPECT_TRUE(hides(patient));
  EXPECT_TRUE(hides(pulse));
  EXPECT_FALSE(hides(other));
}

TEST_F(ConsentTest, APlainPermissionRestrictsNothing) {
  decide(fmt::format(R"({},"provision":{{"period":{{"start":"1964-01-01","end":"2016-01-01"}}}})", opt_in));
  EXPECT_TRUE(book.empty());
}

// As in the example "consent-example-notThem" of R4.
TEST_F(ConsentTest, OnePersonIsKeptAway) {
  decide(fmt::format(
      R"({},"provision":{{"actor":[{}],"action":[{{"coding":[{{"code":"access"}}]}},{{"coding":[{{"code":"correct"}}]}}]}})",
      opt_in, actor("PRCP", "Practitioner/f204")));
  EXPECT_TRUE(hides(pulse));
  EXPECT_TRUE(hides(pulse, Permission::update));
  EXPECT_FALSE(hides(pulse, Permission::create)) << "collecting is no action of the provision";
  principal.fhir_user = "Practitioner/another";
  EXPECT_FALSE(hides(pulse));
  principal.member_of = {"Practitioner/f204"};
  EXPECT_TRUE(hides(pulse));
}

// As in the example "consent-example-Emergency" of R4.
TEST_F(ConsentTest, OnlyEmergencyTreatmentIsPermitted) {
  decide(fmt::format(
      R"({0},"provision":{{"actor":[{1}],"purpose":[{{"code":"ETREAT"}}],"provision":[{{"type":"deny","actor":[{1}]}}]}})",
      opt_out, actor("CST", "Organization/f001")));
  EXPECT_TRUE(hides(pulse));
  purpose = "ETREAT";
  EXPECT_FALSE(hides(pulse));
}

// As in the example "consent-example-grantor" of R4.
TEST_F(ConsentTest, OneRepresentativeMayReadAndNobodyElse) {
  decide(fmt::format(R"({},"provision":{{"actor":[{},{}],"action":[{{"coding":[{{"code":"access"}}]}}]}})", opt_out,
                     actor("CST", "Organization/f001"), actor("PRCP", "RelatedPerson/r")));
  EXPECT_TRUE(hides(pulse));
  principal.fhir_user = "RelatedPerson/r";
  EXPECT_FALSE(hides(pulse));
  EXPECT_TRUE(hides(pulse, Permission::update));
}

// As in the example "consent-example-notAuthor" of R4.
TEST_F(ConsentTest, WhatAnOrganizationKeepsIsWithheldFromEverybody) {
  decide(fmt::format(R"({},"provision":{{"actor":[{}]}})", opt_in, actor("CST", "Organization/f001")));
  EXPECT_TRUE(hides(pulse));
}

TEST_F(ConsentTest, APeriodBoundsTheWhole) {
  decide(fmt::format(R"({},"provision":{{"period":{{"start":"2024-01-01","end":"2024-06-30"}}}})", opt_out));
  EXPECT_TRUE(hides(pulse));
  at = parse_date_time("2024-07-01T00:00:00Z")->low;
  EXPECT_FALSE(hides(pulse));
  EXPECT_EQ(book.changes_after(now), at);
}

TEST_F(ConsentTest, TypesCodesLabelsDataAndTheirDatesNarrowAProvision) {
  const std::string_view weight =
      R"({"resourceType":"Observation","id":"w","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},)"
      R"("meta":{"security":[{"system":"x","code":"PSY"}]},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2024-02-02"})";
  const auto only = [&](std::string_view criteria) {
    decide(fmt::format(R"("provision":{{"type":"deny",{}}})", criteria));
    return fmt::format("{}{}{}", hides(patient) ? "P" : "", hides(pulse) ? "p" : "", hides(weight) ? "w" : "");
  };
  EXPECT_EQ(only(R"("class":[{"code":"Observation"}])"), "pw");
  EXPECT_EQ(only(R"("code":[{"coding":[{"system":"http://loinc.org","code":"8867-4"}]}])"), "p");
  EXPECT_EQ(only(R"("securityLabel":[{"system":"x","code":"PSY"}])"), "w");
  EXPECT_EQ(only(R"("data":[{"meaning":"instance","reference":{"reference":"Observation/o"}}])"), "p");
  EXPECT_EQ(only(R"("class":[{"code":"Observation"}],"dataPeriod":{"start":"2020-01-01","end":"2020-12-31"})"), "p");
  EXPECT_EQ(only(R"("class":[{"system":"urn:ietf:bcp:13","code":"application/hl7-cda+xml"}])"), "");
  EXPECT_EQ(
      only(
          R"("class":[{"code":"Observation"}],"provision":[{"type":"permit","code":[{"coding":[{"code":"8867-4"}]}]}])"),
      "w");
  EXPECT_EQ(only(fmt::format(R"("actor":[{}])", actor("AUT", "Practitioner/d1"))), "p");
}

TEST_F(ConsentTest, NoConsentKeepsTheRecordFromThePatient) {
  decide(opt_out);
  principal.fhir_user = "Patient/p";
  EXPECT_FALSE(hides(pulse));
  principal.fhir_user = "Patient/q";
  EXPECT_TRUE(hides(pulse));
}

TEST_F(ConsentTest, ADenialIsNotLiftedByAnotherConsent) {
  decide(opt_out, "c1");
  decide(fmt::format(R"({},"provision":{{"actor":[{}]}})", opt_in, actor("PRCP", "Practitioner/x")), "c2");
  EXPECT_TRUE(hides(pulse));
  book.erase("c1");
  EXPECT_FALSE(hides(pulse));
}

TEST_F(ConsentTest, WhatIsNotInForceOrOfAnotherScopeIsLeftOut) {
  const auto parsed = [](std::string_view text) {
    const auto document = json::Document::parse_view(text);
    return parse_consent(document->root()).has_value();
  };
  EXPECT_TRUE(parsed(
      R"({"id":"a","status":"active","patient":{"reference":"Patient/p"},"policyRule":{"coding":[{"code":"OPTOUT"}]}})"));
  EXPECT_FALSE(parsed(
      R"({"id":"a","status":"inactive","patient":{"reference":"Patient/p"},"policyRule":{"coding":[{"code":"OPTOUT"}]}})"));
  EXPECT_FALSE(parsed(
      R"({"id":"a","status":"active","scope":{"coding":[{"code":"research"}]},"patient":{"reference":"Patient/p"},"policyRule":{"coding":[{"code":"OPTOUT"}]}})"));
  EXPECT_FALSE(parsed(R"({"id":"a","status":"active","policyRule":{"coding":[{"code":"OPTOUT"}]}})"));
}

TEST_F(ConsentTest, OneThatIsTooDeepToBeUnderstoodDenies) {
  std::string provision = R"({"type":"permit"})";
  for (int i = 0; i < provision_depth_max + 2; ++i)
    provision = fmt::format(R"({{"type":"deny","provision":[{}]}})", provision);
  decide(fmt::format(R"({},"provision":{})", opt_in, provision));
  EXPECT_TRUE(hides(pulse));
}

}  // namespace
}  // namespace mydr24::access
