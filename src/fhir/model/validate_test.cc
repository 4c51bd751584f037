#include "fhir/model/validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace mydr24::model {
namespace {

namespace fs = std::filesystem;

// Each issue as "code path".
std::vector<std::string> issues_of(const std::string& text) {
  const auto document = json::Document::parse(text);
  if (!document) return {"parse: " + document.error().text};
  std::vector<std::string> out;
  for (const Issue& issue : validate(document->root())) out.push_back(issue.code + ' ' + issue.expression);
  return out;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Row {
  std::string resource;
  std::vector<std::string> issues;  // empty: valid
};

void check(const std::vector<Row>& rows) {
  for (const auto& [resource, expected] : rows) EXPECT_EQ(issues_of(resource), expected) << resource;
}

TEST(Validate, AValidResourceHasNoIssue) {
  check({
      {R"({"resourceType":"Patient"})", {}},
      {R"({"resourceType":"Patient","id":"a","name":[{"family":"Ng","given":["A","B"]}],"birthDate":"1980-02",
           "_birthDate":{"extension":[{"url":"http://x","valueDateTime":"1980-02-03T04:05:06Z"}]}})",
       {}},
      {R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}})", {}},
  });
}

TEST(Validate, WhatIsNoResourceIsRefused) {
  check({
      {"[]", {"structure "}},
      {"{}", {"required "}},
      {R"({"resourceType":1})", {"required 1"}},
      {R"({"resourceType":"Patent"})", {"value Patent"}},
      {R"({"resourceType":"DomainResource"})", {"value DomainResource"}},
  });
}

TEST(Validate, UnknownElementsAreNamedWithTheirPath) {
  check({
      {R"({"resourceType":"Patient","nam":[]})", {"structure Patient.nam"}},
      {R"({"resourceType":"Patient","_name":[{}]})", {"structure Patient._name"}},
      {R"({"resourceType":"Patient","contact":[{"name":{}},{"name":{"famly":"x"}}]})",
       {"structure Patient.contact[0].name", "structure Patient.contact[1].name.famly"}},
      {R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"values":1}})",
       {"structure Observation.value.ofType(Quantity).values"}},
      {R"({"resourceType":"Patient","name":[{"resourceType":"HumanName"}]})",
       {"structure Patient.name[0].resourceType"}},
  });
}

TEST(Validate, AnUnknownElementComesWithTheNearestKnownName) {
  const auto document = json::Document::parse(R"({"resourceType":"Patient","birthdate":"1980","xyzzy":1})");
  const auto issues = validate(document->root());
  ASSERT_EQ(issues.size(), 2U);
  EXPECT_EQ(issues[0].diagnostics, "Patient has no element 'birthdate'. Did you mean 'birthDate'?");
  EXPECT_EQ(issues[1].diagnostics, "Patient has no element 'xyzzy'.");
}

TEST(Validate, ShapesAndCardinalitiesMustFit) {
  check({
      {R"({"resourceType":"Patient","name":{"family":"x"}})", {"structure Patient.name"}},
      {R"({"resourceType":"Patient","gender":["male"]})", {"structure Patient.gender"}},
      {R"({"resourceType":"Patient","name":[]})", {"structure Patient.name"}},
      {R"({"resourceType":"Patient","name":["x"]})", {"structure Patient.name[0]"}},
      {R"({"resourceType":"Patient","name":[null]})", {"structure Patient.name[0]"}},
      {R"({"resourceType":"Patient","gender":null})", {"structure Patient.gender"}},
      {R"({"resourceType":"Patient","maritalStatus":{}})", {"structure Patient.maritalStatus"}},
      {R"({"resourceType":"Observation"})", {"required Observation.code", "required Observation.status"}},
      {R"({"resourceType":"Observation","code":{"text":"x"},"_status":{"id":"a"}})", {}},
      {R"({"resourceType":"Patient","extension":[{"valueString":"x"}]})", {"required Patient.extension[0].url"}},
      {R"({"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}})",
       {"required MedicationRequest.medication"}},
  });
}

TEST(Validate, AKeyIsGivenOnceAndAChoiceHasOneType) {
  check({
      {R"({"resourceType":"Patient","active":true,"active":false})", {"structure Patient"}},
      {R"({"resourceType":"Patient","resourceType":"Patient"})", {"structure Patient"}},
      {R"({"resourceType":"Patient","_active":{"id":"a"},"_active":{"id":"a"}})", {"structure Patient"}},
      {R"({"resourceType":"Patient","_active":{"id":"a"},"active":true})", {}},
      {R"({"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2024"})", {"structure Patient"}},
      {R"({"resourceType":"Patient","deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}})", {"structure Patient"}},
      {R"({"resourceType":"Patient","deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}})", {}},
  });
}

TEST(Validate, PrimitiveExtensionsStandBesideTheirValues) {
  check({
      {R"({"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"id":"x"}]}]})", {}},
      {R"({"resourceType":"Patient","name":[{"given":["A",null]}]})", {"structure Patient.name[0].given[1]"}},
      {R"({"resourceType":"Patient","name":[{"given":["A",null],"_given":[{"id":"x"},null]}]})",
       {"structure Patient.name[0].given[1]"}},
      {R"({"resourceType":"Patient","name":[{"given":["A"],"_given":[null,{"id":"x"}]}]})",
       {"structure Patient.name[0].given"}},
      {R"({"resourceType":"Patient","name":[{"_given":[null,{"id":"x"}]}]})", {}},
      {R"({"resourceType":"Patient","name":[{"_given":{"id":"x"}}]})", {"structure Patient.name[0].given"}},
      {R"({"resourceType":"Patient","_gender":"x"})", {"structure Patient.gender"}},
      {R"({"resourceType":"Patient","_gender":{}})", {"structure Patient.gender"}},
      {R"({"resourceType":"Patient","_gender":{"value":"x"}})", {"structure Patient.gender.value"}},
      {R"({"resourceType":"Patient","_gender":{"extension":[{"valueCode":"x"}]}})",
       {"required Patient.gender.extension[0].url"}},
  });
}

TEST(Validate, PrimitivesMustHaveTheirFormat) {
  check({
      {R"({"resourceType":"Patient","birthDate":"1980-13"})", {"value Patient.birthDate"}},
      {R"({"resourceType":"Patient","active":"true"})", {"value Patient.active"}},
      {R"({"resourceType":"Patient","name":[{"given":["A",""]}]})", {"value Patient.name[0].given[1]"}},
      {R"({"resourceType":"Patient","id":"a_b"})", {"value Patient.id"}},
  });
}

TEST(Validate, ACodeComesFromTheValueSetItIsBoundTo) {
  check({
      {R"({"resourceType":"Patient","gender":"female","name":[{"use":"maiden"}],"telecom":[{"system":"phone"}]})", {}},
      {R"({"resourceType":"Patient","gender":"f\u0065male"})", {}},
      {R"({"resourceType":"Patient","gender":"f"})", {"code-invalid Patient.gender"}},
      {R"({"resourceType":"Patient","gender":"Female"})", {"code-invalid Patient.gender"}},
      {R"({"resourceType":"Patient","gender":""})", {"value Patient.gender"}},
      {R"({"resourceType":"Patient","_gender":{"extension":[{"url":"http://x","valueCode":"f"}]}})", {}},
      {R"({"resourceType":"Patient","contact":[{"gender":"male"},{"gender":"m"}],"telecom":[{"system":"fone"}]})",
       {"code-invalid Patient.contact[1].gender", "code-invalid Patient.telecom[0].system"}},
      {R"({"resourceType":"Observation","status":"done","code":{"text":"x"},"valueQuantity":{"comparator":"="}})",
       {"code-invalid Observation.status", "code-invalid Observation.value.ofType(Quantity).comparator"}},
      {R"({"resourceType":"Patient","contained":[{"resourceType":"Patient","gender":"f"}]})",
       {"code-invalid Patient.contained[0].gender"}},
      {R"({"resourceType":"SearchParameter","url":"http://x","name":"x","status":"draft","description":"x","code":"x",
           "type":"token","base":["Patient","Patent"]})",
       {"code-invalid SearchParameter.base[1]"}},
  });
}

TEST(Validate, WhatCannotBeListedOrIsNoCodeElementIsNotCheckedAgainstItsBinding) {
  check({
      {R"({"resourceType":"Patient","language":"tlh","photo":[{"contentType":"application/x-own","language":"xx"}]})",
       {}},
      {R"({"resourceType":"Invoice","status":"draft","totalNet":{"value":1,"currency":"XYZ"}})", {}},
      {R"({"resourceType":"Condition","subject":{"reference":"Patient/1"},
           "clinicalStatus":{"coding":[{"system":"http://x","code":"x"}]}})",
       {}},
  });
}

TEST(Validate, ACodeThatIsRefusedComesWithTheCodesAllowedOrTheNearest) {
  const auto diagnostics = [](const std::string& text) {
    const auto document = json::Document::parse(text);
    const auto issues = validate(document->root());
    return issues.size() == 1 && issues[0].severity == Severity::error ? issues[0].diagnostics : "not one error";
  };
  EXPECT_EQ(
      diagnostics(R"({"resourceType":"Patient","gender":"f"})"),
      "'f' is not a code of http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1, which has female, male, other, "
      "unknown.");
  const std::string start = R"({"resourceType":"GraphDefinition","name":"x","status":"draft","start":")";
  const std::string refused = "' is not a code of http://hl7.org/fhir/ValueSet/resource-types|4.0.1.";
  EXPECT_EQ(diagnostics(start + "Patent\"}"), "'Patent" + refused + " Did you mean 'Patient'?");
  EXPECT_EQ(diagnostics(start + "xyzzy\"}"), "'xyzzy" + refused);
  EXPECT_EQ(diagnostics(start + std::string(1000, 'x') + "\"}"), "'" + std::string(60, 'x') + "..." + refused);
}

TEST(Validate, ARelativeReferenceNamesATypeTheElementAllows) {
  const auto observation = [](const std::string& reference) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":")" +
           reference + "\"}}";
  };
  for (const auto* good : {"Patient/1", "Patient/1/_history/2", "Patient?identifier=x", "#p", "#", "urn:uuid:1",
                           "http://a.org/Practitioner/1", "https://a.org/x", "urn:oid:1.2"}) {
    EXPECT_TRUE(issues_of(observation(good)).empty()) << good;
  }
  for (const auto* bad : {"Practitioner/1", "Practitioner?identifier=x", "Patent/1"}) {
    EXPECT_EQ(issues_of(observation(bad)), std::vector<std::string>{"value Observation.subject.reference"}) << bad;
  }
}

TEST(Validate, ResourcesInsideOfResourcesAreCheckedAsTheirOwnType) {
  check({
      {R"({"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","nam":"x"}}]})",
       {"structure Bundle.entry[0].resource.nam"}},
      {R"({"resourceType":"Bundle","type":"batch","entry":[{"resource":{"nam":"x"}}]})",
       {"required Bundle.entry[0].resource"}},
      {R"({"resourceType":"Parameters","parameter":[{"name":"a","resource":{"resourceType":"Observation","status":"final"}}]})",
       {"required Parameters.parameter[0].resource.code"}},
      {R"({"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"a"}]})", {}},
      {R"({"resourceType":"Patient","contained":[{"resourceType":"Patient","contained":[{"resourceType":"Patient"}]}]})",
       {"invariant Patient.contained[0].contained[0]"}},
      {R"({"resourceType":"Patient","contained":["x"]})", {"structure Patient.contained[0]"}},
  });
}

TEST(Validate, NoMoreIssuesAreCollectedThanAsked) {
  std::string text = R"({"resourceType":"Patient","name":[)";
  for (int i = 0; i < 500; ++i) text += R"({"x":1},)";
  text += R"({"family":"x"}]})";
  const auto document = json::Document::parse(text);
  EXPECT_EQ(validate(document->root()).size(), 100U);
  EXPECT_EQ(validate(document->root(), {.issues_max = 7}).size(), 7U);
}

// Work grows with the size of the text, not with its square: squared, this would not end.
TEST(Validate, ManyNullsBesideManyMembersCostOnePass) {
  constexpr int many = 300'000;
  std::string nulls = "null", extensions = R"({"id":"x"})", members;
  for (int i = 1; i < many; ++i) {
    nulls += ",null";
    extensions += R"(,{"id":"x"})";
    members += R"("x":1,)";
  }
  const auto document = json::Document::parse(R"({"resourceType":"Patient","name":[{"given":[)" + nulls + "]," +
                                              members + R"("_given":[)" + extensions + "]}]}");
  ASSERT_TRUE(document);
  EXPECT_EQ(validate(document->root()).size(), 100U);
}

TEST(Validate, EveryPublishedExampleIsValid) {
  const fs::path folder = "../shared/data/fhir-r4-examples";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    ++count;
    EXPECT_EQ(issues_of(read(file.path())), std::vector<std::string>()) << file.path();
  }
  EXPECT_GE(count, 373U);
}

TEST(Validate, RealHospitalDataIsValid) {
  const fs::path folder = "../shared/data/mimic-iv-demo-fhir";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  constexpr int lines_max = 200;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() != ".gz") continue;
    const std::string command = "gzip -dc " + file.path().string() + " | head -n " + std::to_string(lines_max);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    ASSERT_NE(pipe, nullptr);
    std::string text;
    std::array<char, 1U << 16> buffer{};
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;)
      text.append(buffer.data(), n);
    std::size_t count = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      EXPECT_EQ(issues_of(text.substr(begin, end - begin)), std::vector<std::string>()) << file.path() << ' ' << count;
      begin = end + 1;
      ++count;
    }
    EXPECT_GT(count, 0U) << file.path();
  }
}

// The HL7 Java validator's verdicts. What it finds beyond structure and codes (terminology, invariants, profiles) is
// not ours to find.
TEST(Validate, NoResourceThatHl7FindsValidIsRefused) {
  const fs::path folder = "../shared/data/fhir-validator-r4";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not here";
  const auto cases = json::Document::parse(read(folder / "cases.json"));
  ASSERT_TRUE(cases);
  int refused = 0;
  for (const auto one : cases->root()) {
    const std::string resource(one["resource"].text());
    if (!resource.ends_with(".json")) continue;
    const auto document = json::Document::parse(read(folder / resource));
    if (!document) continue;  // comments, missing commas: the parser's tests
    const auto issues = validate(document->root());
    if (one["expect"].text() == "valid") {
      EXPECT_TRUE(issues.empty()) << resource << ": " << issues[0].expression << ' ' << issues[0].diagnostics;
    } else {
      refused += issues.empty() ? 0 : 1;
    }
  }
  EXPECT_GE(refused, 16);
}

}  // namespace
}  // namespace mydr24::model
