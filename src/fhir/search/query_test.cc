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
  EXPECT_THAT(values("Observation", "subject", "Patient/1/_history/2"), ElementsAre("Patient/1/_history/2"));
  EXPECT_THAT(values("Observation", "subject:identifier", "urn:s|7"), ElementsAre("\x1furn:s|7"));
  EXPECT_THAT(values("Observation", "subject:identifier", "7"), ElementsAre("\x1f\x1f"
                                                                            "7"));
  EXPECT_THAT(values("Observation", "subject:identifier", "|7"), ElementsAre("\x1f|7"));
  EXPECT_THAT(values("Observation", "subject", "1"),
              testing::UnorderedElementsAre("Group/1", "Device/1", "Patient/1", "Location/1"));
}

TEST(Query, AnAbsoluteReferenceBelowTheServersAddressIsLocal) {
  struct Row {
    std::string base, value, target;
  };
  for (const auto& [base, value, target] :
       {Row{"http://a.org/fhir", "http://a.org/fhir/Patient/1", "Patient/1"},
        Row{"http://a.org/fhir/", "http://a.org/fhir/Patient/1", "Patient/1"},
        Row{"http://a.org/fhir", "http://a.org/fhir2/Patient/1", "http://a.org/fhir2/Patient/1"},
        Row{"", "http://a.org/fhir/Patient/1", "http://a.org/fhir/Patient/1"}}) {
    ParseOptions options;
    options.base_url = base;
    const auto query = parse_query("Observation", Parameters{{"subject", value}}, options);
    ASSERT_TRUE(query) << value;
    EXPECT_EQ(query->conditions.at(0).any_of.at(0).value, target);
  }
}

TEST(Query, ANumberAsksForWhatItsPrecisionImpliesOrWithAPrefixForItself) {
  struct Row {
    std::string text;
    Prefix prefix;
    double from, to;
  };
  using enum Prefix;
  for (const auto& [text, prefix, from, to] :
       {Row{"100", eq, 99.5, 100.5}, Row{"ne100", ne, 99.5, 100.5}, Row{"gt100", gt, 100, 100},
        Row{"le0.5", le, 0.5, 0.5}, Row{"ap100", ap, 90, 110}, Row{"-2", eq, -2.5, -1.5}}) {
    const auto term = one("RiskAssessment", "probability", text).any_of.at(0);
    EXPECT_EQ(term.prefix, prefix) << text;
    EXPECT_NEAR(term.from, from, 1e-9) << text;
    EXPECT_NEAR(term.to, to, 1e-9) << text;
  }
}

TEST(Query, AQuantityHasAUnitWithOrWithoutASystem) {
  const auto plain = one("Observation", "value-quantity", "5.4").any_of.at(0);
  EXPECT_EQ(plain.system, "");
  EXPECT_NEAR(plain.from, 5.35, 1e-9);
  const auto ucum = one("Observation", "value-quantity", "gt5.4|http://unitsofmeasure.org|mg").any_of.at(0);
  EXPECT_EQ(ucum.system, "ucum|g");
  EXPECT_NEAR(ucum.from, 0.0054, 1e-12);
  EXPECT_GT(ucum.to, ucum.from);
  EXPECT_EQ(one("Observation", "value-quantity", "5|urn:u|drop").any_of.at(0).system, "urn:u|drop");
  EXPECT_EQ(one("Observation", "value-quantity", "5||mg").any_of.at(0).unit_text, "mg");
}

TEST(Query, ACompositeHasItsPartsAndTheirJoinedValue) {
  const auto term =
      one("Observation", "code-value-quantity", "http://loinc.org|8480-6$gt100|http://unitsofmeasure.org|kg")
          .any_of.at(0);
  EXPECT_EQ(term.value, "8480-6");
  EXPECT_EQ(term.system, "http://loinc.org");
  EXPECT_EQ(term.system_is, Term::System::named);
  EXPECT_EQ(term.prefix, Prefix::gt);
  EXPECT_EQ(term.unit, "ucum|g");
  EXPECT_NEAR(term.from, 100'000, 1e-6);
  EXPECT_EQ(term.parts.size(), 2U);
  EXPECT_EQ(one("Observation", "code-value-concept", "a$t|v").any_of.at(0).value, "a$v");
  EXPECT_EQ(one("Observation", "code-value-string", R"(a\$b$V)").any_of.at(0).value, "a$b$v");
  const auto day = one("Observation", "code-value-date", "a$ge2024-01-02").any_of.at(0);
  EXPECT_EQ(day.prefix, Prefix::ge);
  EXPECT_EQ(day.from, static_cast<double>(day.parts.at(1).low));
}

TEST(Query, APlaceHasADistanceInKilometres) {
  struct Row {
    std::string text;
    double km;
  };
  for (const auto& [text, km] :
       {Row{"42.25|-83.7", 50}, Row{"42.25|-83.7|11.2|km", 11.2}, Row{"42.25|-83.7|500|m", 0.5},
        Row{"42.25|-83.7|1|[mi_i]", 1.609344}, Row{"42.25|-83.7|7", 7}}) {
    const auto term = one("Location", "near", text).any_of.at(0);
    EXPECT_EQ(term.from, 42.25);
    EXPECT_EQ(term.to, -83.7);
    EXPECT_NEAR(term.distance_km, km, 1e-9) << text;
  }
}

TEST(Query, EachKindTakesItsModifiers) {
  struct Row {
    std::string type, name, value;
    Modifier modifier;
  };
  for (const auto& [type, name, value, modifier] :
       {Row{"Patient", "name:text", "x", Modifier::text}, Row{"Observation", "code:text", "x", Modifier::text},
        Row{"Observation", "code:not", "x", Modifier::is_not},
        Row{"Patient", "identifier:of-type", "urn:t|MR|7", Modifier::of_type},
        Row{"ValueSet", "url:below", "http://a.org/", Modifier::below},
        Row{"ValueSet", "url:above", "http://a.org/x/y", Modifier::above},
        Row{"RiskAssessment", "probability:missing", "true", Modifier::missing},
        Row{"Location", "near:missing", "true", Modifier::missing}}) {
    EXPECT_EQ(one(type, name, value).modifier, modifier) << name;
  }
  const auto term = one("Patient", "identifier:of-type", "urn:t|MR|7").any_of.at(0);
  EXPECT_EQ(term.system, "urn:t|MR");
  EXPECT_EQ(term.value,
            "\x1f"
            "7");
  EXPECT_EQ(refusal("Patient", {{"gender:of-type", "a|b|c"}}), "not-supported gender:of-type");
}

TEST(Query, ValueSetsAndHierarchiesAndListsAreResolved) {
  using Codes = std::vector<std::pair<std::string, std::string>>;
  Resolver resolver;
  resolver.value_set = [](std::string_view value_set) -> Result<Codes> {
    if (value_set == "http://a.org/vs") return Codes{{"urn:s", "a"}, {"", "b"}};
    if (value_set == "http://a.org/empty") return Codes();
    return fail(Code::not_found, "there is none");
  };
  resolver.hierarchy = [](std::string_view system, std::string_view code,
                          bool below) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{std::string(code), std::string(system) + (below ? "-below" : "-above")};
  };
  resolver.list = [](std::string_view) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"Patient/1", "Group/2", "Patient/3/_history/1"};
  };
  ParseOptions options;
  options.resolver = &resolver;
  const auto ask = [&](const std::string& type, const std::string& name, const std::string& value) {
    const auto query = parse_query(type, Parameters{{name, value}}, options);
    EXPECT_TRUE(query) << name;
    return query ? query->conditions.at(0) : Condition();
  };
  const auto in = ask("Observation", "code:in", "http://a.org/vs");
  ASSERT_EQ(in.any_of.size(), 2U);
  EXPECT_EQ(in.any_of[0].system, "urn:s");
  EXPECT_EQ(in.any_of[0].system_is, Term::System::named);
  EXPECT_EQ(in.any_of[1].system_is, Term::System::any);
  EXPECT_TRUE(ask("Observation", "code:in", "http://a.org/empty").any_of.empty());
  EXPECT_EQ(ask("Observation", "code:not-in", "http://a.org/vs").modifier, Modifier::not_in);
  EXPECT_EQ(ask("Observation", "code:below", "s|x").any_of.at(1).value, "s-below");
  EXPECT_EQ(ask("Observation", "code:above", "s|x").any_of.at(1).value, "s-above");
  const auto list = ask("Patient", "_list", "42");
  ASSERT_EQ(list.any_of.size(), 2U);
  EXPECT_EQ(list.any_of[1].value, "3");
  EXPECT_EQ(ask("Device", "_list", "42").modifier, Modifier::in);
  EXPECT_FALSE(parse_query("Observation", Parameters{{"code:in", "http://a.org/none"}}, options));
  EXPECT_EQ(refusal("Observation", {{"code:in", "http://a.org/vs"}}), "not-supported code:in");
  EXPECT_EQ(refusal("Observation", {{"code:below", "s|x"}}), "not-supported code:below");
  EXPECT_EQ(refusal("Patient", {{"_list", "42"}}), "not-supported _list");
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
  EXPECT_EQ(parse("Patient", {{"_count", "5"}, {"_summary", "count"}}).count, 0U);
  EXPECT_EQ(parse("Patient", {{"_summary", "false"}}).count, count_default);
  EXPECT_EQ(parse("Patient", {{"_summary", "text"}}).summary, Summary::text);
  EXPECT_EQ(parse("Patient", {{"_contained", "both"}}).contained, Contained::both);
  EXPECT_TRUE(parse("Patient", {{"_contained", "true"}, {"_containedType", "contained"}}).contained_alone);
  EXPECT_THAT(parse("Patient", {{"_elements", "name,Patient.birthDate,deceased"}}).elements,
              ElementsAre("name", "birthDate", "deceased"));
  EXPECT_THAT(parse("Patient", {{"_type", "Group,Patient"}}).processed, ElementsAre(Pair("_type", "Group,Patient")));
}

TEST(Query, SortKeysAreParametersAndTheLastMayBeTheTimeOfChange) {
  const auto keys = [](const std::string& sort) {
    const auto query = parse("Patient", {{"_sort", sort}});
    std::string out;
    for (const Sort& key : query.sort) out += (key.descending ? "-" : "+") + std::string(key.parameter->code);
    if (query.by_last_updated) out += query.order == Order::newest_first ? " newest" : " oldest";
    return out;
  };
  EXPECT_EQ(keys("birthdate"), "+birthdate");
  EXPECT_EQ(keys("-family,given,_id"), "-family+given+_id");
  EXPECT_EQ(keys("birthdate,-_lastUpdated"), "+birthdate newest");
  EXPECT_EQ(keys("_lastUpdated,birthdate"), "+_lastUpdated+birthdate");
  EXPECT_EQ(keys("_lastUpdated"), " oldest");
}

TEST(Query, IncludesNameATypeAReferenceAndATarget) {
  const auto query = parse("Observation", {{"_include", "Observation:subject:Patient"},
                                           {"_include:iterate", "Patient:organization"},
                                           {"_include:recurse", "*"},
                                           {"_revinclude", "Provenance:target"},
                                           {"_include", "Observation:*"}});
  ASSERT_EQ(query.includes.size(), 5U);
  EXPECT_EQ(query.includes[0].parameter, find_parameter("Observation", "subject"));
  EXPECT_EQ(query.includes[0].target, "Patient");
  EXPECT_FALSE(query.includes[0].reverse || query.includes[0].iterate);
  EXPECT_TRUE(query.includes[1].iterate && query.includes[2].iterate && query.includes[3].reverse);
  EXPECT_EQ(query.includes[2].source, "");
  EXPECT_EQ(query.includes[4].source, "Observation");
  EXPECT_EQ(query.includes[4].parameter, nullptr);
}

TEST(Query, AChainLeadsToEachTypeThatKnowsTheNextParameter) {
  const auto chain = one("Observation", "subject:Patient.name", "x");
  EXPECT_EQ(chain.form, Condition::Form::chain);
  EXPECT_EQ(chain.parameter, find_parameter("Observation", "subject"));
  EXPECT_EQ(chain.target, "Patient");
  EXPECT_EQ(chain.parts.at(0).parameter, find_parameter("Patient", "name"));
  // Group, Device, Location and Patient: a Group has no name to search by.
  const auto any = one("Observation", "subject.name", "x");
  EXPECT_EQ(any.form, Condition::Form::any);
  std::vector<std::string> targets;
  for (const auto& part : any.parts) targets.push_back(part.target);
  EXPECT_THAT(targets, testing::UnorderedElementsAre("Location", "Patient"));
  const auto deep = one("Observation", "subject:Patient.organization.partof.name:exact", "x");
  EXPECT_EQ(deep.parts.at(0).parts.at(0).parts.at(0).modifier, Modifier::exact);
}

TEST(Query, HasAsksForThoseThatReferHere) {
  const auto has = one("Patient", "_has:Observation:patient:code", "1234");
  EXPECT_EQ(has.form, Condition::Form::has);
  EXPECT_EQ(has.parameter, find_parameter("Observation", "patient"));
  EXPECT_EQ(has.parts.at(0).parameter, find_parameter("Observation", "code"));
  const auto nested = one("Patient", "_has:Observation:patient:_has:AuditEvent:entity:agent:Practitioner.name", "x");
  EXPECT_EQ(nested.parts.at(0).form, Condition::Form::has);
  EXPECT_EQ(nested.parts.at(0).parts.at(0).form, Condition::Form::chain);
  EXPECT_EQ(one("Encounter", "patient._has:Group:member:_id", "1").form, Condition::Form::chain);
}

TEST(Query, WhatIsNotUnderstoodIsRefusedByName) {
  struct Row {
    std::string type, name, value, issue;
  };
  for (const auto& [type, name, value, issue] :
       {Row{"Patient", "nam", "x", "not-supported nam"},
        Row{"Patient", "", "x", "not-supported "},
        Row{"Patient", "_query", "x", "not-supported _query"},
        Row{"Patient", "name:contain", "x", "not-supported name:contain"},
        Row{"Patient", "name:", "x", "not-supported name:"},
        Row{"Patient", "birthdate:exact", "2024", "not-supported birthdate:exact"},
        Row{"Patient", "_id:missing", "true", "not-supported _id:missing"},
        Row{"Patient", "_sort", "nam", "not-supported _sort"},
        Row{"Patient", "_sort", "_content", "not-supported _sort"},
        Row{"Patient", "_summary", "all", "value _summary"},
        Row{"Patient", "_elements", "nam", "not-supported _elements"},
        Row{"Patient", "_contained", "yes", "value _contained"},
        Row{"Patient", "_containedType", "x", "value _containedType"},
        Row{"Patient", "_type", "Group", "value _type"},
        Row{"Patient", "_include", "Patient", "value _include"},
        Row{"Patient", "_include", "Patent:link", "value _include"},
        Row{"Patient", "_include", "Patient:name", "value _include"},
        Row{"Patient", "_include", "Patient:organization:Group", "value _include"},
        Row{"Patient", "_include:x", "Patient:link", "not-supported _include:x"},
        Row{"Patient", "_count", "-1", "value _count"},
        Row{"Patient", "_count", "", "value _count"},
        Row{"Patient", "_total", "x", "value _total"},
        Row{"Patient", "birthdate", "24", "value birthdate"},
        Row{"Patient", "birthdate", "xx2024", "value birthdate"},
        Row{"Patient", "birthdate", "", "value birthdate"},
        Row{"Patient", "name", "a,,b", "value name"},
        Row{"Patient", "name", " ", "value name"},
        Row{"Patient", "identifier", "|", "value identifier"},
        Row{"Patient", "name:missing", "x", "value name:missing"},
        Row{"Patient", "_has:Observation:patient", "x", "value _has:Observation:patient"},
        Row{"Patient", "_has:Patent:patient:code", "x", "not-supported _has:Patent:patient:code"},
        Row{"Patient", "_has:Observation:code:code", "x", "not-supported _has:Observation:code:code"},
        Row{"Patient", "_has:Observation:patient:cod", "x", "not-supported _has:Observation:patient:cod"},
        Row{"Patient", "_has:Patient:organization:name", "x", "not-supported _has:Patient:organization:name"},
        Row{"Patient", "name.family", "x", "not-supported name.family"},
        Row{"Patient", "organization.nam", "x", "not-supported organization.nam"},
        Row{"Patient", "organization:Group.name", "x", "value organization:Group.name"},
        Row{"Patient", "organization.partof.name:x", "x", "not-supported organization.partof.name:x"},
        Row{"Observation", "patient", "Group/1", "value patient"},
        Row{"Observation", "subject:Patient", "Group/1", "value subject:Patient"},
        Row{"Observation", "subject:Patent", "1", "not-supported subject:Patent"},
        Row{"Observation", "value-quantity", "x", "value value-quantity"},
        Row{"Observation", "value-quantity", "5|mg", "value value-quantity"},
        Row{"Observation", "value-quantity", "5||", "value value-quantity"},
        Row{"Observation", "code-value-quantity", "a", "value code-value-quantity"},
        Row{"Observation", "code-value-quantity", "a$b", "value code-value-quantity"},
        Row{"RiskAssessment", "probability", "lots", "value probability"},
        Row{"Location", "near", "42", "value near"},
        Row{"Location", "near", "95|0", "value near"},
        Row{"Location", "near", "1|1|1|mg", "value near"},
        Row{"Patient", "_content", ".", "value _content"},
        Row{"Basic", "subject.identifier", "x", "too-costly subject.identifier"},
        Row{"Patent", "name", "x", "not-supported "}}) {
    EXPECT_EQ(refusal(type, {{name, value}}), issue) << type << '?' << name << '=' << value;
  }
}

TEST(Query, ARefusalListsWhatIsKnownAndWhatIsNear) {
  const auto text = [](const std::string& name) {
    const auto query = parse_query("Patient", Parameters{{name, "x"}}, false);
    return query ? std::string() : query.error().issues[0].diagnostics;
  };
  EXPECT_THAT(text("nam"), HasSubstr("Did you mean name"));
  EXPECT_THAT(text("birthday"), HasSubstr("Did you mean birthdate?"));
  EXPECT_THAT(text("nam"), HasSubstr("birthdate, death-date, deceased, email, family"));
  EXPECT_THAT(text("xyzzy"), testing::Not(HasSubstr("Did you mean")));
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
  EXPECT_EQ(refusal("Observation", {{"subject.subject.subject.subject.name", "x"}}).substr(0, 10), "not-suppor");
  EXPECT_EQ(
      refusal("Patient", {{"link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name", "x"}}),
      "understood");
  EXPECT_EQ(refusal("Patient",
                    {{"link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.link:Patient.name",
                      "x"}})
                .substr(0, 10),
            "too-costly");
  // Each step may lead to any type, most of which have the parameter.
  EXPECT_EQ(refusal("Provenance", {{"target.patient.identifier", "x"}}).substr(0, 10), "too-costly");
  EXPECT_EQ(refusal("Patient", {{"_sort", "name,name,name,name,name,name,name,name,name"}}), "too-costly _sort");
  EXPECT_EQ(refusal("Patient", Parameters(includes_max + 1, {"_include", "Patient:link"})), "too-costly _include");
}

}  // namespace
}  // namespace mydr24::search
