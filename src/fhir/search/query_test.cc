#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/core/date_time.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Parameters = std::vector<std::pair<std::string, std::string>>;

Query parse(std::string_view type, const Parameters& parameters) {
  auto query = parse_query(type, parameters, false);
  EXPECT_TRUE(query) << (query ? "" : query.error().issues[0].diagnostics);
  return query ? std::move(*query) : Query();
}

Condition one(std::string_view type, const std::string& name, const std::string& value) {
  auto query = parse(type, {{name, value}});
  EXPECT_EQ(query.conditions.size(), 1U) << name << '=' << value;
  return query.conditions.empty() ? Condition() : query.conditions[0];
}

// The first issue of a refusal as "code expression".
std::string refusal(std::string_view type, const Parameters& parameters) {
  const auto query = parse_query(type, parameters, false);
  return query ? "understood" : query.error().issues[0].code + ' ' + query.error().issues[0].expression;
}

TEST(Query, WithoutParametersEverythingIsAsked) {
  const auto query = parse("Patient", {});
  EXPECT_EQ(query.type, "Patient");
  EXPECT_TRUE(query.conditions.empty());
  EXPECT_EQ(query.count, count_default);
  EXPECT_EQ(query.order, Order::newest_first);
  EXPECT_FALSE(query.by_last_updated);
  EXPECT_EQ(query.total, Total::none);
}

TEST(Query, ValuesAreAlternativesAndRepeatsAreConditions) {
  const auto query = parse("Patient", {{"given", "Ana,Zoë"}, {"given", "x"}});
  ASSERT_EQ(query.conditions.size(), 2U);
  ASSERT_EQ(query.conditions[0].any_of.size(), 2U);
  EXPECT_EQ(query.conditions[0].any_of[1].value, "zoe");
  EXPECT_EQ(query.conditions[0].any_of[1].exact, "Zoë");
  EXPECT_THAT(query.processed, ElementsAre(Pair("given", "Ana,Zoë"), Pair("given", "x")));
}

TEST(Query, ABackslashTakesTheMeaningFromASeparator) {
  const auto name = one("Patient", "name:exact", R"(a\,b\\\$\|c\d)");
  ASSERT_EQ(name.any_of.size(), 1U);
  EXPECT_EQ(name.any_of[0].exact, R"(a,b\$|c\d)");
  EXPECT_EQ(name.modifier, Modifier::exact);
  const auto token = one("Observation", "code", R"(a\|b|c\,d)");
  EXPECT_EQ(token.any_of[0].system, "a|b");
  EXPECT_EQ(token.any_of[0].value, "c,d");
}

TEST(Query, ATokenSaysWhetherItsSystemMatters) {
  struct Row {
    std::string text, system, value;
    Term::System system_is;
    bool any_code;
  };
  using enum Term::System;
  for (const auto& [text, system, value, system_is, any_code] :
       {Row{"x", "", "x", any, false}, Row{"|x", "", "x", none, false},
        Row{"http://s|x", "http://s", "x", named, false}, Row{"http://s|", "http://s", "", named, true}}) {
    const auto term = one("Observation", "code", text).any_of.at(0);
    EXPECT_EQ(term.system, system) << text;
    EXPECT_EQ(term.value, value) << text;
    EXPECT_EQ(term.system_is, system_is) << text;
    EXPECT_EQ(term.any_code, any_code) << text;
  }
  EXPECT_EQ(one("Patient", "gender:not", "male").modifier, Modifier::is_not);
}

TEST(Query, ADateHasAPrefixAndARange) {
  struct Row {
    std::string text;
    Prefix prefix;
  };
  using enum Prefix;
  for (const auto& [text, prefix] :
       {Row{"2024-03", eq}, Row{"eq2024-03", eq}, Row{"ne2024-03", ne}, Row{"gt2024-03", gt}, Row{"lt2024-03", lt},
        Row{"ge2024-03", ge}, Row{"le2024-03", le}, Row{"sa2024-03", sa}, Row{"eb2024-03", eb}, Row{"ap2024-03", ap}}) {
    for (const auto* name : {"birthdate", "_lastUpdated"}) {
      const auto term = one("Patient", name, text).any_of.at(0);
      EXPECT_EQ(term.prefix, prefix) << text;
      EXPECT_EQ(term.low, to_us(parse_date_time("2024-03")->low)) << text;
      EXPECT_EQ(term.high, to_us(parse_date_time("2024-04")->low)) << text;
    }
  }
}

TEST(Query, AReferenceTakesItsTypeFromTheValueTheModifierOrTheParameter) {
  const auto values = [](const std::string& type, const std::string& name, const std::string& value) {
    std::vector<std::string> out;
    for (const Term& term : one(type, name, value).any_of) out.push_back(term.value);
    return out;
  };
  EXPECT_THAT(values("Observation", "patient", "1"), ElementsAre("Patient/1"));
  EXPECT_THAT(values("Observation", "patient", "Patient/1"), ElementsAre("Patient/1"));
  EXPECT_THAT(values("Observation", "subject:Patient", "1"), ElementsAre("Patient/1"));
  EXPECT_THAT(values("Observation", "subject:Patient", "Patient/1"), ElementsAre("Patient/1"));
  EXPECT_THAT(values("Observation", "subject", "http://a.org/Patient/1"), ElementsAre("http://a.org/Patient/1"));
  EXPECT_THAT(values("Observation", "subject", "urn:uuid:1"), ElementsAre("urn:uuid:1"));
  EXPECT_THAT(values("Observation", "subject", "1"),
              testing::UnorderedElementsAre("Group/1", "Device/1", "Patient/1", "Location/1"));
}

TEST(Query, MissingIsTrueOrFalse) {
  EXPECT_TRUE(one("Patient", "birthdate:missing", "true").any_of[0].missing);
  EXPECT_FALSE(one("Observation", "subject:missing", "false").any_of[0].missing);
  EXPECT_EQ(one("Patient", "name:missing", "true").modifier, Modifier::missing);
}

TEST(Query, ControlParametersShapeTheAnswer) {
  const auto query = parse("Patient", {{"_count", "5"},
                                       {"_total", "accurate"},
                                       {"_sort", "-_lastUpdated"},
                                       {"_format", "json"},
                                       {"_pretty", "true"},
                                       {"_cursor", "c"},
                                       {"_id", "a,b"}});
  EXPECT_EQ(query.count, 5U);
  EXPECT_EQ(query.total, Total::accurate);
  EXPECT_TRUE(query.by_last_updated);
  EXPECT_EQ(query.order, Order::newest_first);
  EXPECT_EQ(query.cursor, "c");
  EXPECT_THAT(query.processed, ElementsAre(Pair("_count", "5"), Pair("_total", "accurate"),
                                           Pair("_sort", "-_lastUpdated"), Pair("_id", "a,b")));
  EXPECT_EQ(parse("Patient", {{"_count", "99999999999999"}}).count, count_max);
  EXPECT_EQ(parse("Patient", {{"_sort", "_lastUpdated"}}).order, Order::oldest_first);
  EXPECT_EQ(parse("Patient", {{"_summary", "count"}, {"_count", "5"}}).count, 0U);
  EXPECT_EQ(parse("Patient", {{"_summary", "false"}}).count, count_default);
}

TEST(Query, WhatIsNotUnderstoodIsRefusedByName) {
  struct Row {
    std::string name, value, issue;
  };
  for (const auto& [name, value, issue] :
       {Row{"nam", "x", "not-supported nam"}, Row{"", "x", "not-supported "},
        Row{"_has:Observation:patient:code", "x", "not-supported _has:Observation:patient:code"},
        Row{"name:contain", "x", "not-supported name:contain"}, Row{"name:", "x", "not-supported name:"},
        Row{"birthdate:exact", "2024", "not-supported birthdate:exact"},
        Row{"_id:missing", "true", "not-supported _id:missing"}, Row{"_sort", "_id", "not-supported _sort"},
        Row{"_summary", "text", "not-supported _summary"}, Row{"_count", "-1", "value _count"},
        Row{"_count", "", "value _count"}, Row{"_total", "x", "value _total"},
        Row{"birthdate", "24", "value birthdate"}, Row{"birthdate", "xx2024", "value birthdate"},
        Row{"birthdate", "", "value birthdate"}, Row{"name", "a,,b", "value name"}, Row{"name", " ", "value name"},
        Row{"identifier", "|", "value identifier"}, Row{"name:missing", "x", "value name:missing"}}) {
    EXPECT_EQ(refusal("Patient", {{name, value}}), issue) << name << '=' << value;
  }
  EXPECT_EQ(refusal("Observation", {{"patient", "Group/1"}}), "value patient");
  EXPECT_EQ(refusal("Observation", {{"subject:Patient", "Group/1"}}), "value subject:Patient");
  EXPECT_EQ(refusal("Observation", {{"subject:Patent", "1"}}), "not-supported subject:Patent");
  EXPECT_EQ(refusal("Patent", {}), "not-supported ");
}

TEST(Query, ARefusalListsWhatIsKnown) {
  const auto query = parse_query("Patient", Parameters{{"nam", "x"}}, false);
  ASSERT_FALSE(query);
  EXPECT_THAT(query.error().issues[0].diagnostics, HasSubstr("birthdate, family, gender, given, identifier, name"));
}

TEST(Query, LenientHandlingLeavesOutUnknownParametersOnly) {
  std::vector<model::Issue> ignored;
  const auto query = parse_query("Patient", Parameters{{"nam", "x"}, {"name", "y"}}, true, &ignored);
  ASSERT_TRUE(query);
  EXPECT_THAT(query->processed, ElementsAre(Pair("name", "y")));
  ASSERT_EQ(ignored.size(), 1U);
  EXPECT_EQ(ignored[0].expression, "nam");
  EXPECT_EQ(ignored[0].severity, model::Severity::warning);
  EXPECT_FALSE(parse_query("Patient", Parameters{{"birthdate", "x"}}, true));
  EXPECT_FALSE(parse_query("Patient", Parameters{{"name:x", "y"}}, true));
}

TEST(Query, ConditionsAndValuesAreLimited) {
  EXPECT_EQ(refusal("Patient", Parameters(conditions_max, {"name", "x"})), "understood");
  EXPECT_EQ(refusal("Patient", Parameters(conditions_max + 1, {"name", "x"})), "too-costly name");
  std::string values = "x";
  for (std::size_t i = 1; i < terms_max; ++i) values += ",x";
  EXPECT_EQ(refusal("Patient", {{"name", values}}), "understood");
  EXPECT_EQ(refusal("Patient", {{"name", values + ",x"}}), "too-costly name");
  EXPECT_EQ(refusal("Task", {{"subject", "1,2"}}), "too-costly subject");
}

}  // namespace
}  // namespace mydr24::search
