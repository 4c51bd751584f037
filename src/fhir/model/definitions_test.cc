#include "fhir/model/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json/document.h"
#include "fhir/model/definition_tables.h"

namespace mydr24::model {
namespace {

using testing::ElementsAre;

const Element* element(std::string_view type, std::string_view name) {
  for (const Type& one : tables::all_types()) {
    if (one.name == type) return one.find(name);
  }
  return nullptr;
}

const SearchParameterDefinition* parameter(std::string_view base, std::string_view code) {
  for (const auto& one : search_parameters()) {
    if (one.base == base && one.code == code) return &one;
  }
  return nullptr;
}

TEST(Definitions, EveryConcreteResourceOfR4IsThere) {
  // R4 lists 148 resource types, two of them abstract.
  EXPECT_EQ(resource_types().size(), 146U);
  EXPECT_TRUE(std::ranges::is_sorted(resource_types(), {}, &Type::name));
  for (const Type* type : resource_types()) EXPECT_EQ(find_resource(type->name), type) << type->name;
  for (const auto name : {"Resource", "DomainResource", "MetadataResource", "SubscriptionStatus", "HumanName", ""}) {
    EXPECT_EQ(find_resource(name), nullptr) << name;
  }
  EXPECT_NE(find_type("HumanName"), nullptr);
  EXPECT_EQ(find_type("Patient.contact"), nullptr);
}

TEST(Definitions, EveryPrimitiveTypeKnowsItsPrimitive) {
  std::set<Primitive> seen;
  for (const Type& type : tables::named_types()) {
    EXPECT_EQ(type.kind == TypeKind::primitive, type.primitive != Primitive::none) << type.name;
    EXPECT_EQ(type.kind == TypeKind::primitive, type.elements.empty()) << type.name;
    if (type.kind == TypeKind::primitive) seen.insert(type.primitive);
  }
  EXPECT_EQ(seen.size(), 20U);
  EXPECT_EQ(find_type("positiveInt")->primitive, Primitive::positive_int);
}

TEST(Definitions, EveryElementIsFoundByItsName) {
  for (const Type& type : tables::all_types()) {
    for (const Element& one : type.elements) EXPECT_EQ(type.find(one.name), &one) << type.name << '.' << one.name;
    EXPECT_EQ(type.find(""), nullptr);
    EXPECT_EQ(type.find("zzz"), nullptr);
    const bool datatype = type.kind == TypeKind::complex || type.kind == TypeKind::backbone;
    if (datatype) {
      EXPECT_NE(type.find("extension"), nullptr) << type.name;
    }
  }
}

TEST(Definitions, ElementsCarryTypeCardinalityAndBinding) {
  const Type* patient = find_resource("Patient");
  ASSERT_NE(patient, nullptr);
  const Element* name = patient->find("name");
  EXPECT_EQ(name->type, find_type("HumanName"));
  EXPECT_TRUE(name->repeats);
  EXPECT_EQ(name->min, 0);
  EXPECT_EQ(patient->find("gender")->required_value_set, "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1");
  EXPECT_EQ(patient->find("contact")->type->name, "Patient.contact");
  EXPECT_EQ(patient->find("contact")->type->kind, TypeKind::backbone);
  EXPECT_EQ(patient->find("contained")->type, nullptr);
  EXPECT_EQ(patient->find("id")->type->primitive, Primitive::id);
  EXPECT_EQ(find_type("HumanName")->find("id")->type->primitive, Primitive::string);
  EXPECT_THAT(element("Patient", "managingOrganization")->targets, ElementsAre("Organization"));
  EXPECT_TRUE(element("Extension", "valueReference")->targets.empty());
  EXPECT_EQ(element("Narrative", "div")->type->primitive, Primitive::xhtml);
  EXPECT_EQ(element("Extension", "url")->type->primitive, Primitive::uri);
}

TEST(Definitions, ACodeKnowsTheCodesOfItsRequiredBinding) {
  const Element* gender = element("Patient", "gender");
  ASSERT_NE(gender->values, nullptr);
  EXPECT_EQ(gender->values->url, gender->required_value_set);
  EXPECT_THAT(gender->values->codes, ElementsAre("female", "male", "other", "unknown"));
  EXPECT_TRUE(gender->values->has("other"));
  for (const auto absent : {"", "f", "Female", "femal", "females", "zzz"})
    EXPECT_FALSE(gender->values->has(absent)) << absent;
  EXPECT_EQ(element("Patient.contact", "gender")->values, gender->values);
}

TEST(Definitions, ACodeWhoseValueSetCannotBeListedHasNoTable) {
  for (const auto& [type, name] : std::to_array<std::pair<std::string_view, std::string_view>>({
           {"Attachment", "contentType"},  // any MIME type
           {"Money", "currency"},          // ISO 4217 is not part of the package
       })) {
    EXPECT_FALSE(element(type, name)->required_value_set.empty()) << type;
    EXPECT_EQ(element(type, name)->values, nullptr) << type;
  }
  EXPECT_EQ(element("Attachment", "language")->values, nullptr) << "a preferred binding";
  EXPECT_EQ(element("Condition", "clinicalStatus")->values, nullptr) << "a CodeableConcept";
}

TEST(Definitions, AValueSetIsFoundByItsCanonicalWithOrWithoutVersion) {
  const ValueSet* gender = element("Patient", "gender")->values;
  EXPECT_EQ(find_value_set("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"), gender);
  EXPECT_EQ(find_value_set("http://hl7.org/fhir/ValueSet/administrative-gender"), gender);
  for (const auto unknown :
       {"", "http", "http://hl7.org/fhir/ValueSet/administrative", "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/administrative-gender|4",
        "http://hl7.org/fhir/ValueSet/administrative-gender|5.0.0"})
    EXPECT_EQ(find_value_set(unknown), nullptr) << unknown;
}

TEST(Definitions, EveryValueSetIsSortedAndUsed) {
  std::set<const ValueSet*> used;
  std::set<std::string_view> bound;  // by codes, listed or not
  for (const Type& type : tables::all_types()) {
    for (const Element& one : type.elements) {
      if (one.values != nullptr) used.insert(one.values);
      const bool code = one.type != nullptr && one.type->primitive == Primitive::code;
      if (code && !one.required_value_set.empty()) bound.insert(one.required_value_set);
    }
  }
  EXPECT_EQ(used.size(), tables::value_sets().size());
  EXPECT_EQ(bound.size(), used.size() + 2) << "all but MIME types and currencies";
  EXPECT_TRUE(std::ranges::is_sorted(tables::value_sets(), {}, &ValueSet::url));
  for (const ValueSet& one : tables::value_sets()) {
    EXPECT_FALSE(one.codes.empty()) << one.url;
    EXPECT_EQ(std::ranges::adjacent_find(one.codes, std::greater_equal<>()), one.codes.end()) << one.url;
    EXPECT_EQ(find_value_set(one.url), &one);
    EXPECT_EQ(find_value_set(one.url.substr(0, one.url.find('|'))), &one);
  }
}

TEST(Definitions, AValueSetIsAllThatItIncludes) {
  const auto* use = element("HumanName", "use")->values;
  EXPECT_TRUE(use->has("maiden")) << "a concept below another";
  const auto* timing = element("Timing.repeat", "when")->values;
  EXPECT_TRUE(timing->has("MORN")) << "a whole code system";
  EXPECT_TRUE(timing->has("PCV")) << "codes listed from another";
  EXPECT_THAT(element("Timing.repeat", "durationUnit")->values->codes,
              ElementsAre("a", "d", "h", "min", "mo", "s", "wk"))
      << "listed codes of a system that is not there";
  const auto* types = element("DataRequirement", "type")->values;
  for (const auto type : {"Patient", "HumanName", "code", "Any"}) EXPECT_TRUE(types->has(type)) << type;
  const auto* item = element("Questionnaire.item", "type")->values;
  EXPECT_TRUE(item->has("choice"));
  EXPECT_FALSE(item->has("question")) << "abstract";
  EXPECT_EQ(element("DetectedIssue", "status")->values, element("Observation", "status")->values)
      << "R4's, not the package's";
}

TEST(Definitions, AChoiceIsOneElementForEachTypeInOneSlot) {
  const Element* quantity = element("Observation", "valueQuantity");
  const Element* text = element("Observation", "valueString");
  ASSERT_NE(quantity, nullptr);
  ASSERT_NE(text, nullptr);
  EXPECT_EQ(quantity->choice, "value");
  EXPECT_EQ(quantity->slot, text->slot);
  EXPECT_EQ(element("Observation", "value"), nullptr);
  EXPECT_EQ(element("MedicationRequest", "medicationReference")->min, 1);
}

TEST(Definitions, SlotsFollowTheOrderOfTheDefinition) {
  const auto slot = [](std::string_view type, std::string_view name) { return int{element(type, name)->slot}; };
  EXPECT_EQ(slot("Patient", "id"), 0);
  EXPECT_LT(slot("Patient", "extension"), slot("Patient", "identifier"));
  EXPECT_LT(slot("Patient", "name"), slot("Patient", "birthDate"));
  EXPECT_LT(slot("Patient", "birthDate"), slot("Patient", "address"));
  EXPECT_LT(slot("EvidenceVariable.characteristic", "definitionReference"),
            slot("EvidenceVariable.characteristic", "usageContext"));
  EXPECT_LT(slot("EvidenceVariable.characteristic", "usageContext"),
            slot("EvidenceVariable.characteristic", "exclude"));
}

TEST(Definitions, ARequiredBitStandsForEachPropertyThatMustBeThere) {
  const Type* observation = find_resource("Observation");
  const std::uint64_t status = std::uint64_t{1} << observation->find("status")->slot;
  const std::uint64_t code = std::uint64_t{1} << observation->find("code")->slot;
  EXPECT_EQ(observation->required, status | code);
}

TEST(Definitions, ContentReferencesPointToTheTypeTheyRepeat) {
  EXPECT_EQ(element("Questionnaire.item", "item")->type->name, "Questionnaire.item");
  EXPECT_EQ(element("Bundle.entry", "link")->type->name, "Bundle.link");
  EXPECT_EQ(element("Observation.component", "referenceRange")->type->name, "Observation.referenceRange");
}

TEST(Definitions, WhatThePackageAddsToR4IsLeftOut) {
  EXPECT_EQ(element("Binary", "url"), nullptr);
  EXPECT_EQ(element("Meta", "project"), nullptr);
  EXPECT_EQ(element("ResearchStudy", "studyDesign"), nullptr);
  EXPECT_EQ(element("EvidenceVariable.characteristic", "definitionId"), nullptr);
  EXPECT_NE(element("EvidenceVariable.characteristic", "definitionDataRequirement"), nullptr);
  EXPECT_EQ(find_type("Meta")->elements.size(), 8U);
}

TEST(Definitions, ASearchParameterKeepsTheAlternativesOfItsBase) {
  const auto* date = parameter("Observation", "date");
  ASSERT_NE(date, nullptr);
  EXPECT_EQ(date->kind, "date");
  EXPECT_EQ(date->expression, "Observation.effective");
  EXPECT_EQ(parameter("Condition", "patient")->expression, "Condition.subject.where(resolve() is Patient)");
  EXPECT_THAT(parameter("Condition", "patient")->targets, ElementsAre("Patient"));
  EXPECT_EQ(parameter("InsurancePlan", "name")->expression, "name | alias");
  EXPECT_EQ(parameter("Observation", "_id")->expression, "Resource.id");
  EXPECT_EQ(parameter("Observation", "birthdate"), nullptr);
  EXPECT_TRUE(std::ranges::is_sorted(
      search_parameters(), {}, [](const SearchParameterDefinition& one) { return std::pair(one.base, one.code); }));
  for (const auto& one : search_parameters()) EXPECT_NE(find_resource(one.base), nullptr) << one.base;
}

TEST(Definitions, ConstraintsStandWithTheirTypeOrElement) {
  const auto keys = [](std::span<const Constraint> constraints) {
    std::vector<std::string_view> found;
    for (const auto& one : constraints) found.push_back(one.key);
    return found;
  };
  using Keys = std::vector<std::string_view>;
  EXPECT_EQ(keys(find_type("Observation")->constraints), (Keys{"obs-6", "obs-7"}));
  EXPECT_EQ(keys(find_type("Period")->constraints), Keys{"per-1"});
  const Type* patient = find_type("Patient");
  EXPECT_EQ(keys(patient->find("contact")->type->constraints), Keys{"pat-1"});
  EXPECT_EQ(keys(find_type("Organization")->find("telecom")->constraints), Keys{"org-3"});
  // Of a SimpleQuantity, which is a Quantity with a rule more.
  const Type* range = find_type("Observation")->find("referenceRange")->type;
  EXPECT_EQ(keys(range->find("low")->constraints), Keys{"sqty-1"});
  const auto& name = find_type("ValueSet")->constraints[0];
  EXPECT_EQ(name.key, "vsd-0");
  EXPECT_FALSE(name.is_error);
}

TEST(Definitions, ExtensibleBindingsAreKnownBesideRequiredOnes) {
  const Element* type = find_type("Encounter")->find("serviceType");
  EXPECT_TRUE(type->extensible_value_set.empty());  // example
  EXPECT_EQ(find_type("Patient")->find("maritalStatus")->extensible_value_set,
            "http://hl7.org/fhir/ValueSet/marital-status");
  EXPECT_EQ(find_type("AllergyIntolerance")->find("clinicalStatus")->required_value_set,
            "http://hl7.org/fhir/ValueSet/allergyintolerance-clinical|4.0.1");
}

TEST(Definitions, PublishedProfilesAndExtensionsAreThere) {
  const auto document = json::Document::parse_view(published_profiles());
  ASSERT_TRUE(document) << document.error().text;
  std::size_t profiles = 0, extensions = 0;
  for (const auto one : document->root()) {
    EXPECT_FALSE(one["url"].text().empty());
    EXPECT_GT(one["differential"]["element"].size(), 0U) << one["url"].text();
    ++(one["type"].text() == "Extension" ? extensions : profiles);
  }
  EXPECT_GE(profiles, 40U);
  EXPECT_GE(extensions, 380U);
}

}  // namespace
}  // namespace mydr24::model
