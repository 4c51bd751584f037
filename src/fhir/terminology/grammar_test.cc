#include "fhir/terminology/detail/grammar.h"

#include <gtest/gtest.h>

#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {
namespace {

TEST(Grammar, TellsCodesOfSystemsThatARuleDefines) {
  const struct {
    std::string_view system, code;
    bool valid;
  } rows[] = {
      {"http://unitsofmeasure.org", "mm[Hg]", true},
      {"http://unitsofmeasure.org", "no unit", false},
      {"urn:ietf:bcp:47", "en", true},
      {"urn:ietf:bcp:47", "EN-us", true},
      {"urn:ietf:bcp:47", "de-CH-1996", true},
      {"urn:ietf:bcp:47", "zh-Hant-TW", true},
      {"urn:ietf:bcp:47", "zh-yue-HK", true},
      {"urn:ietf:bcp:47", "es-419", true},
      {"urn:ietf:bcp:47", "gsw", true},
      {"urn:ietf:bcp:47", "x-own", true},
      {"urn:ietf:bcp:47", "i-klingon", true},
      {"urn:ietf:bcp:47", "de-u-co-phonebk-x-a", true},
      {"urn:ietf:bcp:47", "", false},
      {"urn:ietf:bcp:47", "xx", false},
      {"urn:ietf:bcp:47", "en_US", false},
      {"urn:ietf:bcp:47", "en-QX-", false},
      {"urn:ietf:bcp:47", "en-YY", false},
      {"urn:ietf:bcp:47", "english", false},
      {"urn:ietf:bcp:47", "en-u", false},
      {"urn:ietf:bcp:47", "en-x", false},
      {"urn:ietf:bcp:13", "application/fhir+json", true},
      {"urn:ietf:bcp:13", "text/plain; charset=utf-8", true},
      {"urn:ietf:bcp:13", "multipart/form-data;boundary=\"a b\"", true},
      {"urn:ietf:bcp:13", "json", true},
      {"urn:ietf:bcp:13", "text", false},
      {"urn:ietf:bcp:13", "text/", false},
      {"urn:ietf:bcp:13", "text/a b", false},
      {"urn:ietf:bcp:13", "text/plain;", false},
      {"urn:ietf:bcp:13", "text/plain; charset", false},
      {"urn:iso:std:iso:3166", "DE", true},
      {"urn:iso:std:iso:3166", "DEU", true},
      {"urn:iso:std:iso:3166", "276", true},
      {"urn:iso:std:iso:3166", "de", false},
      {"urn:iso:std:iso:3166", "ED", false},
      {"urn:iso:std:iso:3166", "EUD", false},
      {"urn:iso:std:iso:3166", "", false},
      {"urn:iso:std:iso:4217", "EUR", true},
      {"urn:iso:std:iso:4217", "URA", false},
      {"urn:iso:std:iso:4217", "DEM", false},
  };
  for (const auto& row : rows) {
    const auto* grammar = detail::find_grammar(row.system);
    ASSERT_NE(grammar, nullptr) << row.system;
    EXPECT_EQ(grammar->is_valid(row.code), row.valid) << row.system << " " << row.code;
  }
  EXPECT_EQ(detail::find_grammar("http://loinc.org"), nullptr);
}

TEST(Grammar, NamesWhatItCan) {
  const auto name = [](std::string_view system, std::string_view code) {
    return detail::find_grammar(system)->display(code);
  };
  EXPECT_EQ(name("urn:iso:std:iso:3166", "CHE"), "Switzerland");
  EXPECT_EQ(name("urn:iso:std:iso:4217", "CHF"), "Swiss Franc");
  EXPECT_EQ(name("urn:ietf:bcp:47", "de"), "German");
  EXPECT_EQ(name("urn:ietf:bcp:13", "text/plain"), "");
}

TEST(Grammar, TakesPartInValueSets) {
  const auto& r4 = *Terminology::published();
  const struct {
    std::string_view value_set, system, code;
    Membership expected;
  } rows[] = {
      {"http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", "pt-BR", Membership::member},
      {"http://hl7.org/fhir/ValueSet/all-languages", "", "pt_BR", Membership::not_member},
      {"http://hl7.org/fhir/ValueSet/mimetypes|4.0.1", "", "application/pdf", Membership::member},
      {"http://hl7.org/fhir/ValueSet/mimetypes|4.0.1", "", "pdf", Membership::not_member},
      {"http://hl7.org/fhir/ValueSet/currencies|4.0.1", "", "EUR", Membership::member},
      {"http://hl7.org/fhir/ValueSet/currencies|4.0.1", "", "euro", Membership::not_member},
      {"http://hl7.org/fhir/ValueSet/iso3166-1-3", "", "FRA", Membership::member},
      {"http://hl7.org/fhir/ValueSet/iso3166-1-3", "", "FR", Membership::not_member},
      {"http://hl7.org/fhir/ValueSet/iso3166-1-N", "", "250", Membership::member},
      {"http://hl7.org/fhir/ValueSet/ucum-units", "http://unitsofmeasure.org", "mg", Membership::member},
      {"http://unitsofmeasure.org/vs", "http://unitsofmeasure.org", "mg", Membership::member},
      {"http://hl7.org/fhir/ValueSet/all-time-units", "http://unitsofmeasure.org", "d", Membership::member},
      {"http://hl7.org/fhir/ValueSet/all-time-units", "http://unitsofmeasure.org", "m", Membership::not_member},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(r4.member(row.value_set, row.system, row.code), row.expected) << row.value_set << " " << row.code;
  }
}

}  // namespace
}  // namespace mydr24::terminology
