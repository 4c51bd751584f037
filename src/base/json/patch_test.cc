#include "base/json/patch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "base/json/pointer.h"

namespace mydr24::json {
namespace {

Document parsed(std::string text) {
  auto document = Document::parse(std::move(text));
  EXPECT_TRUE(document) << document.error().text;
  return document ? std::move(*document) : Document();
}

Result<std::string> patched(std::string document, std::string patch) {
  return apply_patch(parsed(std::move(document)), parsed(std::move(patch)));
}

// The patched text, or the error as "code where".
std::string outcome(std::string document, std::string patch) {
  const auto result = patched(std::move(document), std::move(patch));
  if (result) return *result;
  return std::string(to_string(result.error().code)) + ' ' + result.error().where;
}

struct Case {
  std::string document;
  std::string patch;
  std::string outcome;
};

TEST(JsonPatch, EveryOperationDoesWhatRfc6902Says) {
  const Case table[] = {
      {R"({"a": 1})", R"([{"op":"add","path":"/b","value":[1, 2]}])", R"({"a":1,"b":[1,2]})"},
      {R"({"a": 1, "b": 2})", R"([{"op":"add","path":"/a","value":3}])", R"({"a":3,"b":2})"},
      {"[1,3]", R"([{"op":"add","path":"/1","value":2},{"op":"add","path":"/-","value":4}])", "[1,2,3,4]"},
      {"[]", R"([{"op":"add","path":"/0","value":null}])", "[null]"},
      {"[1,2]", R"([{"op":"remove","path":"/0"}])", "[2]"},
      {R"({"a":{"b":1}})", R"([{"op":"remove","path":"/a/b"}])", R"({"a":{}})"},
      {R"({"a":1,"b":2})", R"([{"op":"replace","path":"/a","value":"x"}])", R"({"a":"x","b":2})"},
      {"1", R"([{"op":"replace","path":"","value":{"a" : 1}}])", R"({"a":1})"},
      {R"({"a":{"x":1},"b":{}})", R"([{"op":"move","from":"/a/x","path":"/b/y"}])", R"({"a":{},"b":{"y":1}})"},
      {R"({"a":1})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":1})"},
      {R"({"a":[1]})", R"([{"op":"move","from":"/a","path":""}])", "[1]"},
      {R"({"a":[1]})", R"([{"op":"copy","from":"/a","path":"/b"},{"op":"add","path":"/b/-","value":2}])",
       R"({"a":[1],"b":[1,2]})"},
      {R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])", R"({"a":1,"b":{"a":1}})"},
      {R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2},{"op":"copy","from":"/a","path":"/b"},
        {"op":"remove","path":"/a/0"},{"op":"test","path":"","value":{"b":[1,2],"a":[2]}}])",
       R"({"a":[2],"b":[1,2]})"},
      {R"({"a/b":1,"m~n":2,"":3})",
       R"([{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/m~0n","value":4},{"op":"remove","path":"/"}])",
       R"({"m~n":4})"},
      {R"({"a":1})", R"([{"op":"add","path":"/q\"\n","value":1}])", R"({"a":1,"q\"\n":1})"},
      {R"({"a":1})", R"([{"op":"test","path":"/a","value":1.0},{"op":"remove","path":"/a","extra":[]}])", "{}"},
      {R"({"a":"\u0041"})", R"([{"op":"test","path":"/a","value":"A"}])", R"({"a":"\u0041"})"},
  };
  for (const auto& [document, patch, expected] : table) EXPECT_EQ(outcome(document, patch), expected) << patch;
}

TEST(JsonPatch, WhatDoesNotApplyIsUnprocessable) {
  const Case table[] = {
      {R"({"a":1})", R"([{"op":"remove","path":"/b"}])", "unprocessable [0].path"},
      {R"({"a":1})", R"([{"op":"replace","path":"/b","value":1}])", "unprocessable [0].path"},
      {R"({"a":1})", R"([{"op":"add","path":"/b/c","value":1}])", "unprocessable [0].path"},
      {R"({"a":1})", R"([{"op":"add","path":"/a/c","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"add","path":"/2","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"add","path":"/00","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"add","path":"/99999999999999999999","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"replace","path":"/-","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"test","path":"/-","value":1}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"test","path":"/0","value":2}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"test","path":"/0","value":"1"}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"remove","path":""}])", "unprocessable [0].path"},
      {"[1]", R"([{"op":"remove","path":"/0"},{"op":"copy","from":"/0","path":"/-"}])", "unprocessable [1].from"},
      {"[1]", R"([{"op":"move","from":"/1","path":"/0"}])", "unprocessable [0].from"},
  };
  for (const auto& [document, patch, expected] : table) EXPECT_EQ(outcome(document, patch), expected) << patch;
}

TEST(JsonPatch, AMalformedPatchIsInvalidWhateverTheDocument) {
  const Case table[] = {
      {"1", R"({"op":"remove"})", "invalid "},
      {"1", "[1]", "invalid [0]"},
      {"1", R"([{"path":""}])", "invalid [0].op"},
      {"1", R"([{"op":"spam","path":""}])", "invalid [0].op"},
      {"1", R"([{"op":["add"],"path":""}])", "invalid [0].op"},
      {"1", R"([{"op":"add","value":1}])", "invalid [0].path"},
      {"1", R"([{"op":"add","path":"a","value":1}])", "invalid [0].path"},
      {"1", R"([{"op":"add","path":"/~","value":1}])", "invalid [0].path"},
      {"1", R"([{"op":"add","path":"/~2","value":1}])", "invalid [0].path"},
      {"1", R"([{"op":"test","path":""}])", "invalid [0].value"},
      {"1", R"([{"op":"copy","path":""}])", "invalid [0].from"},
      {"1", R"([{"op":"move","from":"/a","path":"/a/b"}])", "invalid [0].from"},
      {"1", R"([{"op":"add","op":"remove","path":"","value":1}])", "invalid [0].op"},
      {"1", R"([{"op":"remove","path":"/no"},{"op":"add","path":"/a"}])", "invalid [1].value"},
  };
  for (const auto& [document, patch, expected] : table) EXPECT_EQ(outcome(document, patch), expected) << patch;
}

TEST(JsonPatch, UntouchedValuesStayAsWritten) {
  EXPECT_EQ(outcome(R"({"z": 1.10, "a": {"q": 1E400, "b": "\u0041"}, "m": -0})",
                    R"([{"op":"add","path":"/n","value":2.50}])"),
            R"({"z":1.10,"a":{"q":1E400,"b":"\u0041"},"m":-0,"n":2.50})");
}

TEST(JsonPatch, APatchHasALimitedNumberOfOperations) {
  const auto tests = [](std::size_t count) {
    std::string patch = "[";
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) patch += ',';
      patch += R"({"op":"test","path":"","value":1})";
    }
    return patch + "]";
  };
  EXPECT_EQ(outcome("1", tests(patch_operations_max)), "1");
  EXPECT_EQ(outcome("1", tests(patch_operations_max + 1)), "too-large ");
}

TEST(JsonPatch, DoublingByCopyStopsAtTheSizeLimit) {
  std::string patch = "[";
  for (int i = 0; i < 60; ++i) patch += R"({"op":"copy","from":"","path":"/-"},)";
  patch.back() = ']';
  // A wide document meets the limit of bytes, a narrow one that of depth.
  const std::string wide = "[\"" + std::string(1U << 20, 'x') + "\"]";
  EXPECT_EQ(outcome(wide, patch), "too-large [5].path");
  EXPECT_EQ(outcome("[]", patch).substr(0, 10), "too-large ");
}

TEST(JsonPatch, DepthIsLimited) {
  std::string path;
  std::string patch = "[";
  for (std::size_t i = 0; i < patched_depth_max; ++i) {
    if (i > 0) patch += ',';
    patch += R"({"op":"add","path":")" + path + R"(/0","value":[]})";
    path += "/0";
  }
  EXPECT_EQ(outcome("[]", patch + "]"), "too-large [127].path");
  patch.erase(patch.rfind(",{"));
  EXPECT_EQ(outcome("[]", patch + "]"), std::string(128, '[') + std::string(128, ']'));
}

TEST(JsonPatch, WorkIsLimited) {
  std::string document = "[0";
  for (int i = 0; i < 200'000; ++i) document += ",0";
  std::string patch = "[";
  for (int i = 0; i < 9'000; ++i) patch += R"({"op":"add","path":"/0","value":1},)";
  patch.back() = ']';
  EXPECT_EQ(outcome(document + "]", patch).substr(0, 10), "too-large ");
}

TEST(JsonPatch, EveryEnabledCaseOfTheCommonTestFilesPasses) {
  const std::string folder = "../shared/data/";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not there";
  std::size_t cases = 0;
  for (const auto* name : {"json-patch/tests.json", "json-patch/spec_tests.json", "fhir-patch/json-patch-tests.json"}) {
    std::ifstream file(folder + name, std::ios::binary);
    const Document document = parsed({std::istreambuf_iterator<char>(file), {}});
    for (const Value item : document.root()) {
      if (item["disabled"].is_true() || !item["patch"]) continue;
      ++cases;
      const auto result = patched(std::string(item["doc"].raw()), std::string(item["patch"].raw()));
      EXPECT_EQ(result.has_value(), !item["error"]) << item.raw();
      if (result && item["expected"]) EXPECT_TRUE(equal(parsed(*result).root(), item["expected"])) << item.raw();
    }
  }
  EXPECT_EQ(cases, 92U + 16U + 16U);
}

TEST(JsonPointer, LeadsToTheValuesOfRfc6901) {
  const Document document = parsed(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6,
    " ":7,"m~n":8})");
  const std::pair<std::string_view, std::string_view> table[] = {
      {"/foo/0", "\"bar\""}, {"/", "0"},     {"/a~1b", "1"}, {"/c%d", "2"}, {"/e^f", "3"},
      {"/g|h", "4"},         {"/i\\j", "5"}, {"/k\"l", "6"}, {"/ ", "7"},   {"/m~0n", "8"},
  };
  for (const auto& [pointer, raw] : table) {
    EXPECT_EQ(Pointer::parse(pointer)->resolve(document.root()).raw(), raw) << pointer;
  }
  EXPECT_EQ(Pointer::parse("")->resolve(document.root()).raw(), document.root().raw());
  EXPECT_FALSE(Pointer::parse("/foo/2")->resolve(document.root()));
  EXPECT_FALSE(Pointer::parse("/foo/-")->resolve(document.root()));
  EXPECT_FALSE(Pointer::parse("/foo/0/x")->resolve(document.root()));
}

TEST(JsonPointer, HasALimitedNumberOfParts) {
  EXPECT_TRUE(Pointer::parse(std::string(Pointer::tokens_max, '/')));
  EXPECT_FALSE(Pointer::parse(std::string(Pointer::tokens_max + 1, '/')));
}

}  // namespace
}  // namespace mydr24::json
