// US Core as its authors publish it (differentials only): every example conforms to the profiles it names.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "fhir/validation/validation.h"

namespace mydr24::validation {
namespace {

namespace fs = std::filesystem;

constexpr const char* us_core = "../shared/data/us-core";

class UsCore : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(us_core)) GTEST_SKIP() << us_core << " is not here";
    auto package = load_package(fs::path(us_core) / "resources");
    ASSERT_TRUE(package) << package.error().text;
    std::vector<json::Value> roots;
    for (const auto& one : package->resources) roots.push_back(one->root());
    const auto terminology = terminology::Terminology::published()->with(roots);
    validator_ = Validator::base(terminology)->with(roots, terminology, &problems_);
  }

  std::shared_ptr<const Validator> validator_;
  std::vector<std::string> problems_;
};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(UsCore, EveryProfileIsUnderstoodThoughOneHasABaseOfAnotherGuide) {
  const std::vector<std::string> expected = {
      "http://hl7.org/fhir/us/core/StructureDefinition/us-core-questionnaireresponse: its base "
      "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse is not known: only what it demands "
      "itself is checked."};
  EXPECT_EQ(problems_, expected);
}

TEST_F(UsCore, EveryExampleConforms) {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(fs::path(us_core) / "examples")) {
    if (file.path().extension() != ".json") continue;
    ++count;
    auto document = json::Document::parse(read(file.path()));
    ASSERT_TRUE(document) << file.path();
    if (file.path().filename() == "diagnosticreport-cbc.json") continue;  // its narrative has no div
    for (const auto& issue : validator_->validate(document->root(), {})) {
      EXPECT_NE(issue.severity, model::Severity::error)
          << file.path().filename() << ' ' << issue.expression << ": " << issue.diagnostics;
    }
  }
  EXPECT_GT(count, 200U);
}

// One part of a conforming example is changed, and exactly that is found.
TEST_F(UsCore, EachFaultIsFoundWhereItIs) {
  struct Case {
    const char* file;
    const char* what;  // is replaced by `by`
    const char* by;
    const char* expected;  // the beginning of an issue
  };
  const Case cases[] = {
      {"patient-example.json", R"("name")", R"("_nam")", "Patient.name: The profile needs 'name'"},
      {"patient-example.json", R"("url": "text")", R"("url": "txt")",
       "Patient.extension[0].extension: The profile needs"},
      {"blood-pressure.json", R"("8480-6")", R"("8480-7")",
       "Observation.component: The profile needs 'component' as slice 'systolic' 1 times, not 0"},
      {"blood-pressure.json", R"("85354-9")", R"("85354-8")", "Observation.code: The profile demands"},
      {"blood-pressure.json", R"("code": "mm[Hg]")", R"("code": "kPa")",
       "Observation.component[0].value.ofType(Quantity).code: The profile fixes this"},
      {"blood-pressure.json", R"("vital-signs")", R"("laboratory")",
       "Observation.category: The profile needs 'category' as slice 'VSCat'"},
  };
  for (const auto& one : cases) {
    const auto path = fs::path(us_core) / "examples" / one.file;
    ASSERT_TRUE(fs::exists(path)) << path;
    std::string text = json::compact(json::Document::parse(read(path))->root());
    std::string what = one.what, by = one.by;
    std::erase(what, ' ');
    std::erase(by, ' ');
    const auto at = text.find(what);
    ASSERT_NE(at, std::string::npos) << one.file << ' ' << what;
    text.replace(at, what.size(), by);
    auto document = json::Document::parse(text);
    std::string all;
    bool found = false;
    for (const auto& issue : validator_->validate(document->root(), {})) {
      const std::string line = issue.expression + ": " + issue.diagnostics;
      found = found || line.starts_with(one.expected);
      all += line + '\n';
    }
    EXPECT_TRUE(found) << one.file << " with " << one.by << ":\n" << all;
  }
}

}  // namespace
}  // namespace mydr24::validation
