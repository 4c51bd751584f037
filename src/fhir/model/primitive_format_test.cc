#include "fhir/model/primitive_format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mydr24::model {
namespace {

struct Row {
  Primitive primitive;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

// JSON values as written.
const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {Primitive::boolean, {"true", "false"}, {"\"true\"", "1", "{}", "[]"}},
      {Primitive::integer, {"0", "-2147483648", "2147483647"}, {"2147483648", "-2147483649", "1.0", "1e2", "\"1\""}},
      {Primitive::unsigned_int, {"0", "2147483647"}, {"-1", "2147483648"}},
      {Primitive::positive_int, {"1", "2147483647"}, {"0", "-1"}},
      {Primitive::decimal, {"0", "-1.50", "1e-7", "123456789012345678901234567890"}, {"\"1.5\"", "true"}},
      {Primitive::string,
       {R"("x")", R"(" x")", R"("a\tb\r\n")", R"("é")"},
       {R"("")", R"(" \n ")", R"("a\u0001")", "1"}},
      {Primitive::markdown, {R"("# x")"}, {R"("")"}},
      {Primitive::code, {R"("a")", R"("a b c")"}, {R"("")", R"(" a")", R"("a ")", R"("a  b")", R"("a\tb")"}},
      {Primitive::id, {R"("a-B.9")"}, {R"("")", R"("a_b")", R"("a b")", '"' + std::string(65, 'a') + '"'}},
      {Primitive::uri, {R"("http://a/b")", R"("urn:oid:1.2")", R"("x")"}, {R"("")", R"("a b")", R"("a\n")"}},
      {Primitive::canonical, {R"("http://a|1")"}, {R"("http://a |1")"}},
      {Primitive::oid,
       {R"("urn:oid:1.2.840")", R"("urn:oid:2.0.1")"},
       {R"("1.2.3")", R"("urn:oid:3.1")", R"("urn:oid:1")", R"("urn:oid:1.")", R"("urn:oid:1.02")",
        R"("urn:oid:1.x")"}},
      {Primitive::uuid,
       {R"("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")"},
       {R"("c757873d-ec9a-4326-a141-556f43239520")", R"("urn:uuid:c757873d-ec9a-4326-a141-556f4323952")",
        R"("urn:uuid:c757873d-ec9a-4326-a141-556f4323952g")", R"("urn:uuid:c757873dxec9a-4326-a141-556f43239520")"}},
      {Primitive::base64_binary,
       {R"("YQ==")", R"("YWJj\nYWI=")"},
       {R"("")", R"("YQ=")", R"("Y=Qa")", R"("a-_b")", R"("====")"}},
      {Primitive::date,
       {R"("2024")", R"("2024-02")", R"("2024-02-29")"},
       {R"("2023-02-29")", R"("2024-2-1")", R"("2024-02-29T00:00:00Z")", R"("24")", R"("0000")"}},
      {Primitive::date_time,
       {R"("2024")", R"("2024-02-29")", R"("2024-02-29T08:00:00Z")", R"("2024-02-29T08:00:00.123+05:30")"},
       {R"("2024-02-29T08:00Z")", R"("2024-02-29T08:00:00")", R"("2024-02-29 08:00:00Z")",
        R"("2024-02-29T24:00:00Z")"}},
      {Primitive::instant, {R"("2024-02-29T08:00:00.123Z")"}, {R"("2024-02-29")", R"("2024-02-29T08:00:00")"}},
      {Primitive::time,
       {R"("08:00:00")", R"("23:59:59.999")"},
       {R"("24:00:00")", R"("08:00")", R"("08:60:00")", R"("08:00:00Z")", R"("08:00:00.")", R"("8:00:00")"}},
      {Primitive::xhtml,
       {R"("<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>")", R"(" <div/> ")"},
       {R"("")", R"("x")", R"("<p>x</p>")", R"("<divider/>")", R"("<div>x")"}},
  };
  return table;
}

TEST(PrimitiveFormat, EveryPrimitiveAcceptsItsFormatAndRefusesOthers) {
  for (const auto& [primitive, good, bad] : rows()) {
    for (const auto& text : good) {
      const auto document = json::Document::parse(text);
      ASSERT_TRUE(document) << text;
      EXPECT_EQ(primitive_problem(primitive, document->root()), nullptr) << static_cast<int>(primitive) << ' ' << text;
    }
    for (const auto& text : bad) {
      const auto document = json::Document::parse(text);
      ASSERT_TRUE(document) << text;
      const char* problem = primitive_problem(primitive, document->root());
      EXPECT_NE(problem, nullptr) << static_cast<int>(primitive) << ' ' << text;
    }
  }
}

TEST(PrimitiveFormat, AStringHoldsAtMostAMegabyte) {
  const auto fits = json::Document::parse('"' + std::string(string_bytes_max, 'x') + '"');
  const auto exceeds = json::Document::parse('"' + std::string(string_bytes_max + 1, 'x') + '"');
  EXPECT_EQ(primitive_problem(Primitive::string, fits->root()), nullptr);
  EXPECT_NE(primitive_problem(Primitive::string, exceeds->root()), nullptr);
}

}  // namespace
}  // namespace mydr24::model
