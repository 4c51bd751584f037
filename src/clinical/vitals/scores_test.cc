#include "clinical/vitals/scores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "clinical/vitals/crowding.h"

namespace mydr24::vitals {
namespace {

TEST(Glasgow, IsTheSumOfItsPartsAndNothingWithoutOne) {
  EXPECT_EQ(glasgow_coma_score(4, 5, 6), 15);
  EXPECT_EQ(glasgow_coma_score(1, 1, 1), 3);
  EXPECT_FALSE(glasgow_coma_score(4, std::nullopt, 6));
  EXPECT_FALSE(glasgow_coma_score(0, 5, 6));
  EXPECT_FALSE(glasgow_coma_score(5, 5, 6));
  EXPECT_FALSE(glasgow_coma_score(4, 5, 7));
}

TEST(QuickSofaScore, TurnsAtItsThresholds) {
  struct Row {
    QuickSofaInputs inputs;
    int points;
    bool complete;
  };
  const auto alert = Consciousness::alert;
  for (const Row& row :
       {Row{{21, 101, alert, {}}, 0, true}, Row{{22, 101, alert, {}}, 1, true}, Row{{21, 100, alert, {}}, 1, true},
        Row{{21, 101, Consciousness::confusion, {}}, 1, true}, Row{{21, 101, {}, 14}, 1, true},
        Row{{21, 101, alert, 15}, 0, true}, Row{{21, 101, alert, 14}, 1, true}, Row{{30, 80, {}, {}}, 2, false},
        Row{{30, 80, Consciousness::voice, {}}, 3, true}, Row{{{}, {}, {}, {}}, 0, false}}) {
    const QuickSofa score = quick_sofa(row.inputs);
    EXPECT_EQ(score.points(), row.points) << to_json(score);
    EXPECT_EQ(score.is_complete(), row.complete) << to_json(score);
    EXPECT_EQ(is_high_risk(score), row.points >= 2);
  }
  EXPECT_EQ(to_json(quick_sofa({22, 120, {}, {}})),
            R"({"points":1,"complete":false,"parts":{"respiration":1,"systolic":0,"mentation":null}})");
}

TEST(SirsScore, TurnsAtItsThresholdsAndTakesEitherMeasurement) {
  struct Row {
    SirsInputs inputs;
    int points;
    bool complete;
  };
  for (const Row& row : {Row{{38.0, 90, 20, {}, 12, {}}, 0, true}, Row{{38.1, 91, 21, {}, 12.1, {}}, 4, true},
                         Row{{36.0, 90, 20, 32, 4, 10}, 0, true}, Row{{35.9, 90, 20, 31.9, 3.9, {}}, 3, true},
                         Row{{37, 80, 16, {}, 8, 10.5}, 1, true}, Row{{37, 80, {}, 40, 8, {}}, 0, true},
                         Row{{37, 80, {}, {}, 8, {}}, 0, false}, Row{{39, 120, {}, {}, {}, {}}, 2, false}}) {
    const Sirs score = sirs(row.inputs);
    EXPECT_EQ(score.points(), row.points) << to_json(score);
    EXPECT_EQ(score.is_complete(), row.complete) << to_json(score);
    EXPECT_EQ(is_met(score), row.points >= 2);
  }
}

TEST(Crowding, InputsThatCannotBeAreRefusedByName) {
  const auto few = nedocs({.ed_beds = 0, .hospital_beds = 100});
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().where, "ed_beds");
  EXPECT_EQ(cedocs({.ed_beds = 10, .patients = -1}).error().where, "patients");
  EXPECT_EQ(nedocs_inputs(R"({"beds":1})").error().where, "beds");
  EXPECT_EQ(cedocs_inputs(R"({"ed_beds":"1"})").error().where, "ed_beds");
  const auto inputs = nedocs_inputs(
      R"({"ed_beds":60,"hospital_beds":400,"patients":35,"ventilated":2,"admitted":19,"longest_admitted_h":3,"longest_waiting_h":2})");
  ASSERT_TRUE(inputs);
  EXPECT_EQ(to_json(*nedocs(*inputs)),
            R"({"points":99,"level":3,"meaning":"extremely busy but not overcrowded","warnings":[]})");
}

TEST(Crowding, NoBedsAtAllIsTheWorst) {
  const auto score = cedocs({.ed_beds = 0, .visits_a_year = 3000, .patients = 10});
  ASSERT_TRUE(score);
  EXPECT_EQ(score->points, 200);
  EXPECT_EQ(score->level, Crowding::dangerously_overcrowded);
}

// ---- the published fixtures: lists of "code|name: value" under input and expected_output

const std::filesystem::path fixtures_folder = "../shared/data/clinical-scores-gdl2";

struct Fixture {
  std::string id;
  std::map<std::string, std::string, std::less<>> input;
  std::map<std::string, std::string, std::less<>> expected;

  // The number a field begins with, as in "111,mm[Hg]" and "0|local::at0016|No|".
  std::optional<double> in(std::string_view code) const { return number(input, code); }
  std::optional<double> out(std::string_view code) const { return number(expected, code); }
  std::string text(std::string_view code) const {
    const auto found = expected.find(code);
    return found == expected.end() ? std::string() : found->second;
  }

 private:
  static std::optional<double> number(const std::map<std::string, std::string, std::less<>>& fields,
                                      std::string_view code) {
    const auto found = fields.find(code);
    if (found == fields.end()) return std::nullopt;
    return std::strtod(found->second.c_str(), nullptr);
  }
};

std::vector<Fixture> read_fixtures(std::string_view name) {
  std::ifstream in(fixtures_folder / name);
  EXPECT_TRUE(in) << name;
  std::vector<Fixture> fixtures;
  bool expecting = false;
  for (std::string line; std::getline(in, line);) {
    std::string text;
    for (const char c : line)
      if (c != '\'' && c != '"' && (c != ' ' || !text.empty())) text += c;
    const auto bar = text.find('|');
    const auto colon = text.find(": ");
    if (text.starts_with("- id: ")) {
      fixtures.push_back({text.substr(6), {}, {}});
      expecting = false;
    } else if (text.starts_with("expected_output:")) {
      expecting = true;
    } else if (!fixtures.empty() && text.starts_with("gt") && bar < colon && colon != text.npos) {
      (expecting ? fixtures.back().expected : fixtures.back().input)[text.substr(0, bar)] = text.substr(colon + 2);
    }
  }
  return fixtures;
}

class Fixtures : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(fixtures_folder)) GTEST_SKIP() << fixtures_folder << " is not there";
  }
};

TEST_F(Fixtures, Of2022AgreeWithNews2InEveryPart) {
  const auto fixtures = read_fixtures("NEWS2.v1.gdl-lang-2022.test.yml");
  EXPECT_EQ(fixtures.size(), 19U);
  for (const Fixture& fixture : fixtures) {
    SCOPED_TRACE(fixture.id);
    const Score score =
        news2({.respiration = fixture.in("gt0015"),
               .spo2 = fixture.in("gt0007"),
               .spo2_scale = fixture.in("gt0013") > 0 ? 2 : 1,
               .oxygen = fixture.in("gt0016") > 0,
               .systolic = fixture.in("gt0005"),
               .pulse = fixture.in("gt0009"),
               .consciousness = fixture.in("gt0017") > 0 ? Consciousness::confusion : Consciousness::alert,
               .temperature = fixture.in("gt0011")});
    EXPECT_EQ(score.total, fixture.out("gt0019"));
    EXPECT_EQ(static_cast<int>(score.band), fixture.out("gt0021"));
    EXPECT_EQ(score[Parameter::pulse].points, fixture.out("gt0027"));
    EXPECT_EQ(score[Parameter::temperature].points, fixture.out("gt0029"));
    EXPECT_EQ(score[Parameter::systolic].points, fixture.out("gt0028"));
    EXPECT_EQ(score[Parameter::respiration].points, fixture.out("gt0025"));
    EXPECT_EQ(score[Parameter::spo2].points, fixture.out("gt0026"));
    // Of the monitoring: every 12 hours, 4-6 hours, hour, continuous.
    constexpr std::array intervals{720, 360, 60, 0};
    EXPECT_EQ(response_to(score).interval_min, intervals.at(static_cast<std::size_t>(*fixture.out("gt0022"))));
  }
}

// One of them labels a single parameter with 3 points "Low": the RCP's chart 2 says low-medium.
TEST_F(Fixtures, Of2026AgreeWithNews2ButForTheOneThatContradictsTheRcp) {
  const auto fixtures = read_fixtures("NEWS2.v1.openEHR-2026-one-case-contradicts-RCP.test.yml");
  EXPECT_EQ(fixtures.size(), 19U);
  std::size_t contradictions = 0;
  for (const Fixture& fixture : fixtures) {
    SCOPED_TRACE(fixture.id);
    const Score score =
        news2({.respiration = fixture.in("gt0011"),
               .spo2 = fixture.in("gt0005"),
               .spo2_scale = fixture.input.at("gt0016").contains("88-92") ? 2 : 1,
               .oxygen = fixture.in("gt0013") > 0,
               .systolic = fixture.in("gt0003"),
               .pulse = fixture.in("gt0007"),
               .consciousness = fixture.in("gt0014") > 0 ? Consciousness::confusion : Consciousness::alert,
               .temperature = fixture.in("gt0009")});
    EXPECT_EQ(score.total, fixture.out("gt0024"));
    const std::string risk = fixture.text("gt0025");
    constexpr std::array<std::string_view, 4> words{"|Low|", "|Low-medium|", "|Medium|", "|High|"};
    if (score.band == Band::low_medium && risk.contains("|Low|"))
      ++contradictions;
    else
      EXPECT_TRUE(risk.contains(words[static_cast<std::size_t>(score.band)])) << risk;
  }
  EXPECT_EQ(contradictions, 1U);
}

TEST_F(Fixtures, AgreeWithQuickSofa) {
  // The inputs are the answers themselves: a value on the right side of each threshold.
  const auto score_of = [](const Fixture& fixture) {
    return quick_sofa({.respiration = fixture.in("gt0004") > 0 ? 22 : 21,
                       .systolic = fixture.in("gt0005") > 0 ? 100 : 101,
                       .coma_score = fixture.in("gt0003") > 0 ? 14 : 15});
  };
  const auto first = read_fixtures("qSOFA.v1.test.yml");
  EXPECT_EQ(first.size(), 4U);
  for (const Fixture& fixture : first) {
    EXPECT_EQ(score_of(fixture).points(), fixture.out("gt0008")) << fixture.id;
    EXPECT_EQ(is_high_risk(score_of(fixture)), fixture.out("gt0018") > 0) << fixture.id;
  }
  const auto second = read_fixtures("Quick_SOFA_guideline.v1.test.yml");
  EXPECT_EQ(second.size(), 2U);
  for (const Fixture& fixture : second) {
    EXPECT_EQ(score_of(fixture).points(), fixture.out("gt0008")) << fixture.id;
    EXPECT_EQ(is_high_risk(score_of(fixture)), fixture.text("gt0010").contains("|High risk")) << fixture.id;
  }
}

TEST_F(Fixtures, AgreeWithSirsAndItsStages) {
  const auto fixtures = read_fixtures("SIRS_Sepsis_Septic_Shock_Criteria_guideline.v1.test.yml");
  EXPECT_EQ(fixtures.size(), 6U);
  const std::map<SepsisStage, std::string_view> words{{SepsisStage::none, "Not met SIRS"},
                                                      {SepsisStage::sirs, "SIRS criteria are met"},
                                                      {SepsisStage::sepsis, "Sepsis criteria are met"},
                                                      {SepsisStage::severe_sepsis, "Severe sepsis criteria"},
                                                      {SepsisStage::septic_shock, "Septic shock criteria"},
                                                      {SepsisStage::organ_dysfunction, "Multiple organ dysfunction"}};
  for (const Fixture& fixture : fixtures) {
    const Sirs score = sirs({.temperature = fixture.in("gt0003") > 0 ? 38.1 : 37,
                             .pulse = fixture.in("gt0004") > 0 ? 91 : 90,
                             .respiration = fixture.in("gt0005") > 0 ? 21 : 20,
                             .leukocytes = fixture.in("gt0006") > 0 ? 12.1 : 12});
    EXPECT_EQ(score.points(), fixture.out("gt0013")) << fixture.id;
    const SepsisStage stage = sepsis_stage(score, {.infection = fixture.in("gt0007") > 0,
                                                   .hypoperfusion = fixture.in("gt0008") > 0,
                                                   .refractory_hypotension = fixture.in("gt0009") > 0,
                                                   .organ_failure = fixture.in("gt0010") > 0});
    EXPECT_TRUE(fixture.text("gt0023").contains(words.at(stage))) << fixture.id << ": " << to_string(stage);
  }
}

TEST_F(Fixtures, AgreeWithTheGlasgowComaScale) {
  const auto fixtures = read_fixtures("GCS.v1.test.yml");
  EXPECT_EQ(fixtures.size(), 8U);
  for (const Fixture& fixture : fixtures) {
    const auto part = [&](std::string_view code) { return static_cast<int>(*fixture.in(code)); };
    EXPECT_EQ(glasgow_coma_score(part("gt0003"), part("gt0006"), part("gt0005")), fixture.out("gt0013")) << fixture.id;
  }
}

TEST_F(Fixtures, AgreeWithNedocs) {
  const auto fixtures = read_fixtures("NEDOCS_score_for_emergency_department_overcrowding.v1.test.yml");
  EXPECT_EQ(fixtures.size(), 6U);
  for (const Fixture& fixture : fixtures) {
    SCOPED_TRACE(fixture.id);
    const auto score = nedocs({.ed_beds = *fixture.in("gt0003"),
                               .hospital_beds = *fixture.in("gt0004"),
                               .patients = *fixture.in("gt0005"),
                               .ventilated = *fixture.in("gt0006"),
                               .admitted = *fixture.in("gt0007"),
                               .longest_admitted_h = *fixture.in("gt0008"),
                               .longest_waiting_h = *fixture.in("gt0009")});
    ASSERT_TRUE(score) << score.error().text;
    EXPECT_EQ(score->points, fixture.out("gt0016"));
    EXPECT_TRUE(fixture.text("gt0012").contains("Level " + std::to_string(static_cast<int>(score->level) + 1)));
  }
}

TEST_F(Fixtures, AgreeWithCedocs) {
  const auto fixtures = read_fixtures("CEDOCS_Score_Emergency_Department_Overcrowding.v1.test.yml");
  EXPECT_EQ(fixtures.size(), 23U);
  std::size_t scored = 0, refused = 0;
  for (const Fixture& fixture : fixtures) {
    if (fixture.input.empty()) continue;  // the intermediate results of no input at all
    SCOPED_TRACE(fixture.id);
    const auto score = cedocs({.ed_beds = *fixture.in("gt0008"),
                               .visits_a_year = *fixture.in("gt0007"),
                               .patients = *fixture.in("gt0003"),
                               .critical = *fixture.in("gt0005"),
                               .waiting_room = *fixture.in("gt0006"),
                               .longest_admitted_h = *fixture.in("gt0004"),
                               .scaling = fixture.in("gt0012").value_or(0)});
    const bool too_far =
        std::ranges::any_of(fixture.expected, [](const auto& field) { return field.second.contains("Too "); });
    ASSERT_EQ(!score, too_far);
    refused += too_far ? 1U : 0U;
    if (!score) continue;
    ++scored;
    EXPECT_EQ(score->points, fixture.out("gt0022"));
    EXPECT_TRUE(fixture.text("gt0023").contains("Level " + std::to_string(static_cast<int>(score->level) + 1)));
    const bool warned =
        std::ranges::any_of(fixture.expected, [](const auto& field) { return field.second.contains("double-check"); });
    EXPECT_EQ(!score->warnings.empty(), warned);
  }
  EXPECT_EQ(scored, 10U);
  EXPECT_EQ(refused, 12U);
}

}  // namespace
}  // namespace mydr24::vitals
