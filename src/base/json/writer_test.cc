#include "base/json/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"
#include "base/json/edits.h"
#include "base/json/scan.h"

namespace mydr24::json {
namespace {

std::string string_of(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  Writer writer(out);
  writer.begin_object().field("s", "x").field("n", 7).field("d", 0.5).field("b", true).key("a").begin_array();
  writer.null().begin_array().end_array().begin_object().end_object().raw("1.10").string("y").end_array();
  writer.field("last", std::string_view("z")).end_object();
  EXPECT_EQ(out, R"({"s":"x","n":7,"d":0.5,"b":true,"a":[null,[],{},1.10,"y"],"last":"z"})");
}

TEST(JsonWriter, EscapesOnlyWhatMustBe) {
  EXPECT_EQ(string_of("a/b<>&' \x7f"), "\"a/b<>&' \x7f\"");
  EXPECT_EQ(string_of("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(string_of(std::string_view("\0\x01\x1f", 3)), R"("\u0000\u0001\u001f")");
  EXPECT_EQ(string_of("\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"");
  EXPECT_EQ(string_of(""), "\"\"");
}

TEST(JsonWriter, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(string_of("a\xff z"), "\"a\xef\xbf\xbd z\"");
  EXPECT_EQ(string_of("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

TEST(JsonWriter, NumbersAreAsShortAsReadsBackTheSame) {
  const auto written = [](auto value) {
    std::string out;
    Writer(out).number(value);
    return out;
  };
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-0.0), "-0");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(1.0 / 3.0), "0.3333333333333333");
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(JsonWriter, WhateverIsQuotedReadsBackTheSame) {
  std::mt19937 random(24);
  for (int round = 0; round < 500; ++round) {
    std::string text(random() % 80, '\0');
    for (char& c : text) c = static_cast<char>(random() % 128);
    const auto document = Document::parse(string_of(text));
    ASSERT_TRUE(document) << document.error().text;
    EXPECT_EQ(document->root().text(), text);
  }
}

TEST(JsonScan, TheFastAndThePortableScanStopAtTheSameByte) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 40; ++at) {
      std::string text(40, 'x');
      text[at] = static_cast<char>(byte);
      const char* const end = text.data() + text.size();
      const char* const expected = is_plain(text[at]) ? end : text.data() + at;
      ASSERT_EQ(skip_plain(text.data(), end), expected) << byte << ' ' << at;
      ASSERT_EQ(skip_plain_portable(text.data(), end), expected) << byte << ' ' << at;
    }
  }
}

TEST(JsonScan, WhiteSpaceEndsAtTheFirstOtherByte) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += " \n\r\t"[i % 4];
    for (const std::string& rest : {"", "x", "x                                  ", "\v"}) {
      const std::string whole = text + rest;
      EXPECT_EQ(skip_space(whole.data(), whole.data() + whole.size()), whole.data() + size);
    }
  }
}

TEST(JsonEdits, WhatIsNotTouchedStaysAsWritten) {
  const auto document = Document::parse(R"({ "a" : 1.10,  "b" : [ "x" , {} ] ,"c":null})");
  ASSERT_TRUE(document);
  const Value root = document->root();
  Edits edits(*document);
  EXPECT_TRUE(edits.empty());
  EXPECT_EQ(edits.apply(), document->source());
  edits.replace(root["c"], "[1,2]");
  edits.replace(root["b"].at(0), R"("longer text")");
  edits.replace(root["missing"], "0");
  EXPECT_FALSE(edits.empty());
  EXPECT_EQ(edits.apply(), R"({ "a" : 1.10,  "b" : [ "longer text" , {} ] ,"c":[1,2]})");
}

TEST(JsonEdits, OfOverlappingEditsTheOneThatBeginsFirstIsMade) {
  const auto document = Document::parse("[[1,2],3]");
  ASSERT_TRUE(document);
  Edits edits(*document);
  edits.replace(document->root().at(0).at(1), "5");
  edits.replace(document->root().at(0), "4");
  edits.replace(document->root().at(1), "6");
  edits.replace(document->root().at(1), "7");
  EXPECT_EQ(edits.apply(), "[4,7]");
}

}  // namespace
}  // namespace mydr24::json
