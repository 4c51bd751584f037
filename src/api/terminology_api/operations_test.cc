#include "api/terminology_api/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace mydr24::terminology_api {
namespace {

using terminology::Terminology;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view gender = "http://hl7.org/fhir/ValueSet/administrative-gender";
constexpr std::string_view gender_system = "http://hl7.org/fhir/administrative-gender";
constexpr std::string_view clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";

using Query = std::vector<std::pair<std::string, std::string>>;

// One call: its answer as a document, or the error.
class Call {
 public:
  Call(std::string_view type, std::string_view operation) { request_ = {.type = type, .operation = operation}; }
  Call& with(std::string_view name, std::string_view value) {
    query_.emplace_back(name, value);
    return *this;
  }
  // Parameters of the body: what stands between the brackets of "parameter".
  Call& body(std::string_view parameters) {
    body_ = parse(R"({"resourceType": "Parameters", "parameter": [)" + std::string(parameters) + "]}");
    return *this;
  }
  Call& on(std::string_view instance) {
    instance_ = parse(std::string(instance));
    return *this;
  }
  json::Value run(const Terminology& terminology = *Terminology::published()) {
    request_.query = query_;
    if (body_) request_.parameters = body_->root();
    if (instance_) request_.instance = instance_->root();
    request_.now = from_us(1'709'280'000'000'000);
    auto text = terminology_api::run(terminology, request_);
    if (!text) {
      error_ = text.error();
      return {};
    }
    answer_ = parse(std::move(*text));
    return answer_->root();
  }
  Code error() {
    const auto answer = run();
    EXPECT_FALSE(answer) << answer.raw();
    return error_.code;
  }
  const Error& failure() const { return error_; }

 private:
  static std::optional<json::Document> parse(std::string text) {
    auto document = json::Document::parse(text);
    EXPECT_TRUE(document) << text;
    return std::move(*document);
  }
  Request request_;
  Query query_;
  std::optional<json::Document> body_, instance_, answer_;
  Error error_;
};

// The value of an output parameter of Parameters, or of a part, as text.
std::string value(json::Value parameters, std::string_view name, std::string_view list = "parameter") {
  for (const auto parameter : parameters[list]) {
    if (parameter["name"].text() != name) continue;
    for (const auto member : parameter) {
      if (member.key().starts_with("value")) return std::string(member.text());
    }
  }
  return "absent";
}

json::Value parameter(json::Value parameters, std::string_view name, std::string_view list = "parameter") {
  for (const auto one : parameters[list]) {
    if (one["name"].text() == name) return one;
  }
  return {};
}

std::vector<std::string> codes(json::Value value_set) {
  std::vector<std::string> out;
  for (const auto one : value_set["expansion"]["contains"]) out.emplace_back(one["code"].text());
  return out;
}

TEST(TerminologyOperations, AreThoseOfR4) {
  EXPECT_TRUE(has_operation("ValueSet", "$expand", false));
  EXPECT_TRUE(has_operation("ValueSet", "$expand", true));
  EXPECT_TRUE(has_operation("CodeSystem", "$lookup", false));
  EXPECT_FALSE(has_operation("CodeSystem", "$lookup", true));
  EXPECT_FALSE(has_operation("CodeSystem", "$expand", false));
  EXPECT_EQ(Call("Patient", "$expand").error(), Code::unsupported);
}

TEST(TerminologyOperations, AreToldAsCapabilities) {
  const auto document = json::Document::parse(
      capabilities(*Terminology::published(), "1.2", "http://localhost/fhir", from_us(1'709'280'000'000'000)));
  ASSERT_TRUE(document);
  const auto told = document->root();
  EXPECT_EQ(told["resourceType"].text(), "TerminologyCapabilities");
  EXPECT_EQ(told["date"].text(), "2024-03-01T08:00:00.000Z");
  EXPECT_EQ(told["software"]["version"].text(), "1.2");
  EXPECT_GT(told["codeSystem"].size(), 1'000U);
  for (const auto system : told["codeSystem"]) {
    if (system["uri"].text() == gender_system) {
      EXPECT_EQ(system["version"].at(0)["code"].text(), "4.0.1");
    }
  }
}

TEST(Expand, GivesAValueSetWithItsExpansion) {
  Call call("ValueSet", "$expand");
  const auto answer = call.with("url", gender).run();
  EXPECT_EQ(answer["resourceType"].text(), "ValueSet");
  EXPECT_EQ(answer["url"].text(), gender);
  EXPECT_EQ(answer["status"].text(), "active");
  EXPECT_EQ(answer["expansion"]["timestamp"].text(), "2024-03-01T08:00:00.000Z");
  EXPECT_EQ(answer["expansion"]["total"].text(), "4");
  EXPECT_THAT(codes(answer), ElementsAre("male", "female", "other", "unknown"));
  const auto first = answer["expansion"]["contains"].at(0);
  EXPECT_EQ(first["system"].text(), gender_system);
  EXPECT_EQ(first["display"].text(), "Male");
}

TEST(Expand, GivesPagesAndFilters) {
  Call page("ValueSet", "$expand");
  const auto second = page.with("url", gender).with("offset", "1").with("count", "2").run();
  EXPECT_THAT(codes(second), ElementsAre("female", "other"));
  EXPECT_EQ(second["expansion"]["total"].text(), "4");
  EXPECT_EQ(second["expansion"]["offset"].text(), "1");
  Call none("ValueSet", "$expand");
  const auto counted = none.with("url", gender).with("count", "0").run();
  EXPECT_THAT(codes(counted), IsEmpty());
  EXPECT_EQ(counted["expansion"]["total"].text(), "4");
  Call filtered("ValueSet", "$expand");
  EXPECT_THAT(codes(filtered.with("url", gender).with("filter", "fem").run()), ElementsAre("female"));
}

TEST(Expand, TakesTheValueSetByValueAndTheInstance) {
  const std::string set = R"({"resourceType": "ValueSet", "name": "Own", "status": "draft", "compose": {"include":
    [{"system": "http://hl7.org/fhir/administrative-gender", "concept": [{"code": "other"}]}]}})";
  Call by_value("ValueSet", "$expand");
  const auto answer = by_value.body(R"({"name": "valueSet", "resource": )" + set + "}").run();
  EXPECT_THAT(codes(answer), ElementsAre("other"));
  EXPECT_EQ(answer["name"].text(), "Own");
  EXPECT_EQ(answer["status"].text(), "draft");
  Call on_instance("ValueSet", "$expand");
  EXPECT_THAT(codes(on_instance.on(set).run()), ElementsAre("other"));
}

TEST(Expand, GivesDesignationsAndLanguages) {
  const std::string set = "http://terminology.hl7.org/ValueSet/v2-0001";
  Call german("ValueSet", "$expand");
  const auto answer = german.with("url", set).with("displayLanguage", "de").with("filter", "female").run();
  EXPECT_EQ(answer["expansion"]["contains"].at(0)["display"].text(), "weiblich");
  Call all("ValueSet", "$expand");
  const auto with_all = all.with("url", set).with("includeDesignations", "true").with("count", "1").run();
  EXPECT_GT(with_all["expansion"]["contains"].at(0)["designation"].size(), 0U);
}

TEST(Expand, TellsGroupsAndLeavesThemOutForPeople) {
  const std::string set = "http://terminology.hl7.org/ValueSet/v3-ActMood";
  Call all("ValueSet", "$expand");
  EXPECT_TRUE(all.with("url", set).run()["expansion"]["contains"].at(0)["abstract"].is_true());
  Call select("ValueSet", "$expand");
  EXPECT_EQ(select.with("url", set).with("excludeNotForUI", "true").run()["expansion"]["contains"].at(0)["code"].text(),
            "DEF");
}

TEST(Expand, RefusesWhatItCannotDo) {
  const struct {
    Query query;
    Code code;
  } rows[] = {
      {{}, Code::invalid},
      {{{"url", "http://example.org/none"}}, Code::not_found},
      {{{"url", std::string(gender)}, {"valueSetVersion", "9"}}, Code::not_found},
      {{{"url", std::string(gender)}, {"count", "-1"}}, Code::invalid},
      {{{"url", std::string(gender)}, {"offset", "x"}}, Code::invalid},
      {{{"url", std::string(gender)}, {"activeOnly", "yes"}}, Code::invalid},
      {{{"url", std::string(gender)}, {"exclude-system", "http://x.org"}}, Code::unsupported},
      {{{"context", "Patient.gender"}}, Code::unsupported},
      {{{"url", "http://snomed.info/sct?fhir_vs"}}, Code::not_found},
      {{{"url", "http://hl7.org/fhir/ValueSet/ucum-units"}}, Code::too_costly},
  };
  for (const auto& row : rows) {
    Call call("ValueSet", "$expand");
    for (const auto& [name, text] : row.query) call.with(name, text);
    EXPECT_EQ(call.error(), row.code) << call.failure().text;
  }
}

TEST(ValidateCode, AnswersAboutValueSets) {
  const std::string url(gender), system(gender_system);
  const struct {
    Query query;
    std::string_view result, message, display;
  } rows[] = {
      {{{"code", "male"}, {"system", system}}, "true", "absent", "Male"},
      {{{"code", "male"}}, "true", "absent", "Male"},
      {{{"code", "male"}, {"display", "male"}}, "true", "absent", "Male"},
      {{{"code", "male"}, {"display", "Man"}}, "false", "'Male'", "Male"},
      {{{"code", "man"}, {"system", system}}, "false", "use one of male", "absent"},
      {{{"code", "male"}, {"system", "http://x.org"}}, "false", "not in the value set", "absent"},
  };
  for (const auto& row : rows) {
    Call call("ValueSet", "$validate-code");
    call.with("url", url);
    for (const auto& [name, text] : row.query) call.with(name, text);
    const auto answer = call.run();
    EXPECT_EQ(value(answer, "result"), row.result) << answer.raw();
    EXPECT_THAT(value(answer, "message"), HasSubstr(std::string(row.message)));
    EXPECT_EQ(value(answer, "display"), row.display);
  }
}

TEST(ValidateCode, TakesCodingsAndConcepts) {
  const std::string url = R"({"name": "url", "valueUri": ")" + std::string(gender) + R"("}, )";
  Call coding("ValueSet", "$validate-code");
  EXPECT_EQ(value(coding
                      .body(url + R"({"name": "coding", "valueCoding": {"code": "male",
                            "system": "http://hl7.org/fhir/administrative-gender"}})")
                      .run(),
                  "result"),
            "true");
  // One coding of the concept is enough.
  Call concepts("ValueSet", "$validate-code");
  const auto answer = concepts
                          .body(url + R"({"name": "codeableConcept", "valueCodeableConcept": {"coding": [
                            {"system": "http://x.org", "code": "1"},
                            {"code": "female", "system": "http://hl7.org/fhir/administrative-gender"}]}})")
                          .run();
  EXPECT_EQ(value(answer, "result"), "true");
  EXPECT_EQ(value(answer, "display"), "Female");
}

TEST(ValidateCode, AllowsGroupsWhenAsked) {
  const auto ask = [](std::string_view abstract) {
    Call call("CodeSystem", "$validate-code");
    call.with("url", "http://terminology.hl7.org/CodeSystem/v3-ActCode").with("code", "_ActEncounterCode");
    if (!abstract.empty()) call.with("abstract", abstract);
    return value(call.run(), "result");
  };
  EXPECT_EQ(ask(""), "false");
  EXPECT_EQ(ask("true"), "true");
}

TEST(ValidateCode, AnswersAboutCodeSystems) {
  Call by_url("CodeSystem", "$validate-code");
  EXPECT_EQ(value(by_url.with("url", gender_system).with("code", "male").run(), "result"), "true");
  Call by_coding("CodeSystem", "$validate-code");
  EXPECT_EQ(value(by_coding
                      .body(R"({"name": "coding", "valueCoding": {"code": "man",
                        "system": "http://hl7.org/fhir/administrative-gender"}})")
                      .run(),
                  "result"),
            "false");
  const std::string own = R"({"resourceType": "CodeSystem", "url": "http://h.org/own", "content": "complete",
    "concept": [{"code": "a", "display": "A"}]})";
  Call on_instance("CodeSystem", "$validate-code");
  EXPECT_EQ(value(on_instance.on(own).with("code", "a").run(), "display"), "A");
  Call by_value("CodeSystem", "$validate-code");
  const auto answer =
      by_value.body(R"({"name": "codeSystem", "resource": )" + own + R"(}, {"name": "code", "valueCode": "b"})").run();
  EXPECT_EQ(value(answer, "result"), "false");
  Call other("CodeSystem", "$validate-code");
  EXPECT_EQ(
      value(other.on(own).body(R"({"name": "coding", "valueCoding": {"code": "a", "system": "http://x.org"}})").run(),
            "result"),
      "false");
}

TEST(ValidateCode, SaysWhatIsMissing) {
  EXPECT_EQ(Call("ValueSet", "$validate-code").with("url", gender).error(), Code::invalid);
  EXPECT_EQ(Call("ValueSet", "$validate-code").with("code", "male").error(), Code::invalid);
  EXPECT_EQ(Call("ValueSet", "$validate-code").with("context", "Patient.gender").with("code", "a").error(),
            Code::unsupported);
  EXPECT_EQ(Call("CodeSystem", "$validate-code").with("code", "male").error(), Code::invalid);
  EXPECT_EQ(Call("CodeSystem", "$validate-code").with("url", "http://loinc.org").with("code", "1-8").error(),
            Code::not_found);
  EXPECT_EQ(Call("ValueSet", "$validate-code")
                .with("url", gender)
                .with("code", "male")
                .body(R"({"name": "coding", "valueCoding": {"code": "a"}})")
                .error(),
            Code::invalid);
  EXPECT_EQ(Call("ValueSet", "$validate-code")
                .with("url", gender)
                .body(R"({"name": "codeableConcept", "valueCodeableConcept": {"text": "a"}})")
                .error(),
            Code::invalid);
}

TEST(Lookup, TellsWhatIsKnownOfAConcept) {
  Call call("CodeSystem", "$lookup");
  const auto answer = call.with("system", clinical).with("code", "active").run();
  EXPECT_EQ(value(answer, "name"), "ConditionClinicalStatusCodes");
  EXPECT_EQ(value(answer, "version"), "4.0.1");
  EXPECT_EQ(value(answer, "display"), "Active");
  EXPECT_THAT(value(answer, "definition"), HasSubstr("currently"));
  const auto property = parameter(answer, "property");
  EXPECT_EQ(value(property, "code", "part"), "child");
  EXPECT_EQ(value(property, "value", "part"), "recurrence");
}

TEST(Lookup, GivesDesignationsAndOnlyWhatIsAskedFor) {
  const std::string system = "http://terminology.hl7.org/CodeSystem/v2-0001";
  Call all("CodeSystem", "$lookup");
  const auto designation = parameter(all.with("system", system).with("code", "F").run(), "designation");
  EXPECT_EQ(value(designation, "language", "part"), "de");
  EXPECT_EQ(value(designation, "value", "part"), "weiblich");
  Call some("CodeSystem", "$lookup");
  const auto less = some.with("system", system).with("code", "F").with("property", "inactive").run();
  EXPECT_FALSE(parameter(less, "designation"));
  EXPECT_EQ(value(parameter(less, "property"), "value", "part"), "false");
  Call german("CodeSystem", "$lookup");
  EXPECT_EQ(value(german.with("system", system).with("code", "F").with("displayLanguage", "de-AT").run(), "display"),
            "weiblich");
  Call country("CodeSystem", "$lookup");
  EXPECT_EQ(
      value(
          country.body(R"({"name": "coding", "valueCoding": {"system": "urn:iso:std:iso:3166", "code": "AT"}})").run(),
          "display"),
      "Austria");
}

TEST(Lookup, SaysWhatIsMissing) {
  EXPECT_EQ(Call("CodeSystem", "$lookup").error(), Code::invalid);
  EXPECT_EQ(Call("CodeSystem", "$lookup").with("code", "a").error(), Code::invalid);
  EXPECT_EQ(Call("CodeSystem", "$lookup").with("system", clinical).with("code", "none").error(), Code::not_found);
  EXPECT_EQ(Call("CodeSystem", "$lookup").with("system", "http://loinc.org").with("code", "1-8").error(),
            Code::not_found);
}

TEST(Subsumes, ComparesTwoCodes) {
  const struct {
    std::string_view a, b, outcome;
  } rows[] = {
      {"active", "relapse", "subsumes"},
      {"relapse", "active", "subsumed-by"},
      {"active", "active", "equivalent"},
      {"relapse", "resolved", "not-subsumed"},
  };
  for (const auto& row : rows) {
    Call call("CodeSystem", "$subsumes");
    EXPECT_EQ(value(call.with("system", clinical).with("codeA", row.a).with("codeB", row.b).run(), "outcome"),
              row.outcome);
  }
  Call codings("CodeSystem", "$subsumes");
  const std::string coding =
      R"({"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "version": "4.0.1",)";
  EXPECT_EQ(value(codings
                      .body(R"({"name": "codingA", "valueCoding": )" + coding + R"("code": "inactive"}},
                         {"name": "codingB", "valueCoding": )" +
                            coding + R"("code": "remission"}})")
                      .run(),
                  "outcome"),
            "subsumes");
  EXPECT_EQ(Call("CodeSystem", "$subsumes").with("system", clinical).with("codeA", "active").error(), Code::invalid);
  EXPECT_EQ(Call("CodeSystem", "$subsumes").with("codeA", "a").with("codeB", "b").error(), Code::invalid);
  EXPECT_EQ(Call("CodeSystem", "$subsumes").with("system", clinical).with("codeA", "a").with("codeB", "b").error(),
            Code::not_found);
}

TEST(Translate, GivesTheMatchesOfAMap) {
  Call call("ConceptMap", "$translate");
  const auto answer = call.with("url", "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2")
                          .with("system", gender_system)
                          .with("code", "female")
                          .run();
  EXPECT_EQ(value(answer, "result"), "true");
  const auto match = parameter(answer, "match");
  EXPECT_EQ(value(match, "equivalence", "part"), "equal");
  EXPECT_EQ(parameter(match, "concept", "part")["valueCoding"]["code"].text(), "F");
  EXPECT_EQ(value(match, "source", "part"), "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2");
}

TEST(Translate, SearchesMapsByScopeAndSystem) {
  Call by_scope("ConceptMap", "$translate");
  const auto answer = by_scope.with("system", gender_system)
                          .with("code", "male")
                          .with("source", gender)
                          .with("target", "http://terminology.hl7.org/ValueSet/v3-AdministrativeGender")
                          .run();
  EXPECT_EQ(value(parameter(answer, "match"), "source", "part"),
            "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3");
  Call none("ConceptMap", "$translate");
  const auto nothing =
      none.with("system", gender_system).with("code", "male").with("targetsystem", "http://x.org").run();
  EXPECT_EQ(value(nothing, "result"), "false");
  EXPECT_NE(value(nothing, "message"), "absent");
}

TEST(Translate, TakesAMapByValueAndTheInstance) {
  const std::string map =
      R"({"resourceType": "ConceptMap", "url": "http://h.org/map", "group": [{"source": "http://h.org/a",
    "target": "http://h.org/b", "element": [{"code": "1", "target": [{"code": "x", "equivalence": "equal"}]},
    {"code": "2", "target": [{"equivalence": "unmatched"}]}]}]})";
  Call on_instance("ConceptMap", "$translate");
  EXPECT_EQ(value(on_instance.on(map).with("code", "1").with("system", "http://h.org/a").run(), "result"), "true");
  Call by_value("ConceptMap", "$translate");
  const auto answer = by_value
                          .body(R"({"name": "conceptMap", "resource": )" + map + R"(}, {"name": "coding", "valueCoding":
                            {"system": "http://h.org/a", "code": "2"}})")
                          .run();
  EXPECT_EQ(value(answer, "result"), "false");
  EXPECT_EQ(value(parameter(answer, "match"), "equivalence", "part"), "unmatched");
}

TEST(Translate, ReadsAMapAgainstItsDirection) {
  Call call("ConceptMap", "$translate");
  const auto answer = call.with("url", "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2")
                          .with("system", "http://terminology.hl7.org/CodeSystem/v2-0001")
                          .with("code", "F")
                          .with("reverse", "true")
                          .run();
  EXPECT_EQ(value(answer, "result"), "true");
  EXPECT_EQ(parameter(parameter(answer, "match"), "concept", "part")["valueCoding"]["code"].text(), "female");

  const std::string map =
      R"({"resourceType": "ConceptMap", "url": "http://h.org/map", "group": [{"source": "http://h.org/a",
    "target": "http://h.org/b", "element": [{"code": "1", "target": [{"code": "x", "equivalence": "wider"}]},
    {"code": "2", "target": [{"code": "x", "equivalence": "specializes"}]}], "unmapped": {"mode": "fixed", "code": "y"}}]})";
  Call two("ConceptMap", "$translate");
  const auto both = two.on(map).with("code", "x").with("system", "http://h.org/b").with("reverse", "true").run();
  std::string found;
  for (const auto part : both["parameter"]) {
    if (part["name"].text() != "match") continue;
    found += std::string(value(part, "equivalence", "part")) + " " +
             std::string(parameter(part, "concept", "part")["valueCoding"]["code"].text()) + ";";
  }
  EXPECT_EQ(found, "narrower 1;subsumes 2;") << "what was wider is narrower from the other side";
  Call unmapped("ConceptMap", "$translate");
  EXPECT_EQ(value(unmapped.on(map).with("code", "y").with("system", "http://h.org/b").with("reverse", "true").run(),
                  "result"),
            "false")
      << "nobody knows which codes were not mapped";
}

TEST(Translate, SaysWhatItCannotDo) {
  EXPECT_EQ(Call("ConceptMap", "$translate").error(), Code::invalid);
  EXPECT_EQ(Call("ConceptMap", "$translate").with("code", "a").error(), Code::invalid);
  EXPECT_EQ(Call("ConceptMap", "$translate").with("url", "http://x.org").with("code", "a").error(), Code::not_found);
}

}  // namespace
}  // namespace mydr24::terminology_api
