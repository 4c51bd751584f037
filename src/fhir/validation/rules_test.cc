// The rules that are judged in C++ say what their FHIRPath says.

#include "fhir/validation/detail/rules.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace mydr24::validation {
namespace {

const model::Constraint* constraint(std::string_view key) {
  for (const auto& one : model::constraints()) {
    if (one.key == key) return &one;
  }
  return nullptr;
}

struct Sample {
  const char* key;
  const char* type;
  std::vector<const char*> elements;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"per-1",
       "Period",
       {R"({"start":"2024"})", R"({"end":"2024"})", R"({"start":"2024","end":"2024"})",
        R"({"start":"2025","end":"2024"})", R"({"start":"2024-01-05","end":"2024-01"})",
        R"({"start":"2024-02","end":"2024-01-15"})", R"({"start":"2024-02-01","end":"2024-01-15"})",
        R"({"start":"2024-01-01T10:00:00Z","end":"2024-01-01T10:00:00Z"})",
        R"({"start":"2024-01-01T10:00:00.5Z","end":"2024-01-01T10:00:00Z"})",
        R"({"start":"2024-01-01T10:00:00Z","end":"2024-01-01T10:00:00.5Z"})",
        R"({"start":"2024-01-01T10:00:00+02:00","end":"2024-01-01T09:00:00Z"})",
        R"({"start":"2024-01-01T10:00:00-02:00","end":"2024-01-01T11:00:00Z"})",
        R"({"start":"2024-01-01","end":"2024-01-01T09:00:00Z"})", R"({"_start":{"id":"x"},"end":"2024"})"}},
      {"qty-3",
       "Quantity",
       {R"({"value":1})", R"({"code":"mm"})", R"({"system":"s"})", R"({"code":"mm","system":"s"})",
        R"({"_code":{"id":"x"}})", R"({"code":"mm","_system":{"id":"x"}})"}},
      {"sqty-1", "Quantity", {R"({"value":1})", R"({"value":1,"comparator":"<"})", R"({"_comparator":{"id":"x"}})"}},
      {"att-1",
       "Attachment",
       {R"({"url":"u"})", R"({"data":"YQ=="})", R"({"data":"YQ==","contentType":"text/plain"})",
        R"({"_data":{"id":"x"}})", R"({"contentType":"text/plain"})"}},
      {"cpt-2",
       "ContactPoint",
       {R"({"value":"1"})", R"({"system":"phone"})", R"({"system":"phone","value":"1"})", R"({"_value":{"id":"x"}})"}},
      {"ref-1",
       "Reference",
       {R"({"reference":"Patient/1"})", R"({"reference":"#a"})", R"({"reference":"#b"})", R"({"reference":"#"})",
        R"({"display":"x"})", R"({"reference":"#a b"})"}},
      {"obs-3",
       "Observation.referenceRange",
       {R"({"low":{"value":1}})", R"({"high":{"value":1}})", R"({"text":"x"})", R"({"type":{"text":"x"}})",
        R"({"_text":{"id":"x"}})"}},
      {"obs-6",
       "Observation",
       {R"({"resourceType":"Observation","valueString":"x"})",
        R"({"resourceType":"Observation","dataAbsentReason":{"text":"x"}})",
        R"({"resourceType":"Observation","valueString":"x","dataAbsentReason":{"text":"x"}})",
        R"({"resourceType":"Observation","_valueString":{"id":"x"},"dataAbsentReason":{"text":"x"}})"}},
      {"obs-7",
       "Observation",
       {R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"1"}]},"valueString":"x"})",
        R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"1"}]},"valueString":"x","component":[{"code":{"coding":[{"system":"s","code":"1"}]}}]})",
        R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"1"}]},"valueString":"x","component":[{"code":{"coding":[{"system":"s","code":"2"}]}}]})",
        R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"1"}]},"component":[{"code":{"coding":[{"system":"s","code":"1"}]}}]})",
        R"({"resourceType":"Observation","code":{"coding":[{"system":"s","code":"1"}]},"valueString":"x","component":[{"code":{"coding":[{"system":"s","code":"1","display":"d"}]}}]})",
        R"({"resourceType":"Observation","code":{"text":"t"},"valueString":"x","component":[{"code":{"text":"t"}}]})"}},
  };
  return all;
}

const model::Type* type_of(std::string_view name) {
  const auto dot = name.find('.');
  const auto* type = model::find_type(name.substr(0, dot));
  return dot == std::string_view::npos ? type : type->find(name.substr(dot + 1))->type;
}

TEST(Rules, NativeOnesAgreeWithTheirFhirPath) {
  const auto root = json::Document::parse(
      R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a","name":"A"}]})");
  std::set<std::string_view> both;
  for (const auto& [key, type, elements] : samples()) {
    const auto* one = constraint(key);
    ASSERT_NE(one, nullptr) << key;
    ASSERT_NE(native_rule(one->key, one->expression), nullptr) << key << " has another expression now";
    const Rule& rule = rule_of(*one);
    for (const auto* element : elements) {
      const auto document = json::Document::parse(element);
      ASSERT_TRUE(document) << element;
      const bool resource = document->root()["resourceType"].exists();
      path::Environment environment;
      environment.resource = resource ? document->root() : root->root();
      environment.root_resource = environment.resource;
      const Focus focus{document->root(), {}, type_of(type), environment.root_resource};
      const auto native = rule.holds(focus, environment), as_path = rule.holds_as_path(focus, environment);
      ASSERT_TRUE(native) << key << element;
      ASSERT_TRUE(as_path) << key << element << as_path.error().text;
      EXPECT_EQ(*native, *as_path) << key << ' ' << element;
      both.insert(*native ? "holds" : "fails");
    }
  }
  EXPECT_EQ(both.size(), 2U);
}

TEST(Rules, EveryPublishedRuleCompiles) {
  for (const auto& one : model::constraints()) {
    const auto checked = rule_of(one).check();
    EXPECT_TRUE(checked) << one.key << ": " << (checked ? "" : checked.error().text);
  }
}

TEST(Rules, ARuleOfThatKeyWithAnotherExpressionIsJudgedByItsExpression) {
  EXPECT_EQ(native_rule("per-1", "start.exists()"), nullptr);
  EXPECT_NE(native_rule("qty-3", "code.empty() or system.exists()"), nullptr);
}

}  // namespace
}  // namespace mydr24::validation
