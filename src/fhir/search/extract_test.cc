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
        Row{R"("identifier":{"value":"1"})", false, false}}) {
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
  EXPECT_EQ(entries.size(), 5U);
}

TEST(Extract, WhatIsNoKnownResourceHasNoEntries) {
  for (const auto* text :
       {"{}", "[]", "1", R"({"resourceType":"Patent"})", R"({"resourceType":"Binary","contentType":"x"})"}) {
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
