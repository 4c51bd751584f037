#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {
namespace {

using enum Membership;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A Terminology with these resources besides what is published.
class Loaded {
 public:
  Loaded(std::initializer_list<std::string_view> texts, const Terminology& base = *Terminology::published()) {
    for (const auto text : texts) {
      auto document = json::Document::parse(std::string(text));
      EXPECT_TRUE(document) << document.error().text;
      documents_.push_back(std::move(*document));
    }
    std::vector<json::Value> values;
    for (const auto& document : documents_) values.push_back(document.root());
    terminology_ = base.with(values);
    // The texts are copied.
    documents_.clear();
  }
  const Terminology& operator*() const { return *terminology_; }
  const Terminology* operator->() const { return terminology_.get(); }

 private:
  std::vector<json::Document> documents_;
  std::shared_ptr<const Terminology> terminology_;
};

constexpr std::string_view wards = R"({"resourceType": "CodeSystem", "url": "http://h.org/wards", "version": "1",
  "valueSet": "http://h.org/vs/all-wards", "content": "complete", "caseSensitive": false, "name": "Wards",
  "property": [{"code": "beds", "type": "integer"}, {"code": "floor", "type": "code"},
    {"code": "above", "uri": "http://hl7.org/fhir/concept-properties#parent", "type": "code"}],
  "concept": [
    {"code": "care", "display": "Care", "property": [{"code": "notSelectable", "valueBoolean": true}], "concept": [
      {"code": "icu", "display": "Intensive care", "designation": [{"language": "de", "value": "Intensivstation"}],
       "property": [{"code": "beds", "valueInteger": 8}, {"code": "floor", "valueCode": "2"}]},
      {"code": "ward-1", "display": "Ward Ä", "property": [{"code": "beds", "valueInteger": 30}]}]},
    {"code": "picu", "display": "Children's intensive care", "property": [
      {"code": "above", "valueCode": "icu"}, {"code": "floor", "valueCode": "3"}]},
    {"code": "tent", "display": "Tent", "property": [{"code": "inactive", "valueBoolean": true}]}]})";

std::string value_set(std::string_view url, std::string_view compose) {
  return std::string(R"({"resourceType": "ValueSet", "url": ")") + std::string(url) + R"(", "compose": )" +
         std::string(compose) + "}";
}

std::vector<std::string> codes(const Result<Expansion>& expansion) {
  std::vector<std::string> out;
  if (!expansion) return {expansion.error().text};
  for (const auto& one : expansion->concepts) out.push_back(one.code);
  return out;
}

std::vector<std::string> codes_of(std::string_view compose) {
  const Loaded loaded({wards, value_set("http://h.org/vs/x", compose)});
  const auto expansion = loaded->expand("http://h.org/vs/x", {});
  if (!expansion) return {expansion.error().text};
  // Whatever is listed is a member, and nothing else of the system is.
  for (const auto code : {"icu", "ward-1", "picu", "tent"}) {
    const bool is_listed = std::ranges::count(codes(expansion), std::string(code)) > 0;
    EXPECT_EQ(loaded->member("http://h.org/vs/x", "http://h.org/wards", code), is_listed ? member : not_member)
        << compose << " " << code;
    EXPECT_EQ(loaded->member("http://h.org/vs/x", "", code), is_listed ? member : not_member) << compose << " " << code;
  }
  return codes(expansion);
}

TEST(LoadedTerminology, FollowsEveryKindOfRule) {
  const auto with_filter = [](std::string_view property, std::string_view op, std::string_view value) {
    return codes_of(std::string(R"({"include": [{"system": "http://h.org/wards", "filter": [{"property": ")") +
                    std::string(property) + R"(", "op": ")" + std::string(op) + R"(", "value": ")" +
                    std::string(value) + R"("}]}]})");
  };
  EXPECT_THAT(codes_of(R"({"include": [{"system": "http://h.org/wards"}]})"),
              ElementsAre("care", "icu", "ward-1", "picu", "tent"));
  EXPECT_THAT(codes_of(R"({"inactive": false, "include": [{"system": "http://h.org/wards"}]})"),
              ElementsAre("care", "icu", "ward-1", "picu"));
  EXPECT_THAT(with_filter("concept", "is-a", "icu"), ElementsAre("icu", "picu"));
  EXPECT_THAT(with_filter("concept", "is-a", "none"), IsEmpty());
  EXPECT_THAT(with_filter("concept", "descendent-of", "care"), ElementsAre("icu", "ward-1", "picu"));
  EXPECT_THAT(with_filter("concept", "is-not-a", "icu"), ElementsAre("care", "ward-1", "tent"));
  EXPECT_THAT(with_filter("concept", "generalizes", "picu"), ElementsAre("care", "icu", "picu"));
  EXPECT_THAT(with_filter("code", "regex", ".*icu"), ElementsAre("icu", "picu"));
  EXPECT_THAT(with_filter("code", "in", "icu, tent"), ElementsAre("icu", "tent"));
  EXPECT_THAT(with_filter("code", "not-in", "icu,tent"), ElementsAre("care", "ward-1", "picu"));
  EXPECT_THAT(with_filter("beds", "=", "8"), ElementsAre("icu"));
  EXPECT_THAT(with_filter("beds", "exists", "true"), ElementsAre("icu", "ward-1"));
  EXPECT_THAT(with_filter("beds", "exists", "false"), ElementsAre("care", "picu", "tent"));
  EXPECT_THAT(with_filter("floor", "in", "2,3"), ElementsAre("icu", "picu"));
  EXPECT_THAT(with_filter("floor", "regex", "[3-9]"), ElementsAre("picu"));
  EXPECT_THAT(with_filter("parent", "=", "care"), ElementsAre("icu", "ward-1"));
  EXPECT_THAT(with_filter("child", "=", "picu"), ElementsAre("icu"));
  EXPECT_THAT(with_filter("display", "=", "Tent"), ElementsAre("tent"));
  EXPECT_THAT(codes_of(R"({"include": [{"system": "http://h.org/wards"}],
                           "exclude": [{"system": "http://h.org/wards", "concept": [{"code": "icu"}, {"code": "care"}]}]})"),
              ElementsAre("ward-1", "picu", "tent"));
  EXPECT_THAT(
      codes_of(R"({"include": [{"system": "http://h.org/wards", "concept": [{"code": "picu"}, {"code": "picu"}]},
                                       {"system": "http://h.org/wards", "concept": [{"code": "icu"}, {"code": "picu"}]}]})"),
      ElementsAre("picu", "icu"));
  EXPECT_THAT(codes_of(R"({"include": [{"valueSet": ["http://h.org/vs/all-wards"]}]})"),
              ElementsAre("care", "icu", "ward-1", "picu", "tent"));
  EXPECT_THAT(codes_of(R"({"include": [{"system": "http://h.org/wards", "concept": [{"code": "icu"}],
                                        "valueSet": ["http://h.org/vs/all-wards"]}]})"),
              ElementsAre("icu"));
}

TEST(LoadedTerminology, TakesWhatANestedValueSetHas) {
  const Loaded loaded({wards, value_set("http://h.org/vs/a", R"({"include": [{"system": "http://h.org/wards",
                         "concept": [{"code": "icu"}, {"code": "tent"}]}]})"),
                       value_set("http://h.org/vs/b", R"({"include": [{"valueSet": ["http://h.org/vs/a",
                         "http://h.org/vs/all-wards"]}, {"system": "urn:iso:std:iso:4217"}],
                         "exclude": [{"valueSet": ["http://h.org/vs/c"]}]})"),
                       value_set("http://h.org/vs/c", R"({"include": [{"system": "http://h.org/wards",
                         "concept": [{"code": "tent"}]}]})")});
  EXPECT_EQ(loaded->expand("http://h.org/vs/b", {})->total, 182U);
  EXPECT_EQ(loaded->member("http://h.org/vs/b", "http://h.org/wards", "icu"), member);
  EXPECT_EQ(loaded->member("http://h.org/vs/b", "", "tent"), not_member);
  EXPECT_EQ(loaded->member("http://h.org/vs/b", "", "EUR"), member);
}

TEST(LoadedTerminology, HoldsOutAgainstValueSetsThatIncludeThemselves) {
  const auto self = value_set("http://h.org/vs/self", R"({"include": [{"valueSet": ["http://h.org/vs/self"]},
    {"valueSet": ["http://h.org/vs/self"]}, {"valueSet": ["http://h.org/vs/self"]}]})");
  const Loaded loaded({self});
  EXPECT_EQ(loaded->member("http://h.org/vs/self", "", "a"), unknown);
  EXPECT_EQ(loaded->expand("http://h.org/vs/self", {}).error().code, Code::unprocessable);
}

TEST(LoadedTerminology, HoldsOutAgainstCirclesThatCarryExpansions) {
  const auto set = [](std::string_view own, std::string_view other) {
    return std::string(R"({"resourceType": "ValueSet", "url": "http://h.org/vs/)") + std::string(own) +
           R"(", "compose": {"include": [{"valueSet": ["http://h.org/vs/)" + std::string(other) +
           R"("]}]}, "expansion": {"contains": [{"system": "http://x.org", "code": "1"}]}})";
  };
  const Loaded loaded({set("a", "b"), set("b", "a")});
  EXPECT_EQ(loaded->expand("http://h.org/vs/a", {}).error().code, Code::unprocessable);
  EXPECT_EQ(loaded->member("http://h.org/vs/a", "http://x.org", "1"), member);
}

TEST(LoadedTerminology, GivesUpOnARegularExpressionThatRunsOn) {
  const Loaded loaded({R"({"resourceType": "CodeSystem", "url": "http://h.org/a", "content": "complete", "concept":
                         [{"code": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}]})",
                       value_set("http://h.org/vs/a", R"({"include": [{"system": "http://h.org/a", "filter":
                         [{"property": "code", "op": "regex", "value": "(a+)+$"}]}]})"),
                       value_set("http://h.org/vs/bad", R"({"include": [{"system": "http://h.org/a", "filter":
                         [{"property": "code", "op": "regex", "value": "("}]}]})")});
  const auto code = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
  EXPECT_NE(loaded->member("http://h.org/vs/a", "http://h.org/a", code), member);
  EXPECT_EQ(loaded->member("http://h.org/vs/bad", "http://h.org/a", code), unknown);
}

TEST(LoadedTerminology, MindsTheCaseOfCodesAsTheSystemSays) {
  const Loaded loaded({wards, value_set("http://h.org/vs/a", R"({"include": [{"system": "http://h.org/wards",
                                "concept": [{"code": "icu"}]}]})")});
  EXPECT_EQ(loaded->member("http://h.org/vs/all-wards", "http://h.org/wards", "ICU"), member);
  EXPECT_EQ(loaded->member("http://h.org/vs/a", "http://h.org/wards", "Icu"), member);
  EXPECT_EQ(loaded->lookup("http://h.org/wards", "ICU")->code, "icu");
}

TEST(LoadedTerminology, DescribesAConcept) {
  const Loaded loaded({wards});
  const auto told = loaded->describe({"http://h.org/wards", "icu", "", ""});
  ASSERT_TRUE(told);
  EXPECT_EQ(told->system_name, "Wards");
  EXPECT_EQ(told->system_version, "1");
  EXPECT_THAT(told->parents, ElementsAre("care"));
  EXPECT_THAT(told->children, ElementsAre("picu"));
  ASSERT_EQ(told->properties.size(), 2U);
  EXPECT_EQ(told->properties[0].code, "beds");
  EXPECT_EQ(told->properties[0].type, "integer");
  EXPECT_EQ(told->properties[0].value, "8");
  ASSERT_EQ(told->designations.size(), 1U);
  EXPECT_EQ(told->designations[0].value, "Intensivstation");
  EXPECT_EQ(loaded->validate_code_in_system({"http://h.org/wards", "icu", "intensivstation", ""})->message, "");
  EXPECT_THAT(codes(loaded->expand("http://h.org/vs/all-wards", {.filter = "ward a"})), ElementsAre("ward-1"));
}

TEST(LoadedTerminology, UsesAnExpansionWhereRulesCannotBeFollowed) {
  const Loaded loaded({R"({"resourceType": "ValueSet", "url": "http://h.org/vs/sct", "compose": {"include": [
      {"system": "http://snomed.info/sct", "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}]},
    "expansion": {"contains": [{"system": "http://snomed.info/sct", "abstract": true, "code": "1", "contains": [
      {"system": "http://snomed.info/sct", "code": "2", "display": "Two"}]}, {"system": "http://x.org", "code": "3"}]}})"});
  EXPECT_EQ(loaded->member("http://h.org/vs/sct", "http://snomed.info/sct", "2"), member);
  EXPECT_EQ(loaded->member("http://h.org/vs/sct", "http://snomed.info/sct", "9"), unknown);
  EXPECT_THAT(codes(loaded->expand("http://h.org/vs/sct", {})), ElementsAre("2", "3"));
}

TEST(LoadedTerminology, ReplacesPrefersAndForgets) {
  const auto set_of = [](std::string_view version, std::string_view code) {
    return std::string(R"({"resourceType": "ValueSet", "url": "http://hl7.org/fhir/ValueSet/administrative-gender",
      "version": ")") +
           std::string(version) + R"(", "compose": {"include": [{"system": "http://h.org/own",
      "concept": [{"code": ")" +
           std::string(code) + R"("}]}]}})";
  };
  const std::string url = "http://hl7.org/fhir/ValueSet/administrative-gender";
  const Loaded first({set_of("1.10", "ten"), set_of("1.9", "nine")});
  EXPECT_EQ(first->member(url, "", "ten"), member);
  EXPECT_EQ(first->member(url, "", "nine"), not_member);
  EXPECT_EQ(first->member(url + "|1.9", "", "nine"), member);
  EXPECT_EQ(first->member(url + "|4.0.1", "", "male"), member);
  const Loaded second({set_of("1.10", "other")}, *first);
  EXPECT_EQ(second->member(url, "", "ten"), not_member);
  EXPECT_EQ(second->member(url, "", "other"), member);
  EXPECT_EQ(first->member(url, "", "ten"), member);
  EXPECT_EQ(second->without(url)->member(url, "", "male"), member);
}

TEST(LoadedTerminology, LeavesOutWhatIsNoTerminology) {
  const Loaded loaded({R"({"resourceType": "Patient", "url": "http://h.org/p"})", R"({"resourceType": "ValueSet"})"});
  EXPECT_FALSE(loaded->has_value_set("http://h.org/p"));
  EXPECT_FALSE(loaded->has_value_set(""));
}

TEST(LoadedTerminology, AnswersAboutAValueSetInHand) {
  const auto document = json::Document::parse(
      R"({"resourceType": "ValueSet", "compose": {"include": [{"system": "http://hl7.org/fhir/administrative-gender"}]}})");
  const auto& r4 = *Terminology::published();
  EXPECT_EQ(r4.expand(document->root(), {})->total, 4U);
  EXPECT_EQ(r4.validate_code(document->root(), {"", "male", "", ""})->result, member);
  const auto patient = json::Document::parse(R"({"resourceType": "Patient"})");
  EXPECT_EQ(r4.expand(patient->root(), {}).error().code, Code::invalid);
}

TEST(LoadedTerminology, TranslatesByLoadedMaps) {
  const Loaded loaded(
      {R"({"resourceType": "ConceptMap", "url": "http://h.org/map", "sourceUri": "http://h.org/vs/all-wards",
      "targetUri": "http://t.org/vs", "group": [{"source": "http://h.org/wards", "target": "http://t.org/units",
      "element": [{"code": "icu", "target": [{"code": "I", "display": "ITS", "equivalence": "equivalent"},
      {"code": "J", "equivalence": "wider"}]}], "unmapped": {"mode": "other-map", "url": "http://h.org/map2"}}]})",
       R"({"resourceType": "ConceptMap", "url": "http://h.org/map2", "group": [{"source":
      "http://h.org/wards", "target": "http://t.org/units", "element": [{"code": "picu", "target": [{"code": "P",
      "equivalence": "equal"}]}], "unmapped": {"mode": "provided"}}]})"});
  const auto mapped = loaded->translate("http://h.org/map", {"http://h.org/wards", "icu", "", ""}, "", "");
  ASSERT_TRUE(mapped);
  ASSERT_EQ(mapped->size(), 2U);
  EXPECT_EQ((*mapped)[0].target.code, "I");
  EXPECT_EQ((*mapped)[1].equivalence, "wider");
  const auto other = loaded->translate("http://h.org/map", {"http://h.org/wards", "picu", "", ""}, "", "");
  ASSERT_EQ(other->size(), 1U);
  EXPECT_EQ((*other)[0].map, "http://h.org/map2");
  const auto kept =
      loaded->translate("", {"http://h.org/wards", "tent", "", ""}, "http://h.org/wards", "http://t.org/vs");
  ASSERT_FALSE(kept->empty());
  EXPECT_EQ((*kept)[0].target.code, "tent");
}

}  // namespace
}  // namespace mydr24::terminology
