#include "fhir/validation/validation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace mydr24::validation {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const Validator& validator() {
  static const auto made = Validator::base(terminology::Terminology::published());
  return *made;
}

std::vector<std::string> errors_of(const std::string& text, const Request& request = {}) {
  auto document = json::Document::parse(text);
  if (!document) return {document.error().text};
  std::vector<std::string> errors;
  for (const auto& issue : validator().validate(document->root(), request)) {
    if (issue.severity == model::Severity::error) errors.push_back(issue.expression + ": " + issue.diagnostics);
  }
  return errors;
}

TEST(Validator, EveryPublishedExampleIsValid) {
  const std::filesystem::path folder = "../shared/data/fhir-r4-examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    ++count;
    for (const auto& error : errors_of(read(file.path()))) {
      if (error.find("(txt-2)") != std::string::npos) continue;  // two of them have a narrative without a word
      ADD_FAILURE() << file.path().filename() << ' ' << error;
    }
  }
  EXPECT_GT(count, 300U);
}

TEST(Validator, EveryPublishedProfileAndExtensionIsUnderstood) {
  const auto document = json::Document::parse_view(model::published_profiles());
  ASSERT_TRUE(document);
  const std::vector<json::Value> definitions(document->root().begin(), document->root().end());
  std::vector<std::string> problems;
  const auto again = validator().with(definitions, terminology::Terminology::published(), &problems);
  EXPECT_EQ(problems, std::vector<std::string>());
  EXPECT_EQ(again->profiles(), validator().profiles());
  for (const auto& url : validator().profiles()) EXPECT_TRUE(validator().has_profile(url)) << url;
}

TEST(Validator, ManyThreadsMayBeTheFirstToAsk) {
  const auto fresh = Validator::base(terminology::Terminology::published());
  const auto document = json::Document::parse(
      R"({"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/oxygensat"]},)"
      R"("status":"final","code":{"text":"x"}})");
  std::vector<std::size_t> counts(4);
  {
    std::vector<std::jthread> threads;
    for (auto& count : counts) {
      threads.emplace_back([&] { count = fresh->validate(document->root(), {}).size(); });
    }
  }
  EXPECT_GT(counts[0], 0U);
  EXPECT_EQ(std::ranges::count(counts, counts[0]), 4);
}

TEST(Validator, ErrorsAreLimitedAndNotHiddenByWarnings) {
  std::string text = R"({"resourceType":"Patient","extension":[)";
  for (int i = 0; i < 50; ++i) text += R"({"url":"http://a.org/b","valueCode":"x"},)";
  text += R"({"url":"http://a.org/b"}],"contact":[{"gender":"male"},{"gender":"male"},{"gender":"male"}]})";
  const auto document = json::Document::parse(text);
  Request request;
  request.warnings = true;
  request.issues_max = 3;
  const auto issues = validator().validate(document->root(), request);
  const auto is_error = [](const model::Issue& issue) { return issue.severity == model::Severity::error; };
  EXPECT_EQ(std::ranges::count_if(issues, is_error), 3);
  EXPECT_EQ(issues.size(), 6U);
}

// What would take the square of its size must not.
TEST(Validator, LargeResourcesTakeTimeInProportion) {
  std::string text = R"({"resourceType":"Observation","status":"final","valueString":"x","code":{"coding":[)";
  constexpr int many = 20'000;
  for (int i = 0; i < many; ++i) text += fmt::format(R"({}{{"system":"s:a","code":"c{}"}})", i == 0 ? "" : ",", i);
  text += R"(]},"component":[)";
  for (int i = 0; i < many; ++i) {
    text += fmt::format(R"({}{{"code":{{"coding":[{{"system":"s:b","code":"c{}"}}]}},"valueString":"x"}})",
                        i == 0 ? "" : ",", i);
  }
  text += R"(],"contained":[)";
  for (int i = 0; i < many; ++i) {
    text += fmt::format(R"({}{{"resourceType":"Observation","id":"p{}","status":"final","code":{{"text":"x"}}}})",
                        i == 0 ? "" : ",", i);
  }
  text += R"(],"hasMember":[)";
  for (int i = 0; i < many; ++i) text += fmt::format(R"({}{{"reference":"#p{}"}})", i == 0 ? "" : ",", i);
  text += "]}";
  const auto document = json::Document::parse(text);
  ASSERT_TRUE(document) << document.error().text;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(validator().validate(document->root(), {}).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

}  // namespace
}  // namespace mydr24::validation
