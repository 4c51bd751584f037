#include "fhir/terminology/terminology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mydr24::terminology {
namespace {

using enum Membership;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr std::string_view fhir_set = "http://hl7.org/fhir/ValueSet/";
constexpr std::string_view hl7_set = "http://terminology.hl7.org/ValueSet/";
constexpr std::string_view hl7_system = "http://terminology.hl7.org/CodeSystem/";

std::string at(std::string_view base, std::string_view name) { return std::string(base) + std::string(name); }

const Terminology& r4() { return *Terminology::published(); }

TEST(Terminology, TellsWhetherACodeIsInAPublishedValueSet) {
  const std::string gender = at(fhir_set, "administrative-gender"), clinical = at(fhir_set, "condition-clinical");
  const std::string gender_system = "http://hl7.org/fhir/administrative-gender";
  const std::string clinical_system = at(hl7_system, "condition-clinical");
  const struct {
    std::string value_set, system, code;
    Membership expected;
  } rows[] = {
      {gender, gender_system, "female", member},
      {gender, "", "female", member},
      {gender + "|4.0.1", gender_system, "female", member},
      {gender + "|9.9", gender_system, "female", unknown},
      {gender, gender_system, "Female", not_member},
      {gender, gender_system, "", not_member},
      {gender, "http://snomed.info/sct", "female", not_member},
      {clinical, clinical_system, "active", member},
      {clinical, clinical_system, "relapse", member},
      {clinical, clinical_system, "gone", not_member},
      {at(fhir_set, "observation-status"), "", "amended", member},
      {at(fhir_set, "observation-status"), "", "done", not_member},
      // `question` only groups others.
      {at(fhir_set, "item-type"), "", "question", not_member},
      {at(fhir_set, "item-type"), "", "choice", member},
      // Systems that do not tell upper from lower case.
      {at(hl7_set, "v2-0203"), at(hl7_system, "v2-0203"), "MR", member},
      {at(hl7_set, "v2-0203"), at(hl7_system, "v2-0203"), "QQQ", not_member},
      // Subsets of a v3 system by is-a.
      {at(hl7_set, "v3-ActEncounterCode"), at(hl7_system, "v3-ActCode"), "AMB", member},
      {at(hl7_set, "v3-ActEncounterCode"), at(hl7_system, "v3-ActCode"), "_ActEncounterCode", not_member},
      {at(hl7_set, "v3-ActEncounterCode"), at(hl7_system, "v3-ActCode"), "ACID", not_member},
      {at(hl7_set, "v3-PurposeOfUse"), at(hl7_system, "v3-ActReason"), "ETREAT", member},
      // Everything but what is excluded.
      {at(fhir_set, "patient-contactrelationship"), at(hl7_system, "v2-0131"), "N", member},
      // Content that is not here is never guessed.
      {at(fhir_set, "clinical-findings"), "http://snomed.info/sct", "404684003", unknown},
      {at(fhir_set, "clinical-findings"), "http://loinc.org", "1-8", not_member},
      {at(fhir_set, "report-codes"), "http://loinc.org", "1-8", unknown},
      // A list of codes can be told without the system's content.
      {at(fhir_set, "observation-vitalsignresult"), "http://loinc.org", "8867-4", member},
      {at(fhir_set, "observation-vitalsignresult"), "http://loinc.org", "1-8", not_member},
      {"http://example.org/none", "", "a", unknown},
      // Two systems; an example system is not all there is.
      {at(fhir_set, "service-category"), at(hl7_system, "service-category"), "1", member},
      {at(fhir_set, "service-category"), at(hl7_system, "service-category"), "999", unknown},
      // Names alone define these.
      {"http://snomed.info/sct?fhir_vs", "http://snomed.info/sct", "404684003", unknown},
      {"http://snomed.info/sct?fhir_vs=isa/1", "http://loinc.org", "404684003", not_member},
      {"http://snomed.info/sct?fhir_vs=refset/1", "http://snomed.info/sct", "1", unknown},
      {"http://loinc.org/vs", "http://loinc.org", "8867-4", unknown},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(r4().member(row.value_set, row.system, row.code), row.expected)
        << row.value_set << " " << row.system << " " << row.code;
  }
}

TEST(Terminology, KnowsWhatIsPublished) {
  EXPECT_TRUE(r4().has_code_system("http://hl7.org/fhir/administrative-gender"));
  EXPECT_TRUE(r4().has_code_system("http://unitsofmeasure.org"));
  EXPECT_FALSE(r4().has_code_system("http://loinc.org"));
  EXPECT_TRUE(r4().has_value_set(at(fhir_set, "languages")));
  EXPECT_TRUE(r4().has_value_set(at(fhir_set, "languages|4.0.1")));
  EXPECT_FALSE(r4().has_value_set(at(fhir_set, "languages|5.0.0")));
  EXPECT_FALSE(r4().has_value_set(""));
  const auto head = r4().value_set_head(at(fhir_set, "administrative-gender"));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->name, "AdministrativeGender");
  EXPECT_EQ(head->version, "4.0.1");
}

// Sizes counted in the published resources; with abstract and inactive concepts.
TEST(Terminology, ExpandsPublishedValueSetsToTheirSize) {
  const struct {
    std::string value_set;
    std::size_t total;
  } rows[] = {
      {at(fhir_set, "administrative-gender"), 4},
      {at(fhir_set, "observation-status"), 8},
      {at(fhir_set, "condition-clinical"), 6},
      {at(hl7_set, "v3-ActEncounterCode"), 11},
      {at(hl7_set, "v2-0203"), 127},
      {at(fhir_set, "iso3166-1-2"), 249},
      {at(fhir_set, "iso3166-1-3"), 249},
      {at(fhir_set, "iso3166-1-N"), 249},
      {at(fhir_set, "currencies"), 181},
      {at(fhir_set, "resource-types"), 148},
      {at(fhir_set, "all-types"), 213},
  };
  for (const auto& row : rows) {
    const auto expansion = r4().expand(row.value_set, {.count = 0});
    ASSERT_TRUE(expansion) << row.value_set << ": " << expansion.error().text;
    EXPECT_EQ(expansion->total, row.total) << row.value_set;
    EXPECT_THAT(expansion->concepts, IsEmpty());
  }
}

std::vector<std::string> codes(const Result<Expansion>& expansion) {
  std::vector<std::string> out;
  if (!expansion) return {expansion.error().text};
  for (const auto& one : expansion->concepts) out.push_back(one.code);
  return out;
}

TEST(Terminology, AgreesWithItselfAboutEveryPublishedValueSet) {
  const auto all = r4().value_sets();
  EXPECT_GT(all.size(), 1'300U);
  std::size_t expanded = 0;
  for (const auto& value_set : all) {
    const auto expansion = r4().expand(value_set, {.selectable_only = true});
    if (!expansion) continue;
    ++expanded;
    for (const auto& one : expansion->concepts) {
      ASSERT_EQ(r4().member(value_set, one.system, one.code), member) << value_set << " " << one.code;
      ASSERT_NE(r4().member(value_set, one.system, one.code + "~"), member) << value_set << " " << one.code;
    }
  }
  EXPECT_GT(expanded, 1'200U);
}

TEST(Terminology, ExpandsInOrderByPageAndByFilter) {
  const std::string gender = at(fhir_set, "administrative-gender");
  EXPECT_THAT(codes(r4().expand(gender, {})), ElementsAre("male", "female", "other", "unknown"));
  const auto page = r4().expand(gender, {.offset = 1, .count = 2});
  EXPECT_THAT(codes(page), ElementsAre("female", "other"));
  EXPECT_EQ(page->total, 4U);
  EXPECT_EQ(page->concepts[0].display, "Female");
  EXPECT_EQ(page->concepts[0].system, "http://hl7.org/fhir/administrative-gender");
  const auto filtered = r4().expand(gender, {.filter = "MALE"});
  EXPECT_THAT(codes(filtered), ElementsAre("male", "female"));
  EXPECT_EQ(filtered->total, 2U);
  EXPECT_THAT(codes(r4().expand(at(fhir_set, "languages"), {.filter = "german switz"})), ElementsAre("de-CH"));
}

TEST(Terminology, TellsAbstractAndInactiveConceptsInExpansions) {
  const std::string moods = at(fhir_set, "inactive");
  const auto all = r4().expand(moods, {});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->total, 11U);
  EXPECT_THAT(codes(all), Contains("GOL.CRT"));
  EXPECT_EQ(std::ranges::count_if(all->concepts, &ExpandedConcept::is_inactive), 5);
  EXPECT_THAT(codes(r4().expand(moods, {.active_only = true})),
              ElementsAre("CRT", "EVN.CRT", "EXPEC", "GOL", "RSK", "OPT"));

  const std::string acts = at(hl7_set, "v3-ActMood");
  const auto with_groups = r4().expand(acts, {}), to_select = r4().expand(acts, {.selectable_only = true});
  EXPECT_EQ(with_groups->concepts[0].code, "_ActMoodCompletionTrack");
  EXPECT_TRUE(with_groups->concepts[0].is_abstract);
  EXPECT_EQ(with_groups->total, to_select->total + 5);
}

TEST(Terminology, SaysWhyAValueSetCannotBeExpanded) {
  const struct {
    std::string value_set;
    Code code;
  } rows[] = {
      {"http://example.org/none", Code::not_found},   {at(fhir_set, "clinical-findings"), Code::not_found},
      {at(fhir_set, "ucum-units"), Code::too_costly}, {at(fhir_set, "all-languages"), Code::too_costly},
      {at(fhir_set, "use-context"), Code::not_found},
  };
  for (const auto& row : rows) {
    const auto expansion = r4().expand(row.value_set, {});
    ASSERT_FALSE(expansion) << row.value_set;
    EXPECT_EQ(expansion.error().code, row.code) << row.value_set << ": " << expansion.error().text;
  }
}

TEST(Terminology, SaysWhatIsWrongWithACodeAndWhatWouldBeRight) {
  const std::string gender = at(fhir_set, "administrative-gender");
  const std::string system = "http://hl7.org/fhir/administrative-gender";
  const auto good = r4().validate_code(gender, {system, "male", "", ""});
  ASSERT_TRUE(good);
  EXPECT_EQ(good->result, member);
  EXPECT_EQ(good->display, "Male");
  EXPECT_EQ(good->message, "");
  EXPECT_EQ(r4().validate_code(gender, {"", "male", " mALE ", ""})->message, "");

  const auto bad = r4().validate_code(gender, {system, "man", "", ""});
  EXPECT_EQ(bad->result, not_member);
  EXPECT_THAT(bad->message, HasSubstr("use one of male, female, other, unknown"));

  const auto misnamed = r4().validate_code(gender, {system, "male", "Man", ""});
  EXPECT_EQ(misnamed->result, member);
  EXPECT_TRUE(misnamed->display_differs);
  EXPECT_THAT(misnamed->message, HasSubstr("'Male'"));

  EXPECT_EQ(r4().validate_code("http://example.org/none", {system, "male", "", ""}).error().code, Code::not_found);
  EXPECT_EQ(r4().validate_code_in_system({system, "other", "", ""})->result, member);
  EXPECT_THAT(r4().validate_code_in_system({system, "x", "", ""})->message, HasSubstr("has no code x"));
  EXPECT_THAT(r4().validate_code_in_system({"http://loinc.org", "1-8", "", ""})->message, HasSubstr("not known"));
  EXPECT_THAT(r4().validate_code_in_system({at(hl7_system, "v3-ActCode"), "_ActEncounterCode", "", ""})->message,
              HasSubstr("only groups others"));
}

TEST(Terminology, AcceptsADisplayInAnotherLanguage) {
  const auto validity = r4().validate_code_in_system({at(hl7_system, "v2-0203"), "MR", "Medical record number", ""});
  ASSERT_TRUE(validity);
  EXPECT_EQ(validity->result, member);
  EXPECT_EQ(validity->display, "Medical record number");
}

TEST(Terminology, LooksUpConcepts) {
  const auto found = r4().lookup("http://hl7.org/fhir/observation-status", "amended");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->display, "Amended");
  EXPECT_THAT(std::string(found->definition), HasSubstr("modified"));
  EXPECT_FALSE(found->is_abstract);
  EXPECT_TRUE(r4().lookup(at(hl7_system, "v3-ActCode"), "_ActEncounterCode")->is_abstract);
  EXPECT_EQ(r4().lookup("http://hl7.org/fhir/observation-status", "nope").error().code, Code::not_found);
  EXPECT_EQ(r4().lookup("http://snomed.info/sct", "1").error().code, Code::not_found);

  const auto told = r4().describe({at(hl7_system, "condition-clinical"), "recurrence", "", ""});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->display, "Recurrence");
  EXPECT_THAT(told->parents, ElementsAre("active"));
  EXPECT_EQ(r4().describe({"urn:iso:std:iso:3166", "DE", "", ""})->display, "Germany");
}

TEST(Terminology, KnowsTheHierarchyOfConcepts) {
  const std::string system = at(hl7_system, "condition-clinical");
  EXPECT_THAT(*r4().children(system, "active"), UnorderedElementsAre("recurrence", "relapse"));
  EXPECT_THAT(*r4().parents(system, "relapse"), ElementsAre("active"));
  EXPECT_THAT(*r4().below(system, "inactive"), UnorderedElementsAre("inactive", "remission", "resolved"));
  EXPECT_THAT(*r4().above(system, "remission"), ElementsAre("remission", "inactive"));
  EXPECT_EQ(*r4().subsumes(system, "active", "relapse"), Subsumption::subsumes);
  EXPECT_EQ(*r4().subsumes(system, "relapse", "active"), Subsumption::subsumed_by);
  EXPECT_EQ(*r4().subsumes(system, "relapse", "relapse"), Subsumption::equivalent);
  EXPECT_EQ(*r4().subsumes(system, "relapse", "resolved"), Subsumption::not_subsumed);
  EXPECT_EQ(r4().subsumes(system, "relapse", "x").error().code, Code::not_found);
  EXPECT_EQ(r4().below("http://snomed.info/sct", "1").error().code, Code::not_found);
}

// v3 codes have more than one parent: the second by a property.
TEST(Terminology, FollowsEveryParent) {
  const std::string system = at(hl7_system, "v3-RoleCode");
  EXPECT_EQ(*r4().subsumes(system, "FAMMEMB", "MTH"), Subsumption::subsumes);
  EXPECT_EQ(*r4().subsumes(system, "_PersonalRelationshipRoleType", "NMTH"), Subsumption::subsumes);
}

TEST(Terminology, TranslatesByPublishedMaps) {
  const Coding male{"http://hl7.org/fhir/administrative-gender", "male", "", ""};
  const std::string to_v2 = "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2";
  const auto by_url = r4().translate(to_v2, male, "", "");
  ASSERT_TRUE(by_url);
  ASSERT_EQ(by_url->size(), 1U);
  EXPECT_EQ((*by_url)[0].target.code, "M");
  EXPECT_EQ((*by_url)[0].target.system, at(hl7_system, "v2-0001"));
  EXPECT_EQ((*by_url)[0].map, to_v2);
  EXPECT_EQ(r4().translate("", male, at(fhir_set, "administrative-gender"), "")->size(), 2U);
  EXPECT_EQ(r4().translate("", male, "", at(hl7_set, "v2-0001"))->size(), 1U);
  EXPECT_EQ(r4().translate("", male, "", at(hl7_system, "v2-0001"))->size(), 1U);
  EXPECT_THAT(*r4().translate("", male, "", "http://example.org/none"), IsEmpty());
  EXPECT_EQ(r4().translate("http://example.org/map", male, "", "").error().code, Code::not_found);
  // Map 101 has a code for whatever it does not list.
  const auto fixed = r4().translate("http://hl7.org/fhir/ConceptMap/101",
                                    {"http://hl7.org/fhir/address-use", "billing", "", ""}, "", "");
  ASSERT_EQ(fixed->size(), 1U);
  EXPECT_EQ((*fixed)[0].equivalence, "relatedto");
  EXPECT_EQ((*fixed)[0].target.code, "temp");
}

}  // namespace
}  // namespace mydr24::terminology
