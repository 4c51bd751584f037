#include "fhir/path/path.h"

#include <gtest/gtest.h>

namespace mydr24::path {
namespace {

constexpr std::string_view patient = R"({"resourceType":"Patient","id":"p","active":true,
  "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]}],
  "birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"http://x/t","valueDateTime":"1974-12-25T14:35:45-05:00"}]},
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

}  // namespace
}  // namespace mydr24::path
