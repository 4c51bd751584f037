// The population's own promises: the same each time, valid JSON lines, as large as said.

#include "load/population.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json/document.h"
#include "load/search_blend.h"

namespace mydr24::load {
namespace {

std::string lines_of(std::size_t patients, Census& census) {
  std::string out;
  census = Population(patients).write([&](std::string_view piece) { out.append(piece); });
  return out;
}

TEST(Population, TheSameSeedGivesTheSameBytes) {
  Census first;
  Census second;
  EXPECT_EQ(lines_of(20, first), lines_of(20, second));
  EXPECT_EQ(first.resources, second.resources);
}

TEST(Population, APatientHasAbout150ResourcesOfAboutAKilobyte) {
  Census census;
  const std::string lines = lines_of(200, census);
  const double each = static_cast<double>(census.resources) / 200;
  EXPECT_GT(each, 120);
  EXPECT_LT(each, 180);
  const double bytes = static_cast<double>(lines.size()) / static_cast<double>(census.resources);
  EXPECT_GT(bytes, 750);
  EXPECT_LT(bytes, 1500);
}

TEST(Population, EveryLineIsAResourceWithAnIdOfItsOwnAndReferencesToThoseBefore) {
  Census census;
  const std::string lines = lines_of(12, census);
  std::set<std::string> ids;
  std::uint64_t male = 0;
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    const auto document = json::Document::parse(lines.substr(at, end - at));
    ASSERT_TRUE(document) << lines.substr(at, end - at);
    const auto root = document->root();
    const auto id = std::string(root["resourceType"].text()) + "/" + std::string(root["id"].text());
    EXPECT_TRUE(ids.insert(id).second) << id;
    if (root["subject"].exists()) EXPECT_TRUE(ids.contains(std::string(root["subject"]["reference"].text())));
    if (root["encounter"].exists()) EXPECT_TRUE(ids.contains(std::string(root["encounter"]["reference"].text())));
    if (root["requester"].exists()) EXPECT_TRUE(ids.contains(std::string(root["requester"]["reference"].text())));
    male += root["resourceType"].text() == "Patient" && root["gender"].text() == "male" ? 1 : 0;
    ++count;
    at = end + 1;
  }
  EXPECT_EQ(count, census.resources);
  EXPECT_EQ(male, census.male);
  const Population population(12);
  EXPECT_TRUE(ids.contains("Patient/" + population.patient_id(11)));
  EXPECT_TRUE(ids.contains("Practitioner/" + population.practitioner_id(3)));
}

TEST(Blend, ThirtyQueriesEachWithItsPlaceFilled) {
  const Population population(50);
  const Blend blend(population, {});
  ASSERT_EQ(blend.queries().size(), 30);
  std::minstd_rand random(1);
  for (std::size_t i = 0; i < blend.queries().size(); ++i) {
    std::string target;
    blend.append_target(i, random, target);
    EXPECT_EQ(target.find('{'), std::string::npos) << target;
    EXPECT_EQ(target.find(' '), std::string::npos) << target;
  }
}

}  // namespace
}  // namespace mydr24::load
