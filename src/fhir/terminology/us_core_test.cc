#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {
namespace {

// The terminology of an implementation guide as it is published.
TEST(UsCoreTerminology, LoadsBesideR4) {
  const std::filesystem::path folder = "../shared/data/us-core/resources";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no US Core at " << folder;
  std::vector<json::Document> documents;
  std::vector<json::Value> resources;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with("ValueSet-") && !name.starts_with("CodeSystem-")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    auto document = json::Document::parse(std::string(std::istreambuf_iterator<char>(file), {}));
    ASSERT_TRUE(document) << name;
    documents.push_back(std::move(*document));
  }
  for (const auto& document : documents) resources.push_back(document.root());
  const auto loaded = Terminology::published()->with(resources);
  std::size_t value_sets = 0, expanded = 0;
  for (const auto resource : resources) {
    const auto url = resource["url"].text();
    if (resource["resourceType"].text() == "CodeSystem") {
      EXPECT_TRUE(loaded->has_code_system(url)) << url;
      continue;
    }
    ++value_sets;
    EXPECT_TRUE(loaded->has_value_set(url)) << url;
    const auto expansion = loaded->expand(url, {});
    // What cannot be listed here needs LOINC, SNOMED CT or a value set of another publisher.
    if (!expansion) {
      EXPECT_EQ(expansion.error().code, Code::not_found) << url << ": " << expansion.error().text;
      continue;
    }
    ++expanded;
    EXPECT_GT(expansion->total, 0U) << url;
    for (const auto& one : expansion->concepts) {
      EXPECT_EQ(loaded->member(url, one.system, one.code), Membership::member) << url << " " << one.code;
    }
  }
  EXPECT_GT(value_sets, 10U);
  EXPECT_GT(expanded, 5U);
}

}  // namespace
}  // namespace mydr24::terminology
