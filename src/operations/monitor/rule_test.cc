#include "operations/monitor/rule.h"

#include <gtest/gtest.h>

#include "base/json/document.h"
#include "base/json/writer.h"
#include "operations/monitor/definitions.h"

namespace mydr24::monitor {
namespace {

TEST(Objectives, ThoseCompiledInReadBackAsTheyAreWritten) {
  const auto found = slo::parse_openslo(slo::to_openslo(default_definitions().slos));
  ASSERT_TRUE(found) << found.error().where << found.error().text;
  EXPECT_EQ(found->slos, default_definitions().slos);
}

TEST(Rules, WhatIsWrongIsNamed) {
  const auto wrong = [](std::string_view before, std::string_view after) {
    std::string text = R"([{"name":"A","metric":"m","comparison":"above","limit":1,"severity":"High",)"
                       R"("category":"SecurityRisk","title":"t","actions":["a"]}])";
    text.replace(text.find(before), before.size(), after);
    const auto document = json::Document::parse_view(text);
    const auto found = rules_of(document->root());
    return found ? std::string("well") : found.error().where;
  };
  EXPECT_EQ(wrong("\"A\"", "\"B\""), "well");
  EXPECT_EQ(wrong("\"A\"", "\"a b\""), "rules[0].name");
  EXPECT_EQ(wrong("above", "over"), "rules[0].comparison");
  EXPECT_EQ(wrong(":1,", ":\"1\","), "rules[0].limit");
  EXPECT_EQ(wrong(":1,", ":1,\"clear\":2,"), "rules[0].clear");
  EXPECT_EQ(wrong("High", "Worst"), "rules[0].severity");
  EXPECT_EQ(wrong("SecurityRisk", "x"), "rules[0].category");
  EXPECT_EQ(wrong("[\"a\"]", "[]"), "rules[0].actions");
  EXPECT_EQ(wrong("\"title\"", "\"hold_s\":-1,\"title\""), "rules[0].hold_s");
  EXPECT_EQ(wrong("\"title\"", "\"colour\":1,\"title\""), "rules[0].colour");
}

TEST(Rules, ReadBackAsTheyAreWritten) {
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (const Rule& rule : default_rules()) write(out, rule);
  out.end_array();
  const auto document = json::Document::parse_view(text);
  const auto found = rules_of(document->root());
  ASSERT_TRUE(found) << found.error().where;
  EXPECT_EQ(*found, default_rules());
  for (const Rule& rule : default_rules()) EXPECT_EQ(rule.actions.size(), 3U) << rule.name;
  EXPECT_EQ(default_definitions().slos.size(), 6U);
}

}  // namespace
}  // namespace mydr24::monitor
