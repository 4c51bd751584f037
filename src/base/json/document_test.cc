#include "base/json/document.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace mydr24::json {
namespace {

Document parsed(std::string text) {
  auto document = Document::parse(std::move(text));
  EXPECT_TRUE(document) << document.error().text;
  return document ? std::move(*document) : Document();
}

std::string refusal(std::string text, const Limits& limits = {}) {
  const auto document = Document::parse(std::move(text), limits);
  return document ? "accepted" : document.error().text;
}

TEST(JsonValue, AnObjectKeepsItsMembersInTheOrderWritten) {
  const Document document = parsed(R"({"z": 1, "a": [true, null], "m": {"x": "y"}})");
  std::string keys;
  for (const Value member : document.root()) keys += member.key();
  EXPECT_EQ(keys, "zam");
  EXPECT_EQ(document.root().size(), 3U);
  EXPECT_EQ(document.root()["m"]["x"].text(), "y");
  EXPECT_EQ(document.root()["a"].size(), 2U);
  EXPECT_TRUE(document.root()["a"].at(0).is_true());
  EXPECT_TRUE(document.root()["a"].at(1).is_null());
}

TEST(JsonValue, ANumberIsTextAsItWasWritten) {
  const Document document = parsed("[1.10, 1E400, -0, 0.0e-7, 123456789012345678901234567890]");
  std::vector<std::string_view> numbers;
  for (const Value number : document.root()) {
    EXPECT_TRUE(number.is_number());
    numbers.push_back(number.text());
  }
  EXPECT_EQ(numbers,
            (std::vector<std::string_view>{"1.10", "1E400", "-0", "0.0e-7", "123456789012345678901234567890"}));
}

TEST(JsonValue, WhatIsMissingAnswersLikeNothing) {
  const Document document = parsed(R"({"a": 1})");
  for (const Value value : {Value(), document.root()["b"], document.root()["a"]["b"], document.root().at(0),
                            document.root()["a"].at(0), Document().root()}) {
    EXPECT_FALSE(value);
    EXPECT_EQ(value.kind(), Kind::null);
    EXPECT_FALSE(value.is_null());
    EXPECT_EQ(value.text(), "");
    EXPECT_EQ(value.raw(), "");
    EXPECT_EQ(value.key(), "");
    EXPECT_EQ(value.size(), 0U);
    EXPECT_EQ(value.begin(), value.end());
    EXPECT_FALSE(value["c"]["d"].at(3));
  }
}

TEST(JsonValue, OnlyArraysHaveItemsByPosition) {
  const Document document = parsed(R"([10, [20], {"a": 30}])");
  EXPECT_EQ(document.root().at(0).text(), "10");
  EXPECT_EQ(document.root().at(1).at(0).text(), "20");
  EXPECT_FALSE(document.root().at(2).at(0));
  EXPECT_FALSE(document.root().at(3));
}

TEST(JsonValue, IteratorsWorkWithAlgorithms) {
  const Document document = parsed(R"([1, [2, 2], {"a": 2}, "x"])");
  EXPECT_EQ(std::ranges::distance(document.root()), 4);
  EXPECT_EQ(std::ranges::count_if(document.root(), &Value::is_string), 1);
  EXPECT_TRUE(std::any_of(document.root().begin(), document.root().end(), [](Value v) { return v.text() == "x"; }));
  const Value scalar = document.root().at(0);
  EXPECT_EQ(scalar.begin(), scalar.end());
  static_assert(std::forward_iterator<Value::Iterator>);
}

TEST(JsonValue, RawAndOffsetsPointIntoTheSource) {
  const std::string text = R"( { "k\u0065y" : [ 1 , "\n" ] } )";
  const Document document = parsed(text);
  const Value list = document.root()["key"];
  EXPECT_EQ(list.raw(), R"([ 1 , "\n" ])");
  EXPECT_EQ(list.offset(), text.find('['));
  EXPECT_EQ(list.key_offset(), text.find('"'));
  EXPECT_EQ(list.at(1).raw(), R"("\n")");
  EXPECT_EQ(list.at(1).text(), "\n");
  EXPECT_EQ(document.root().raw(), std::string_view(text).substr(1, text.size() - 2));
}

TEST(JsonValue, EscapesAreDecodedInTextsAndNames) {
  const Document document = parsed(R"({"\u0061\"": "\"\\\/\b\f\n\r\t\u00e9\u20AC\ud83d\ude00 plain \u0000"})");
  const Value value = document.root()["a\""];
  EXPECT_EQ(value.key(), "a\"");
  EXPECT_EQ(value.text(), std::string_view("\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 plain \0", 25));
}

TEST(JsonValue, LongTextsWithEscapesAnywhereKeepEveryByte) {
  for (std::size_t size = 0; size < 70; ++size) {
    const std::string front(size, 'f');
    const std::string back(70 - size, 'b');
    const Document document = parsed(fmt::format("[\"{}\\n{}\\t\xc3\xa9\",\"{}\"]", front, back, front));
    EXPECT_EQ(document.root().at(0).text(), fmt::format("{}\n{}\t\xc3\xa9", front, back));
    EXPECT_EQ(document.root().at(1).text(), front);
  }
}

TEST(JsonValue, TheFirstOfTwoMembersOfOneNameIsFound) {
  const Document document = parsed(R"({"a": 1, "a": 2})");
  EXPECT_EQ(document.root()["a"].text(), "1");
  EXPECT_EQ(document.root().size(), 2U);
}

TEST(JsonDocument, MovesWithItsText) {
  Document first = parsed(R"(["a\n", 1])");  // short enough for a string to keep it in itself
  const Document second = std::move(first);
  EXPECT_EQ(second.root().at(0).text(), "a\n");
  EXPECT_EQ(second.source(), R"(["a\n", 1])");
}

TEST(JsonDocument, AViewBorrowsItsText) {
  const std::string text = "[1]";
  const auto document = Document::parse_view(text);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->source().data(), text.data());
}

struct Refused {
  std::string_view text;
  std::string_view says;
};

TEST(JsonParse, ARefusalNamesThePlaceAndWhatWasExpected) {
  const Refused table[] = {
      {"", "line 1, column 1: expected a value, found the end of the text"},
      {" \n ", "line 2, column 2: expected a value, found the end of the text"},
      {"{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7: expected ':' after the member's name, found '2'"},
      {"[1 2]", "line 1, column 4: expected ',' or ']', found '2'"},
      {"{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', found '\"'"},
      {"{\"a\":1,}", "line 1, column 8: expected a member's name in '\"', found '}'"},
      {"[1,]", "line 1, column 4: expected a value, found ']'"},
      {"[1", "line 1, column 3: expected ',' or ']', found the end of the text"},
      {"{\"a\":", "line 1, column 6: expected a value, found the end of the text"},
      {"1 1", "line 1, column 3: expected the end of the text, found '1'"},
      {"[\"\xc3\xa9\xe2\x82\xac\", x]", "line 1, column 8: expected a value, found 'x'"},
      {"\"abc", "line 1, column 5: expected '\"' at the end of the string, found the end of the text"},
      {"\"a\nb\"", "line 1, column 3: a control character in a string must be written \\u000a"},
      {"\"\\x\"", "line 1, column 3: expected one of \" \\ / b f n r t u after a backslash, found 'x'"},
      {"\"\\", "line 1, column 3: expected one of \" \\ / b f n r t u after a backslash, found the end of the text"},
      {"\"\\u12g4\"", "line 1, column 4: expected four hexadecimal digits after \\u, found '1'"},
      {"\"\xff\"", "line 1, column 2: byte 0xFF is not valid UTF-8 here"},
      {"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark is not allowed before JSON"},
      {"01", "line 1, column 1: a number must not begin with 0 and another digit"},
      {"-", "line 1, column 2: expected a digit, found the end of the text"},
      {"+1", "line 1, column 1: expected a value, found '+'"},
      {"1.", "line 1, column 3: expected a digit after '.', found the end of the text"},
      {"1e+", "line 1, column 4: expected a digit of the exponent, found the end of the text"},
      {"[nul]", "line 1, column 2: expected a value (null?), found 'n'"},
      {std::string_view("[\0]", 3), "line 1, column 2: expected a value, found byte 0x00"},
  };
  for (const auto& [text, says] : table) EXPECT_EQ(refusal(std::string(text)), says) << text;
}

TEST(JsonParse, HalfASurrogatePairIsRefused) {
  for (const auto* text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800x")", R"("\ud800\n")",
                           R"("\ud800\u0041")", R"("\udc00\ud800")", R"("\ud800\u")", R"({"\ud800": 1})"}) {
    EXPECT_NE(refusal(text).find("half of a surrogate pair"), std::string::npos) << text;
  }
}

TEST(JsonParse, OnlyValidUtf8IsAccepted) {
  for (const auto* valid : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                            "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(refusal("\"" + std::string(valid) + "\""), "accepted") << valid;
  }
  for (const auto* invalid : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe1\x80",
                              "\xe1\x80\x41", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
                              "\xf0\x90\x80\x41", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe", "\xff"}) {
    EXPECT_NE(refusal("\"" + std::string(invalid) + "\"").find("is not valid UTF-8"), std::string::npos);
    EXPECT_NE(refusal("\"" + std::string(invalid)).find("is not valid UTF-8"), std::string::npos);
  }
}

TEST(JsonParse, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(refusal(nested(128)), "accepted");
  EXPECT_EQ(refusal(nested(129)), "line 1, column 129: nested more than 128 levels deep");
  EXPECT_EQ(refusal(nested(3), {.depth_max = 2}), "line 1, column 3: nested more than 2 levels deep");
  EXPECT_EQ(refusal("[[],[],{}]", {.depth_max = 2}), "accepted");
}

TEST(JsonParse, AHundredThousandOpenBracketsAreRefusedAndAsManyPairsCanBeAllowed) {
  EXPECT_EQ(refusal(std::string(100'000, '[')), "line 1, column 129: nested more than 128 levels deep");
  const std::string nested = std::string(100'000, '[') + std::string(100'000, ']');
  const auto document = Document::parse(nested, {.depth_max = 100'000});
  ASSERT_TRUE(document);
  EXPECT_TRUE(same(document->root(), document->root()));
  EXPECT_EQ(compact(document->root()), nested);
}

TEST(JsonParse, ValuesAndBytesAreLimited) {
  EXPECT_EQ(refusal("[1,2]", {.values_max = 3}), "accepted");
  EXPECT_EQ(refusal("[1,2,3]", {.values_max = 3}), "line 1, column 6: more than 3 values");
  const auto document = Document::parse("[1,2]", {.bytes_max = 4});
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, Code::too_large);
}

TEST(JsonCompact, DropsWhiteSpaceOutsideStringsOnly) {
  const Document document = parsed("{ \"a b\" :\t[ 1.10 ,\r\n \" x \\\" y \\\\\" , { } ] , \"\\u0041\" : null }");
  EXPECT_EQ(compact(document.root()), R"({"a b":[1.10," x \" y \\",{}],"\u0041":null})");
  EXPECT_EQ(compact(document.root()["A"]), "null");
  EXPECT_EQ(compact(Value()), "");
}

TEST(JsonSame, LooksAtNamesOrderOfItemsAndText) {
  const auto alike = [](std::string a, std::string b) {
    const Document left = parsed(std::move(a));
    const Document right = parsed(std::move(b));
    EXPECT_EQ(same(left.root(), right.root()), same(right.root(), left.root()));
    return same(left.root(), right.root());
  };
  EXPECT_TRUE(alike(R"({"a": 1, "b": [1, "\u0041"]})", R"({"b":[1,"A"],"a":1})"));
  EXPECT_FALSE(alike("[1, 2]", "[2, 1]"));
  EXPECT_FALSE(alike("[1]", "[1, 1]"));
  EXPECT_FALSE(alike("1", "1.0"));
  EXPECT_FALSE(alike(R"("1")", "1"));
  EXPECT_FALSE(alike("[]", "{}"));
  EXPECT_FALSE(alike(R"({"a": 1})", R"({"b": 1})"));
  EXPECT_FALSE(alike(R"({"a": 1, "b": 1})", R"({"a": 1, "a": 1})"));
  EXPECT_TRUE(alike(R"({"a": 1, "a": 2, "b": 3})", R"({"b": 3, "a": 1, "a": 2})"));
  EXPECT_FALSE(alike(R"({"a": {"b": [1, {"c": true}]}})", R"({"a": {"b": [1, {"c": false}]}})"));
  EXPECT_TRUE(same(Value(), Value()));
  EXPECT_FALSE(same(Value(), parsed("null").root()));
}

TEST(JsonEqual, ComparesNumbersByValue) {
  const auto alike = [](std::string a, std::string b) {
    return equal(parsed(std::move(a)).root(), parsed(std::move(b)).root());
  };
  EXPECT_TRUE(alike("1", "1.0"));
  EXPECT_TRUE(alike("1", "10e-1"));
  EXPECT_TRUE(alike("[100]", "[1E+2]"));
  EXPECT_TRUE(alike("0.00", "-0"));
  EXPECT_TRUE(alike("0e5", "0"));
  EXPECT_TRUE(alike("1.0e1000", "10.0e999"));
  EXPECT_FALSE(alike("1", "-1"));
  EXPECT_FALSE(alike("10", "1"));
  EXPECT_FALSE(alike("9007199254740993", "9007199254740992"));
  EXPECT_FALSE(alike("1e99999999999999999999", "1e99999999999999999998"));
  EXPECT_TRUE(alike("1e99999999999999999999", "1e99999999999999999999"));
}

}  // namespace
}  // namespace mydr24::json
