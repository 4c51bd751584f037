#include <gtest/gtest.h>

#include <string>

#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// A condition as text: parameter, modifier's number where there is one, prefix and value; the forms by name.
std::string shape(const Condition& condition) {
  std::string parts;
  for (const Condition& part : condition.parts) parts += (parts.empty() ? "" : " ") + shape(part);
  switch (condition.form) {
    case Condition::Form::chain:
      return std::string(condition.parameter->code) + ">" + condition.target + "(" + parts + ")";
    case Condition::Form::has:
      return "has(" + parts + ")";
    case Condition::Form::all:
      return "all(" + parts + ")";
    case Condition::Form::any:
      return "any(" + parts + ")";
    case Condition::Form::none:
      return "none(" + parts + ")";
    case Condition::Form::match:
      break;
  }
  constexpr std::string_view names[] = {"", ":exact", ":contains", ":missing", ":not", ":text", ":in", ":not-in"};
  std::string text = std::string(condition.parameter->code) + std::string(names[static_cast<int>(condition.modifier)]);
  for (const Term& term : condition.any_of) {
    text += "=" + (condition.modifier == Modifier::missing ? (term.missing ? "true" : "false") : term.value);
    constexpr std::string_view prefixes[] = {"", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"};
    text += prefixes[static_cast<int>(term.prefix)];
  }
  return text;
}

std::string filtered(const std::string& type, const std::string& filter) {
  const auto query = parse_query(type, Parameters{{"_filter", filter}}, false);
  if (!query) return query.error().issues.at(0).code;
  return shape(query->conditions.at(0));
}

TEST(Filter, ComparisonsAreConditions) {
  struct Row {
    std::string type, filter, condition;
  };
  for (const auto& [type, filter, condition] :
       {Row{"Patient", R"(name sw "Ng")", "name=ng"},
        Row{"Patient", R"(name co "Ng, \"x\"")", "name:contains=ng, \"x\""},
        Row{"Patient", R"(name eq "Zoë")", "none(name:not=zoe)"}, Row{"Patient", R"(name ne "Zoë")", "name:not=zoe"},
        Row{"Patient", "gender eq male", "gender=male"}, Row{"Patient", "gender ne male", "none(gender=male)"},
        Row{"Patient", "birthdate ge 1980-01-01", "birthdate=ge"},
        Row{"Patient", "birthdate pr true", "birthdate:missing=false"},
        Row{"Patient", "birthdate pr false", "birthdate:missing=true"},
        Row{"Observation", "date po 2024", "all(date:missing=false none(date=sa date=eb))"},
        Row{"Observation", "value-quantity gt 5.4|http://unitsofmeasure.org|mg", "value-quantity=gt"},
        Row{"Observation", "patient re Patient/1", "patient=Patient/1"},
        Row{"Observation", "code eq http://loinc.org|1", "code=1"}, Row{"Observation", "_id eq 1", "_id=1"}}) {
    EXPECT_EQ(filtered(type, filter), condition) << filter;
  }
}

TEST(Filter, AndBindsMoreTightlyThanOrAndNotMostTightly) {
  EXPECT_EQ(filtered("Patient", "gender eq a or gender eq b and gender eq c"), "any(gender=a all(gender=b gender=c))");
  EXPECT_EQ(filtered("Patient", "(gender eq a or gender eq b) and gender eq c"),
            "all(any(gender=a gender=b) gender=c)");
  EXPECT_EQ(filtered("Patient", "not (gender eq a) and gender eq b"), "all(none(gender=a) gender=b)");
  EXPECT_EQ(filtered("Patient", "gender eq a and not gender eq b"), "all(gender=a none(gender=b))");
}

TEST(Filter, AChainMayBeNarrowedOnItsWay) {
  EXPECT_EQ(filtered("Observation", "patient.gender eq male"), "patient>Patient(gender=male)");
  EXPECT_EQ(filtered("Observation", R"(patient[gender eq male].organization.name sw "x")"),
            "patient>Patient(gender=male organization>Organization(name=x))");
  EXPECT_EQ(filtered("Observation", R"(subject:Patient.name sw "x" and status eq final)"),
            "all(subject>Patient(name=x) status=final)");
  EXPECT_EQ(filtered("Observation", R"(subject.name sw "x" or status eq final)"),
            "any(any(subject>Patient(name=x) subject>Location(name=x)) status=final)");
}

TEST(Filter, WhatCannotBeReadOrExpressedIsRefused) {
  struct Row {
    std::string filter, code;
  };
  for (const auto& [filter, code] :
       {Row{"", "value"}, Row{"gender", "value"}, Row{"gender eq", "value"}, Row{"gender is male", "value"},
        Row{"(gender eq male", "value"}, Row{"gender eq male)", "value"}, Row{"name eq \"x", "value"},
        Row{"gender eq male and", "value"}, Row{"birthdate gt x", "value"}, Row{"gender pr maybe", "value"},
        Row{"nam eq x", "not-supported"}, Row{"gender ew x", "not-supported"}, Row{"gender sw m", "not-supported"},
        Row{"name.family eq x", "not-supported"}, Row{"gender in http://a.org/vs", "not-supported"},
        Row{"_id pr true", "not-supported"}, Row{"organization[name eq x] eq y", "value"},
        Row{std::string(filter_bytes_max + 1, ' '), "too-costly"}, Row{std::string(1000, '('), "too-costly"}}) {
    EXPECT_EQ(filtered("Patient", filter), code) << filter.substr(0, 80);
  }
  std::string many = "gender eq a";
  for (std::size_t i = 0; i < tree_max; ++i) many += " or gender eq a";
  EXPECT_EQ(filtered("Patient", many), "too-costly");
  const auto query = parse_query("Patient", Parameters{{"_filter", "gender ew x"}}, false);
  EXPECT_NE(query.error().issues.at(0).diagnostics.find("'ew'"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::search
