// The forms of each primitive, case by case. Source: the regular expressions and words of FHIR R4, datatypes.html.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fhir/model/primitive_format.h"
#include "fhir/model/validate.h"

namespace mydr24::model {
namespace {

using Texts = std::vector<std::string>;

void expect(Primitive primitive, const Texts& good, const Texts& bad) {
  for (const auto& text : good) {
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document) << text;
    const char* problem = primitive_problem(primitive, document->root());
    EXPECT_EQ(problem, nullptr) << text << ' ' << problem;
  }
  for (const auto& text : bad) {
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document) << text;
    EXPECT_NE(primitive_problem(primitive, document->root()), nullptr) << text;
  }
}

// JSON values that no primitive in quotes may be.
const Texts no_strings = {"1", "true", "null", "{}", "[]", R"(["x"])", R"({"value":"x"})", R"("")"};

TEST(PrimitiveForms, OfBoolean) {
  expect(Primitive::boolean, {"true", "false"},
         {R"("true")", R"("false")", "0", "1", R"("")", "null", "{}", "[]", "[true]", R"({"value":true})", R"("yes")"});
}

TEST(PrimitiveForms, OfIntegers) {
  const Texts no_integers = {R"("1")", "1.0", "0.0", "1.5", "1e1", "true", "null", "{}", "[1]", R"("")", "99999999999"};
  expect(Primitive::integer, {"0", "1", "-1", "42", "-2147483648", "2147483647"}, no_integers);
  expect(Primitive::integer, {}, {"2147483648", "-2147483649"});
  expect(Primitive::unsigned_int, {"0", "1", "2147483647"}, no_integers);
  expect(Primitive::unsigned_int, {}, {"-1", "-0", "2147483648"});
  expect(Primitive::positive_int, {"1", "2147483647"}, no_integers);
  expect(Primitive::positive_int, {}, {"0", "-0", "-1", "2147483648"});
}

TEST(PrimitiveForms, OfDecimal) {
  expect(Primitive::decimal,
         {"0", "-0", "1", "1.0", "1.00", "-1.5", "0.1", "1e3", "1E3", "1e+3", "1e-3", "1.5e10",
          "100000000000000000000.25"},
         {R"("1.0")", "true", "null", "{}", "[1.0]", R"("")", R"("1,5")"});
}

TEST(PrimitiveForms, OfDate) {
  expect(Primitive::date,
         {R"("2024")", R"("1905")", R"("9999")", R"("0001")", R"("2024-01")", R"("2024-12")", R"("2024-02-29")",
          R"("2000-02-29")", R"("1900-02-28")", R"("2023-12-31")"},
         {R"("0000")",
          R"("24")",
          R"("202")",
          R"("20244")",
          R"("2024-")",
          R"("2024-0")",
          R"("2024-1")",
          R"("2024-00")",
          R"("2024-13")",
          R"("2024-01-00")",
          R"("2024-01-32")",
          R"("2023-02-29")",
          R"("1900-02-29")",
          R"("2024-04-31")",
          R"("2024/02/29")",
          R"("20240229")",
          R"("2024-02-29T08:00:00Z")",
          R"("2024-02-29Z")",
          R"("today")",
          R"("29.02.2024")",
          R"("29-02-2024")"});
  expect(Primitive::date, {}, no_strings);
}

TEST(PrimitiveForms, OfDateTime) {
  expect(Primitive::date_time,
         {R"("2024")",
          R"("1905")",
          R"("9999")",
          R"("0001")",
          R"("2024-01")",
          R"("2024-12")",
          R"("1999-06")",
          R"("2024-02-29")",
          R"("2000-02-29")",
          R"("2023-12-31")",
          R"("1900-02-28")",
          R"("2024-02-29T00:00:00Z")",
          R"("2024-02-29T23:59:59Z")",
          R"("2024-02-29T08:00:00.1Z")",
          R"("2024-02-29T08:00:00.123456789Z")",
          R"("2024-02-29T08:00:00+01:00")",
          R"("2024-02-29T08:00:00-05:00")",
          R"("2024-02-29T08:00:00+05:30")",
          R"("2024-02-29T08:00:00+14:00")",
          R"("2024-02-29T08:00:00-13:59")",
          R"("2024-02-29T08:00:00+00:00")",
          R"("2024-02-29T08:00:00-00:00")",
          R"("2016-12-31T23:59:60Z")",
          R"("2024-02-29T08:00:00.000-08:00")"},
         {R"("0000")",
          R"("24")",
          R"("202")",
          R"("20244")",
          R"("2024-")",
          R"("2024-0")",
          R"("2024-1")",
          R"("2024-00")",
          R"("2024-13")",
          R"("2024-1-1")",
          R"("2024-01-00")",
          R"("2024-01-32")",
          R"("2023-02-29")",
          R"("1900-02-29")",
          R"("2024-04-31")",
          R"("2024-02-30")",
          R"("2024/02/29")",
          R"("20240229")",
          R"("2024-02-29T")",
          R"("2024-02-29T08")",
          R"("2024-02-29T08:00")",
          R"("2024-02-29T08:00Z")",
          R"("2024-02-29T08:00:00")",
          R"("2024-02-29T08:00:00.123")",
          R"("2024-02-29T24:00:00Z")",
          R"("2024-02-29T08:60:00Z")",
          R"("2024-02-29T08:00:61Z")",
          R"("2024-02-29T8:00:00Z")",
          R"("2024-02-29T08:0:00Z")",
          R"("2024-02-29T08:00:0Z")",
          R"("2024-02-29T08:00:00.Z")",
          R"("2024-02-29T08:00:00z")",
          R"("2024-02-29t08:00:00Z")",
          R"("2024-02-29T08:00:00+1:00")",
          R"("2024-02-29T08:00:00+0100")",
          R"("2024-02-29T08:00:00+01")",
          R"("2024-02-29T08:00:00+14:01")",
          R"("2024-02-29T08:00:00+15:00")",
          R"("2024-02-29T08:00:00+01:60")",
          R"("2024-02-29T08:00:00ZZ")",
          R"("2024-02-29T08:00:00,5Z")",
          R"("2024T08:00:00Z")",
          R"("2024-02T08:00:00Z")",
          R"("-2024")",
          R"("+2024")",
          R"("now")"});
  expect(Primitive::date_time, {}, {R"(" 2024")", R"("2024 ")", R"("2024-02-29 08:00:00Z")"});
  expect(Primitive::date_time, {}, no_strings);
}

TEST(PrimitiveForms, OfInstant) {
  expect(Primitive::instant,
         {R"("2024-02-29T00:00:00Z")", R"("2024-02-29T23:59:59Z")", R"("2024-02-29T08:00:00.1Z")",
          R"("2024-02-29T08:00:00.123456789Z")", R"("2024-02-29T08:00:00+01:00")", R"("2024-02-29T08:00:00-05:00")",
          R"("2024-02-29T08:00:00+05:30")", R"("2024-02-29T08:00:00+14:00")", R"("2024-02-29T08:00:00-13:59")",
          R"("2024-02-29T08:00:00+00:00")", R"("2024-02-29T08:00:00-00:00")", R"("2016-12-31T23:59:60Z")",
          R"("2024-02-29T08:00:00.000-08:00")"},
         {R"("0000")",
          R"("24")",
          R"("202")",
          R"("20244")",
          R"("2024-")",
          R"("2024-0")",
          R"("2024-1")",
          R"("2024-00")",
          R"("2024-13")",
          R"("2024-1-1")",
          R"("2024-01-00")",
          R"("2024-01-32")",
          R"("2023-02-29")",
          R"("1900-02-29")",
          R"("2024-04-31")",
          R"("2024-02-30")",
          R"("2024/02/29")",
          R"("20240229")",
          R"("2024-02-29T")",
          R"("2024-02-29T08")",
          R"("2024-02-29T08:00")",
          R"("2024-02-29T08:00Z")",
          R"("2024-02-29T08:00:00")",
          R"("2024-02-29T08:00:00.123")",
          R"("2024-02-29T24:00:00Z")",
          R"("2024-02-29T08:60:00Z")",
          R"("2024-02-29T08:00:61Z")",
          R"("2024-02-29T8:00:00Z")",
          R"("2024-02-29T08:0:00Z")",
          R"("2024-02-29T08:00:0Z")",
          R"("2024-02-29T08:00:00.Z")",
          R"("2024-02-29T08:00:00z")",
          R"("2024-02-29t08:00:00Z")",
          R"("2024-02-29T08:00:00+1:00")",
          R"("2024-02-29T08:00:00+0100")",
          R"("2024-02-29T08:00:00+01")",
          R"("2024-02-29T08:00:00+14:01")",
          R"("2024-02-29T08:00:00+15:00")",
          R"("2024-02-29T08:00:00+01:60")",
          R"("2024-02-29T08:00:00ZZ")",
          R"("2024-02-29T08:00:00,5Z")",
          R"("2024T08:00:00Z")",
          R"("2024-02T08:00:00Z")",
          R"("-2024")",
          R"("+2024")",
          R"("now")",
          R"("2024")",
          R"("1905")",
          R"("9999")",
          R"("0001")",
          R"("2024-01")",
          R"("2024-12")"});
  expect(Primitive::instant, {}, no_strings);
}

TEST(PrimitiveForms, OfTime) {
  expect(
      Primitive::time,
      {R"("00:00:00")", R"("23:59:59")", R"("08:30:00")", R"("08:30:60")", R"("08:30:00.1")", R"("08:30:00.123456")"},
      {R"("24:00:00")", R"("08:30")", R"("8:30:00")", R"("08:3:00")", R"("08:30:0")", R"("08:60:00")", R"("08:30:61")",
       R"("08:30:00Z")", R"("08:30:00+01:00")", R"("08:30:00.")", R"("083000")", R"("T08:30:00")", R"("08.30.00")",
       R"("noon")"});
  expect(Primitive::time, {}, no_strings);
}

TEST(PrimitiveForms, OfUris) {
  const Texts good = {R"("http://example.org/a?b=c#d")",
                      R"("urn:oid:1.2.3")",
                      R"("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")",
                      R"("#id")",
                      R"("Patient/1")",
                      R"("mailto:a@b.org")"};
  const Texts bad = {R"("http://example.org/a b")",
                     R"(" http://example.org")",
                     R"("http://example.org ")",
                     R"("a\tb")",
                     R"("a\nb")",
                     R"(" ")"};
  for (const auto primitive : {Primitive::uri, Primitive::url, Primitive::canonical}) {
    expect(primitive, good, bad);
    expect(primitive, {}, no_strings);
  }
  expect(Primitive::canonical, {R"("http://example.org/p|1.0")", R"("http://example.org/p#x")"}, {});
}

TEST(PrimitiveForms, OfIdOidAndUuid) {
  expect(Primitive::id, {R"("a")", R"("A-b.9")", R"("1")", R"("-")", '"' + std::string(64, 'x') + '"'},
         {R"("a_b")", R"("a b")", R"("a/b")", R"("\u00e4")", R"("a#")", R"(" a")", '"' + std::string(65, 'x') + '"'});
  expect(Primitive::id, {}, no_strings);
  expect(Primitive::oid, {R"("urn:oid:1.2.840.113556")", R"("urn:oid:0.0")", R"("urn:oid:2.999")"},
         {R"("1.2.840")", R"("urn:oid:")", R"("urn:oid:1")", R"("urn:oid:3.1")", R"("urn:oid:1.")", R"("urn:oid:1..2")",
          R"("urn:oid:1.02")", R"("URN:OID:1.2")", R"("urn:oid:1.2 ")", R"("urn:oid:1.a")"});
  expect(Primitive::oid, {}, no_strings);
  expect(Primitive::uuid, {R"("urn:uuid:c757873d-ec9a-4326-a141-556f43239520")"},
         {R"("c757873d-ec9a-4326-a141-556f43239520")", R"("urn:uuid:C757873D-EC9A-4326-A141-556F43239520")",
          R"("urn:uuid:c757873dec9a4326a141556f43239520")", R"("urn:uuid:c757873d-ec9a-4326-a141-556f4323952")",
          R"("urn:uuid:g757873d-ec9a-4326-a141-556f43239520")", R"("urn:oid:1.2")"});
  expect(Primitive::uuid, {}, no_strings);
}

TEST(PrimitiveForms, OfStringMarkdownAndCode) {
  for (const auto primitive : {Primitive::string, Primitive::markdown}) {
    expect(primitive, {R"("a")", R"(" a ")", R"("a\nb\r\tc")", R"("\u00e4\ud83d\ude00")", R"("<b>")", R"("null")"},
           {R"(" ")", R"("\n\t")", R"("a\u0000b")", R"("\u0008")", R"("\u001b[0m")"});
    expect(primitive, {}, no_strings);
  }
  expect(Primitive::code, {R"("a")", R"("a b")", R"("a-b_c/d|e")", R"("\u00e4")"},
         {R"(" a")", R"("a ")", R"("a  b")", R"("a\tb")", R"("a\nb")", R"(" ")", R"("\t")"});
  expect(Primitive::code, {}, no_strings);
}

TEST(PrimitiveForms, OfBase64) {
  expect(Primitive::base64_binary,
         {R"("YQ==")", R"("YWI=")", R"("YWJj")", R"("YW Jj")", R"("YWJj\r\nYWJj")", R"("+/+/")"},
         {R"("YQ")", R"("YQ=")", R"("Y")", R"("YQ===")", R"("Y=Q=")", R"("=YQ=")", R"("-_-_")", R"("YQ==YQ==")",
          R"("Y*==")", R"(" ")"});
  expect(Primitive::base64_binary, {}, no_strings);
}

// ---- Shapes. Source: FHIR R4, json.html.

struct Shape {
  const char* what;
  const char* patient;   // members of a Patient
  const char* expected;  // the place of the first issue; nullptr: valid
};
constexpr Shape shapes[] = {
    {"a list of names", R"("name":[{"given":["A","B"]}])", nullptr},
    {"an object where a primitive belongs", R"("birthDate":{"value":"2001"})", "Patient.birthDate"},
    {"an array where a primitive belongs", R"("birthDate":["2001"])", "Patient.birthDate"},
    {"an array where a boolean belongs", R"("active":[true])", "Patient.active"},
    {"a primitive where an object belongs", R"("maritalStatus":"M")", "Patient.maritalStatus"},
    {"an array where one object belongs", R"("maritalStatus":[{"text":"M"}])", "Patient.maritalStatus"},
    {"an object where an array belongs", R"("name":{"family":"A"})", "Patient.name"},
    {"a string where an array belongs", R"("name":[{"given":"A"}])", "Patient.name[0].given"},
    {"a string where objects belong", R"("name":["A"])", "Patient.name[0]"},
    {"an array in an array", R"("name":[[{"family":"A"}]])", "Patient.name[0]"},
    {"an empty array", R"("name":[])", "Patient.name"},
    {"an empty object", R"("maritalStatus":{})", "Patient.maritalStatus"},
    {"an empty object in an array", R"("name":[{}])", "Patient.name[0]"},
    {"an empty string", R"("birthDate":"")", "Patient.birthDate"},
    {"null", R"("birthDate":null)", "Patient.birthDate"},
    {"null for an object", R"("maritalStatus":null)", "Patient.maritalStatus"},
    {"null in an array of objects", R"("name":[null,{"family":"A"}])", "Patient.name[0]"},
    {"null in an array of primitives", R"("name":[{"given":["A",null]}])", "Patient.name[0].given[1]"},
    {"an unknown member", R"("nickname":"A")", "Patient.nickname"},
    {"an unknown member inside", R"("name":[{"nick":"A"}])", "Patient.name[0].nick"},
    {"a name in the wrong case", R"("birthdate":"2001")", "Patient.birthdate"},
    {"two types of a choice", R"("deceasedBoolean":true,"deceasedDateTime":"2001")", "Patient"},
    {"a choice without its type", R"("deceased":true)", "Patient.deceased"},
    {"a choice of a type it has not", R"("deceasedString":"yes")", "Patient.deceasedString"},
    {"a member twice", R"("active":true,"active":false)", "Patient"},
    {"a member twice inside", R"("name":[{"family":"A","family":"B"}])", "Patient.name[0]"},
    {"a code that is not of its value set", R"("gender":"unsure")", "Patient.gender"},
    {"a code of another case", R"("gender":"Male")", "Patient.gender"},
    // Extensions of primitives.
    {"a value and its extension",
     R"("birthDate":"2001","_birthDate":{"extension":[{"url":"http://a.b","valueCode":"x"}]})", nullptr},
    {"an extension in the place of a value", R"("_birthDate":{"extension":[{"url":"http://a.b","valueCode":"x"}]})",
     nullptr},
    {"an id of a primitive", R"("birthDate":"2001","_birthDate":{"id":"b"})", nullptr},
    {"an array and its extensions", R"("name":[{"given":["A","B"],"_given":[null,{"id":"b"}]}])", nullptr},
    {"nulls on both sides in turn",
     R"("name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"http://a.b","valueCode":"x"}]}]}])", nullptr},
    {"an array of extensions alone", R"("name":[{"_given":[{"extension":[{"url":"http://a.b","valueCode":"x"}]}]}])",
     nullptr},
    {"null on both sides", R"("name":[{"given":["A",null],"_given":[{"id":"b"},null]}])", "Patient.name[0].given[1]"},
    {"arrays of different length", R"("name":[{"given":["A","B"],"_given":[{"id":"b"}]}])", "Patient.name[0].given"},
    {"a string for the extensions", R"("_birthDate":"x")", "Patient.birthDate"},
    {"an array for the extensions of one", R"("_birthDate":[{"id":"x"}])", "Patient.birthDate"},
    {"an object for the extensions of many", R"("name":[{"_given":{"id":"x"}}])", "Patient.name[0].given"},
    {"a value among the extensions", R"("_birthDate":{"value":"2001"})", "Patient.birthDate.value"},
    {"an empty object of extensions", R"("_birthDate":{})", "Patient.birthDate"},
    {"null for the extensions", R"("_birthDate":null)", "Patient.birthDate"},
    {"extensions of an element that is no primitive", R"("_name":[{"id":"x"}])", "Patient._name"},
    {"extensions of an unknown element", R"("_nickname":{"id":"x"})", "Patient._nickname"},
    {"an extension without url", R"("extension":[{"valueCode":"x"}])", "Patient.extension[0].url"},
    {"an extension with two values", R"("extension":[{"url":"http://a.b","valueCode":"x","valueString":"y"}])",
     "Patient.extension[0]"},
    {"an extension that is no array", R"("extension":{"url":"http://a.b","valueCode":"x"})", "Patient.extension"},
};

TEST(Shapes, AreThoseOfFhirJson) {
  for (const auto& [what, members, expected] : shapes) {
    const auto document = json::Document::parse(std::string(R"({"resourceType":"Patient",)") + members + "}");
    ASSERT_TRUE(document) << what;
    const auto issues = validate(document->root());
    if (expected == nullptr) {
      EXPECT_TRUE(issues.empty()) << what << ": " << issues[0].expression << ' ' << issues[0].diagnostics;
    } else {
      ASSERT_FALSE(issues.empty()) << what;
      EXPECT_EQ(issues[0].expression, expected) << what << ": " << issues[0].diagnostics;
    }
  }
}

}  // namespace
}  // namespace mydr24::model
