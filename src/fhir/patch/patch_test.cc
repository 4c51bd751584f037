#include "fhir/patch/patch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/xml/xml.h"

namespace mydr24::patch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

json::Document parse(std::string text) {
  auto document = json::Document::parse(std::move(text));
  EXPECT_TRUE(document) << document.error().text;
  return document ? std::move(*document) : json::Document();
}

// Parts as JSON members: type, path, then what else the operation has.
std::string operation(std::string_view type, std::string_view path, std::string_view more = {}) {
  return fmt::format(
      R"({{"name":"operation","part":[{{"name":"type","valueCode":"{}"}},{{"name":"path","valueString":"{}"}}{}{}]}})",
      type, path, more.empty() ? "" : ",", more);
}
std::string name(std::string_view name) { return fmt::format(R"({{"name":"name","valueString":"{}"}})", name); }
std::string value(std::string_view member) { return fmt::format(R"({{"name":"value",{}}})", member); }
std::string number(std::string_view part, int value) {
  return fmt::format(R"({{"name":"{}","valueInteger":{}}})", part, value);
}

std::string parameters(std::string_view operations) {
  return fmt::format(R"({{"resourceType":"Parameters","parameter":[{}]}})", operations);
}

Result<std::string> patched(std::string_view members, std::string_view operations) {
  const auto resource = parse(fmt::format(R"({{"resourceType":"Patient"{}{}}})", members.empty() ? "" : ",", members));
  const auto patch = parse(parameters(operations));
  return apply_path_patch(resource, patch.root());
}

struct Case {
  std::string_view name, before, after;
  std::string operations;
};

TEST(PathPatch, EveryOperationChangesItsPlaceAndNothingElse) {
  const std::vector<Case> cases{
      {"no operation", R"("active": true)", R"("active":true)", ""},
      {"add a choice", "", R"("deceasedDateTime":"2020")",
       operation("add", "Patient", name("deceased") + "," + value(R"("valueDateTime":"2020")"))},
      {"add to a primitive", R"("birthDate":"1970")", R"("birthDate":"1970","_birthDate":{"extension":[{"url":"u"}]})",
       operation("add", "Patient.birthDate", name("extension") + "," + value(R"("valueExtension":{"url":"u"})"))},
      {"add a primitive to a list", R"("name":[{"given":["A"]}])", R"("name":[{"given":["A","B"]}])",
       operation("add", "Patient.name[0]", name("given") + "," + value(R"("valueString":"B")"))},
      {"add a primitive with an extension", R"("name":[{"given":["A"]}])",
       R"("name":[{"given":["A","B"],"_given":[null,{"id":"x"}]}])",
       operation("add", "Patient.name[0]",
                 name("given") + "," + value(R"("valueString":"B","_valueString":{"id":"x"})"))},
      {"add nested parts", "", R"("contact":[{"name":{"given":["A","B"]},"telecom":[{"value":"1"}],"gender":"male"}])",
       operation(
           "add", "Patient",
           name("contact") + "," +
               value(R"("part":[{"name":"name","part":[{"name":"given","valueString":"A"},)"
                     R"({"name":"given","valueString":"B"}]},{"name":"telecom","valueContactPoint":{"value":"1"}},)"
                     R"({"name":"gender","valueCode":"male"}])"))},
      {"add a contained resource", "", R"("contained":[{"resourceType":"Organization","id":"o"}])",
       operation("add", "Patient",
                 name("contained") + "," + value(R"("resource":{"resourceType":"Organization","id":"o"})"))},
      {"add inside a contained resource", R"("contained":[{"resourceType":"Organization","id":"o"}])",
       R"("contained":[{"resourceType":"Organization","id":"o","name":"N"}])",
       operation("add", "Patient.contained[0]", name("name") + "," + value(R"("valueString":"N")"))},
      {"add a string that is a number", "", R"("multipleBirthInteger":2)",
       operation("add", "Patient", name("multipleBirthInteger") + "," + value(R"("valueString":"2")"))},
      {"insert into an empty list", R"("name":[{}])", R"("name":[{"given":["A"]}])",
       operation("insert", "Patient.name[0].given", number("index", 0) + "," + value(R"("valueString":"A")"))},
      {"insert at the end", R"("name":[{"given":["A"]}])", R"("name":[{"given":["A","B"]}])",
       operation("insert", "Patient.name.given", number("index", 1) + "," + value(R"("valueString":"B")"))},
      {"move takes the extensions along", R"("name":[{"given":["A","B"],"_given":[{"id":"a"},null]}])",
       R"("name":[{"given":["B","A"],"_given":[null,{"id":"a"}]}])",
       operation("move", "Patient.name.given", number("source", 0) + "," + number("destination", 1))},
      {"delete what is not there", R"("active":true)", R"("active":true)", operation("delete", "Patient.birthDate")},
      {"delete takes the extensions along", R"("birthDate":"1970","_birthDate":{"id":"b"})", "",
       operation("delete", "Patient.birthDate")},
      {"delete the last of a list", R"("active":true,"name":[{"text":"A"}])", R"("active":true)",
       operation("delete", "Patient.name[0]")},
      {"delete leaves no empty object", R"("name":[{"period":{"start":"2020"}},{"text":"B"}])",
       R"("name":[{"text":"B"}])", operation("delete", "Patient.name[0].period.start")},
      {"delete the last extension of a primitive",
       R"("birthDate":"1970","_birthDate":{"extension":[{"url":"u","valueCode":"v"}]})", R"("birthDate":"1970")",
       operation("delete", "Patient.birthDate.extension")},
      {"delete one given name", R"("name":[{"given":["A","B"],"_given":[{"id":"a"},null]}])",
       R"("name":[{"given":["B"]}])", operation("delete", "Patient.name.given[0]")},
      {"replace by condition", R"("telecom":[{"use":"home","value":"1"},{"use":"work","value":"2"}])",
       R"("telecom":[{"use":"home","value":"1"},{"use":"work","value":"3"}])",
       operation("replace", "Patient.telecom.where(use='work').value", value(R"("valueString":"3")"))},
      {"replace one type of a choice with another", R"("deceasedBoolean":true)", R"("deceasedDateTime":"2020")",
       operation("replace", "Patient.deceased", value(R"("valueDateTime":"2020")"))},
      {"replace a number as written", R"("extension":[{"url":"u","valueDecimal":1.50}],"multipleBirthInteger":1)",
       R"("extension":[{"url":"u","valueDecimal":1.50}],"multipleBirthInteger":2)",
       operation("replace", "Patient.multipleBirth", value(R"("valueInteger":2)"))},
      {"operations see what those before did", "", R"("name":[{"text":"B"}])",
       operation("add", "Patient", name("name") + "," + value(R"("valueHumanName":{"text":"A"})")) + "," +
           operation("replace", "Patient.name[0].text", value(R"("valueString":"B")"))},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto result = patched(one.before, one.operations);
    ASSERT_TRUE(result) << result.error().text << " at " << result.error().where;
    EXPECT_EQ(*result, fmt::format(R"({{"resourceType":"Patient"{}{}}})", one.after.empty() ? "" : ",", one.after));
  }
}

struct Refusal {
  std::string_view before;
  std::string operations;
  Code code;
  std::string_view text;
};

TEST(PathPatch, AnOperationThatDoesNotFitIsRefusedByItsNumber) {
  const std::string good = operation("delete", "Patient.gender") + ",";
  const auto text_value = value(R"("valueString":"x")");
  const std::vector<Refusal> refusals{
      {"", R"({"name":"op"})", Code::invalid, "must be named 'operation'"},
      {"", operation("remove", "Patient.name"), Code::invalid, "must be add, insert, delete, replace or move"},
      {"", operation("delete", ""), Code::invalid, "must have the part 'path'"},
      {"", operation("delete", "Patient.name", text_value), Code::invalid, "must not have the part 'value'"},
      {"", operation("add", "Patient", text_value), Code::invalid, "must have the part 'name'"},
      {"", operation("move", "Patient.name", number("source", 1)), Code::invalid, "must have the part 'destination'"},
      {"", operation("move", "Patient.name", number("source", -1)), Code::invalid, "must be an index"},
      {"", operation("delete", "Patient.name", R"({"name":"nose"})"), Code::invalid, "unknown part 'nose'"},
      {"", operation("delete", "Patient.name["), Code::invalid, ""},
      {"", operation("replace", "Patient.birthDate", text_value), Code::unprocessable, "leads to no element"},
      {"", operation("replace", "1 + 1", text_value), Code::unprocessable, "computed value"},
      {"", operation("replace", "Patient", text_value), Code::unprocessable, "inside the resource"},
      {R"("name":[{},{}])", operation("delete", "Patient.name"), Code::unprocessable, "leads to 2 elements"},
      {R"("name":[{"use":"old"},{}])",
       operation("insert", "Patient.name.where(use='old')", number("index", 0) + "," + value(R"("valueHumanName":{})")),
       Code::unprocessable, "one whole list"},
      {R"("name":[{}])",
       operation("insert", "Patient.name", number("index", 2) + "," + value(R"("valueHumanName":{})")),
       Code::unprocessable, "the index 2 is outside of the 1 items"},
      {R"("name":[{}])", operation("move", "Patient.name", number("source", 0) + "," + number("destination", 1)),
       Code::unprocessable, "the index 1 is outside"},
      {R"("birthDate":"1970")", operation("add", "Patient", name("birthDate") + "," + value(R"("valueDate":"1971")")),
       Code::unprocessable, "there is a 'birthDate' already"},
      {R"("deceasedBoolean":true)",
       operation("add", "Patient", name("deceased") + "," + value(R"("valueDateTime":"1971")")), Code::unprocessable,
       "there is a 'deceasedBoolean' already"},
      {"", operation("add", "Patient", name("nose") + "," + text_value), Code::unprocessable, "no element 'nose'"},
      {"", operation("add", "Patient", name("deceased") + "," + value(R"("valueQuantity":{})")), Code::unprocessable,
       "'deceased' takes no valueQuantity"},
      {"", operation("add", "Patient", name("identifier") + "," + value(R"("valueHumanName":{})")), Code::unprocessable,
       "takes a value of type Identifier, not HumanName"},
      {"", operation("add", "Patient", name("identifier") + "," + text_value), Code::unprocessable,
       "takes a value of type Identifier, not String"},
      {"", operation("add", "Patient", name("birthDate") + "," + value(R"("valueQuantity":{})")), Code::unprocessable,
       "takes a value of type date, not Quantity"},
      {"", operation("add", "Patient", name("birthDate") + "," + text_value), Code::unprocessable,
       "the value of 'birthDate' must be"},
      {"", operation("add", "Patient", name("contact") + "," + value(R"("part":[{"name":"nose","valueString":"x"}])")),
       Code::unprocessable, "Patient.contact has no element 'nose'"},
      {R"("birthDate":"1970")", operation("add", "Patient.birthDate", name("text") + "," + text_value),
       Code::unprocessable, "takes only an id and extensions"},
  };
  for (const Refusal& one : refusals) {
    SCOPED_TRACE(one.operations);
    const auto result = patched(one.before, good + one.operations);
    ASSERT_FALSE(result) << *result;
    EXPECT_EQ(result.error().code, one.code) << result.error().text;
    EXPECT_THAT(result.error().text, HasSubstr(one.text));
    EXPECT_EQ(result.error().where, "Parameters.parameter[1]");
  }
}

TEST(PathPatch, OperationsAndTheirWorkAreBounded) {
  std::string many = operation("delete", "Patient.name");
  for (std::size_t i = 0; i < operations_max; ++i) many += "," + operation("delete", "Patient.name");
  const auto result = patched("", many);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::too_large);
  // Each alone is allowed, all together are not.
  std::string heavy, list = "(0";
  for (int i = 0; i < 200; ++i) list += "|" + std::to_string(i);
  list += ")";
  for (int i = 0; i < 900; ++i) {
    heavy += (i == 0 ? "" : ",") +
             operation("delete", fmt::format("Patient.where({0}.where({0}.exists($this=-1)).exists()).gender", list));
  }
  const auto costly = patched(R"("gender":"male")", heavy);
  ASSERT_FALSE(costly);
  EXPECT_EQ(costly.error().code, Code::too_large) << costly.error().text;
  const auto patch = parse(R"({"resourceType":"Patient"})");
  const auto other = apply_path_patch(patch, patch.root());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::invalid);
}

// What stands between <tag> and </tag> after `at`, trimmed; `at` moves behind it.
std::string_view inside(std::string_view text, std::string_view tag) {
  const std::string open = fmt::format("<{}>", tag), close = fmt::format("</{}>", tag);
  const auto begin = text.find(open);
  if (begin == std::string_view::npos) return {};
  auto part = text.substr(begin + open.size());
  part = part.substr(0, part.rfind(close));
  const auto first = part.find_first_not_of(" \t\r\n");
  return part.substr(first, part.find_last_not_of(" \t\r\n") - first + 1);
}

// JSON text whose markup has one form of line ends and of quotes in text, as XML sees no difference.
std::string with_plain_markup(std::string json) {
  for (const auto& [from, to] : {std::pair("\\r\\n", "\\n"), std::pair("&quot;", "\\\"")}) {
    for (auto at = json.find(from); at != std::string::npos; at = json.find(from, at)) {
      json.replace(at, std::string_view(from).size(), to);
    }
  }
  return json;
}

TEST(PathPatch, ThePublishedCasesPass) {
  const fs::path file = "../shared/data/fhir-patch/fhir-patch-tests.xml";
  if (!fs::exists(file)) GTEST_SKIP() << "no " << file;
  std::ifstream stream(file, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  std::size_t count = 0;
  for (auto at = text.find("<case "); at != std::string::npos; at = text.find("<case ", at + 1)) {
    const auto one = std::string_view(text).substr(at, text.find("</case>", at) - at);
    SCOPED_TRACE(one.substr(0, one.find('>')));
    const auto input = xml::to_json(inside(one, "input"));
    const auto diff = xml::to_json(inside(one, "diff"));
    ASSERT_TRUE(input && diff);
    const auto patch = parse(*diff);
    const auto result = apply_path_patch(parse(*input), patch.root());
    ++count;
    if (one.find("<error") != std::string_view::npos) {
      EXPECT_FALSE(result) << *result;
      continue;
    }
    const auto output = xml::to_json(inside(one, "output"));
    ASSERT_TRUE(output);
    ASSERT_TRUE(result) << result.error().text << " at " << result.error().where;
    const auto actual = parse(with_plain_markup(*result)), expected = parse(with_plain_markup(*output));
    EXPECT_TRUE(json::equal(actual.root(), expected.root())) << *result << "\n" << *output;
  }
  EXPECT_EQ(count, 33U);
}

}  // namespace
}  // namespace mydr24::patch
