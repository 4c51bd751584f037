#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "fhir/path/path.h"

namespace mydr24::path {
namespace {

// The result of an expression that needs no resource; "fails" when there is none.
std::string result_of(std::string_view expression) {
  const auto compiled = Expression::compile(expression);
  if (!compiled) return "does not compile: " + compiled.error().text;
  Environment environment;
  environment.now = from_us(1'750'000'000'123'000);
  const auto result = compiled->evaluate(json::Value(), environment);
  if (!result) return "fails";
  std::string out;
  for (const Item& item : *result) {
    if (!out.empty()) out += ", ";
    out += item.text;
    if (item.kind == ItemKind::quantity) out += " " + item.unit;
  }
  return out;
}

struct Case {
  std::string_view expression;
  std::string_view result;
};

void expect_all(std::span<const Case> cases) {
  for (const Case& one : cases) EXPECT_EQ(result_of(one.expression), one.result) << one.expression;
}

TEST(PathFunctions, OfStrings) {
  const Case cases[] = {
      {"'abcabc'.indexOf('c')", "2"},
      {"'abcabc'.lastIndexOf('c')", "5"},
      {"'abc'.indexOf('z')", "-1"},
      {"'abc'.substring(1)", "bc"},
      {"'abc'.substring(1, 0)", ""},
      {"'abc'.substring(3)", ""},
      {"'abc'.substring(-1)", ""},
      {"'abc'.startsWith('ab') and 'abc'.endsWith('bc') and 'abc'.contains('b')", "true"},
      {"'abc'.upper() + 'ABC'.lower()", "ABCabc"},
      {"'abc'.replace('b', '')", "ac"},
      {"'ab'.replace('', '-')", "-a-b-"},
      {"'a1b2'.replaceMatches('[0-9]', '#')", "a#b#"},
      {"'2024-01'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2/$1')", "01/2024"},
      {"'abc'.matches('b')", "true"},
      {"'abc'.matchesFull('b')", "false"},
      {"'a\nb'.matches('a.b')", "true"},
      {"'abc'.matches('[')",
       "does not compile: line 1, column 7: '[' is no regular expression "
       "(U_REGEX_MISSING_CLOSE_BRACKET, character 1)"},
      {"'abc'.toChars().count()", "3"},
      {"'  a '.trim()", "a"},
      {"'a,b,,c'.split(',').count()", "4"},
      {"('a' | 'b').join('+')", "a+b"},
      {"{}.join(',')", ""},
      {"'a' & {} & 'b'", "ab"},
      {"'a' + {}", ""},
      {"'x'.encode('hex')", "78"},
      {"'7g'.decode('hex')", ""},
      {"'/w=='.decode('base64')", ""},
      {"'eA'.decode('base64')", "x"},
      {"'<&>'.escape('html').unescape('html')", "<&>"},
      {"'a\"b'.escape('json').unescape('json')", "a\"b"},
      {"1.upper()", "fails"},
      {"('a' | 'b').upper()", "fails"},
      {"'a'.startsWith(1)", "fails"},
  };
  expect_all(cases);
}

TEST(PathFunctions, OfNumbers) {
  const Case cases[] = {
      {"(-5).abs()", "5"},
      {"(-5.5 'mg').abs()", "5.5 mg"},
      {"1.1.ceiling()", "2"},
      {"(-1.1).ceiling()", "-1"},
      {"(-1.1).floor()", "-2"},
      {"(-1.9).truncate()", "-1"},
      {"2.5.round()", "3"},
      {"(-2.5).round()", "-3"},
      {"3.14159.round(2)", "3.14"},
      {"1.round(-1)", "fails"},
      {"81.sqrt()", "9"},
      {"(-1).sqrt()", ""},
      {"0.ln()", ""},
      {"8.log(2)", "3"},
      {"2.power(10)", "1024"},
      {"2.power(200)", ""},
      {"1.5.power(2)", "2.25"},
      {"0.exp()", "1"},
      {"5 mod 3", "2"},
      {"5.5 div 2", "2"},
      {"1 / 0", ""},
      {"1 div 0", ""},
      {"1 mod 0.0", ""},
      {"1 + 'a'", "fails"},
      {"-(9223372036854775807) - 1", "-9223372036854775808"},
      {"(-(9223372036854775807) - 1).abs()", ""},
      {"'a'.abs()", "fails"},
  };
  expect_all(cases);
}

TEST(PathFunctions, OfConversions) {
  const Case cases[] = {
      {"'Yes'.toBoolean()", "true"},
      {"'0'.toBoolean()", "false"},
      {"2.toBoolean()", ""},
      {"'+12'.toInteger()", "12"},
      {"'1.0'.toInteger()", ""},
      {"'1e3'.toDecimal()", ""},
      {"true.toDecimal()", "1.0"},
      {"1.10.toString()", "1.10"},
      {"4 days.toString()", "4 days"},
      {"4 'mg'.toString()", "4 'mg'"},
      {"@2024-02-29.toDateTime()", "2024-02-29"},
      {"@2024-02-29T10:00.toDate()", "2024-02-29"},
      {"'2023-02-29'.toDate()", ""},
      {"'T10:30'.toTime()", "10:30"},
      {"'25:00'.toTime()", ""},
      {"'1.5 \\'mg\\''.toQuantity()", "1.5 mg"},
      {"'1.5 mg'.toQuantity()", ""},
      {"'1 week'.toQuantity('d')", "7 d"},
      {"'x'.convertsToQuantity()", "false"},
      {"{}.convertsToInteger()", ""},
      {"(1 | 2).toString()", "fails"},
      {"1.type().name", "Integer"},
      {"1.type().namespace", "System"},
      {"1 'mg' is Quantity", "true"},
      {"1 is System.Decimal", "false"},
      {"'a' as String", "a"},
      {"('a' | 1).ofType(Integer)", "1"},
  };
  expect_all(cases);
}

TEST(PathFunctions, OfDatesAndBoundaries) {
  const Case cases[] = {
      {"now()", "2025-06-15T15:06:40.123Z"},
      {"today()", "2025-06-15"},
      {"timeOfDay()", "15:06:40.123"},
      {"@2024-03-31 - 1 month", "2024-02-29"},
      {"@2024-12-31T23:59:59Z + 1 second", "2025-01-01T00:00:00Z"},
      {"@2024-01-01T00:00:00+02:00 - 1 millisecond", "2023-12-31T23:59:59.999+02:00"},
      {"@2024-01-01 + 36 hours", "2024-01-02"},
      {"@9999-12-31 + 1 day", ""},
      {"@2024-01-01 + 1 'mg'", "fails"},
      {"@2024-01-01 + 1", "fails"},
      {"@T10:00 - 11 hours", "23:00"},
      {"@2024 < @2024-05", ""},
      {"@2023 < @2024-05", "true"},
      {"@2024-05-01T10:00Z = @2024-05-01T12:00+02:00", "true"},
      {"@2024-05-01T10:00Z < @2024-05-01T12:00", ""},
      {"@2024-05-01T10:00Z < @2024-05-03T12:00", "true"},
      {"@2024-05-01 ~ @2024-05-01T10:00", "false"},
      {"@T10:00 < @2024", "fails"},
      {"@2024.lowBoundary()", "2024-01-01"},
      {"@2024-02.highBoundary()", "2024-02-29"},
      {"@2024-02-01T10:30Z.highBoundary()", "2024-02-01T10:30:59.999Z"},
      {"@2024-02-01T10.lowBoundary(17)", "2024-02-01T10:00:00.000+14:00"},
      {"@T10.highBoundary()", "10:59:59.999"},
      {"@2024.lowBoundary(5)", ""},
      {"1.5.lowBoundary()", "1.45000000"},
      {"1.5.highBoundary(1)", "1.6"},
      {"0.lowBoundary(1)", "-0.5"},
      {"1.5 'mg'.highBoundary(2)", "1.55 mg"},
      {"@2024-05.precision()", "6"},
      {"1.500.precision()", "3"},
      {"'a'.precision()", "fails"},
      {"1 'kg'.comparable(1 '[lb_av]')", "true"},
  };
  expect_all(cases);
}

TEST(PathFunctions, OfCollectionsAndLogic) {
  const Case cases[] = {
      {"(1 | 2 | 3).where($this > 1)", "2, 3"},
      {"(3 | 4).select($index)", "0, 1"},
      {"(1 | 2 | 3).all($this > 0)", "true"},
      {"{}.all($this > 0)", "true"},
      {"(1 | 2).aggregate($this + $total, 10)", "13"},
      {"(1 | 2 | 3 | 4).skip(1).take(2)", "2, 3"},
      {"(1 | 2).single()", "fails"},
      {"1.combine(1).isDistinct()", "false"},
      {"(1 | 2).subsetOf(1 | 2 | 3)", "true"},
      {"(1 | 2 | 3).exclude(2)", "1, 3"},
      {"(1 | 2 | 3).intersect(3 | 1)", "1, 3"},
      {"{}.coalesce({}, 2, 3)", "2"},
      {"(1).repeat(iif($this < 4, $this + 1, {}))", "2, 3, 4"},
      {"('b' | 'a' | 'c').sort($this desc)", "c, b, a"},
      {"iif({}, 1, 2)", "2"},
      {"iif('a', 1, 2)", "fails"},
      {"true and {}", ""},
      {"false and {}", "false"},
      {"true xor true", "false"},
      {"{} implies true", "true"},
      {"(1 | 2) and true", "fails"},
      {"true.combine(false).anyFalse()", "true"},
      {"1 in {}", "false"},
      {"{} in (1 | 2)", ""},
      {"(1 | 2) = (2 | 1)", "false"},
      {"(1 | 2) ~ (2 | 1)", "true"},
      {"'A  b' ~ 'a B'", "true"},
      {"1.0 = 1", "true"},
      {"4 'g' = 4000 'mg'", "true"},
      {"4 'g' = 4 'm'", ""},
      {"4 'g' ~ 4 'm'", "false"},
      {"37 'Cel' = 98.6 '[degF]'", "true"},
      {"1 year = 1 'a'", ""},
      {"1 year ~ 1 'a'", "true"},
      {"12 months = 1 year", "true"},
      {"%`vs-x`", "http://hl7.org/fhir/ValueSet/x"},
      {"%nothing", "fails"},
      {"1.elementDefinition()", "fails"},
  };
  expect_all(cases);
}

}  // namespace
}  // namespace mydr24::path
