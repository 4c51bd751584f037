#include "clinical/vitals/news2.h"

#include <cmath>
#include <span>

#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

// Points for every value up to and including `up_to`; the rows of a table grow.
struct Row {
  double up_to;
  int points;
};

constexpr double rest = 1e9;
constexpr std::array respiration_rows{Row{8, 3}, Row{11, 1}, Row{20, 0}, Row{24, 2}, Row{rest, 3}};
constexpr std::array spo2_scale_1_rows{Row{91, 3}, Row{93, 2}, Row{95, 1}, Row{rest, 0}};
constexpr std::array spo2_scale_2_air_rows{Row{83, 3}, Row{85, 2}, Row{87, 1}, Row{rest, 0}};
constexpr std::array spo2_scale_2_oxygen_rows{Row{83, 3}, Row{85, 2}, Row{87, 1},  Row{92, 0},
                                              Row{94, 1}, Row{96, 2}, Row{rest, 3}};
constexpr std::array systolic_rows{Row{90, 3}, Row{100, 2}, Row{110, 1}, Row{219, 0}, Row{rest, 3}};
constexpr std::array pulse_rows{Row{40, 3}, Row{50, 1}, Row{90, 0}, Row{110, 1}, Row{130, 2}, Row{rest, 3}};
// In tenths of a degree: whole numbers compare exactly.
constexpr std::array temperature_rows{Row{350, 3}, Row{360, 1}, Row{380, 0}, Row{390, 1}, Row{rest, 2}};

int points_of(std::span<const Row> rows, double value) {
  for (const Row& row : rows)
    if (value <= row.up_to) return row.points;
  return 0;
}

struct Range {
  double low;
  double high;
};

// In the rounded unit of the tables above. Not for oxygen and consciousness.
constexpr Range hard_range(Parameter parameter) {
  switch (parameter) {
    case Parameter::respiration:
      return {0, 80};
    case Parameter::spo2:
      return {30, 100};
    case Parameter::systolic:
      return {30, 300};
    case Parameter::pulse:
      return {0, 300};
    case Parameter::temperature:
      return {200, 450};
    case Parameter::oxygen:
    case Parameter::consciousness:
      break;
  }
  return {-rest, rest};
}

// A decimal such as 36.05 lies a hair below itself in binary: the hair must not decide.
double round_half_away(double value) { return std::round(value + std::copysign(1e-9, value)); }

double in_table_unit(Parameter parameter, double value) {
  return round_half_away(parameter == Parameter::temperature ? value * 10 : value);
}

Part score_part(Parameter parameter, std::optional<double> value, std::span<const Row> rows) {
  if (!value) return {};
  if (!plausible(parameter, *value)) return {PartState::implausible, 0};
  return {PartState::scored, points_of(rows, in_table_unit(parameter, *value))};
}

Part score_spo2(const Inputs& inputs) {
  if (inputs.spo2_scale != 2) return score_part(Parameter::spo2, inputs.spo2, spo2_scale_1_rows);
  if (inputs.oxygen)
    return score_part(Parameter::spo2, inputs.spo2,
                      *inputs.oxygen ? std::span<const Row>(spo2_scale_2_oxygen_rows) : spo2_scale_2_air_rows);
  const Part part = score_part(Parameter::spo2, inputs.spo2, spo2_scale_2_oxygen_rows);
  const bool depends_on_oxygen = inputs.spo2 && in_table_unit(Parameter::spo2, *inputs.spo2) >= 93;
  return part.state == PartState::scored && depends_on_oxygen ? Part{} : part;
}

}  // namespace

std::string_view to_string(Parameter parameter) {
  constexpr std::array<std::string_view, parameter_count> names{
      "respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"};
  return names[static_cast<std::size_t>(parameter)];
}

std::string_view to_string(Band band) {
  constexpr std::array<std::string_view, 4> names{"low", "low-medium", "medium", "high"};
  return names[static_cast<std::size_t>(band)];
}

bool plausible(Parameter parameter, double value) {
  if (!std::isfinite(value)) return false;
  const Range range = hard_range(parameter);
  const double rounded = in_table_unit(parameter, value);
  return rounded >= range.low && rounded <= range.high;
}

double rounded(Parameter parameter, double value) {
  const double whole = in_table_unit(parameter, value);
  return parameter == Parameter::temperature ? whole / 10 : whole;
}

Band band_of(int total, bool single_three) {
  if (total >= 7) return Band::high;
  if (total >= 5) return Band::medium;
  return single_three ? Band::low_medium : Band::low;
}

Response response_to(const Score& score) {
  switch (score.band) {
    case Band::high:
      return {"continuous", 0,
              "the medical team is told at once, at least a specialist registrar; emergency assessment by a team with "
              "critical care competencies; consider a higher level of care",
              30};
    case Band::medium:
      return {"at least every hour", 60,
              "the medical team is told at once; urgent assessment by a clinician or team competent in acute illness",
              60};
    case Band::low_medium:
      return {"at least every hour", 60, "the medical team is told and decides whether care is escalated", 0};
    case Band::low:
      break;
  }
  if (score.partial == 0) return {"at least every 12 hours", 720, "routine monitoring goes on", 0};
  return {"at least every 4 to 6 hours", 360,
          "a registered nurse assesses the patient and decides on monitoring and escalation", 0};
}

Score news2(const Inputs& inputs) {
  Score score;
  const auto part = [&score](Parameter parameter) -> Part& { return score.parts[static_cast<std::size_t>(parameter)]; };
  part(Parameter::respiration) = score_part(Parameter::respiration, inputs.respiration, respiration_rows);
  part(Parameter::spo2) = score_spo2(inputs);
  if (inputs.oxygen) part(Parameter::oxygen) = {PartState::scored, *inputs.oxygen ? 2 : 0};
  part(Parameter::systolic) = score_part(Parameter::systolic, inputs.systolic, systolic_rows);
  part(Parameter::pulse) = score_part(Parameter::pulse, inputs.pulse, pulse_rows);
  if (inputs.consciousness)
    part(Parameter::consciousness) = {PartState::scored, *inputs.consciousness == Consciousness::alert ? 0 : 3};
  part(Parameter::temperature) = score_part(Parameter::temperature, inputs.temperature, temperature_rows);

  bool complete = true;
  for (const Part& each : score.parts) {
    complete = complete && each.state == PartState::scored;
    score.partial += each.points;
    score.single_three = score.single_three || each.points == 3;
  }
  if (complete) score.total = score.partial;
  score.band = band_of(score.partial, score.single_three);
  return score;
}

namespace {

void append_names(json::Writer& writer, const Score& score, PartState state) {
  writer.begin_array();
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (score.parts[i].state == state) writer.string(to_string(static_cast<Parameter>(i)));
  writer.end_array();
}

}  // namespace

void append_json(std::string& out, const Score& score) {
  json::Writer writer(out);
  writer.begin_object().key("parts").begin_object();
  bool any_implausible = false;
  for (std::size_t i = 0; i < parameter_count; ++i) {
    const Part& part = score.parts[i];
    any_implausible = any_implausible || part.state == PartState::implausible;
    writer.key(to_string(static_cast<Parameter>(i)));
    if (part.state == PartState::scored)
      writer.number(static_cast<std::int64_t>(part.points));
    else
      writer.null();
  }
  writer.end_object();
  if (score.total) {
    writer.field("total", *score.total).field("band", to_string(score.band));
  } else {
    writer.field("partial", score.partial).field("band_at_least", to_string(score.band)).key("missing");
    append_names(writer, score, PartState::missing);
    if (any_implausible) {
      writer.key("implausible");
      append_names(writer, score, PartState::implausible);
    }
  }
  writer.end_object();
}

std::string to_json(const Score& score) {
  std::string out;
  append_json(out, score);
  return out;
}

}  // namespace mydr24::vitals
