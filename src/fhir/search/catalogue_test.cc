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
    for (const Step& step : path.steps) {
      text += (text.empty() ? "" : ".") + std::string(step.name);
      if (!step.where.empty()) text += '{' + std::string(step.where) + '=' + std::string(step.equals) + '}';
      if (step.first) text += "[0]";
    }
    text += ':' + std::string(path.type == nullptr ? "any" : path.type->name);
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
  EXPECT_THAT(paths("Patient.telecom.where(system='phone')", "Patient"),
              ElementsAre("telecom{system=phone}:ContactPoint"));
  EXPECT_THAT(paths("Patient.extension.where(url = 'http://a.org/x').value as Coding", "Patient"),
              ElementsAre("extension{url=http://a.org/x}.valueCoding:Coding"));
  EXPECT_THAT(paths("Bundle.entry[0].resource", "Bundle"), ElementsAre("entry[0].resource:any"));
  EXPECT_THAT(paths("Observation.value.ofType(DateTime)", "Observation"), ElementsAre("valueDateTime:dateTime"));
}

TEST(Expression, ATestOfPresenceNamesItsElement) {
  EXPECT_EQ(tested_element("Patient.deceased.exists() and Patient.deceased != false"), "Patient.deceased");
  for (const auto* text : {"Patient.deceased.exists()", "Patient.deceased.exists() and Patient.active != false",
                           "Patient.deceased.exists() and Patient.deceased != true", "Patient.name"}) {
    EXPECT_EQ(tested_element(text), std::nullopt) << text;
  }
}

TEST(Expression, WhatIsNotOfTheSubsetIsNotUnderstood) {
  for (const auto* text :
       {"", "Patient.nam", "Patient.name[1]", "Patient.name.where(use)", "Patient.name.where(use='x",
        "Patient.name.first()", "Patient.name.where(none='x')", "(Patient.name", "Patient.",
        "Patient.deceased.ofType(Quantity)", "Patient.name as ", "Patient..name", "Patient.name.where(use='a')[0]"}) {
    EXPECT_THAT(paths(text, "Patient"), ElementsAre("not understood")) << text;
  }
}

TEST(Expression, AUnionIsSplitOutsideOfBrackets) {
  EXPECT_THAT(split_union("A.b | (A.c | A.d) |A.e"), ElementsAre("A.b", "(A.c | A.d)", "A.e"));
  EXPECT_THAT(split_union(""), IsEmpty());
}

TEST(Catalogue, EveryPublishedExpressionIsCovered) {
  // The definitions package adds DeviceDefinition.classification to R4, and with it a parameter.
  EXPECT_THAT(Catalogue::of(nullptr).not_covered(),
              ElementsAre("DeviceDefinition.classification: DeviceDefinition.classification.type"));
  EXPECT_EQ(find_parameter("DeviceDefinition", "classification"), nullptr);
  // None needs an evaluation: the trie and the test of presence say them all.
  EXPECT_THAT(Catalogue::of(nullptr).evaluated(), IsEmpty());
}

TEST(Catalogue, NoPublishedParameterIsLeftOut) {
  std::size_t found = 0;
  for (const auto& definition : model::search_parameters()) {
    if (definition.code == "_query" || definition.code == "classification") continue;
    ++found;
    const Parameter* parameter = find_parameter(definition.base, definition.code);
    ASSERT_NE(parameter, nullptr) << definition.base << '.' << definition.code;
    EXPECT_EQ(parameter->type, definition.base);
    EXPECT_EQ(parameter->url, definition.url);
    EXPECT_EQ(parameter->components.size(), definition.components.size());
  }
  EXPECT_GT(found, 2'300U);
}

TEST(Catalogue, ParametersAreNumberedByTheirPlace) {
  for (std::size_t i = 0; i < parameters().size(); ++i) {
    const Parameter& one = parameters()[i];
    EXPECT_EQ(one.number, i);
    if (one.code.contains('$')) {
      EXPECT_EQ(find_parameter(one.type, one.code), nullptr) << one.code;  // a part of a composite
    } else if (one.code != "classification") {
      EXPECT_EQ(find_parameter(one.type, one.code), &one) << one.type << one.code;
    }
  }
  EXPECT_LT(parameters().size(), 65536U);
}

TEST(Catalogue, ATypeHasTheParametersThatR4DefinesForItAndForEveryResource) {
  const auto codes = [](std::string_view type) {
    std::vector<std::string_view> out;
    for (const Parameter& one : parameters_of(type)) out.push_back(one.code);
    return out;
  };
  EXPECT_THAT(codes("Binary"),
              ElementsAre("_content", "_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"));
  EXPECT_THAT(codes("Basic"), ElementsAre("_content", "_id", "_lastUpdated", "_profile", "_security", "_source", "_tag",
                                          "_text", "author", "code", "created", "identifier", "patient", "subject"));
  EXPECT_THAT(codes("HumanName"), IsEmpty());
  EXPECT_EQ(find_parameter("Patient", "date"), nullptr);
  EXPECT_EQ(find_parameter("Patient", "birthdate")->kind, Kind::date);
  EXPECT_EQ(find_parameter("Location", "near")->kind, Kind::position);
  EXPECT_THAT(find_parameter("Observation", "patient")->targets, ElementsAre("Patient"));
}

TEST(Catalogue, APartOfACompositeHasAKind) {
  const auto kinds = [](std::string_view type, std::string_view code) {
    std::vector<Kind> out;
    for (const auto number : find_parameter(type, code)->components) out.push_back(parameters()[number].kind);
    return out;
  };
  EXPECT_THAT(kinds("Observation", "code-value-quantity"), ElementsAre(Kind::token, Kind::quantity));
  EXPECT_THAT(kinds("Observation", "code-value-date"), ElementsAre(Kind::token, Kind::date));
  EXPECT_THAT(kinds("DocumentReference", "relationship"), ElementsAre(Kind::token, Kind::reference));
  EXPECT_THAT(kinds("MolecularSequence", "chromosome-variant-coordinate"),
              ElementsAre(Kind::token, Kind::number, Kind::number));
}

Result<CustomParameter> read(const std::string& text) {
  const auto document = json::Document::parse(text);
  return custom_parameter(document->root());
}

std::string race(const std::string& expression, const std::string& kind = "token", const std::string& code = "race") {
  return R"({"resourceType":"SearchParameter","url":"http://a.org/race","code":")" + code + R"(","type":")" + kind +
         R"(","base":["Patient"],"expression":")" + expression + "\"}";
}

TEST(Catalogue, ADateIsSingleWhenItsElementCanBeThereOnce) {
  const auto is_single_date = [](std::string_view type, std::string_view code) {
    return is_single(*find_parameter(type, code));
  };
  EXPECT_TRUE(is_single_date("Observation", "date")) << "one choice of several types";
  EXPECT_TRUE(is_single_date("Patient", "birthdate"));
  EXPECT_TRUE(is_single_date("Encounter", "date"));
  EXPECT_TRUE(is_single_date("Condition", "onset-date"));
  EXPECT_FALSE(is_single_date("CarePlan", "activity-date")) << "of each activity";
  EXPECT_FALSE(is_single_date("Goal", "target-date")) << "of each target";
  EXPECT_FALSE(is_single_date("Observation", "code")) << "no date";
}

TEST(Catalogue, WhatIsBelowItsOwnBasesIsLocal) {
  const auto here = with_own_bases(nullptr, {"http://here/fhir/R4", "https://care.example/fhir/R4"});
  struct Case {
    std::string_view reference, local;
  };
  constexpr Case cases[] = {
      {"http://here/fhir/R4/Patient/1", "Patient/1"},
      {"https://care.example/fhir/R4/Patient/1/_history/2", "Patient/1/_history/2"},
      {"http://here/fhir/R4x/Patient/1", "http://here/fhir/R4x/Patient/1"},
      {"http://here/fhir/R4/", "http://here/fhir/R4/"},
      {"http://elsewhere/fhir/R4/Patient/1", "http://elsewhere/fhir/R4/Patient/1"},
      {"Patient/1", "Patient/1"},
  };
  for (const auto& one : cases) EXPECT_EQ(local_reference(one.reference, here.get()), one.local);
  EXPECT_EQ(local_reference("http://here/fhir/R4/Patient/1", nullptr), "http://here/fhir/R4/Patient/1");

  const auto document = json::Document::parse(
      R"({"resourceType":"Observation","subject":{"reference":"http://here/fhir/R4/Patient/1"}})");
  ASSERT_TRUE(document);
  const auto* patient = find_parameter("Observation", "patient", here.get());
  const auto entries = extract(document->root(), *patient, here.get());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].value, "Patient/1");
  EXPECT_EQ(extract(document->root(), *patient)[0].value, "http://here/fhir/R4/Patient/1");
}

TEST(CustomParameter, AddedParametersAreFoundByAndOldOnesKeepTheirNumbers) {
  std::vector<CustomParameter> added;
  for (const auto& text :
       {race("Patient.extension.where(url='http://a.org/race').value.as(Coding)"),
        race("Patient.extension('http://a.org/race').value.ofType(Coding).code", "token", "race-evaluated")}) {
    const auto custom = read(text);
    ASSERT_TRUE(custom) << custom.error().text;
    added.push_back(*custom);
  }
  const auto catalogue = with_parameters(nullptr, added);
  ASSERT_TRUE(catalogue) << catalogue.error().text;
  EXPECT_THAT((*catalogue)->evaluated(), testing::SizeIs(1));
  const Parameter* parameter = find_parameter("Patient", "race", catalogue->get());
  ASSERT_NE(parameter, nullptr);
  EXPECT_GE(parameter->number, parameters().size());
  EXPECT_EQ(find_parameter("Patient", "race"), nullptr);
  EXPECT_EQ(find_parameter("Patient", "name", catalogue->get())->number, find_parameter("Patient", "name")->number);
  const auto patient = json::Document::parse(
      R"({"resourceType":"Patient","extension":[{"url":"http://a.org/other","valueCoding":{"code":"n"}},
          {"url":"http://a.org/race","valueCoding":{"system":"urn:s","code":"y"}}]})");
  for (const auto* code : {"race", "race-evaluated"}) {
    const auto entries = extract(patient->root(), *find_parameter("Patient", code, catalogue->get()), catalogue->get());
    ASSERT_EQ(entries.size(), 1U) << code;
    EXPECT_EQ(entries[0].value, "y");
  }
}

TEST(CustomParameter, WhatCannotBeIndexedIsRefusedByItsElement) {
  struct Row {
    std::string text, element;
  };
  for (const auto& [text, element] : {Row{R"({"resourceType":"Patient"})", "resourceType"},
                                      Row{R"({"resourceType":"SearchParameter"})", "SearchParameter.url"},
                                      Row{race("Patient.name", "token", "a b"), "SearchParameter.code"},
                                      Row{race("Patient.name", "token", "_x"), "SearchParameter.code"},
                                      Row{race("Patient.name", "string", "name"), "SearchParameter.code"},
                                      Row{race("Patient.name", "special"), "SearchParameter.type"},
                                      Row{race("", "string"), "SearchParameter.expression"},
                                      Row{race("Patient.birthDate", "quantity"), "SearchParameter.expression"},
                                      Row{race("Patient.(", "string"), "SearchParameter.expression"},
                                      Row{race("Observation.code"), "SearchParameter.expression"},
                                      Row{race("Patient.name", "composite"), "SearchParameter.component"}}) {
    const auto custom = read(text);
    ASSERT_FALSE(custom) << text;
    EXPECT_EQ(custom.error().code, Code::invalid);
    EXPECT_EQ(custom.error().where, element) << text << custom.error().text;
  }
}

}  // namespace
}  // namespace mydr24::search
