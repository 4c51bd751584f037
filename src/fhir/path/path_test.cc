#include "fhir/path/path.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>

namespace mydr24::path {
namespace {

constexpr std::string_view patient = R"({"resourceType":"Patient","id":"p","active":true,
  "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]}],
  "birthDate":"1974-12-25",
  "_birthDate":{"extension":[{"url":"http://x/t","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
  "deceasedBoolean":false,"managingOrganization":{"reference":"Organization/1"},
  "generalPractitioner":[{"reference":"Practitioner/2"},{"reference":"#c"}],
  "contained":[{"resourceType":"Organization","id":"c","name":"Inside"}]})";

std::string show(std::string_view expression, std::string_view text = patient) {
  const auto document = json::Document::parse_view(text);
  EXPECT_TRUE(document);
  const auto compiled = Expression::compile(expression);
  if (!compiled) return "does not compile: " + compiled.error().text;
  Environment environment;
  environment.resource = document->root();
  const auto result = compiled->evaluate(document->root(), environment);
  if (!result) return "fails: " + result.error().text;
  std::string out;
  for (const Item& item : *result) {
    if (!out.empty()) out += ", ";
    out += item.kind == ItemKind::element && text_of(item).empty() ? type_name(item) : std::string(text_of(item));
    if (item.kind == ItemKind::quantity) out += " " + item.unit;
  }
  return out;
}

TEST(Path, ExpressionsFindWhatTheyName) {
  struct Case {
    std::string_view expression;
    std::string_view result;
  };
  const Case cases[] = {
      {"name.given", "Peter, James, Jim"},
      {"Patient.name.where(use = 'usual').given", "Jim"},
      {"Patient.deceased", "false"},
      {"Patient.deceasedBoolean", ""},
      {"Patient.deceased.exists() and Patient.deceased != false", "false"},
      {"(Patient.deceased as boolean)", "false"},
      {"Patient.deceased.ofType(dateTime)", ""},
      {"name.exists(family.exists())", "true"},
      {"name.given | name.family", "Peter, James, Jim, Chalmers"},
      {"birthDate.extension('http://x/t').value", "1974-12-25T14:35:45-05:00"},
      {"generalPractitioner.where(resolve() is Practitioner).reference", "Practitioner/2"},
      {"generalPractitioner.where(resolve() is Organization).reference", "#c"},
      {"generalPractitioner.resolve().name", "Inside"},
      {"generalPractitioner.resolve().exists()", "true"},
      {"managingOrganization.resolve().exists()", "false"},
      {"name.first().use in ('official' | 'old')", "true"},
      {"name[1].use", "usual"},
      {"{} or true", "true"},
      {"contact.empty() implies name.empty()", "false"},
      {"1 + 2 * 3", "7"},
      {"birthDate < @1980", "true"},
      {"name.count() > 1", "true"},
  };
  for (const Case& one : cases) EXPECT_EQ(show(one.expression), one.result) << one.expression;
}

TEST(Path, WhatDoesNotParseIsRefusedWithItsPlace) {
  struct Case {
    std::string_view expression;
    std::string_view place;
  };
  const Case cases[] = {
      {"", "line 1, column 1"},
      {"name.", "line 1, column 6"},
      {"name.given1(", "line 1, column 6"},
      {"1 +\n  * 2", "line 2, column 3"},
      {"'abc", "line 1, column 1"},
      {"where()", "line 1, column 7"},
      {"a.where(b", "line 1, column 10"},
      {"@2024-13", "line 1, column 1"},
      {"a is Nothing", "line 1, column 6"},
      {"a ! b", "line 1, column 3"},
      {"'a'.matches('[')", "line 1, column 5"},
      {"99999999999999999999", "line 1"},
      {"name name", "line 1, column 6"},
      {"/* a", "line 1, column 1"},
      {"a.$this", "line 1, column 4"},
  };
  for (const Case& one : cases) {
    const auto compiled = Expression::compile(one.expression);
    ASSERT_FALSE(compiled) << one.expression;
    EXPECT_EQ(compiled.error().code, Code::invalid) << one.expression;
    EXPECT_TRUE(compiled.error().text.starts_with(one.place)) << one.expression << " " << compiled.error().text;
  }
}

TEST(Path, AContextTellsElementsThatNoTypeHas) {
  const model::Type* context = model::find_type("Patient");
  for (const char* good :
       {"Patient.name.given", "name.where(use = 'usual').given", "deceased", "(deceased as dateTime)",
        "contact.name.family", "extension('x').value", "contained.whatever", "Resource.id",
        "link.other.resolve().anything", "name.exists(period.start > today())"}) {
    EXPECT_TRUE(Expression::compile(good, context)) << good;
  }
  for (const char* bad : {"name.given1", "Encounter.status", "deceasedBoolean", "name.where(us = 'usual')",
                          "birthDate.day", "(deceased as dateTime).day"}) {
    EXPECT_FALSE(Expression::compile(bad, context)) << bad;
  }
}

TEST(Path, EveryPublishedSearchParameterCompiles) {
  for (const auto& parameter : model::search_parameters()) {
    if (parameter.expression.empty()) continue;
    const auto compiled = Expression::compile(parameter.expression);
    EXPECT_TRUE(compiled) << parameter.url << ": " << compiled.error().text;
  }
}

TEST(Path, HostileExpressionsEndEarly) {
  const std::string open(1000, '(');
  EXPECT_EQ(Expression::compile(open + "1" + std::string(1000, ')')).error().code, Code::too_large);
  EXPECT_EQ(Expression::compile(std::string(1000, '-') + "1").error().code, Code::too_large);
  EXPECT_EQ(Expression::compile(std::string(expression_bytes_max + 1, ' ')).error().code, Code::too_large);
  std::string chain = "name";
  for (int i = 0; i < 1000; ++i) chain += ".name";
  EXPECT_EQ(Expression::compile(chain).error().code, Code::too_large);
  std::string wide = "1";
  for (int i = 0; i < 2000; ++i) wide += " | 1";
  EXPECT_EQ(show(wide), "1");

  std::string doubled = "(1).combine(2)";
  for (int i = 0; i < 30; ++i) doubled += ".select($this.combine($this))";
  EXPECT_EQ(show(doubled).substr(0, 6), "fails:");
  EXPECT_EQ(show("(1).repeat($this + 1)").substr(0, 6), "fails:");
  std::string nested = "1";
  for (int i = 0; i < 150; ++i) nested = "iif(true, " + nested + ")";
  EXPECT_EQ(show(nested), "1");
  std::string longest = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 16; ++i) longest += ".select($this + $this)";
  EXPECT_EQ(show(longest + ".select($this.contains($this.substring(500000) + 'b'))").substr(0, 6), "fails:");
  std::string many = "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10)";
  for (int i = 0; i < 4; ++i) many += ".select((1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10))";
  EXPECT_EQ(show(many + ".select('aaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$'))").substr(0, 6), "fails:");
  std::string text = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 30; ++i) text += ".select($this + $this)";
  EXPECT_EQ(show(text).substr(0, 6), "fails:");
  EXPECT_EQ(show("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')").substr(0, 6), "fails:");
}

TEST(Path, ValuesKeepTheirDigits) {
  struct Case {
    std::string_view expression;
    std::string_view result;
  };
  const Case cases[] = {
      {"0.1 + 0.2", "0.3"},
      {"1.10", "1.10"},
      {"1 / 3 * 3", "0.99999999999999999999"},
      {"12345678901234567890.12345678 + 0.00000001", "12345678901234567890.12345679"},
      {"99999999999999999999999999.9 * 99999999999999999999999999.9", ""},
      {"7 div 2", "3"},
      {"-7 mod 4", "-3"},
      {"2.power(-1)", "0.5"},
      {"9223372036854775807 + 1", ""},
      {"@2024-01-31 + 1 month", "2024-02-29"},
      {"@2024-02-29 - 1 year", "2023-02-28"},
      {"@T23:30 + 90 minutes", "01:00"},
      {"@2024 + 18 months", "2025"},
      {"1 year + 1 'a'", ""},
      {"3 'min' + 30 's'", "3.5 min"},
      {"5 'mg' * 2", "10 mg"},
      {"'\u00e4\u00f6\u00fc'.substring(1, 1)", "\u00f6"},
      {"'\u00c4'.lower()", "\u00e4"},
      {"'\\ud83d\\ude00'.length()", "1"},
      {"(3 | 1 | 2).sort(-$this)", "3, 2, 1"},
      {"name.given.defineVariable('all').first().select($this in %all)", "true"},
      {"(1).defineVariable('x').combine(2) | %x", "fails: line 1, column 39: there is no variable %x"},
      {"'a,b'.split(',').join('-')", "a-b"},
      {"%resource.id", "p"},
      {"birthDate.hasValue() and birthDate.getValue() is System.Date", "true"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(show(one.expression), one.result) << one.expression;
  }
}

// A heart rate, as a device sends it.
constexpr std::string_view heart_rate = R"({"resourceType":"Observation","id":"hr","meta":{"profile":
  ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]},"text":{"status":"generated","div":
  "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Heart rate 44</p></div>"},"status":"final","category":[{"coding":
  [{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":
  [{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},"subject":{"reference":"Patient/example"},
  "effectiveDateTime":"2024-07-02T10:00:00Z","valueQuantity":{"value":44,"unit":"beats/minute","system":
  "http://unitsofmeasure.org","code":"/min"}})";

// Invariants as R4 publishes them, of Observation, DomainResource, Element and the types in it.
constexpr std::string_view invariants[] = {
    "dataAbsentReason.empty() or value.empty()",
    "value.empty() or component.code.where(coding.intersect(%resource.code.coding).exists()).empty()",
    "contained.contained.empty()",
    "contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()",
    "contained.meta.security.empty()",
    "text.`div`.exists()",
    "hasValue() or (children().count() > id.count())",
    "extension.exists() != value.exists()",
    "start.hasValue().not() or end.hasValue().not() or (start <= end)",
    "code.empty() or system.exists()",
    "low.empty() or high.empty() or (low <= high)",
    "(component.empty() and hasMember.empty()) implies (dataAbsentReason.exists() or value.exists())",
    "($this as dateTime).toString().length() >= 8",
    "value.as(Quantity).exists() implies value.as(Quantity).unit.exists()",
    "category.coding.where(code = 'vital-signs').exists()",
    "subject.reference.startsWith('#').not() or subject.reference.exists()",
};

TEST(Path, TypicalInvariantsAreCheap) {
  const auto document = json::Document::parse_view(heart_rate);
  ASSERT_TRUE(document);
  Environment environment;
  environment.resource = document->root();
  const Item focus = item_of(document->root());
  constexpr int rounds = 500;
  double total = 0;
  for (const std::string_view text : invariants) {
    const auto compiled = Expression::compile(text);
    ASSERT_TRUE(compiled) << text;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < rounds; ++i) (void)compiled->holds(focus, environment);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - begin;
    total += time.count() / rounds;
    std::cout << "  " << static_cast<int>(time.count() / rounds) << " ns  " << text << "\n";
  }
  EXPECT_LT(total / std::size(invariants), 50'000);  // of a debug build on a busy machine
}

}  // namespace
}  // namespace mydr24::path
