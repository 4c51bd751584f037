#include "operations/incidents/condition.h"

#include <gtest/gtest.h>

namespace mydr24::incidents {
namespace {

bool matches(std::string_view condition, const Facts& facts) {
  const auto parsed = Condition::parse(condition);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return parsed && parsed->match(facts).matches;
}

std::string where(std::string_view condition) {
  const auto parsed = Condition::parse(condition);
  EXPECT_FALSE(parsed) << condition;
  return parsed ? std::string() : parsed.error().where;
}

TEST(Condition, AndBindsCloserThanOrAndNotClosest) {
  const Facts b{.title = "b"};
  EXPECT_TRUE(matches("keyword:b OR keyword:c AND keyword:d", b));
  EXPECT_FALSE(matches("(keyword:b OR keyword:c) AND keyword:d", b));
  EXPECT_TRUE(matches("NOT keyword:a AND keyword:b", b));
  EXPECT_FALSE(matches("NOT (keyword:a OR keyword:b)", b));
  EXPECT_TRUE(matches("NOT NOT keyword:b", b));
}

TEST(Condition, AKeywordIsAWholeWordOfTitleOrTextInEitherCase) {
  const Facts facts{.title = "Emergency gateway", .text = "since the Patch of today"};
  EXPECT_TRUE(matches("keyword:EMERGENCY", facts));
  EXPECT_TRUE(matches("keyword:patch", facts));
  EXPECT_FALSE(matches("keyword:emerge", facts));
  EXPECT_TRUE(matches("keyword:\"emergency gateway\"", facts));
  EXPECT_FALSE(matches("keyword:\"gateway emergency\"", facts));
  EXPECT_FALSE(matches("keyword:\"gateway since\"", facts));  // not across the end of the title
}

TEST(Condition, StatusServiceAndSourceAreEqualNotContained) {
  const Facts facts{.title = "x", .status = "Down", .service = "clinical alarms", .source = "vitals"};
  EXPECT_TRUE(matches("status:down", facts));
  EXPECT_FALSE(matches("service:clinical", facts));
  EXPECT_TRUE(matches("service:\"clinical alarms\" AND source:vitals", facts));
  EXPECT_FALSE(matches("keyword:down", facts));
}

TEST(Condition, ToldAreTheTermsThatAreTrueWithoutThoseBelowNot) {
  const auto parsed = Condition::parse("keyword:breach OR keyword:security AND NOT keyword:patch");
  ASSERT_TRUE(parsed);
  const auto match = parsed->match({.title = "security breach"});
  EXPECT_EQ(match.terms, (std::vector<std::string>{"keyword:breach", "keyword:security"}));
  EXPECT_TRUE(parsed->match({.title = "security patch"}).terms.empty());
}

TEST(Condition, AnErrorSaysAtWhichColumn) {
  EXPECT_EQ(where(""), "column 1");
  EXPECT_EQ(where("keyword:a AND"), "column 14");
  EXPECT_EQ(where("keyword:a keyword:b"), "column 11");
  EXPECT_EQ(where("(keyword:a"), "column 11");
  EXPECT_EQ(where("keyword:a)"), "column 10");
  EXPECT_EQ(where("keyword:a and keyword:b"), "column 11");
  EXPECT_EQ(where("colour:red"), "column 1");
  EXPECT_EQ(where("keyword:\"a"), "column 9");
  EXPECT_EQ(where("NOT"), "column 4");
}

TEST(Condition, LengthTermsAndDepthAreBounded) {
  const auto code = [](const std::string& text) {
    const auto parsed = Condition::parse(text);
    return parsed ? Code::internal : parsed.error().code;
  };
  EXPECT_EQ(code(std::string(condition_bytes_max + 1, ' ')), Code::too_large);
  std::string many = "keyword:a";
  for (std::size_t i = 0; i < condition_terms_max; ++i) many += " OR keyword:a";
  EXPECT_EQ(code(many), Code::too_large);
  const std::string deep(condition_depth_max, '(');
  EXPECT_EQ(code(deep + "keyword:a" + std::string(condition_depth_max, ')')), Code::invalid);
  std::string nots;
  for (int i = 0; i < condition_depth_max; ++i) nots += "NOT ";
  EXPECT_EQ(code(nots + "keyword:a"), Code::invalid);
}

}  // namespace
}  // namespace mydr24::incidents
