#include "fhir/model/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

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

}  // namespace
}  // namespace mydr24::model
