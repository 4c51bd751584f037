#include "fhir/search/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace mydr24::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> paths(std::string_view alternative, std::string_view type) {
  std::vector<std::string> out;
  const auto compiled = compile(alternative, *model::find_resource(type));
  if (!compiled) return {"not understood"};
  for (const Path& path : *compiled) {
    std::string text;
    for (const auto name : path.names) text += (text.empty() ? "" : ".") + std::string(name);
    text += ':' + std::string(path.type->name);
    if (!path.target.empty()) text += '>' + std::string(path.target);
    out.push_back(text);
  }
  return out;
}

TEST(Expression, PathsThroughChoicesAndTypesAreResolvedBeforehand) {
  EXPECT_THAT(paths("Patient.name.family", "Patient"), ElementsAre("name.family:string"));
  EXPECT_THAT(paths("name", "InsurancePlan"), ElementsAre("name:string"));
  EXPECT_THAT(paths("Observation.effective", "Observation"),
              ElementsAre("effectiveDateTime:dateTime", "effectiveInstant:instant", "effectivePeriod:Period",
                          "effectiveTiming:Timing"));
  for (const auto* cast : {"(Observation.value as Quantity)", "Observation.value.as(Quantity)",
                           "(Observation.value.ofType(Quantity))", "Observation.value as Quantity"}) {
    EXPECT_THAT(paths(cast, "Observation"), ElementsAre("valueQuantity:Quantity")) << cast;
  }
  EXPECT_THAT(paths("(Observation.value as Quantity).value", "Observation"),
              ElementsAre("valueQuantity.value:decimal"));
  EXPECT_THAT(paths("Condition.subject.where(resolve() is Patient)", "Condition"),
              ElementsAre("subject:Reference>Patient"));
  EXPECT_THAT(paths("Resource.id", "Patient"), ElementsAre("id:id"));
}

TEST(Expression, WhatIsNotOfTheSubsetIsNotUnderstood) {
  for (const auto* text :
       {"", "Patient.nam", "Patient.name[0]", "Patient.name.where(use='x')", "Patient.name.first()", "(Patient.name",
        "Patient.", "Patient.deceased.ofType(Quantity)", "Patient.name as ", "Patient..name"}) {
    EXPECT_THAT(paths(text, "Patient"), ElementsAre("not understood")) << text;
  }
}

TEST(Expression, AUnionIsSplitOutsideOfBrackets) {
  EXPECT_THAT(split_union("A.b | (A.c | A.d) |A.e"), ElementsAre("A.b", "(A.c | A.d)", "A.e"));
  EXPECT_THAT(split_union(""), IsEmpty());
}

TEST(Catalogue, EveryPublishedExpressionOfTheChosenCodesIsCovered) {
  EXPECT_THAT(Catalogue::get().not_covered(), IsEmpty());
}

TEST(Catalogue, ParametersAreNumberedByTheirPlace) {
  for (std::size_t i = 0; i < parameters().size(); ++i) {
    const Parameter& one = parameters()[i];
    EXPECT_EQ(one.number, i);
    EXPECT_EQ(find_parameter(one.type, one.code), &one);
  }
  EXPECT_LT(parameters().size(), 65536U);
}

TEST(Catalogue, ATypeHasTheChosenCodesThatR4DefinesForIt) {
  const auto codes = [](std::string_view type) {
    std::vector<std::string_view> out;
    for (const Parameter& one : parameters_of(type)) out.push_back(one.code);
    return out;
  };
  EXPECT_THAT(codes("Patient"),
              ElementsAre("_id", "_lastUpdated", "birthdate", "family", "gender", "given", "identifier", "name"));
  EXPECT_THAT(codes("Observation"),
              ElementsAre("_id", "_lastUpdated", "code", "date", "identifier", "patient", "status", "subject"));
  EXPECT_THAT(codes("Bundle"), ElementsAre("_id", "_lastUpdated", "identifier"));
  EXPECT_THAT(codes("Binary"), ElementsAre("_id", "_lastUpdated"));
  EXPECT_THAT(codes("HumanName"), IsEmpty());
  EXPECT_EQ(find_parameter("Patient", "date"), nullptr);
  EXPECT_EQ(find_parameter("Patient", "birthdate")->kind, Kind::date);
  EXPECT_THAT(find_parameter("Observation", "patient")->targets, ElementsAre("Patient"));
}

}  // namespace
}  // namespace mydr24::search
