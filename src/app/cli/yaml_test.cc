#include "app/cli/yaml.h"

#include <gtest/gtest.h>

namespace mydr24::cli {
namespace {

TEST(Yaml, IsTheJsonThatItLooksLike) {
  struct Row {
    std::string_view yaml, json;
  };
  for (const Row& row : {
           Row{"a: 1\nb: [x, true, null, ~, -7]\n", R"({"a":1,"b":["x",true,null,null,-7]})"},
           Row{"target: +15550100\nquoted: \"12\"\nleading: 007\nclock: 08:00\nnone:\n",
               R"({"target":"+15550100","quoted":"12","leading":"007","clock":"08:00","none":null})"},
           Row{"{\"a\": {\"b\": [1, \"2\"]}}", R"({"a":{"b":[1,"2"]}})"},
           Row{"at: 2026-05-10T08:00:00Z", R"({"at":"2026-05-10T08:00:00Z"})"},
       }) {
    const auto json = yaml_to_json(std::string(row.yaml));
    ASSERT_TRUE(json) << row.yaml;
    EXPECT_EQ(*json, row.json);
  }
}

TEST(Yaml, WhatIsWrongIsNamedByItsLine) {
  const auto broken = yaml_to_json("a: 1\nb: [1, 2\n");
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Code::invalid);
  EXPECT_TRUE(broken.error().text.starts_with("line ")) << broken.error().text;
}

// Anchors that double nine times make half a thousand million texts out of a few lines.
TEST(Yaml, ASmallFileDoesNotBecomeALargeDocument) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    const std::string before(1, static_cast<char>(name - 1));
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) bomb += (i > 0 ? ",*" : "*") + before;
    bomb += "]\n";
  }
  const auto refused = yaml_to_json(bomb);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::too_large);
}

}  // namespace
}  // namespace mydr24::cli
