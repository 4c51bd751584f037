#include "api/graphql/graphql.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mydr24::graphql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view patient = R"({"resourceType":"Patient","id":"p","active":true,"birthDate":"1970-01-02",
  "_birthDate":{"extension":[{"url":"u","valueString":"morning"}]},
  "name":[{"use":"official","family":"F","given":["A","B"],"_given":[null,{"id":"g2"}]},
          {"use":"usual","given":["C"]},{"use":"old","family":"G"}],
  "contained":[{"resourceType":"Organization","id":"c","name":"Inside"}],
  "generalPractitioner":[{"reference":"Practitioner/d/_history/3","display":"Doctor"},{"reference":"#c"}],
  "managingOrganization":{"reference":"Organization/gone"},"multipleBirthInteger":2})";

constexpr std::string_view observation =
    R"({"resourceType":"Observation","id":"o","status":"final","code":{"text":"Pulse"},"valueQuantity":{"value":1.50},
  "subject":{"reference":"Patient/p"}})";

class Shelf : public Data {
 public:
  Result<std::optional<std::string>> read(std::string_view type, std::string_view id) override {
    asked.push_back(fmt::format("{}/{}", type, id));
    const auto found = resources.find(asked.back());
    if (found == resources.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }

  Result<Page> search(std::string_view type, std::span<const SearchParameter> parameters) override {
    std::string text = std::string(type) + "?";
    for (const auto& one : parameters) text += one.name + "=" + one.value + "&";
    asked.push_back(text);
    Page page{.total = 7, .offset = 2, .previous = "before", .next = "after"};
    for (std::size_t i = 0; i < hits; ++i) page.matches.push_back({.resource = resources.at("Observation/o")});
    page.matches.push_back({.resource = resources.at("Patient/p"), .mode = "include", .score = 0.5});
    return page;
  }

  std::map<std::string, std::string> resources{
      {"Patient/p", std::string(patient)},
      {"Observation/o", std::string(observation)},
      {"Practitioner/d", R"({"resourceType":"Practitioner","id":"d","name":[{"text":"D"}]})"}};
  std::size_t hits = 1;
  std::vector<std::string> asked;
};

struct Query {
  std::string_view document;
  std::string_view variables = {};
  std::string_view operation = {};
  bool on_patient = true;
};

Result<std::string> run(const Query& query, Shelf& shelf, const Limits& limits = {}) {
  const auto resource = json::Document::parse_view(patient);
  const auto variables = json::Document::parse_view(query.variables.empty() ? "{}" : query.variables);
  EXPECT_TRUE(resource && variables);
  return execute({.document = query.document,
                  .variables = variables->root(),
                  .operation = query.operation,
                  .resource = query.on_patient ? resource->root() : json::Value()},
                 shelf, limits);
}

std::string answer(const Query& query) {
  Shelf shelf;
  const auto result = run(query, shelf);
  if (!result) return result.error().text + " at " + result.error().where;
  constexpr std::string_view open = "{\"data\":";
  EXPECT_TRUE(result->starts_with(open));
  return result->substr(open.size(), result->size() - open.size() - 1);
}

struct Case {
  std::string_view name, document, data;
};

constexpr Case instance_cases[] = {
    {"Fields", "{ id active birthDate multipleBirthInteger }",
     R"({"id":"p","active":true,"birthDate":"1970-01-02","multipleBirthInteger":2})"},
    {"FieldsWithoutAValueAreNull", "{ gender photo { url } maritalStatus { text } }",
     R"({"gender":null,"photo":[],"maritalStatus":null})"},
    {"ListsAndObjects", "query { name { family given } }",
     R"({"name":[{"family":"F","given":["A","B"]},{"family":null,"given":["C"]},{"family":"G","given":[]}]})"},
    {"Aliases", "{ a: id b: id name(use: old) { last: family } }", R"({"a":"p","b":"p","name":[{"last":"G"}]})"},
    {"FieldsOfOneNameSelectTogether", "{ name(use: old) { use } name(use: old) { family } }",
     R"({"name":[{"use":"old","family":"G"}]})"},
    {"TypeNames", "{ __typename resourceType name(_count: 1) { __typename } }",
     R"({"__typename":"Patient","resourceType":"Patient","name":[{"__typename":"HumanName"}]})"},
    {"IdsAndExtensionsOfPrimitives",
     "{ _birthDate { extension(url: \"u\") { valueString } } name(use: official) { _given { id } } }",
     R"({"_birthDate":{"extension":[{"valueString":"morning"}]},"name":[{"_given":[null,{"id":"g2"}]}]})"},
    {"ListsByAnyOfSeveralValues", "{ name(use: [usual, \"old\"]) { use } }",
     R"({"name":[{"use":"usual"},{"use":"old"}]})"},
    {"ListsByFhirpath", "{ name(fhirpath: \"family.exists() and use != 'old'\") { family } }",
     R"({"name":[{"family":"F"}]})"},
    {"ListsByOffsetAndCount", "{ name(_offset: 1, _count: 1) { use } none: name(_offset: 9) { use } }",
     R"({"name":[{"use":"usual"}],"none":[]})"},
    {"Contained", "{ contained { id ... on Organization { name } ... on Patient { gender } } }",
     R"({"contained":[{"id":"c","name":"Inside"}]})"},
    {"References",
     "{ generalPractitioner { display resource { resourceType ... on Practitioner { name { text } } ... on "
     "Organization { name } } } }",
     R"({"generalPractitioner":[{"display":"Doctor","resource":{"resourceType":"Practitioner","name":[{"text":"D"}]}},)"
     R"({"display":null,"resource":{"resourceType":"Organization","name":"Inside"}}]})"},
    {"ReferencesOfOneType", "{ generalPractitioner { resource(type: Practitioner) { id } } }",
     R"({"generalPractitioner":[{"resource":{"id":"d"}},{"resource":null}]})"},
    {"OptionalReferences", "{ managingOrganization { reference resource(optional: true) { id } } }",
     R"({"managingOrganization":{"reference":"Organization/gone","resource":null}})"},
    {"Fragments",
     "{ ...basics name(use: old) { ...names } } fragment basics on Patient { id ...more } fragment more on Resource { "
     "resourceType } fragment names on HumanName { family ... @include(if: false) { use } }",
     R"({"id":"p","resourceType":"Patient","name":[{"family":"G"}]})"},
    {"FragmentsOfAnotherType", "{ id ...f } fragment f on Observation { status }", R"({"id":"p"})"},
    {"First", "{ name @first { use given @first } }", R"({"name":{"use":"official","given":"A"}})"},
    {"Flatten", "{ id name @flatten { family given } }", R"({"id":"p","family":["F","G"],"given":["A","B","C"]})"},
    {"FlattenFirst", "{ name @flatten @first { family given } }", R"({"family":"F","given":["A","B"]})"},
    {"Singleton", "{ name(use: old) @flatten { family @singleton } }", R"({"family":"G"})"},
    {"Slice", "{ name @slice(fhirpath: \"use\") @flatten { given @first @singleton } }",
     R"({"given.official":"A","given.usual":"C"})"},
    {"SliceByIndex", "{ name @slice(path: \"$index\") @first { use } }", R"({"name.0":{"use":"official"}})"},
    {"CommentsCommasAndBlockStrings", "\xEF\xBB\xBF# a\n{,id, name(use: \"\"\"\n   old\n  \"\"\"),{family}}",
     R"({"id":"p","name":[{"family":"G"}]})"},
    {"EscapesInStrings", R"({ name(use: "\u006f\u006cd") { use } })", R"({"name":[{"use":"old"}]})"},
};

TEST(GraphQl, OnAResourceFieldsAreSelected) {
  for (const Case& one : instance_cases) {
    SCOPED_TRACE(one.name);
    EXPECT_EQ(answer({.document = one.document}), one.data);
  }
}

TEST(GraphQl, VariablesChooseWhatIsIncluded) {
  constexpr std::string_view document =
      "query Q($with: Boolean!, $use: code = \"old\", $list: [code!]) "
      "{ id @skip(if: $with) gender @include(if: $with) name(use: $use) { family } other: name(use: $list) { use } }";
  EXPECT_EQ(answer({.document = document, .variables = R"({"with":true,"list":["usual"]})"}),
            R"({"gender":null,"name":[{"family":"G"}],"other":[{"use":"usual"}]})");
  EXPECT_EQ(answer({.document = document, .variables = R"({"with":false,"use":"official","list":[]})"}),
            R"({"id":"p","name":[{"family":"F"}],"other":[]})");
  EXPECT_EQ(answer({.document = document}), "the variable '$with' must be given at line 1, column 9");
}

TEST(GraphQl, TheOperationIsChosenByName) {
  constexpr std::string_view document = "query A { id } query B { birthDate }";
  EXPECT_EQ(answer({.document = document, .operation = "B"}), R"({"birthDate":"1970-01-02"})");
  EXPECT_THAT(answer({.document = document}), HasSubstr("more than one query"));
  EXPECT_THAT(answer({.document = document, .operation = "C"}), HasSubstr("no query 'C'"));
}

TEST(GraphQl, OnSystemLevelResourcesAreReadAndFound) {
  Shelf shelf;
  const auto result =
      run({.document = "query ($code: [token]) { __typename Patient(id: \"p\") { id } none: Patient(id: \"q\") { id } "
                       "bad: Patient(id: \"../x\") { id } "
                       "ObservationList(code: $code, _count: 2, value_quantity: \"gt1\") { id valueQuantity { value } "
                       "subject { resource { ... on Patient { birthDate } } } } "
                       "ObservationConnection(status: final, first: 5, cursor: \"c\") { count offset pagesize first "
                       "previous next last "
                       "edges { mode score resource { resourceType id } } } }",
           .variables = R"({"code":["a","b"]})",
           .on_patient = false},
          shelf);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(
      *result,
      R"({"data":{"__typename":"Query","Patient":{"id":"p"},"none":null,"bad":null,)"
      R"("ObservationList":[{"id":"o","valueQuantity":{"value":1.50},"subject":{"resource":{"birthDate":"1970-01-02"}}}],)"
      R"("ObservationConnection":{"count":7,"offset":2,"pagesize":2,"first":null,"previous":"before","next":"after",)"
      R"("last":null,"edges":[{"mode":"match","score":null,"resource":{"resourceType":"Observation","id":"o"}},)"
      R"({"mode":"include","score":0.5,"resource":{"resourceType":"Patient","id":"p"}}]}}})");
  EXPECT_THAT(shelf.asked, ElementsAre("Patient/p", "Patient/q", "Observation?code=a,b&_count=2&value-quantity=gt1&",
                                       "Observation?status=final&_count=5&_cursor=c&"))
      << "the patient is read once";
}

TEST(GraphQl, AResourceLeadsToThoseThatReferToIt) {
  Shelf shelf;
  const auto result = run({.document = "{ ObservationList(_reference: patient, code: \"x\") { id } }"}, shelf);
  ASSERT_TRUE(result) << result.error().text;
  EXPECT_EQ(*result, R"({"data":{"ObservationList":[{"id":"o"}]}})");
  EXPECT_THAT(shelf.asked, ElementsAre("Observation?patient=Patient/p&code=x&"));
}

TEST(GraphQl, ADocumentThatIsWrongIsRefusedWithItsPlace) {
  const std::vector<std::pair<std::string_view, std::string_view>> refusals{
      {"", "the document has no query at line 1, column 1"},
      {"{ }", "a field must stand here, not '}' at line 1, column 3"},
      {"{ id", "a field must follow, but the document ends at line 1, column 5"},
      {"{\n  id ? }", "this character may not stand here at line 2, column 6"},
      {"query Q { id } query Q { id }", "two queries have the same name at line 1, column 16"},
      {"mutation { id }", "only queries are answered at line 1, column 1"},
      {"subscription { id }", "only queries are answered at line 1, column 1"},
      {"type T { id: ID }", "a query or fragment must stand here, not 'type' at line 1, column 1"},
      {"{ __schema { types { name } } }", "introspection is not offered at line 1, column 3"},
      {"{ nose }", "Patient has no field 'nose' at line 1, column 3"},
      {"{ name { nose } }", "HumanName has no field 'nose' at line 1, column 10"},
      {"{ contact { nose } ...f } fragment f on Patient { name }",
       "'name' is an object: say which of its fields at line 1, column 51"},
      {"{ name }", "'name' is an object: say which of its fields at line 1, column 3"},
      {"{ id { value } }", "'id' is a value: it has no fields at line 1, column 3"},
      {"{ id a: id a: gender }", "two different fields are called 'a' at line 1, column 12"},
      {"{ name(use: old) { use } name { use } }", "two different fields are called 'name' at line 1, column 26"},
      {"{ ...f }", "no fragment 'f' in the document at line 1, column 3"},
      {"{ id @upper }", "the directive @upper is not known here at line 1, column 6"},
      {"{ ... @first { id } }", "the directive @first is not known here at line 1, column 7"},
      {"{ id @skip }", "@skip must have the argument 'if' at line 1, column 6"},
      {"{ id @skip(if: 1) }", "'if' must be true or false at line 1, column 12"},
      {"{ id @skip(if: $x) }", "the variable '$x' is not declared at line 1, column 12"},
      {"query ($x: Boolean, $x: Boolean) { id }", "'$x' is declared twice at line 1, column 21"},
      {"{ name(use: old, use: usual) { use } }", "the argument 'use' is given twice at line 1, column 18"},
      {"{ name(nose: old) { use } }", "'nose' is no value of HumanName at line 1, column 8"},
      {"{ name(period: old) { use } }", "'period' is no value of HumanName at line 1, column 8"},
      {"{ name(use: {a: 1}) { use } }", "one value, or a list of values, must stand here at line 1, column 8"},
      {"{ name(_count: -1) { use } }", "'_count' must be a whole number, 0 or more at line 1, column 8"},
      {"{ name(_count: 01) { use } }", "this is no number at line 1, column 16"},
      {"{ name(use: \"old) { use } }", "the string has no end at line 1, column 13"},
      {"{ name(use: \"\\ud800\") { use } }", "half a character in a string at line 1, column 14"},
      {"{ name @flatten { family @singleton } }", "@singleton: 'family' has more than one value at line 1, column 19"},
      {"{ managingOrganization { resource { id } } }",
       "the reference 'Organization/gone' leads to no resource here; optional: true lets it be null at line 1, column "
       "26"},
      {"{ managingOrganization { resource(kind: x) { id } } }", "unknown argument 'kind' at line 1, column 35"},
      {"{ ObservationList { id } }", "ObservationList must have the argument '_reference' here at line 1, column 3"},
  };
  for (const auto& [document, text] : refusals) EXPECT_EQ(answer({.document = document}), text) << document;
  EXPECT_THAT(answer({.document = "{ name(fhirpath: \"(\") { use } }"}), HasSubstr("fhirpath: "));
  EXPECT_EQ(answer({.document = "{ Patient { id } }", .on_patient = false}),
            "Patient must have the argument 'id' at line 1, column 3");
  EXPECT_EQ(answer({.document = "{ id }", .on_patient = false}), "Query has no field 'id' at line 1, column 3");
}

TEST(GraphQl, EveryKindOfWorkIsBounded) {
  Shelf shelf;
  const auto code = [&](const Query& query, const Limits& limits = {}) {
    const auto result = run(query, shelf, limits);
    return result ? std::string("answered") : std::string(to_string(result.error().code));
  };
  const std::string too_large(to_string(Code::too_large));
  EXPECT_EQ(code({.document = std::string(65U << 10, ' ')}), too_large);

  std::string deep, lists = "{ name(use: ";
  for (int i = 0; i < 50'000 / 8; ++i) deep += "{ name ";
  for (int i = 0; i < 50'000; ++i) lists += '[';
  EXPECT_EQ(code({.document = deep}), too_large);
  EXPECT_EQ(code({.document = lists}), too_large);

  std::string bomb = "{ ...f0 }";
  for (int i = 0; i < 22; ++i) {
    bomb += fmt::format(
        " fragment f{} on Patient {{ generalPractitioner {{ resource(type: Organization) {{ id }} }} "
        "a{}: contained {{ ...f{} }} b{}: contained {{ ...f{} }} }}",
        i, i, i + 1, i, i + 1);
  }
  bomb += " fragment f22 on Patient { id }";
  EXPECT_EQ(code({.document = bomb}), "answered") << "the fragments are of another type than what is contained";
  const std::string circle =
      "{ ...f } fragment f on Patient { ...f generalPractitioner @first { resource(type: Patient) { ...f } } }";
  EXPECT_EQ(code({.document = circle}), "answered");

  // A patient who is their own link, asked for over and over.
  shelf.resources["Patient/p"] = R"({"resourceType":"Patient","id":"p","link":[{"other":{"reference":"Patient/p"}},)"
                                 R"({"other":{"reference":"Patient/p"}}]})";
  const std::string loop =
      "{ Patient(id: \"p\") { ...f } } fragment f on Patient { link { other { resource { ...f } } } }";
  EXPECT_EQ(code({.document = loop, .on_patient = false}), too_large);
  EXPECT_EQ(code({.document = loop, .on_patient = false}, {.depth_max = 1'000}), too_large);
  EXPECT_EQ(code({.document = "{ name { given } }"}, {.fields_max = 5}), too_large);
  EXPECT_EQ(code({.document = "{ id a: id b: id }"}, {.selections_max = 2}), too_large);
  EXPECT_EQ(
      code({.document = R"q({ name(fhirpath: "%resource.descendants().exists()") { use } })q"}, {.path_steps_max = 10}),
      too_large);
  shelf.hits = 30;
  EXPECT_EQ(code({.document = "{ ObservationList { id } }", .on_patient = false}, {.resources_max = 20}), too_large);
  EXPECT_EQ(code({.document = "{ ObservationList { id } }", .on_patient = false}, {.resource_bytes_max = 2'000}),
            too_large);
}

}  // namespace
}  // namespace mydr24::graphql
