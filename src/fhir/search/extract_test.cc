#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/core/date_time.h"
#include "fhir/search/search.h"

namespace mydr24::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string time(std::int64_t us) {
  return us == open_start || us == open_end ? "" : format_instant(from_us(us)).substr(0, 16);
}

// The entries of one parameter as text.
std::vector<std::string> found_by(std::string_view code, const std::string& resource) {
  const auto document = json::Document::parse(resource);
  if (!document) return {"parse: " + document.error().text};
  std::vector<std::string> out;
  for (const IndexEntry& entry : extract(document->root())) {
    const Parameter& parameter = parameters()[entry.parameter];
    EXPECT_EQ(parameter.kind, entry.kind);
    if (parameter.code != code) continue;
    if (entry.kind == Kind::date)
      out.push_back(time(entry.low) + ".." + time(entry.high));
    else if (entry.kind == Kind::token)
      out.push_back(entry.system + '|' + entry.value);
    else if (entry.kind == Kind::number || entry.kind == Kind::position)
      out.push_back(fmt::format("{:g}..{:g}", entry.from, entry.to));
    else if (entry.kind == Kind::quantity)
      out.push_back(fmt::format("{:g}..{:g} {}", entry.from, entry.to, entry.system));
    else if (entry.kind == Kind::composite)
      out.push_back(fmt::format("{}|{} {:g} {}", entry.system, entry.value, entry.from, entry.unit));
    else
      out.push_back(entry.value);
  }
  return out;
}

TEST(Extract, APatientIsFoundByItsNamesGenderBirthDateAndIdentifiers) {
  const std::string patient =
      R"({"resourceType":"Patient","id":"p","active":true,"gender":"female","birthDate":"1980-02",
    "name":[{"use":"official","text":"Zoë  Ng","family":"Ng","given":["Zoë",null,"Ana"],"_given":[null,{"id":"x"},null],
      "prefix":["Dr."],"period":{"start":"2000"}},{"family":"NG"}],
    "identifier":[{"system":"urn:a","value":"1"},{"value":"2"},{"system":"urn:b"}],"contact":[{"name":{"family":"Other"}}]})";
  EXPECT_THAT(found_by("name", patient), UnorderedElementsAre("zoe ng", "ng", "zoe", "ana", "dr."));
  EXPECT_THAT(found_by("family", patient), ElementsAre("ng"));
  EXPECT_THAT(found_by("given", patient), ElementsAre("ana", "zoe"));
  EXPECT_THAT(found_by("gender", patient), ElementsAre("|female"));
  EXPECT_THAT(found_by("birthdate", patient), ElementsAre("1980-02-01T00:00..1980-03-01T00:00"));
  EXPECT_THAT(found_by("identifier", patient), UnorderedElementsAre("urn:a|1", "|2"));
}

TEST(Extract, AnObservationIsFoundByCodeSubjectStatusAndDate) {
  const std::string observation = R"({"resourceType":"Observation","status":"final","code":{"text":"Oxygen","coding":[
    {"system":"http://loinc.org","code":"59408-5"},{"system":"http://loinc.org","code":"59408-5","display":"x"},{"code":"spo2"}]},
    "subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-03-01T08:00:00+01:00"})";
  EXPECT_THAT(found_by("code", observation), UnorderedElementsAre("http://loinc.org|59408-5", "|spo2"));
  EXPECT_THAT(found_by("status", observation), ElementsAre("|final"));
  EXPECT_THAT(found_by("subject", observation), ElementsAre("Patient/1"));
  EXPECT_THAT(found_by("patient", observation), ElementsAre("Patient/1"));
  EXPECT_THAT(found_by("date", observation), ElementsAre("2024-03-01T07:00..2024-03-01T07:00"));
}

TEST(Extract, OnlyAReferenceToAPatientIsFoundByPatient) {
  struct Row {
    std::string reference;
    bool subject, patient;
  };
  for (const auto& [reference, subject, patient] :
       {Row{R"("reference":"Patient/1")", true, true}, Row{R"("reference":"Patient/1/_history/2")", true, true},
        Row{R"("reference":"http://a.org/fhir/Patient/1")", true, true}, Row{R"("reference":"Group/1")", true, false},
        Row{R"("reference":"http://a.org/Group/1")", true, false}, Row{R"("reference":"urn:uuid:1")", true, false},
        Row{R"("reference":"urn:uuid:1","type":"Patient")", true, true}, Row{R"("reference":"#p")", false, false},
        Row{R"("identifier":{"value":"1"})", true, true},
        Row{R"("type":"Group","identifier":{"value":"1"})", true, false}}) {
    const std::string resource = R"({"resourceType":"Observation","subject":{)" + reference + "}}";
    EXPECT_EQ(!found_by("subject", resource).empty(), subject) << reference;
    EXPECT_EQ(!found_by("patient", resource).empty(), patient) << reference;
  }
}

TEST(Extract, DatesPeriodsAndTimingsBecomeRanges) {
  const auto dates = [](const std::string& effective) {
    return found_by("date", R"({"resourceType":"Observation",)" + effective + "}");
  };
  EXPECT_THAT(dates(R"("effectiveDateTime":"2024")"), ElementsAre("2024-01-01T00:00..2025-01-01T00:00"));
  EXPECT_THAT(dates(R"("effectiveInstant":"2024-01-01T00:00:00Z")"), ElementsAre("2024-01-01T00:00..2024-01-01T00:00"));
  EXPECT_THAT(dates(R"("effectivePeriod":{"start":"2024-01-02","end":"2024-01-03"})"),
              ElementsAre("2024-01-02T00:00..2024-01-04T00:00"));
  EXPECT_THAT(dates(R"("effectivePeriod":{"start":"2024-01-02"})"), ElementsAre("2024-01-02T00:00.."));
  EXPECT_THAT(dates(R"("effectivePeriod":{"end":"2024-01-03"})"), ElementsAre("..2024-01-04T00:00"));
  EXPECT_THAT(dates(R"("effectivePeriod":{"id":"x"})"), IsEmpty());
  EXPECT_THAT(dates(R"("effectivePeriod":{"start":"2025","end":"2023"})"), IsEmpty());
  EXPECT_THAT(dates(R"("effectiveTiming":{"event":["2024-01-05","2024-01-02"]})"),
              ElementsAre("2024-01-02T00:00..2024-01-06T00:00"));
  EXPECT_THAT(dates(R"("effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2024-01-02"}}})"),
              ElementsAre("2024-01-02T00:00.."));
  EXPECT_THAT(dates(R"("effectiveTiming":{"code":{"text":"daily"}})"), IsEmpty());
  EXPECT_THAT(dates(R"("effectiveDateTime":"soon")"), IsEmpty());
}

TEST(Extract, EntriesAreSortedAndThereOnce) {
  const auto document = json::Document::parse(
      R"({"resourceType":"Patient","name":[{"family":"b"},{"family":"a"},{"family":"B"}],"gender":"male"})");
  const auto entries = extract(document->root());
  EXPECT_TRUE(std::ranges::is_sorted(entries));
  EXPECT_EQ(std::ranges::adjacent_find(entries), entries.end());
  // family, name and phonetic a and b; gender; deceased; _content
  EXPECT_EQ(entries.size(), 9U);
}

TEST(Extract, WhatIsNoKnownResourceHasNoEntries) {
  for (const auto* text :
       {"{}", "[]", "1", R"({"resourceType":"Patent"})", R"({"resourceType":"Binary","data":"eA=="})"}) {
    const auto document = json::Document::parse(text);
    EXPECT_TRUE(extract(document->root()).empty()) << text;
  }
}

TEST(Extract, AResourceHasALimitedNumberOfEntries) {
  std::string text = R"({"resourceType":"Patient","identifier":[)";
  for (std::size_t i = 0; i < index_entries_max + 10; ++i) text += fmt::format(R"({{"value":"{}"}},)", i);
  text += R"({"value":"last"}]})";
  const auto document = json::Document::parse(text);
  EXPECT_EQ(extract(document->root()).size(), index_entries_max);
}

TEST(Extract, TokensAreFoundInEveryTypeThatCarriesCodes) {
  const std::string patient =
      R"({"resourceType":"Patient","active":true,"deceasedDateTime":"2020","telecom":[{"system":"email","value":"a@b.org"},
      {"system":"phone","value":"1"}],"identifier":[{"type":{"coding":[{"system":"urn:t","code":"MR"}]},"value":"7"}],
      "meta":{"tag":[{"system":"urn:g","code":"x"}],"security":[{"code":"R"}]}})";
  EXPECT_THAT(found_by("active", patient), ElementsAre("|true"));
  EXPECT_THAT(found_by("deceased", patient), ElementsAre("|true"));
  EXPECT_THAT(found_by("email", patient), ElementsAre("email|a@b.org"));
  EXPECT_THAT(found_by("telecom", patient), UnorderedElementsAre("email|a@b.org", "phone|1"));
  EXPECT_THAT(found_by("identifier", patient), UnorderedElementsAre("|7",
                                                                    "urn:t|MR|\x1f"
                                                                    "7"));
  EXPECT_THAT(found_by("_tag", patient), ElementsAre("urn:g|x"));
  EXPECT_THAT(found_by("_security", patient), ElementsAre("|R"));
  EXPECT_THAT(found_by("deceased", R"({"resourceType":"Patient","deceasedBoolean":false})"), ElementsAre("|false"));
  EXPECT_THAT(found_by("deceased", R"({"resourceType":"Patient","deceasedBoolean":true})"), ElementsAre("|true"));
}

TEST(Extract, NumbersAreExactAndRangesHaveTheirEnds) {
  const auto risk = [](const std::string& probability) {
    return found_by("probability", R"({"resourceType":"RiskAssessment","prediction":[{)" + probability + "}]}");
  };
  EXPECT_THAT(risk(R"("probabilityDecimal":0.25)"), ElementsAre("0.25..0.25"));
  EXPECT_THAT(risk(R"("probabilityRange":{"low":{"value":1},"high":{"value":3}})"), ElementsAre("1..3"));
  EXPECT_THAT(risk(R"("probabilityRange":{"low":{"value":1}})"), ElementsAre("1..inf"));
  EXPECT_THAT(risk(R"("probabilityRange":{"high":{"value":3}})"), ElementsAre("-inf..3"));
}

TEST(Extract, AQuantityIsFoundAsWrittenAndInCanonicalUnits) {
  const auto value = [](const std::string& quantity) {
    return found_by("value-quantity", R"({"resourceType":"Observation","valueQuantity":{)" + quantity + "}}");
  };
  const std::string ucum = R"(,"system":"http://unitsofmeasure.org","code":)";
  EXPECT_THAT(value(R"("value":5.4)" + ucum + R"("mg")"), UnorderedElementsAre("5.4..5.4 ", "0.0054..0.0054 ucum|g"));
  EXPECT_THAT(value(R"("value":0.0054)" + ucum + R"("g")"),
              UnorderedElementsAre("0.0054..0.0054 ", "0.0054..0.0054 ucum|g"));
  EXPECT_THAT(value(R"("value":5,"comparator":"<")" + ucum + R"("g")"),
              UnorderedElementsAre("-inf..5 ", "-inf..5 ucum|g"));
  EXPECT_THAT(value(R"("value":5,"comparator":">=")" + ucum + R"("g")"),
              UnorderedElementsAre("5..inf ", "5..inf ucum|g"));
  EXPECT_THAT(value(R"("value":5,"unit":"drops")"), ElementsAre("5..5 "));
  EXPECT_THAT(value(R"("value":5,"system":"urn:u","code":"drop")"), UnorderedElementsAre("5..5 ", "5..5 urn:u|drop"));
  EXPECT_THAT(value(R"("value":5)" + ucum + R"("nonsense")"),
              UnorderedElementsAre("5..5 ", "5..5 http://unitsofmeasure.org|nonsense"));
  EXPECT_THAT(value(R"("unit":"mg")"), IsEmpty());
  EXPECT_THAT(found_by("value-quantity",
                       R"({"resourceType":"Observation","valueSampledData":{"origin":{"value":10},"period":1,"factor":2,
                       "dimensions":1,"data":"-1 E 3 0.5"}})"),
              ElementsAre("8..16 "));
  EXPECT_THAT(found_by("totalgross",
                       R"({"resourceType":"Invoice","status":"issued","totalGross":{"value":9.5,"currency":"EUR"}})"),
              UnorderedElementsAre("9.5..9.5 ", "9.5..9.5 urn:iso:std:iso:4217|EUR"));
}

TEST(Extract, EqualAmountsInDifferentUnitsHaveTheSameEntry) {
  const auto entry = [](const std::string& value, const std::string& unit) {
    const auto document = json::Document::parse(
        R"({"resourceType":"Observation","valueQuantity":{"system":"http://unitsofmeasure.org","value":)" + value +
        R"(,"code":")" + unit + "\"}}");
    return extract(document->root(), *find_parameter("Observation", "value-quantity")).back();
  };
  struct Row {
    const char *value, *unit, *other_value, *other_unit;
  };
  for (const auto& [value, unit, other_value, other_unit] :
       {Row{"5.4", "mg", "0.0054", "g"}, Row{"0.1", "g", "100", "mg"}, Row{"1.7", "kg", "1700", "g"},
        Row{"98.6", "[degF]", "37", "Cel"}, Row{"3", "cm", "30", "mm"}}) {
    EXPECT_EQ(entry(value, unit), entry(other_value, other_unit)) << value << unit;
  }
}

TEST(Extract, AReferenceIsFoundWithAndWithoutItsVersionAndByItsIdentifier) {
  const auto subject = [](const std::string& reference) {
    return found_by("subject", R"({"resourceType":"Observation","subject":{)" + reference + "}}");
  };
  EXPECT_THAT(subject(R"("reference":"Patient/1/_history/2")"), ElementsAre("Patient/1", "Patient/1/_history/2"));
  EXPECT_THAT(subject(R"("identifier":{"system":"urn:s","value":"7"})"), UnorderedElementsAre("\x1furn:s|7",
                                                                                              "\x1f\x1f"
                                                                                              "7"));
  EXPECT_THAT(found_by("instantiates-canonical",
                       R"({"resourceType":"CarePlan","instantiatesCanonical":["http://a.org/plan|1"]})"),
              ElementsAre("http://a.org/plan", "http://a.org/plan|1"));
  EXPECT_THAT(found_by("url", R"({"resourceType":"ValueSet","url":"http://a.org/vs"})"),
              ElementsAre("http://a.org/vs"));
  const std::string bundle =
      R"({"resourceType":"Bundle","type":"document","entry":[{"resource":{"resourceType":"Composition","id":"c"}},
         {"resource":{"resourceType":"Composition","id":"d"}}]})";
  EXPECT_THAT(found_by("composition", bundle), ElementsAre("Composition/c"));
  EXPECT_THAT(found_by("message", bundle), IsEmpty());
  EXPECT_THAT(found_by("derived-from", R"({"resourceType":"Library","relatedArtifact":[
      {"type":"derived-from","resource":"http://a.org/1"},{"type":"depends-on","resource":"http://a.org/2"}]})"),
              ElementsAre("http://a.org/1"));
}

TEST(Extract, ACompositeJoinsThePartsOfOneElement) {
  const std::string pressure =
      R"({"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"component":[
      {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":107,"unit":"mmHg"}},
      {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":60,"unit":"mmHg"}}]})";
  EXPECT_THAT(found_by("component-code-value-quantity", pressure),
              UnorderedElementsAre("http://loinc.org|8480-6 107 ", "http://loinc.org|8462-4 60 "));
  EXPECT_THAT(found_by("combo-code-value-quantity", pressure), testing::SizeIs(2));
  EXPECT_THAT(found_by("code-value-quantity", pressure), IsEmpty());
  EXPECT_THAT(found_by("code-value-concept",
                       R"({"resourceType":"Observation","code":{"coding":[{"code":"a"},{"system":"s","code":"b"}]},
                       "valueCodeableConcept":{"coding":[{"system":"t","code":"v"}]}})"),
              UnorderedElementsAre("|a$v 0 ", "s|b$v 0 "));
  EXPECT_THAT(found_by("code-value-string",
                       R"({"resourceType":"Observation","code":{"coding":[{"code":"a"}]},"valueString":"Zoë B"})"),
              ElementsAre("|a$zoe b 0 "));
  EXPECT_THAT(found_by("chromosome-variant-coordinate",
                       R"({"resourceType":"MolecularSequence","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]}},
                       "variant":[{"start":10,"end":20}]})"),
              ElementsAre("|1 10 "));
}

TEST(Extract, APositionHasItsDegrees) {
  EXPECT_THAT(found_by("near", R"({"resourceType":"Location","position":{"longitude":-83.7,"latitude":42.25}})"),
              ElementsAre("42.25..-83.7"));
}

TEST(Extract, WordsOfTheContentAreThoseAPersonWouldRead) {
  const std::string text =
      R"({"resourceType":"Condition","id":"secret-id","code":{"text":"Pneumonia, left","coding":[{"system":"http://snomed.info/sct",
      "code":"233604007","display":"PNEUMONIA"}]},"subject":{"reference":"Patient/hidden","display":"Zoë Ng"},
      "text":{"status":"generated","div":"<div><p class=\"grey\">Lung&amp;Heart &#233;t&eacute; <b>it's</b></p><!-- no --></div>"}})";
  EXPECT_THAT(found_by("_content", text), ElementsAre("lung heart et it s pneumonia left 233604007 zoe ng generated "));
  EXPECT_THAT(found_by("_text", text), ElementsAre("lung heart et it s "));
}

TEST(Extract, AContainedResourceIsFoundByItsOwnParameters) {
  const auto document = json::Document::parse(
      R"({"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","id":"m","code":{"coding":[{"code":"aspirin"}]}}],
      "medicationReference":{"reference":"#m"}})");
  std::size_t found = 0;
  for (const auto& entry : extract(document->root())) {
    if (!entry.contained) continue;
    EXPECT_EQ(parameters()[entry.parameter].type, "Medication");
    EXPECT_NE(entry.kind, Kind::text);
    found += entry.value == "aspirin" ? 1 : 0;
  }
  EXPECT_EQ(found, 1U);
}

TEST(Extract, TheEntriesOfOneParameterAreThoseOfAllThatAreItsOwn) {
  const auto document = json::Document::parse(
      R"({"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},"valueQuantity":{"value":1},
      "subject":{"reference":"Patient/1"},"effectiveDateTime":"2024","text":{"div":"<div>x</div>"}})");
  const auto all = extract(document->root());
  for (const Parameter& parameter : parameters_of("Observation")) {
    std::vector<IndexEntry> own;
    std::ranges::copy_if(all, std::back_inserter(own),
                         [&](const IndexEntry& entry) { return entry.parameter == parameter.number; });
    EXPECT_EQ(extract(document->root(), parameter), own) << parameter.code;
  }
}

TEST(Extract, PublishedExamplesAreFoundByTheirStatusAndIdentifier) {
  const std::filesystem::path folder = "../shared/data/fhir-r4-examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not here";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    std::ifstream stream(file.path(), std::ios::binary);
    const auto document = json::Document::parse(std::string(std::istreambuf_iterator<char>(stream), {}));
    ASSERT_TRUE(document) << file.path();
    const auto resource = document->root();
    const auto entries = extract(resource);
    for (const auto* code : {"status", "gender"}) {
      const Parameter* parameter = find_parameter(resource["resourceType"].text(), code);
      if (parameter == nullptr || !resource[code].is_string()) continue;
      const auto is_it = [&](const IndexEntry& e) {
        return e.parameter == parameter->number && e.value == resource[code].text();
      };
      EXPECT_TRUE(std::ranges::any_of(entries, is_it)) << file.path() << ' ' << code;
    }
  }
}

}  // namespace
}  // namespace mydr24::search
