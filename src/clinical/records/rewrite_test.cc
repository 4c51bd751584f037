#include "clinical/records/rewrite.h"

#include <gtest/gtest.h>

namespace mydr24::records {
namespace {

const ReferenceTargets targets{{"urn:uuid:a", "Patient/1"}, {"http://old.example/fhir/Encounter/9", "Encounter/2"}};

Result<std::string> find_none(std::string_view reference) {
  return fail(Code::stale, "nothing found for " + std::string(reference));
}

std::string rewrite(std::string_view text, const ReferenceTargets& known = targets,
                    const FindReference& find = find_none) {
  const auto document = json::Document::parse_view(text);
  EXPECT_TRUE(document) << text;
  const auto rewritten = rewrite_references(document->root(), known, find);
  EXPECT_TRUE(rewritten) << rewritten.error().text;
  return rewritten.value_or(std::string());
}

struct Row {
  const char* name;
  const char* before;
  const char* after;
};
class Rewrite : public testing::TestWithParam<Row> {};

TEST_P(Rewrite, GivesTheTextThatIsStored) { EXPECT_EQ(rewrite(GetParam().before), GetParam().after); }

INSTANTIATE_TEST_SUITE_P(
    Rows, Rewrite,
    testing::Values(
        Row{"a_reference", R"({"subject":{"reference":"urn:uuid:a"}})", R"({"subject":{"reference":"Patient/1"}})"},
        Row{"an_absolute_url", R"({"encounter":{"reference":"http://old.example/fhir/Encounter/9"}})",
            R"({"encounter":{"reference":"Encounter/2"}})"},
        Row{"a_fragment_is_kept", R"({"reference":"urn:uuid:a#contact"})", R"({"reference":"Patient/1#contact"})"},
        Row{"items_of_an_array", R"({"valueUri":["urn:uuid:a","urn:uuid:b"]})",
            R"({"valueUri":["Patient/1","urn:uuid:b"]})"},
        Row{"an_unknown_full_url", R"({"reference":"urn:uuid:b"})", R"({"reference":"urn:uuid:b"})"},
        Row{"part_of_a_longer_text", R"({"text":"see urn:uuid:a"})", R"({"text":"see urn:uuid:a"})"},
        Row{"a_fragment_alone", R"({"reference":"#contained"})", R"({"reference":"#contained"})"},
        Row{"names_of_members", R"({"urn:uuid:a":1})", R"({"urn:uuid:a":1})"},
        Row{"numbers_as_written", R"({ "value" : 1.50, "e" : 1E2, "big" : 12345678901234567890, "no" : null })",
            R"({"value":1.50,"e":1E2,"big":12345678901234567890,"no":null})"},
        Row{"escapes_as_written", R"({"text":"\u00e9 \"quoted\"\n"})", R"({"text":"\u00e9 \"quoted\"\n"})"},
        Row{"links_of_the_narrative",
            R"({"text":{"div":"<div><a href=\"urn:uuid:a\">he</a> <img src=\"urn:uuid:b\"/> urn:uuid:a</div>"}})",
            R"({"text":{"div":"<div><a href=\"Patient/1\">he</a> <img src=\"urn:uuid:b\"/> urn:uuid:a</div>"}})"},
        Row{"several_links",
            R"({"div":"<div><a href=\"urn:uuid:a\"/><a href=\"http://old.example/fhir/Encounter/9\"/></div>"})",
            R"({"div":"<div><a href=\"Patient/1\"/><a href=\"Encounter/2\"/></div>"})"},
        Row{"an_open_quote", R"({"div":"<div title=\"urn:uuid:a"})", R"({"div":"<div title=\"urn:uuid:a"})"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ConditionalReference, BecomesWhatItFinds) {
  std::string asked;
  const auto text = rewrite(R"({"subject":{"reference":"Patient?identifier=http://s|v","display":"x?y"}})", {},
                            [&asked](std::string_view reference) -> Result<std::string> {
                              asked = reference;
                              return std::string("Patient/7");
                            });
  EXPECT_EQ(asked, "Patient?identifier=http://s|v");
  EXPECT_EQ(text, R"({"subject":{"reference":"Patient/7","display":"x?y"}})");
}

TEST(ConditionalReference, AnAbsoluteUrlWithAQueryIsNone) {
  const std::string text = R"({"reference":"https://other.example/Patient?identifier=1"})";
  EXPECT_EQ(rewrite(text), text);
}

TEST(ConditionalReference, WhatFindsNothingFailsTheWhole) {
  const auto document = json::Document::parse(R"({"a":[{"reference":"Patient?identifier=v"}]})");
  const auto rewritten = rewrite_references(document->root(), targets, find_none);
  ASSERT_FALSE(rewritten);
  EXPECT_EQ(rewritten.error().code, Code::stale);
}

TEST(Criteria, AreAQueryOfTheirType) {
  const auto query = parse_criteria("Patient?identifier=http%3A%2F%2Fs%7Cv&_id=7");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->type, "Patient");
  ASSERT_EQ(query->conditions.size(), 2U);
  EXPECT_EQ(query->conditions[0].any_of.front().system, "http://s");
  EXPECT_EQ(query->conditions[0].any_of.front().value, "v");
}

TEST(Criteria, NameWhatIsWrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"Patent?identifier=1", "does not begin with a resource type"},
      {"?identifier=1", "does not begin with a resource type"},
      {"Patient", "no search parameters"},
      {"Patient?", "no search parameters"},
      {"Patient?identifier=%zz", "no search parameters"},
      {"Patient?shoesize=44", "shoesize"},
  };
  for (const auto& [criteria, says] : rows) {
    const auto query = parse_criteria(criteria);
    ASSERT_FALSE(query) << criteria;
    EXPECT_EQ(query.error().code, Code::invalid) << criteria;
    EXPECT_NE((query.error().text + query.error().where).find(says), std::string::npos) << query.error().text;
  }
}

}  // namespace
}  // namespace mydr24::records
