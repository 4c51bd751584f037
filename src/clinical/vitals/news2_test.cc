#include "clinical/vitals/news2.h"

#include <gtest/gtest.h>

#include "clinical/vitals/csv.h"

namespace mydr24::vitals {
namespace {

Inputs normal() {
  return {.respiration = 16,
          .spo2 = 98,
          .oxygen = false,
          .systolic = 120,
          .pulse = 70,
          .consciousness = Consciousness::alert,
          .temperature = 37.0};
}

struct Boundary {
  double value;
  int points;
};

void expect_points(Parameter parameter, std::optional<double> Inputs::* field, std::initializer_list<Boundary> table,
                   Inputs inputs = normal()) {
  for (const Boundary& row : table) {
    inputs.*field = row.value;
    const Score score = news2(inputs);
    EXPECT_EQ(score[parameter].state, PartState::scored) << to_string(parameter) << ' ' << row.value;
    EXPECT_EQ(score[parameter].points, row.points) << to_string(parameter) << ' ' << row.value;
  }
}

TEST(News2, EveryBoundaryOfTheChartHasItsPoints) {
  expect_points(Parameter::respiration, &Inputs::respiration,
                {{0, 3}, {8, 3}, {9, 1}, {11, 1}, {12, 0}, {20, 0}, {21, 2}, {24, 2}, {25, 3}, {60, 3}});
  expect_points(Parameter::spo2, &Inputs::spo2,
                {{70, 3}, {91, 3}, {92, 2}, {93, 2}, {94, 1}, {95, 1}, {96, 0}, {100, 0}});
  expect_points(Parameter::systolic, &Inputs::systolic,
                {{40, 3}, {90, 3}, {91, 2}, {100, 2}, {101, 1}, {110, 1}, {111, 0}, {219, 0}, {220, 3}, {300, 3}});
  expect_points(Parameter::pulse, &Inputs::pulse,
                {{0, 3}, {40, 3}, {41, 1}, {50, 1}, {51, 0}, {90, 0}, {91, 1}, {110, 1}, {111, 2}, {130, 2}, {131, 3}});
  expect_points(
      Parameter::temperature, &Inputs::temperature,
      {{34.0, 3}, {35.0, 3}, {35.1, 1}, {36.0, 1}, {36.1, 0}, {38.0, 0}, {38.1, 1}, {39.0, 1}, {39.1, 2}, {42, 2}});
}

TEST(News2, Scale2CountsTooMuchOxygenButNotOnAir) {
  Inputs air = normal();
  air.spo2_scale = 2;
  expect_points(Parameter::spo2, &Inputs::spo2,
                {{83, 3}, {84, 2}, {85, 2}, {86, 1}, {87, 1}, {88, 0}, {92, 0}, {93, 0}, {97, 0}, {100, 0}}, air);
  Inputs oxygen = air;
  oxygen.oxygen = true;
  expect_points(Parameter::spo2, &Inputs::spo2,
                {{83, 3}, {84, 2}, {86, 1}, {88, 0}, {92, 0}, {93, 1}, {94, 1}, {95, 2}, {96, 2}, {97, 3}, {100, 3}},
                oxygen);
  Inputs unknown = air;
  unknown.oxygen.reset();
  unknown.spo2 = 85;
  EXPECT_EQ(news2(unknown)[Parameter::spo2].points, 2);
  unknown.spo2 = 93;
  EXPECT_EQ(news2(unknown)[Parameter::spo2].state, PartState::missing);
}

TEST(News2, EveryLetterButAHasThreePointsAndOxygenHasTwo) {
  for (const auto letter :
       {Consciousness::confusion, Consciousness::voice, Consciousness::pain, Consciousness::unresponsive}) {
    Inputs inputs = normal();
    inputs.consciousness = letter;
    EXPECT_EQ(news2(inputs).total, 3);
    EXPECT_EQ(news2(inputs).band, Band::low_medium);
  }
  Inputs inputs = normal();
  inputs.oxygen = true;
  EXPECT_EQ(news2(inputs).total, 2);
  EXPECT_EQ(news2(inputs).band, Band::low);
}

TEST(News2, RoundsHalfAwayFromZeroBeforeScoring) {
  expect_points(Parameter::respiration, &Inputs::respiration, {{8.4, 3}, {8.5, 1}, {24.5, 3}});
  expect_points(Parameter::spo2, &Inputs::spo2, {{91.49, 3}, {91.5, 2}, {95.5, 0}});
  expect_points(Parameter::temperature, &Inputs::temperature,
                {{35.04, 3}, {35.05, 1}, {36.05, 0}, {38.05, 1}, {39.04, 1}, {39.05, 2}});
}

TEST(News2, TheBandFollowsTheTotalAndASingleThreeOnlyLiftsLow) {
  struct Row {
    int total;
    bool three;
    Band band;
  };
  for (const Row& row : {Row{0, false, Band::low}, Row{4, false, Band::low}, Row{3, true, Band::low_medium},
                         Row{4, true, Band::low_medium}, Row{5, false, Band::medium}, Row{5, true, Band::medium},
                         Row{6, true, Band::medium}, Row{7, false, Band::high}, Row{20, true, Band::high}})
    EXPECT_EQ(band_of(row.total, row.three), row.band) << row.total << row.three;
}

TEST(News2, AnIncompleteSetHasALowerBoundInPlaceOfATotal) {
  Inputs inputs;
  inputs.spo2 = 82;
  inputs.pulse = 120;
  const Score score = news2(inputs);
  EXPECT_FALSE(score.total);
  EXPECT_EQ(score.partial, 5);
  EXPECT_TRUE(score.single_three);
  EXPECT_EQ(to_json(score),
            R"({"parts":{"respiration":null,"spo2":3,"oxygen":null,"systolic":null,"pulse":2,"consciousness":null,)"
            R"("temperature":null},"partial":5,"band_at_least":"medium",)"
            R"("missing":["respiration","oxygen","systolic","consciousness","temperature"]})");
}

TEST(News2, ImplausibleValuesAreNotScored) {
  for (const double temperature : {19.0, 98.6, 50.0}) {
    Inputs inputs = normal();
    inputs.temperature = temperature;
    const Score score = news2(inputs);
    EXPECT_EQ(score[Parameter::temperature].state, PartState::implausible);
    EXPECT_FALSE(score.total);
    EXPECT_EQ(score.partial, 0);
    EXPECT_NE(to_json(score).find(R"("implausible":["temperature"])"), std::string::npos);
  }
  EXPECT_FALSE(plausible(Parameter::spo2, 101));
  EXPECT_FALSE(plausible(Parameter::systolic, 12));
  EXPECT_FALSE(plausible(Parameter::pulse, -1));
  EXPECT_TRUE(plausible(Parameter::pulse, 0));
}

TEST(News2, TheJsonOfACompleteScoreHasTotalAndBand) {
  EXPECT_EQ(
      to_json(news2(normal())),
      R"({"parts":{"respiration":0,"spo2":0,"oxygen":0,"systolic":0,"pulse":0,"consciousness":0,"temperature":0},)"
      R"("total":0,"band":"low"})");
}

TEST(Csv, ColumnsComeInAnyOrderAndCellsMayBeEmpty) {
  const auto rows = score_csv(
      "temp,acvpu,pulse,sbp,oxygen,scale,spo2,rr\r\n"
      "37.0,A,70,120,air,1,98,16\r\n"
      "\n"
      "39.1,\"v\",131,90,yes,2,97,25\n"
      ",,,,,,82,\n");
  ASSERT_TRUE(rows) << rows.error().text;
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].score.total, 0);
  EXPECT_EQ((*rows)[1].line, 4U);
  EXPECT_EQ((*rows)[1].score.total, 19);
  EXPECT_EQ((*rows)[2].line, 5U);
  EXPECT_FALSE((*rows)[2].score.total);
  EXPECT_EQ((*rows)[2].score.partial, 3);
}

TEST(Csv, ErrorsNameTheColumnAndTheLine) {
  struct Row {
    std::string_view text;
    std::string_view where;
  };
  for (const Row& row :
       {Row{"", "header"}, Row{"rr,spo2,weight\n", "header"}, Row{"rr,rr\n", "header"}, Row{"rr,spo2\n16\n", "line 2"},
        Row{"rr,spo2\n16,98\n16,9x\n", "line 3, column spo2"}, Row{"acvpu\nX\n", "line 2, column acvpu"},
        Row{"scale\n3\n", "line 2, column scale"}, Row{"oxygen\nmaybe\n", "line 2, column oxygen"}}) {
    const auto rows = score_csv(row.text);
    ASSERT_FALSE(rows) << row.text;
    EXPECT_EQ(rows.error().where, row.where);
  }
  EXPECT_NE(score_csv("rr,weight\n").error().text.find("weight"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::vitals
