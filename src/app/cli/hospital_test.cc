#include "app/cli/hospital.h"

#include <gtest/gtest.h>

#include <set>

#include "base/json/document.h"
#include "clinical/vitals/news2.h"
#include "fhir/model/outcome.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validation/validation.h"

namespace mydr24::cli {
namespace {

const Instant start = from_us(1'709'294'400'000'000);

vitals::Inputs inputs_of(const SimulatedSigns& signs) {
  constexpr std::string_view letters = "ACVPU";
  vitals::Inputs inputs;
  inputs.respiration = signs.respiration;
  inputs.spo2 = signs.spo2;
  inputs.oxygen = signs.oxygen_flow > 0;
  inputs.systolic = signs.systolic;
  inputs.pulse = signs.pulse;
  inputs.consciousness = static_cast<vitals::Consciousness>(letters.find(signs.acvpu));
  inputs.temperature = signs.temperature;
  return inputs;
}

TEST(Hospital, EveryResourceIsValidR4AndMarkedAsTestData) {
  Hospital hospital({.patients = 30}, start);
  std::vector<SimulatedResource> all = hospital.buildings();
  for (std::size_t i = 0; i < hospital.patients(); ++i) {
    for (auto& resource : hospital.admission(i)) all.push_back(std::move(resource));
    const SimulatedSigns signs = hospital.observe(i, start + std::chrono::minutes(5));
    for (auto& resource : hospital.observations(i, signs, start, i % 2 == 0)) all.push_back(std::move(resource));
  }
  std::set<std::string> ids;
  for (const SimulatedResource& resource : all) {
    const auto document = json::Document::parse(resource.text);
    ASSERT_TRUE(document) << resource.text;
    static const auto validator = validation::Validator::base(terminology::Terminology::published());
    const auto issues = validator->validate(document->root(), {});
    ASSERT_TRUE(issues.empty()) << model::operation_outcome(issues) << "\n" << resource.text;
    EXPECT_EQ(document->root()["resourceType"].text(), resource.type);
    EXPECT_EQ(document->root()["id"].text(), resource.id);
    EXPECT_EQ(document->root()["meta"]["security"].at(0)["code"].text(), "HTEST");
    if (!resource.id.empty()) {
      EXPECT_TRUE(ids.insert(resource.type + resource.id).second) << resource.id;
    }
  }
}

TEST(Hospital, TheSameSeedGivesTheSamePeopleAndCourse) {
  Hospital one({.seed = 7, .patients = 5}, start);
  Hospital two({.seed = 7, .patients = 5}, start);
  Hospital other({.seed = 8, .patients = 5}, start);
  for (int minute = 0; minute < 10; ++minute) {
    const Instant at = start + std::chrono::minutes(minute);
    EXPECT_EQ(one.observations(3, one.observe(3, at), at, true)[0].text,
              two.observations(3, two.observe(3, at), at, true)[0].text);
  }
  EXPECT_EQ(one.admission(2)[0].text, two.admission(2)[0].text);
  EXPECT_NE(one.admission(2)[0].text, other.admission(2)[0].text);
}

TEST(Hospital, TheDeterioratingReachSevenWithinMinutesAndTheOthersStayLow) {
  const HospitalSettings settings{.patients = 60, .deteriorating = 4};
  Hospital hospital(settings, start);
  std::vector<int> worst(60);
  for (int second = 0; second <= 360; second += 5) {
    for (std::size_t i = 0; i < hospital.patients(); ++i) {
      const auto score = vitals::news2(inputs_of(hospital.observe(i, start + std::chrono::seconds(second))));
      ASSERT_TRUE(score.total);
      worst[i] = std::max(worst[i], *score.total);
    }
  }
  EXPECT_EQ(std::ranges::count_if(worst, [](int total) { return total >= 7; }), 4);
  EXPECT_EQ(std::ranges::count_if(worst, [](int total) { return total <= 4; }), 56);
}

TEST(Hospital, ThePatientsThatFellIllRecover) {
  Hospital hospital({.patients = 1, .deteriorating = 1}, start);
  int last = 0;
  for (int second = 0; second <= 3600; second += 20) {
    last = *vitals::news2(inputs_of(hospital.observe(0, start + std::chrono::seconds(second)))).total;
  }
  EXPECT_LE(last, 4);
}

TEST(Hospital, OnePatientGetsWorseAndRecoversWhenItIsSaid) {
  Hospital hospital(
      {.patients = 3, .deteriorating = 0, .decline = std::chrono::seconds(120), .recovery = std::chrono::seconds(60)},
      start);
  const auto total = [&](std::size_t number, int second) {
    return *vitals::news2(inputs_of(hospital.observe(number, start + std::chrono::seconds(second)))).total;
  };
  const auto pass = [&](int from, int to) {
    for (int second = from; second <= to; second += 5) EXPECT_LE(total(0, second), 4) << second;
    for (int second = from; second < to; second += 5) total(1, second);
    return total(1, to);
  };
  EXPECT_LE(pass(0, 100), 4);
  hospital.worsen(1);
  EXPECT_GE(pass(105, 230), 7);
  hospital.treat(1);
  EXPECT_LE(pass(235, 300), 4);
  hospital.treat(2);  // who is well stays so
  EXPECT_LE(total(2, 300), 4);
}

}  // namespace
}  // namespace mydr24::cli
