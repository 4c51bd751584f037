// The published test suite of FHIRPath for R4, where it lies beside the repository.

#include <expat.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "fhir/path/path.h"
#include "fhir/xml/xml.h"

namespace mydr24::path {
namespace {

const std::filesystem::path suite_path = "../shared/data/fhirpath/tests-fhir-r4.xml";
const std::filesystem::path inputs_path = "../shared/data/fhirpath/r4-inputs";
constexpr std::size_t passes_min = 905;

// The tests that do not pass, and why. One that begins to pass has to leave the table.
const std::map<std::string, std::string_view, std::less<>> deviations = {
    {"testDollarOrderNotAllowed", "that children() has no order is not checked: published expressions rely on it"},
    {"testFHIRPathAsFunction21", "as() takes several items: R4's invariant dom-3 applies it to descendants()"},
    {"testPlusDate19", "a tenth of a second is added: only above seconds are decimals ignored (FHIRPath, 6.6.7)"},
    {"HighBoundaryDateTimeMillisecond1", "the last moment of the hour 08 is 08:59:59.999, not 08:00:59.999"},
    {"HighBoundaryDateTimeMillisecond3", "the same"},
};

struct SuiteTest {
  std::string name;
  std::string input;
  std::string mode;
  std::string predicate;
  std::string ordered;
  std::string invalid;
  std::string expression;
  std::vector<std::pair<std::string, std::string>> outputs;  // type, text
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

class SuiteReader {
 public:
  static std::vector<SuiteTest> read(const std::string& xml) {
    SuiteReader reader;
    XML_Parser parser = XML_ParserCreate(nullptr);
    XML_SetUserData(parser, &reader);
    XML_SetElementHandler(parser, start, end);
    XML_SetCharacterDataHandler(parser, characters);
    EXPECT_EQ(XML_Parse(parser, xml.data(), static_cast<int>(xml.size()), 1), XML_STATUS_OK);
    XML_ParserFree(parser);
    return std::move(reader.tests_);
  }

 private:
  static void start(void* self, const char* name, const char** attributes) {
    auto& tests = static_cast<SuiteReader*>(self)->tests_;
    auto& text = static_cast<SuiteReader*>(self)->text_;
    std::map<std::string, std::string, std::less<>> found;
    for (; *attributes != nullptr; attributes += 2) found[attributes[0]] = attributes[1];
    const std::string_view element = name;
    text.clear();
    if (element == "test") {
      tests.push_back(
          {found["name"], found["inputfile"], found["mode"], found["predicate"], found["ordered"], {}, {}, {}});
    } else if (element == "expression" && !tests.empty()) {
      tests.back().invalid = found["invalid"];
    } else if (element == "output" && !tests.empty()) {
      tests.back().outputs.emplace_back(found["type"], "");
    }
  }
  static void end(void* self, const char* name) {
    auto& reader = *static_cast<SuiteReader*>(self);
    const std::string_view element = name;
    if (element == "expression") reader.tests_.back().expression = reader.text_;
    if (element == "output") reader.tests_.back().outputs.back().second = reader.text_;
  }
  static void characters(void* self, const char* text, int size) {
    static_cast<SuiteReader*>(self)->text_.append(text, static_cast<std::size_t>(size));
  }

  std::vector<SuiteTest> tests_;
  std::string text_;
};

class Inputs {
 public:
  // nullptr when it is not there or cannot be read.
  const json::Document* get(const std::string& name) {
    const auto known = documents_.find(name);
    if (known != documents_.end()) return known->second ? &*known->second : nullptr;
    auto& place = documents_[name];
    std::string text = read_file(inputs_path / name);
    if (name.ends_with(".xml")) {
      auto json = xml::to_json(text);
      if (!json) {
        ADD_FAILURE() << name << ": " << json.error().text;
        return nullptr;
      }
      text = std::move(*json);
    }
    auto document = json::Document::parse(std::move(text));
    if (document) place = std::move(*document);
    return place ? &*place : nullptr;
  }

 private:
  std::map<std::string, std::optional<json::Document>> documents_;
};

std::string type_of(const Item& item) {
  const std::string full = type_name(item);
  const std::string name = full.substr(full.find('.') + 1);
  if (item.kind == ItemKind::element || item.kind == ItemKind::quantity) return name;
  return item.kind == ItemKind::date_time ? "dateTime"
                                          : std::string(1, static_cast<char>(name[0] + 32)) + name.substr(1);
}

std::string text_as_expected(const Item& item) {
  const std::string text(text_of(item));
  const std::string type = type_of(item);
  if (item.kind == ItemKind::quantity) return fmt::format("{} '{}'", text, item.unit);
  if (type == "time") return "@T" + text;
  return type == "date" || type == "dateTime" ? "@" + text : text;
}

// Empty when the test passes, else what came instead.
std::string run(const SuiteTest& test, Inputs& inputs) {
  const json::Document* document = test.input.empty() ? nullptr : inputs.get(test.input);
  if (!test.input.empty() && document == nullptr) return "no input";
  const json::Value resource = document != nullptr ? document->root() : json::Value();
  const bool is_checked = test.mode == "strict" || test.invalid == "semantic";
  const model::Type* context = is_checked && document != nullptr ? item_of(resource).type : nullptr;
  const auto compiled = Expression::compile(test.expression, context);
  if (!compiled) return test.invalid.empty() ? compiled.error().text : "";
  Environment environment;
  environment.resource = resource;
  environment.now = from_us(1'750'000'000'000'000);
  const auto result = compiled->evaluate(resource, environment);
  if (!result) return test.invalid.empty() ? result.error().text : "";
  std::vector<std::pair<std::string, std::string>> found;
  for (const Item& item : *result) found.emplace_back(type_of(item), text_as_expected(item));
  if (test.predicate == "true") found = {{"boolean", found.empty() ? "false" : "true"}};
  std::string shown;
  for (const auto& [type, text] : found) shown += fmt::format("[{} {}]", type, text);
  if (!test.invalid.empty()) return "no error but " + shown;
  auto expected = test.outputs;
  if (test.ordered == "false") {
    std::ranges::sort(found);
    std::ranges::sort(expected);
  }
  bool ok = found.size() == expected.size();
  for (std::size_t i = 0; ok && i < found.size(); ++i) {
    ok = found[i].second == expected[i].second && (expected[i].first.empty() || found[i].first == expected[i].first);
  }
  return ok ? "" : "gives " + (shown.empty() ? "nothing" : shown);
}

TEST(PathSuite, ThePublishedTestsPassButForTheListedOnes) {
  if (!std::filesystem::exists(suite_path)) GTEST_SKIP() << suite_path << " is not here";
  const auto tests = SuiteReader::read(read_file(suite_path));
  Inputs inputs;
  std::size_t passed = 0;
  std::map<std::string, int> seen;
  for (const SuiteTest& test : tests) {
    // Some names stand for several tests.
    const int number = ++seen[test.name];
    const std::string name = number == 1 ? test.name : fmt::format("{}#{}", test.name, number);
    const std::string problem = run(test, inputs);
    const bool is_listed = deviations.contains(name);
    if (problem.empty()) {
      ++passed;
      EXPECT_FALSE(is_listed) << name << " passes now";
    } else {
      EXPECT_TRUE(is_listed) << name << ": " << test.expression << " " << problem;
    }
  }
  std::cout << "  " << passed << " of " << tests.size() << " pass\n";
  EXPECT_GE(passed, passes_min);
}

}  // namespace
}  // namespace mydr24::path
