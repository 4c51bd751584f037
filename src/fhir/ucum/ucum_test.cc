#include "fhir/ucum/ucum.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/ucum/expression.h"
#include "fhir/ucum/units.h"

namespace mydr24::ucum {
namespace {

constexpr const char* suite_path = "../shared/data/ucum/UcumFunctionalTests.xml";

std::string unescaped(std::string text) {
  const std::pair<std::string_view, std::string_view> entities[] = {
      {"&#232;", "\xc3\xa8"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}};
  for (const auto& [entity, character] : entities) {
    for (auto at = text.find(entity); at != std::string::npos; at = text.find(entity, at + 1)) {
      text.replace(at, entity.size(), character);
    }
  }
  return text;
}

struct SuiteCase {
  std::string section;
  std::string line;

  std::string attribute(const std::string& name) const {
    const auto at = line.find(" " + name + "=\"");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 3;
    return unescaped(line.substr(begin, line.find('"', begin) - begin));
  }
};

// The <case> elements outside comments, each with the element around it.
std::vector<SuiteCase> read_suite() {
  std::ifstream file(suite_path);
  std::stringstream content;
  content << file.rdbuf();
  std::string text = content.str();
  for (auto at = text.find("<!--"); at != std::string::npos; at = text.find("<!--")) {
    text.erase(at, text.find("-->", at) + 3 - at);
  }
  std::vector<SuiteCase> cases;
  std::string section;
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    const std::string tag = text.substr(at, text.find('>', at) - at);
    for (const char* name : {"validation", "displayNameGeneration", "conversion", "multiplication", "division"}) {
      if (tag == "<" + std::string(name)) section = name;
    }
    if (tag.starts_with("<case ")) cases.push_back({section, tag});
  }
  return cases;
}

bool near(double value, double expected, double tolerance) {
  return std::abs(value - expected) <= tolerance * std::max(std::abs(expected), 1e-300);
}

std::string or_unity(const std::string& unit) { return unit.empty() ? "1" : unit; }

// Whether the case holds; `tolerance` since the suite rounds its outcomes to the digits of their inputs.
bool holds(const SuiteCase& one) {
  constexpr double tolerance = 0.03;
  if (one.section == "validation")
    return check(one.attribute("unit")).has_value() == (one.attribute("valid") == "true");
  if (one.section == "displayNameGeneration") {
    if (one.attribute("unit").empty()) return !display("");
    const auto name = display(one.attribute("unit"));
    return name && (*name == one.attribute("display") || "(" + *name + ")" == one.attribute("display"));
  }
  if (one.section == "conversion") {
    const auto value = convert(std::stod(one.attribute("value")), one.attribute("srcUnit"), one.attribute("dstUnit"));
    return value && near(*value, std::stod(one.attribute("outcome")), tolerance);
  }
  const bool is_product = one.section == "multiplication";
  const std::string first = one.attribute("u1");
  const std::string second = one.attribute("u2");
  const double a = std::stod(one.attribute("v1"));
  const double b = std::stod(one.attribute("v2"));
  const auto unit = is_product ? multiply(first, second) : divide(first, second);
  if (!unit) return false;
  const auto value = convert(is_product ? a * b : a / b, *unit, or_unity(one.attribute("uRes")));
  return value && near(*value, std::stod(one.attribute("vRes")), tolerance);
}

TEST(UcumSuite, NearlyEveryPublishedCaseHolds) {
  if (!std::filesystem::exists(suite_path)) GTEST_SKIP() << suite_path << " is not here";
  std::size_t passed = 0;
  const auto cases = read_suite();
  ASSERT_GT(cases.size(), 500U);
  for (const SuiteCase& one : cases) {
    const bool ok = holds(one);
    passed += ok ? 1 : 0;
    if (!ok) std::cout << "  does not hold: " << one.section << " " << one.line << "\n";
  }
  std::cout << "  " << passed << " of " << cases.size() << " hold\n";
  EXPECT_GE(passed * 100, cases.size() * 95);
}

TEST(Ucum, UnitsOfTheSameThingHaveTheSameCanonicalUnit) {
  struct Case {
    std::string_view unit;
    double value;
    std::string_view canonical;
  };
  const Case cases[] = {
      {"mg", 1e-3, "g"},
      {"kg", 1000, "g"},
      {"mm[Hg]", 133322, "g.m-1.s-2"},
      {"/min", 1.0 / 60, "s-1"},
      {"{beats}/min", 1.0 / 60, "s-1"},
      {"%", 0.01, "1"},
      {"10*3/uL", 1e12, "m-3"},
      {"kg/m2", 1000, "g.m-2"},
      {"mmol/L", 6.02214076e23, "m-3"},
      {"[iU]/mL", 1e6, "m-3.[iU]"},
      {"{score}", 1, "1"},
      {"Cel", 274.15, "K"},
      {"[lb_av]", 453.59237, "g"},
      {"[in_i]", 0.0254, "m"},
      {"g/(12.h)", 1.0 / 43200, "g.s-1"},
  };
  for (const Case& one : cases) {
    const auto result = canonical(1, one.unit);
    ASSERT_TRUE(result) << one.unit;
    EXPECT_EQ(result->unit, one.canonical) << one.unit;
    EXPECT_TRUE(near(result->value, one.value, 1e-12)) << one.unit << " " << result->value;
  }
}

TEST(Ucum, SpecialUnitsConvertByTheirFunctions) {
  struct Case {
    double value;
    std::string_view from;
    std::string_view to;
    double result;
  };
  const Case cases[] = {
      {98.6, "[degF]", "Cel", 37},
      {37, "Cel", "[degF]", 98.6},
      {0, "Cel", "K", 273.15},
      {80, "[degRe]", "Cel", 100},
      {7.4, "[pH]", "nmol/L", 39.8107170553},
      {20, "dB", "1", 100},
      {1, "B[V]", "V", 3.16227766017},
      {100, "%[slope]", "deg", 45},
      {3, "bit_s", "1", 8},
      {1, "wk", "d", 7},
      {1, "a", "d", 365.25},
  };
  for (const Case& one : cases) {
    const auto result = convert(one.value, one.from, one.to);
    ASSERT_TRUE(result) << one.from;
    EXPECT_NEAR(*result, one.result, 1e-9 * std::abs(one.result)) << one.from << " to " << one.to;
    const auto back = convert(*result, one.to, one.from);
    ASSERT_TRUE(back);
    EXPECT_NEAR(*back, one.value, 1e-9) << one.to << " to " << one.from;
  }
}

TEST(Ucum, DifferentThingsDoNotConvert) {
  EXPECT_EQ(convert(1, "mg", "mL").error().code, Code::unprocessable);
  EXPECT_EQ(convert(1, "[iU]", "[arb'U]").error().code, Code::unprocessable);
  EXPECT_EQ(convert(1, "[iU]", "mg").error().code, Code::unprocessable);
}

TEST(Ucum, TwoNamesOfAnArbitraryUnitAreTheSameThing) {
  EXPECT_DOUBLE_EQ(*convert(1, "[IU]", "[iU]"), 1);
  EXPECT_EQ(canonical(1, "m[IU]/L")->unit, canonical(1, "[iU]/mL")->unit);
}

TEST(Ucum, WhatIsNoUnitIsRefusedWithItsPlace) {
  const char* const units[] = {"",      "m/",          "10+3/ul",   "mmol/kg[H20]", "{a}rad2", "foo",
                               "m]",    "[in_i",       "m{",        "(m",           "m)",      "mg mL",
                               "g/12h", "m2147483648", "\xc2\xb5g", "{\xc3\xa9}"};
  for (const char* unit : units) {
    const auto result = check(unit);
    ASSERT_FALSE(result) << unit;
    EXPECT_EQ(result.error().code, Code::invalid) << unit;
  }
  EXPECT_FALSE(check(std::string(unit_bytes_max + 1, 'm')));
  EXPECT_FALSE(check(std::string(100, '(') + "m" + std::string(100, ')')));
  EXPECT_FALSE(check("Ym99.Ym99.Ym99"));
}

TEST(Ucum, ProductsAndQuotientsAreExpressionsThatCanBeRead) {
  EXPECT_EQ(*multiply("m", "m"), "m2");
  EXPECT_EQ(*divide("m", "s"), "m/s");
  EXPECT_EQ(*divide("m", "m"), "1");
  EXPECT_EQ(*multiply("g/m2", "m2"), "g");
  EXPECT_EQ(*divide("1", "s"), "/s");
  EXPECT_TRUE(check(*divide("1", "10*3.m")));
  EXPECT_FALSE(multiply("Cel", "m"));
}

TEST(Ucum, NamesAreForPeople) {
  EXPECT_EQ(*display("mm[Hg]"), "millimeter of mercury column");
  EXPECT_EQ(*display("mg/dL"), "(milligram) / (deciliter)");
  EXPECT_EQ(*display("/min"), "1 / (minute)");
  EXPECT_FALSE(display("foo"));
}

TEST(Ucum, EveryDefinitionOfTheTableCanBeRead) {
  for (const Unit& unit : unit_table()) {
    EXPECT_TRUE(check(unit.code)) << unit.code;
    if (!unit.definition.empty()) EXPECT_TRUE(check(unit.definition)) << unit.code;
  }
}

TEST(Ucum, CommonUnitsAreCheap) {
  const char* const units[] = {"mg", "mm[Hg]", "/min", "mmol/L", "Cel", "%", "kg", "10*3/uL"};
  constexpr int rounds = 2000;
  double sum = canonical(1, "m")->value;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) {
    for (const char* unit : units) sum += canonical(i, unit)->value;
  }
  const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
  const double each = time.count() / (rounds * std::size(units));
  std::cout << "  canonical(): " << each << " ns (" << (sum > 0) << ")\n";
  EXPECT_LT(each, 20'000);  // of a debug build on a busy machine
}

}  // namespace
}  // namespace mydr24::ucum
