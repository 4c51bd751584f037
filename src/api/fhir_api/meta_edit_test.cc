#include "api/fhir_api/meta_edit.h"

#include <gtest/gtest.h>

namespace mydr24::fhir_api {
namespace {

std::string edited(const std::string& resource, const std::string& by, MetaEdit edit) {
  const auto there = json::Document::parse(resource);
  const auto change = json::Document::parse(by);
  EXPECT_TRUE(there && change);
  return with_edited_meta(there->root(), change->root(), edit);
}

struct Case {
  const char* what;
  const char* resource;
  const char* by;
  MetaEdit edit;
  const char* expected;
};
constexpr Case cases[] = {
    {"a tag is added", R"({"meta":{"tag":[{"code":"a"}]},"x":1})", R"({"tag":[{"code":"b"}]})", MetaEdit::add,
     R"({"meta":{"tag":[{"code":"a"},{"code":"b"}]},"x":1})"},
    {"one that is there is not, whatever its display", R"({"meta":{"tag":[{"system":"s","code":"a"}]}})",
     R"({"tag":[{"system":"s","code":"a","display":"A"}]})", MetaEdit::add,
     R"({"meta":{"tag":[{"system":"s","code":"a"}]}})"},
    {"the same code of another system is another", R"({"meta":{"tag":[{"system":"s","code":"a"}]}})",
     R"({"tag":[{"code":"a"}]})", MetaEdit::add, R"({"meta":{"tag":[{"system":"s","code":"a"},{"code":"a"}]}})"},
    {"a meta that was not there comes last", R"({"x":1})", R"({"profile":["p"]})", MetaEdit::add,
     R"({"x":1,"meta":{"profile":["p"]}})"},
    {"a profile is taken away, and its empty list", R"({"meta":{"source":"s","profile":["p"],"tag":[{"code":"a"}]}})",
     R"({"profile":["p"]})", MetaEdit::remove, R"({"meta":{"source":"s","tag":[{"code":"a"}]}})"},
    {"what is not there cannot be", R"({"meta":{"security":[{"code":"R"}]}})", R"({"security":[{"code":"N"}]})",
     MetaEdit::remove, R"({"meta":{"security":[{"code":"R"}]}})"},
    {"version and time of the change count for nothing", R"({"meta":{}})", R"({"versionId":"7","source":"x"})",
     MetaEdit::add, R"({"meta":{}})"},
};

TEST(MetaEdit, AddsAndTakesAwayAndLeavesAllElse) {
  for (const auto& one : cases) EXPECT_EQ(edited(one.resource, one.by, one.edit), one.expected) << one.what;
}

}  // namespace
}  // namespace mydr24::fhir_api
