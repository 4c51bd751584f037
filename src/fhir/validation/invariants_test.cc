// One resource for each rule that breaks it and nothing else.

#include <gtest/gtest.h>

#include <string>

#include "fhir/validation/validation.h"

namespace mydr24::validation {
namespace {

struct Case {
  const char* expected;  // a part of the only error; nullptr: valid
  const char* resource;
};

constexpr Case cases[] = {
    {nullptr, R"({"resourceType":"Patient","active":true})"},
    // On every element and every resource.
    {"(ele-1)", R"({"resourceType":"Patient","maritalStatus":{"id":"x"}})"},
    {"(ele-1)", R"({"resourceType":"Patient","_birthDate":{"id":"x"}})"},
    {"(ext-1)", R"({"resourceType":"Patient","extension":[{"url":"http://a.org/b"}]})"},
    {"(ext-1)",
     R"({"resourceType":"Patient","extension":[{"url":"http://a.org/b","valueCode":"x","extension":[{"url":"c","valueCode":"y"}]}]})"},
    {"(dom-3)", R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A"}]})"},
    {"(dom-4)",
     R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","meta":{"versionId":"1"},"name":"A"}],"managingOrganization":{"reference":"#a"}})"},
    {"(dom-5)",
     R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","meta":{"security":[{"code":"R"}]},"name":"A"}],"managingOrganization":{"reference":"#a"}})"},
    {nullptr,
     R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A"}],"managingOrganization":{"reference":"#a"}})"},
    {nullptr,
     R"({"resourceType":"Organization","name":"A","contained":[{"resourceType":"Organization","id":"a","name":"A","partOf":{"reference":"#"}}]})"},
    {"(ref-1)", R"({"resourceType":"Patient","managingOrganization":{"reference":"#nobody"}})"},
    {"(txt-1): <script> is not allowed",
     R"({"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x<script>y</script></div>"}})"},
    {"(txt-2)",
     R"({"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"}})"},
    // Data types.
    {"(per-1)",
     R"({"resourceType":"Patient","name":[{"text":"A","period":{"start":"2024-02-02","end":"2024-02-01"}}]})"},
    {"(cpt-2)", R"({"resourceType":"Patient","telecom":[{"value":"1"}]})"},
    {"(att-1)", R"({"resourceType":"Patient","photo":[{"data":"YQ=="}]})"},
    {"(rng-2)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueRange":{"low":{"value":2,"unit":"mm","system":"http://unitsofmeasure.org","code":"mm"},"high":{"value":1,"unit":"mm","system":"http://unitsofmeasure.org","code":"mm"}}})"},
    {"(qty-3)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1,"code":"mm"}})"},
    {"(sqty-1)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"referenceRange":[{"low":{"value":1,"comparator":"<"}}]})"},
    {"(rat-1)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueRatio":{"numerator":{"value":1}}})"},
    {"(tim-2)",
     R"({"resourceType":"ServiceRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"},"occurrenceTiming":{"repeat":{"period":1}}})"},
    // Resources.
    {"(pat-1)", R"({"resourceType":"Patient","contact":[{"gender":"male"}]})"},
    {"(obs-3)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"referenceRange":[{"type":{"text":"x"}}]})"},
    {"(obs-6)",
     R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"x","dataAbsentReason":{"text":"y"}})"},
    {"(obs-7)",
     R"({"resourceType":"Observation","status":"final","code":{"coding":[{"system":"s:a","code":"1"}]},"valueString":"x","component":[{"code":{"coding":[{"system":"s:a","code":"1"}]},"valueString":"y"}]})"},
    {"(org-1)", R"({"resourceType":"Organization","active":true})"},
    {"(org-2)", R"({"resourceType":"Organization","name":"A","address":[{"use":"home"}]})"},
    {"(app-3)",
     R"({"resourceType":"Appointment","status":"booked","participant":[{"status":"accepted","type":[{"text":"x"}]}]})"},
    {"(app-1)", R"({"resourceType":"Appointment","status":"proposed","participant":[{"status":"accepted"}]})"},
    {"(con-4)",
     R"({"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/1"},"abatementDateTime":"2024"})"},
    {"(ait-1)", R"({"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/1"}})"},
    {"(grp-1)",
     R"({"resourceType":"Group","type":"person","actual":false,"member":[{"entity":{"reference":"Patient/1"}}]})"},
    {"(lst-1)",
     R"({"resourceType":"List","status":"current","mode":"working","emptyReason":{"text":"x"},"entry":[{"item":{"reference":"Patient/1"}}]})"},
    {"(que-2)",
     R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"string"},{"linkId":"1","type":"string"}]})"},
    {"(que-3)",
     R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"display","code":[{"code":"a"}]}]})"},
    {"(bdl-1)", R"({"resourceType":"Bundle","type":"collection","total":1})"},
    {"(bdl-3)",
     R"({"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","active":true}}]})"},
    {"(bdl-5)",
     R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}]})"},
    {"(inv-1)", R"({"resourceType":"Parameters","parameter":[{"name":"a"}]})"},
    {"(ras-2)",
     R"({"resourceType":"RiskAssessment","status":"final","subject":{"reference":"Patient/1"},"prediction":[{"probabilityDecimal":101}]})"},
    {"(vsd-1)", R"({"resourceType":"ValueSet","status":"draft","compose":{"include":[{"version":"1"}]}})"},
    // Bindings that are required.
    {"is not in the value set http://hl7.org/fhir/ValueSet/allergyintolerance-clinical",
     R"({"resourceType":"AllergyIntolerance","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"odd"}]},"patient":{"reference":"Patient/1"}})"},
    {"is not in the value set http://hl7.org/fhir/ValueSet/condition-ver-status",
     R"({"resourceType":"Condition","verificationStatus":{"text":"sure"},"subject":{"reference":"Patient/1"}})"},
    // Rules in words.
    {"The size is said to be 3",
     R"({"resourceType":"Patient","photo":[{"contentType":"image/png","data":"YQ==","size":3}]})"},
    {"must be an absolute URL",
     R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"Patient/1","resource":{"resourceType":"Patient","active":true}}]})"},
    {"may be there only once",
     R"({"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":"a"},{"relation":"self","url":"b"}]})"},
    {"leads to a resource of type Organization",
     R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/b"}]}},{"fullUrl":"urn:uuid:b","resource":{"resourceType":"Organization","name":"B"}}]})"},
    {"A canonical URL must be absolute", R"({"resourceType":"ValueSet","url":"vs","status":"draft"})"},
    {"has 1 concepts, but its count is 2",
     R"({"resourceType":"CodeSystem","status":"draft","content":"complete","count":2,"concept":[{"code":"a"}]})"},
    {"is no FHIRPath",
     R"({"resourceType":"SearchParameter","url":"http://a.org/s","name":"S","status":"draft","description":"d","code":"s","base":["Patient"],"type":"string","expression":"Patient.("})"},
};

TEST(Invariants, EachRuleFindsWhatBreaksIt) {
  const auto validator = Validator::base(terminology::Terminology::published());
  for (const auto& [expected, resource] : cases) {
    const auto document = json::Document::parse(resource);
    ASSERT_TRUE(document) << resource;
    std::string all;
    std::size_t count = 0;
    bool found = false;
    for (const auto& issue : validator->validate(document->root(), {})) {
      if (issue.severity != model::Severity::error) continue;
      ++count;
      all += issue.expression + ": " + issue.diagnostics + '\n';
      found = found || (expected != nullptr && issue.diagnostics.find(expected) != std::string::npos);
    }
    if (expected == nullptr) {
      EXPECT_EQ(count, 0U) << resource << '\n' << all;
    } else {
      EXPECT_TRUE(found && count == 1) << expected << ' ' << resource << '\n' << all;
    }
  }
}

TEST(Invariants, WarningsAreToldOnlyWhenTheyAreAskedFor) {
  const auto validator = Validator::base(terminology::Terminology::published());
  const auto document = json::Document::parse(
      R"({"resourceType":"ValueSet","name":"not an identifier","status":"draft","extension":[{"url":"http://a.org/b","valueCode":"x"}]})");
  EXPECT_TRUE(validator->validate(document->root(), {}).empty());
  Request request;
  request.warnings = true;
  const auto issues = validator->validate(document->root(), request);
  EXPECT_EQ(issues.size(), 3U);  // vsd-0, dom-6, the unknown extension
  for (const auto& issue : issues) EXPECT_EQ(issue.severity, model::Severity::warning) << issue.diagnostics;
}

TEST(Invariants, EachKindOfCheckCanBeLeftOut) {
  const auto validator = Validator::base(terminology::Terminology::published());
  const auto document = json::Document::parse(
      R"({"resourceType":"Condition","odd":1,"verificationStatus":{"text":"sure"},"subject":{"reference":"#x"}})");
  const auto count = [&](Checks checks) {
    Request request;
    request.checks = checks;
    return validator->validate(document->root(), request).size();
  };
  EXPECT_EQ(count({}), 3U);
  EXPECT_EQ(count({.structure = false}), 2U);
  EXPECT_EQ(count({.bindings = false}), 2U);
  EXPECT_EQ(count({.invariants = false}), 2U);
}

}  // namespace
}  // namespace mydr24::validation
