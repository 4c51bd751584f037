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

TEST_F(UsCore, EveryProfileIsUnderstood) { EXPECT_EQ(problems_, std::vector<std::string>()); }

TEST_F(UsCore, EveryExampleConforms) {
  std::size_t count = 0;
  for (const auto& file : fs::directory_iterator(fs::path(us_core) / "examples")) {
    if (file.path().extension() != ".json") continue;
    ++count;
    auto document = json::Document::parse(read(file.path()));
    ASSERT_TRUE(document) << file.path();
    for (const auto& issue : validator_->validate(document->root(), {})) {
      EXPECT_NE(issue.severity, model::Severity::error)
          << file.path().filename() << ' ' << issue.expression << ": " << issue.diagnostics;
    }
  }
  EXPECT_GT(count, 200U);
}

}  // namespace
}  // namespace mydr24::validation
