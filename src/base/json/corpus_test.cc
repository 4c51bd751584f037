// Public collections of JSON beside the repository: every file of JSONTestSuite, and the examples of FHIR R4.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json/document.h"

namespace mydr24::json {
namespace {

constexpr const char* suite = "../shared/data/json-parsing/test_parsing";
constexpr const char* examples = "../shared/data/fhir-r4-examples";

std::vector<std::filesystem::path> json_files(const char* folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(folder)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void expect_round_trip(const Document& document, const std::filesystem::path& path) {
  const auto again = Document::parse(compact(document.root()));
  ASSERT_TRUE(again) << path;
  EXPECT_TRUE(same(document.root(), again->root())) << path;
  EXPECT_TRUE(equal(document.root(), again->root())) << path;
}

TEST(JsonCorpus, EveryFileOfJsonTestSuiteIsAcceptedOrRefusedAsItMust) {
  const auto files = json_files(suite);
  if (files.empty()) GTEST_SKIP() << suite << " is not there";
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const auto& path : files) {
    const auto document = Document::parse(content(path));
    if (document) expect_round_trip(*document, path);
    const char verdict = path.filename().string().front();
    if (verdict == 'y') EXPECT_TRUE(document) << path << ' ' << document.error().text;
    if (verdict == 'n') EXPECT_FALSE(document) << path;
    accepted += verdict == 'y' ? 1 : 0;
    refused += verdict == 'n' ? 1 : 0;
  }
  EXPECT_EQ(accepted, 95U);
  EXPECT_EQ(refused, 188U);
  RecordProperty("accepted", std::to_string(accepted));
  RecordProperty("refused", std::to_string(refused));
}

TEST(JsonCorpus, EveryFhirExampleReadsTheSameAfterCompaction) {
  const auto files = json_files(examples);
  if (files.empty()) GTEST_SKIP() << examples << " is not there";
  for (const auto& path : files) {
    const auto document = Document::parse(content(path));
    ASSERT_TRUE(document) << path << ' ' << document.error().text;
    EXPECT_TRUE(document->root()["resourceType"].is_string()) << path;
    expect_round_trip(*document, path);
  }
}

}  // namespace
}  // namespace mydr24::json
