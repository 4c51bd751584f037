#include "clinical/vitals/signs.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <tuple>

#include "base/core/date_time.h"

namespace mydr24::vitals {
namespace {

const Instant otherwise = from_us(1'700'000'000'000'000);

Signs read(const std::string& text) {
  const auto document = json::Document::parse(text);
  EXPECT_TRUE(document) << text;
  return read_signs(document->root(), otherwise);
}

std::string observation(std::string_view code, std::string_view members, std::string_view system = "http://loinc.org") {
  return fmt::format(
      R"({{"resourceType":"Observation","status":"final","code":{{"coding":[{{"system":"{}","code":"{}"}}]}},)"
      R"("subject":{{"reference":"Patient/1"}},{}}})",
      system, code, members);
}

std::string quantity(std::string_view code, std::string_view value, std::string_view unit) {
  return observation(
      code,
      fmt::format(R"("valueQuantity":{{"value":{},"system":"http://unitsofmeasure.org","code":"{}"}})", value, unit));
}

constexpr std::string_view snomed = "http://snomed.info/sct";

std::string coded(std::string_view code, std::string_view value, std::string_view system = snomed) {
  return observation(code, fmt::format(R"("valueCodeableConcept":{{"coding":[{{"system":"s","code":"{}"}}]}})", value),
                     system);
}

TEST(Signs, ReadsEveryCodeInItsCanonicalUnit) {
  struct Row {
    std::string text;
    Sign sign;
    double value;
  };
  for (const Row& row : {
           Row{quantity("9279-1", "18", "/min"), Sign::respiration, 18},
           Row{quantity("9279-1", "18.0000", "{breaths}/min"), Sign::respiration, 18},
           Row{quantity("8867-4", "85", "{beats}/min"), Sign::pulse, 85},
           Row{observation("8867-4", R"("valueQuantity":{"value":85,"unit":"beats/minute"})"), Sign::pulse, 85},
           Row{observation("8867-4", R"("valueQuantity":{"value":85})"), Sign::pulse, 85},
           Row{quantity("2708-6", "98", "%"), Sign::spo2, 98},
           Row{quantity("59408-5", "0.975", "1"), Sign::spo2, 97.5},
           Row{observation("2708-6", R"("valueQuantity":{"value":97})"), Sign::spo2, 97},
           Row{quantity("8310-5", "37.2", "Cel"), Sign::temperature, 37.2},
           Row{quantity("8310-5", "100.4", "[degF]"), Sign::temperature, 38.0},
           Row{observation("8310-5", R"("valueQuantity":{"value":98.6,"unit":"F"})"), Sign::temperature, 37.0},
           Row{quantity("8310-5", "310.15", "K"), Sign::temperature, 37.0},
           Row{quantity("8480-6", "120", "mm[Hg]"), Sign::systolic, 120},
           Row{quantity("8480-6", "16", "kPa"), Sign::systolic, 120.00987},
           Row{quantity("3151-8", "2", "L/min"), Sign::oxygen, 1},
           Row{quantity("3151-8", "0", "L/min"), Sign::oxygen, 0},
           Row{quantity("3150-6", "40", "%"), Sign::oxygen, 1},
           Row{quantity("3150-0", "21", "%"), Sign::oxygen, 0},
           Row{quantity("8889-8", "71", "/min"), Sign::pulse_oximetry, 71},
           Row{quantity("6690-2", "12.5", "10*9/L"), Sign::leukocytes, 12.5},
           Row{quantity("26464-8", "12500", "/uL"), Sign::leukocytes, 12.5},
           Row{quantity("764-1", "11", "%"), Sign::bands, 11},
           Row{quantity("2019-8", "4", "kPa"), Sign::paco2, 30.002467},
           Row{quantity("9267-6", "4", "{score}"), Sign::coma_eyes, 4},
           Row{coded("1104441000000107", "248234008"), Sign::consciousness, 0},
           Row{coded("1104441000000107", "130987000"), Sign::consciousness, 1},
           Row{coded("1104441000000107", "V"), Sign::consciousness, 2},
           Row{coded("67775-7", "LA9343-0", "http://loinc.org"), Sign::consciousness, 4},
           Row{observation("67775-7", R"("valueString":"Alert")"), Sign::consciousness, 0},
           Row{observation("spo2-scale", R"("valueInteger":2)", "https://mydr24.org/fhir/CodeSystem/vitals"),
               Sign::spo2_scale, 2},
           Row{observation("1104321000000108", R"("valueInteger":0)", snomed), Sign::spo2_scale, 2},
           Row{observation("1104311000000102", R"("valueInteger":0)", snomed), Sign::spo2_scale, 1},
           Row{coded("82810-3", "77386006", "http://loinc.org"), Sign::pregnancy, 1},
       }) {
    const Signs signs = read(row.text);
    ASSERT_EQ(signs.readings.size(), 1U) << row.text << (signs.findings.empty() ? "" : signs.findings[0].text);
    EXPECT_EQ(signs.readings[0].sign, row.sign) << row.text;
    EXPECT_NEAR(signs.readings[0].value, row.value, 1e-4) << row.text;
  }
}

TEST(Signs, WhatCannotBeReadSafelyIsAFindingAndNotAGuess) {
  for (const std::string& text : {
           quantity("8310-5", "36.5", "[degF]"),                        // Celsius under a Fahrenheit code
           quantity("8310-5", "98.6", "Cel"),                           // and the other way round
           observation("8310-5", R"("valueQuantity":{"value":37.0})"),  // no unit
           observation("8480-6", R"("valueQuantity":{"value":120})"),   // no unit
           observation("2708-6", R"("valueQuantity":{"value":0.9})"),   // a fraction or 0.9 %?
           quantity("8867-4", "85", "Hz"),
           quantity("2708-6", "130", "%"),
           quantity("8480-6", "0", "mm[Hg]"),
           observation("8867-4", R"("valueString":"fast")"),
           coded("1104441000000107", "12345"),
           quantity("9269-2", "2", "{score}"),
           observation("spo2-scale", R"("valueInteger":3)", "https://mydr24.org/fhir/CodeSystem/vitals"),
       }) {
    const Signs signs = read(text);
    EXPECT_TRUE(signs.readings.empty()) << text;
    EXPECT_EQ(signs.findings.size(), 1U) << text;
  }
}

double value_of(const Signs& signs, Sign sign) {
  for (const Reading& reading : signs.readings)
    if (reading.sign == sign) return reading.value;
  return -1;
}

TEST(Signs, AComaScoreTellsTheConsciousnessAndComesOfItsPartsToo) {
  for (const auto& [text, score, consciousness] :
       {std::tuple{quantity("9269-2", "15", "{score}"), 15, 0}, std::tuple{quantity("9269-2", "14", "{score}"), 14, 1},
        std::tuple{observation("9269-2", R"("valueInteger":15)"), 15, 0}}) {
    const Signs signs = read(text);
    EXPECT_EQ(value_of(signs, Sign::coma_score), score);
    EXPECT_EQ(value_of(signs, Sign::consciousness), consciousness);
  }
  const auto part = [](std::string_view code, int value) {
    return fmt::format(R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},"valueInteger":{}}})",
                       code, value);
  };
  const Signs signs = read(fmt::format(
      R"({{"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"85353-1"}}]}},"component":[{},{},{}]}})",
      part("9267-6", 3), part("9270-0", 4), part("9268-4", 5)));
  EXPECT_EQ(value_of(signs, Sign::coma_score), 12);
  EXPECT_EQ(value_of(signs, Sign::consciousness), 1);
  EXPECT_FALSE(read(quantity("9267-6", "5", "{score}")).findings.empty());
}

TEST(Signs, AnAbsentValueIsNeitherASignNorAFinding) {
  for (const std::string_view code : {"8310-5", "2708-6", "8867-4"}) {
    const Signs signs = read(observation(code, R"("dataAbsentReason":{"coding":[{"code":"unknown"}]})"));
    EXPECT_TRUE(signs.readings.empty());
    EXPECT_TRUE(signs.findings.empty());
  }
}

TEST(Signs, APanelIsReadThroughItsComponents) {
  const auto component = [](std::string_view code, std::string_view value, std::string_view unit) {
    return fmt::format(R"({{"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},)"
                       R"("valueQuantity":{{"value":{},"system":"http://unitsofmeasure.org","code":"{}"}}}})",
                       code, value, unit);
  };
  const Signs pressure =
      read(observation("85354-9", fmt::format(R"("component":[{},{}])", component("8480-6", "81", "mm[Hg]"),
                                              component("8462-4", "38", "mm[Hg]"))));
  ASSERT_EQ(pressure.readings.size(), 1U);
  EXPECT_EQ(pressure.readings[0].value, 81);
  const Signs oximetry =
      read(observation("2708-6", fmt::format(R"("valueQuantity":{{"value":95,"code":"%"}},"component":[{}])",
                                             component("3151-8", "6", "L/min"))));
  ASSERT_EQ(oximetry.readings.size(), 2U);
  EXPECT_EQ(oximetry.readings[1].sign, Sign::oxygen);
  const Signs two =
      read(observation("85354-9", fmt::format(R"("component":[{},{}])", component("8480-6", "81", "mm[Hg]"),
                                              component("8480-6", "120", "mm[Hg]"))));
  EXPECT_EQ(two.findings.size(), 1U);
}

TEST(Signs, TakesTheTimeOfTheMeasurementWhereThereIsOne) {
  struct Row {
    std::string_view members;
    std::string_view at;
  };
  for (const Row& row : {
           Row{R"("effectiveDateTime":"2024-03-01T08:00:00+01:00","issued":"2024-03-02T00:00:00Z")",
               "2024-03-01T07:00:00.000Z"},
           Row{R"("effectiveInstant":"2024-03-01T08:00:00Z")", "2024-03-01T08:00:00.000Z"},
           Row{R"("effectivePeriod":{"start":"2024-03-01T08:00:00Z","end":"2024-03-01T09:00:00Z"})",
               "2024-03-01T09:00:00.000Z"},
           Row{R"("effectivePeriod":{"start":"2024-03-01T08:00:00Z"})", "2024-03-01T08:00:00.000Z"},
           Row{R"("issued":"2024-03-02T00:00:00Z")", "2024-03-02T00:00:00.000Z"},
           Row{R"("valueString":"x")", "2023-11-14T22:13:20.000Z"},
       }) {
    const auto expected = parse_date_time(row.at)->low;
    EXPECT_EQ(read(observation("8867-4", row.members)).at, expected) << row.members;
  }
}

TEST(Signs, ATakenBackObservationHasNoSigns) {
  for (const std::string_view status : {"entered-in-error", "cancelled"}) {
    std::string text = quantity("8867-4", "85", "/min");
    text.replace(text.find("final"), 5, status);
    EXPECT_TRUE(read(text).readings.empty());
  }
}

TEST(Signs, KnowsAVitalSignByItsCodeAndAPatientByItsReference) {
  const auto vital = json::Document::parse(quantity("8867-4", "85", "/min"));
  const auto laboratory = json::Document::parse(quantity("2345-7", "85", "mg/dL"));
  const auto wrong_system = json::Document::parse(observation("8867-4", R"("valueInteger":1)", "http://example.org"));
  EXPECT_TRUE(is_vital(vital->root()));
  EXPECT_FALSE(is_vital(laboratory->root()));
  EXPECT_FALSE(is_vital(wrong_system->root()));
  EXPECT_EQ(patient_of(vital->root()), "1");
  for (const auto& [reference, id] :
       std::vector<std::pair<std::string, std::string>>{{"Patient/12/_history/3", "12"},
                                                        {"Group/1", ""},
                                                        {"https://other.example.org/Patient/1", ""},
                                                        {"urn:uuid:1", ""}}) {
    const auto document = json::Document::parse(fmt::format(R"({{"subject":{{"reference":"{}"}}}})", reference));
    EXPECT_EQ(patient_of(document->root()), id);
  }
}

}  // namespace
}  // namespace mydr24::vitals
