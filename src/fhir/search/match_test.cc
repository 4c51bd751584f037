#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/date_time.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

Instant instant(std::string_view text) { return parse_date_time(text)->low; }

bool found(const std::string& resource, const std::string& name, const std::string& value) {
  const auto document = json::Document::parse(resource);
  const auto query = parse_query(document->root()["resourceType"].text(), Parameters{{name, value}}, false);
  EXPECT_TRUE(query) << name << '=' << value << (query ? "" : query.error().issues[0].diagnostics);
  if (!query) return false;
  const MatchContext context{
      .now = instant("2024-03-11T00:00:00Z"), .last_updated = instant("2024-03-01T08:00:00Z"), .chain = {}, .has = {}};
  return matches(query->conditions.at(0), document->root(), context);
}

struct Row {
  std::string name, value;
  bool found;
};

TEST(Matches, StringsBeginContainAreEqualOrHaveWords) {
  const std::string patient =
      R"({"resourceType":"Patient","name":[{"family":"Müller-Lüdenscheidt","given":["Zoë Anna"]}]})";
  for (const auto& [name, value, yes] :
       {Row{"family", "mull", true}, Row{"family", "lude", false}, Row{"family:contains", "LÜDE", true},
        Row{"family:exact", "Müller-Lüdenscheidt", true}, Row{"family:exact", "müller-lüdenscheidt", false},
        Row{"family:text", "lud", true}, Row{"given:text", "anna zo", true}, Row{"given:text", "anna b", false},
        Row{"given", "x,zoe", true}, Row{"family:missing", "false", true}, Row{"family:missing", "true", false},
        Row{"address:missing", "true", true}}) {
    EXPECT_EQ(found(patient, name, value), yes) << name << '=' << value;
  }
}

TEST(Matches, TokensHaveACodeASystemAText) {
  const std::string observation =
      R"({"resourceType":"Observation","status":"final","code":{"text":"Heart rate","coding":[{"system":"http://loinc.org",
      "code":"8867-4","display":"Pulse"},{"code":"hr"}]},"identifier":[{"system":"urn:i","value":"7",
      "type":{"text":"Placer","coding":[{"system":"urn:t","code":"PLAC"}]}}]})";
  for (const auto& [name, value, yes] :
       {Row{"code", "8867-4", true}, Row{"code", "http://loinc.org|8867-4", true}, Row{"code", "|8867-4", false},
        Row{"code", "|hr", true}, Row{"code", "http://loinc.org|", true}, Row{"code", "http://other|", false},
        Row{"code", "HR", false}, Row{"code:not", "hr", false}, Row{"code:not", "x", true},
        Row{"category:not", "x", true}, Row{"code:text", "heart", true}, Row{"code:text", "pul", true},
        Row{"code:text", "rate", false}, Row{"identifier", "urn:i|7", true}, Row{"identifier", "urn:t|7", false},
        Row{"identifier:of-type", "urn:t|PLAC|7", true}, Row{"identifier:of-type", "urn:t|FILL|7", false},
        Row{"identifier", "urn:t\\|PLAC|", false}, Row{"identifier:text", "place", true}}) {
    EXPECT_EQ(found(observation, name, value), yes) << name << '=' << value;
  }
}

TEST(Matches, DatesAreRanges) {
  const auto at = [](const std::string& effective) { return R"({"resourceType":"Observation",)" + effective + "}"; };
  const auto day = at(R"("effectiveDateTime":"2024-03-01")");
  const auto period = at(R"("effectivePeriod":{"start":"2024-02-20","end":"2024-03-05"})");
  const auto open = at(R"("effectivePeriod":{"start":"2024-02-20"})");
  struct Times {
    std::string value;
    bool day, period, open;
  };
  for (const auto& [value, is_day, is_period, is_open] :
       {Times{"2024-03-01", true, false, false}, Times{"2024-03", true, false, false}, Times{"2024", true, true, false},
        Times{"ne2024-03", false, true, true}, Times{"gt2024-03-01", false, true, true},
        Times{"ge2024-03-01", true, true, true}, Times{"lt2024-03-01", false, true, true},
        Times{"le2024-03-01", true, true, true}, Times{"sa2024-02-19", true, true, true},
        Times{"sa2024-02-20", true, false, false}, Times{"eb2024-03-02", true, false, false},
        Times{"eb2024-03-06", true, true, false}, Times{"ap2024-03-02", true, true, true},
        Times{"ap2023-01", false, false, false}, Times{"lt2024-02-20", false, false, false}}) {
    EXPECT_EQ(found(day, "date", value), is_day) << value;
    EXPECT_EQ(found(period, "date", value), is_period) << value;
    EXPECT_EQ(found(open, "date", value), is_open) << value;
  }
}

TEST(Matches, NumbersCompareExactlySaveForEquality) {
  const std::string risk = R"({"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":100.2}]})";
  for (const auto& [name, value, yes] :
       {Row{"probability", "100", true}, Row{"probability", "100.2", true}, Row{"probability", "100.1", false},
        Row{"probability", "1e2", true}, Row{"probability", "ne100", false}, Row{"probability", "ne101", true},
        Row{"probability", "gt100", true}, Row{"probability", "gt100.2", false}, Row{"probability", "ge100.2", true},
        Row{"probability", "lt100.2", false}, Row{"probability", "le100.2", true}, Row{"probability", "lt100.3", true},
        Row{"probability", "sa100", true}, Row{"probability", "eb100.2", false}, Row{"probability", "eb101", true},
        Row{"probability", "ap92", true}, Row{"probability", "ap80", false}}) {
    EXPECT_EQ(found(risk, name, value), yes) << value;
  }
  const std::string range =
      R"({"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":10},"high":{"value":20}}}]})";
  for (const auto& [name, value, yes] :
       {Row{"probability", "15", false}, Row{"probability", "gt15", true}, Row{"probability", "lt15", true},
        Row{"probability", "gt20", false}, Row{"probability", "sa9", true}, Row{"probability", "eb21", true},
        Row{"probability", "ap15", true}}) {
    EXPECT_EQ(found(range, name, value), yes) << value;
  }
}

TEST(Matches, QuantitiesAreConvertedWhenTheUnitIsKnown) {
  const std::string observation =
      R"({"resourceType":"Observation","valueQuantity":{"value":5.4,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}})";
  const std::string ucum = "|http://unitsofmeasure.org|";
  for (const auto& [name, value, yes] :
       {Row{"value-quantity", "5.4", true}, Row{"value-quantity", "5", true}, Row{"value-quantity", "5.3", false},
        Row{"value-quantity", "5.4" + ucum + "mg", true}, Row{"value-quantity", "0.0054" + ucum + "g", true},
        Row{"value-quantity", "5.4" + ucum + "g", false}, Row{"value-quantity", "ge0.0054" + ucum + "g", true},
        Row{"value-quantity", "gt0.0054" + ucum + "g", false}, Row{"value-quantity", "le5400" + ucum + "ug", true},
        Row{"value-quantity", "5.4||mg", true}, Row{"value-quantity", "5.4||milligram", true},
        Row{"value-quantity", "5.4||g", false}, Row{"value-quantity", "5.4|urn:u|mg", false},
        Row{"value-quantity", "ap5" + ucum + "mg", true}, Row{"value-quantity:missing", "false", true}}) {
    EXPECT_EQ(found(observation, name, value), yes) << value;
  }
}

TEST(Matches, ReferencesAndAddressesMatchWithAndWithoutTheirVersion) {
  const std::string observation =
      R"({"resourceType":"Observation","subject":{"reference":"Patient/1/_history/2"},
      "performer":[{"identifier":{"system":"urn:s","value":"7"}}]})";
  const std::string value_set = R"({"resourceType":"ValueSet","url":"http://a.org/fhir/x/y"})";
  for (const auto& [name, value, yes] :
       {Row{"subject", "Patient/1", true}, Row{"subject", "1", true}, Row{"subject", "Patient/1/_history/2", true},
        Row{"subject", "Patient/1/_history/3", false}, Row{"subject", "Patient/2", false},
        Row{"performer:identifier", "urn:s|7", true}, Row{"performer:identifier", "7", true},
        Row{"performer:identifier", "|7", false}, Row{"performer:missing", "false", true}}) {
    EXPECT_EQ(found(observation, name, value), yes) << name << '=' << value;
  }
  for (const auto& [name, value, yes] :
       {Row{"url", "http://a.org/fhir/x/y", true}, Row{"url", "http://a.org/fhir/x", false},
        Row{"url:below", "http://a.org/fhir", true}, Row{"url:below", "http://a.org/fhir/", true},
        Row{"url:below", "http://a.org/fh", false}, Row{"url:above", "http://a.org/fhir/x/y/z", true},
        Row{"url:above", "http://a.org/fhir", false}}) {
    EXPECT_EQ(found(value_set, name, value), yes) << name << '=' << value;
  }
}

TEST(Matches, ThePartsOfACompositeHoldInOneElement) {
  const std::string pressure =
      R"({"resourceType":"Observation","component":[
      {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":107,"unit":"mmHg"}},
      {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60}}]})";
  for (const auto& [name, value, yes] :
       {Row{"component-code-value-quantity", "8480-6$gt100", true},
        Row{"component-code-value-quantity", "8462-4$gt100", false},
        Row{"component-code-value-quantity", "http://loinc.org|8462-4$60", true},
        Row{"component-code-value-quantity", "http://loinc.org|$60", true},
        Row{"component-code-value-quantity", "|8462-4$60", false},
        Row{"component-code-value-quantity", "8480-6$107||mmHg", true},
        Row{"component-code-value-quantity", "8462-4$60||mmHg", false},
        Row{"component-code-value-quantity", "x$1,8462-4$60", true},
        Row{"combo-code-value-quantity:missing", "false", true}, Row{"code-value-quantity:missing", "true", true}}) {
    EXPECT_EQ(found(pressure, name, value), yes) << value;
  }
  const std::string sequence =
      R"({"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]}},
      "variant":[{"start":10,"end":20},{"start":30,"end":40}]})";
  for (const auto& [name, value, yes] :
       {Row{"chromosome-variant-coordinate", "1$10$20", true}, Row{"chromosome-variant-coordinate", "1$10$40", false},
        Row{"chromosome-variant-coordinate", "2$10$20", false},
        Row{"chromosome-variant-coordinate", "1$ge25$le40", true}}) {
    EXPECT_EQ(found(sequence, name, value), yes) << value;
  }
}

TEST(Matches, PlacesAreNearByTheGreatCircle) {
  const std::string location = R"({"resourceType":"Location","position":{"latitude":52.52,"longitude":13.405}})";
  for (const auto& [name, value, yes] :
       {Row{"near", "48.137|11.575|504|km", false}, Row{"near", "48.137|11.575|505|km", true},
        Row{"near", "52.52|13.405|0", true}, Row{"near", "52.9|13.405", true}, Row{"near", "53.1|13.405", false},
        Row{"near", "-52.52|-166.595|20100", true}}) {
    EXPECT_EQ(found(location, name, value), yes) << value;
  }
}

TEST(Matches, TextsHaveEachWord) {
  const std::string condition =
      R"({"resourceType":"Condition","code":{"text":"Left lung"},"text":{"div":"<div>Narrative <b>only</b></div>"}})";
  for (const auto& [name, value, yes] :
       {Row{"_content", "lung", true}, Row{"_content", "LUNG left", true}, Row{"_content", "lun", false},
        Row{"_content", "only lung", true}, Row{"_content", "right lung", false}, Row{"_text", "only", true},
        Row{"_text", "lung", false}, Row{"_content", "right,left", true}}) {
    EXPECT_EQ(found(condition, name, value), yes) << name << '=' << value;
  }
}

TEST(Matches, TheRecordItselfHasAnIdAndATimeOfChange) {
  const std::string patient = R"({"resourceType":"Patient","id":"p1"})";
  for (const auto& [name, value, yes] :
       {Row{"_id", "p1", true}, Row{"_id", "x,p1", true}, Row{"_id", "P1", false},
        Row{"_lastUpdated", "2024-03-01", true}, Row{"_lastUpdated", "gt2024-03-01", false},
        Row{"_lastUpdated", "ge2024-03-01T08:00:00Z", true}, Row{"_lastUpdated", "lt2024-03-01T08:00:00Z", false},
        Row{"_lastUpdated", "sa2024-02", true}, Row{"_lastUpdated", "ne2024-03-01", false}}) {
    EXPECT_EQ(found(patient, name, value), yes) << name << '=' << value;
  }
}

TEST(Matches, FiltersCombine) {
  const std::string patient =
      R"({"resourceType":"Patient","gender":"male","name":[{"family":"Ng"}],"birthDate":"1980-02-01"})";
  for (const auto& [name, value, yes] :
       {Row{"_filter", "name eq ng and gender eq male", true}, Row{"_filter", "name eq n", false},
        Row{"_filter", "name ne n", true}, Row{"_filter", "name ne Ng", false}, Row{"_filter", "name sw n", true},
        Row{"_filter", "not (gender eq female)", true}, Row{"_filter", "gender ne male or name co g", true},
        Row{"_filter", "name ew g", true}, Row{"_filter", "name ew n", false},
        Row{"_filter", "birthdate po 1980", true}, Row{"_filter", "birthdate po 1981", false},
        Row{"_filter", "death-date pr false", true}, Row{"_filter", "death-date po 1981", false}}) {
    EXPECT_EQ(found(patient, name, value), yes) << value;
  }
}

TEST(Matches, ChainsAndReferrersAreAskedFor) {
  const auto document = json::Document::parse(
      R"({"resourceType":"Observation","id":"o","subject":{"reference":"Patient/1/_history/2"},
      "performer":[{"reference":"http://b.org/Practitioner/9"},{"reference":"Patient/2"}]})");
  std::vector<std::string> asked;
  MatchContext context{.chain =
                           [&](const Condition&, std::span<const std::string> targets) {
                             asked.assign(targets.begin(), targets.end());
                             return true;
                           },
                       .has =
                           [&](const Condition&, std::string_view reference) {
                             asked.assign(1, std::string(reference));
                             return false;
                           }};
  const auto ask = [&](const std::string& name) {
    const auto query = parse_query("Observation", Parameters{{name, "x"}}, false);
    return matches(query->conditions.at(0), document->root(), context);
  };
  EXPECT_TRUE(ask("subject:Patient.name"));
  EXPECT_THAT(asked, testing::ElementsAre("Patient/1"));
  EXPECT_TRUE(ask("performer:Practitioner.name"));
  EXPECT_THAT(asked, testing::ElementsAre("http://b.org/Practitioner/9"));
  EXPECT_FALSE(ask("_has:DiagnosticReport:result:code"));
  EXPECT_THAT(asked, testing::ElementsAre("Observation/o"));
  context.chain = nullptr;
  EXPECT_FALSE(ask("subject:Patient.name"));
}

TEST(Matches, NothingIsInAnEmptySet) {
  const auto document = json::Document::parse(R"({"resourceType":"Patient","gender":"male"})");
  Condition condition{.parameter = find_parameter("Patient", "gender"), .modifier = Modifier::in};
  EXPECT_FALSE(matches(condition, document->root(), {}));
  condition.modifier = Modifier::not_in;
  EXPECT_TRUE(matches(condition, document->root(), {}));
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view(",|$\\").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

// A question that the entry answers; nothing where it takes more than the entry to ask.
std::string question(const IndexEntry& entry) {
  if (entry.value.starts_with('\x1f')) return {};
  switch (entry.kind) {
    case Kind::token:
      return escape(entry.system) + '|' + escape(entry.value);
    case Kind::reference:  // a canonical that is no address would be taken for an id
      return entry.value.find_first_of("/:") == std::string::npos ? std::string() : escape(entry.value);
    case Kind::string:
    case Kind::uri:
      return escape(entry.value);
    case Kind::text:
      return entry.value;
    default:
      return {};
  }
}

TEST(Matches, APublishedExampleIsFoundByEachOfItsOwnEntries) {
  const std::filesystem::path folder = "../shared/data/fhir-r4-examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  std::size_t asked = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(file.path(), std::ios::binary);
    const auto document = json::Document::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
    if (!document) continue;
    std::uint16_t before = 0xFFFF;
    for (const IndexEntry& entry : extract(document->root())) {
      const auto value = question(entry);
      if (entry.contained || value.empty() || entry.parameter == before) continue;
      before = entry.parameter;  // the first of each parameter
      const Parameter& parameter = parameters()[entry.parameter];
      const auto query = parse_query(parameter.type, Parameters{{std::string(parameter.code), value}}, false);
      // A relative reference to a type that the parameter does not name is stored, but no question.
      if (!query && parameter.kind == Kind::reference) continue;
      ASSERT_TRUE(query) << file.path() << ' ' << parameter.code << '=' << value;
      EXPECT_TRUE(matches(query->conditions.at(0), document->root(), {.chain = {}, .has = {}}))
          << file.path() << ' ' << parameter.code << '=' << value;
      ++asked;
    }
  }
  EXPECT_GT(asked, 1'000U);
}

TEST(SortKey, ComparesAsTheValuesDo) {
  const auto key = [](const std::string& type, const std::string& code, const std::string& content,
                      bool descending = false) {
    const auto document = json::Document::parse(R"({"resourceType":")" + type + "\"," + content + "}");
    return sort_key(document->root(), {.parameter = find_parameter(type, code), .descending = descending});
  };
  const auto number = [&](const std::string& value) {
    return key("RiskAssessment", "probability", R"("prediction":[{"probabilityDecimal":)" + value + "}]").value();
  };
  const std::vector<std::string> ascending{"-1e9", "-2", "-0.5", "0", "0.001", "3", "10", "1e9"};
  for (std::size_t i = 1; i < ascending.size(); ++i) EXPECT_LT(number(ascending[i - 1]), number(ascending[i]));
  const auto born = [&](const std::string& date) {
    return key("Patient", "birthdate", R"("birthDate":")" + date + "\"").value();
  };
  EXPECT_LT(born("1950"), born("1969-12-31"));
  EXPECT_LT(born("1969-12-31"), born("1970-01-02"));
  const std::string names = R"("name":[{"family":"b"},{"family":"A"},{"family":"C"}])";
  EXPECT_EQ(key("Patient", "family", names), "a");
  EXPECT_EQ(key("Patient", "family", names, true), "c");
  EXPECT_EQ(key("Patient", "family", R"("active":true)"), std::nullopt);
  EXPECT_EQ(key("Patient", "_id", R"("id":"p")"), "p");
  EXPECT_TRUE(key("Patient", "_lastUpdated", R"("meta":{"lastUpdated":"2024-01-01T00:00:00Z"})"));
}

TEST(IndexDecides, ExceptWhereRowsOnlyNarrowDown) {
  struct Row3 {
    std::string type, name, value;
    bool decides;
  };
  for (const auto& [type, name, value, decides] :
       {Row3{"Patient", "name", "x", true}, Row3{"Patient", "name:exact", "x", false},
        Row3{"Patient", "name:contains", "x", true}, Row3{"Patient", "name:text", "x", false},
        Row3{"Patient", "_filter", "name ew x", false}, Row3{"ValueSet", "url:below", "http://a", false},
        Row3{"Observation", "code:text", "x", false}, Row3{"Observation", "value-quantity", "5", true},
        Row3{"Observation", "value-quantity", "5||mg", false}, Row3{"Location", "near", "1|1", false},
        Row3{"Observation", "code-value-quantity", "s|a$5", true},
        Row3{"Observation", "code-value-concept", "s|a$b", true},
        Row3{"Observation", "code-value-concept", "s|a$t|b", false},
        Row3{"Observation", "code-value-string", "a$b", false},
        Row3{"MolecularSequence", "chromosome-variant-coordinate", "1$2$3", false},
        Row3{"Observation", "subject:Patient.name:exact", "x", false}}) {
    const auto query = parse_query(type, Parameters{{name, value}}, false);
    ASSERT_TRUE(query) << name;
    EXPECT_EQ(index_decides(query->conditions.at(0)), decides) << name << '=' << value;
  }
}

}  // namespace
}  // namespace mydr24::search
