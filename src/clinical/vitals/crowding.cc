#include "clinical/vitals/crowding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

constexpr double points_max = 200;

// What an input may be, and what is unusual enough to say so. Source of the numbers: the ranges of the published
// calculator of CEDOCS; those of NEDOCS are our own, of the same kind.
struct Range {
  std::string_view name;
  double value;
  double min;
  double low;   // below: unusual
  double high;  // above: unusual
  double max;
};

Result<std::vector<std::string>> check(std::span<const Range> ranges) {
  std::vector<std::string> warnings;
  for (const Range& range : ranges) {
    if (!(range.value >= range.min) || range.value > range.max)
      return fail(Code::invalid,
                  fmt::format("{} is {}; it is a number from {} to {}", range.name, range.value, range.min, range.max),
                  std::string(range.name));
    if (range.value > range.high) warnings.push_back(fmt::format("{} is very high: check it", range.name));
    if (range.value < range.low) warnings.push_back(fmt::format("{} is very low: check it", range.name));
  }
  return warnings;
}

Crowding level_of(int points, std::span<const int, 5> bounds) {
  const auto above = std::ranges::upper_bound(bounds, points);
  return static_cast<Crowding>(above - bounds.begin());
}

CrowdingScore score_of(double points, std::span<const int, 5> bounds, std::vector<std::string> warnings) {
  const int whole = static_cast<int>(std::round(std::clamp(points, 0.0, points_max)));
  return {whole, level_of(whole, bounds), std::move(warnings)};
}

struct Member {
  std::string_view name;
  double* value;
};

Result<> read_members(std::string_view text, std::span<const Member> members) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  for (const json::Value value : document.root()) {
    const auto member = std::ranges::find(members, value.key(), &Member::name);
    if (member == members.end()) {
      std::vector<std::string_view> names;
      for (const Member& each : members) names.push_back(each.name);
      return fail(Code::invalid, fmt::format("there is no input {}; there are {}", value.key(), fmt::join(names, ", ")),
                  std::string(value.key()));
    }
    const std::string_view number = value.text();
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), *member->value);
    if (!value.is_number() || error != std::errc() || end != number.data() + number.size())
      return fail(Code::invalid, fmt::format("{} is a number", value.key()), std::string(value.key()));
  }
  return {};
}

}  // namespace

std::string_view to_string(Crowding level) {
  constexpr std::array<std::string_view, 6> names{"not busy",
                                                  "busy",
                                                  "extremely busy but not overcrowded",
                                                  "overcrowded",
                                                  "severely overcrowded",
                                                  "dangerously overcrowded"};
  return names[static_cast<std::size_t>(level)];
}

Result<CrowdingScore> nedocs(const NedocsInputs& inputs) {
  constexpr std::array bounds{20, 60, 100, 140, 180};
  MYDR24_ASSIGN(auto warnings, check(std::array{Range{"ed_beds", inputs.ed_beds, 1, 1, 200, 10'000},
                                                Range{"hospital_beds", inputs.hospital_beds, 1, 1, 5'000, 100'000},
                                                Range{"patients", inputs.patients, 0, 0, 100, 500},
                                                Range{"ventilated", inputs.ventilated, 0, 0, 100, 500},
                                                Range{"admitted", inputs.admitted, 0, 0, 100, 500},
                                                Range{"longest_admitted_h", inputs.longest_admitted_h, 0, 0, 24, 72},
                                                Range{"longest_waiting_h", inputs.longest_waiting_h, 0, 0, 24, 72}}));
  const double ventilators = inputs.ventilated >= 2 ? 19.6 : inputs.ventilated >= 1 ? 9.8 : 0;
  const double sum = std::round(62.5 * inputs.patients / inputs.ed_beds) +
                     std::round(444 * inputs.admitted / inputs.hospital_beds) + ventilators +
                     std::round(0.681 * inputs.longest_admitted_h) + std::round(4.1 * inputs.longest_waiting_h);
  return score_of(sum * 1.37 - 19.18, bounds, std::move(warnings));
}

Result<CrowdingScore> cedocs(const CedocsInputs& inputs) {
  constexpr std::array bounds{21, 61, 101, 141, 181};
  MYDR24_ASSIGN(auto warnings,
                check(std::array{Range{"ed_beds", inputs.ed_beds, 0, 0, 200, 10'000},
                                 Range{"visits_a_year", inputs.visits_a_year, 0, 1'000, 200'000, 1'000'000},
                                 Range{"patients", inputs.patients, 0, 0, 100, 500},
                                 Range{"critical", inputs.critical, 0, 0, 100, 500},
                                 Range{"waiting_room", inputs.waiting_room, 0, 0, 100, 500},
                                 Range{"longest_admitted_h", inputs.longest_admitted_h, 0, 0, 24, 72},
                                 Range{"scaling", inputs.scaling, 0, 0, 10, 100}}));
  if (inputs.ed_beds == 0) return score_of(points_max, bounds, std::move(warnings));
  const auto cubed_above = [&](double knot) { return std::pow(std::max(inputs.visits_a_year - knot, 0.0), 3); };
  const double spline = -1.09e-12 * cubed_above(18'811) + 8.18e-12 * cubed_above(43'012) -
                        8.18e-12 * cubed_above(49'466) + 1.08e-12 * cubed_above(67'273);
  const double raw = -29.53 + 3.14 * inputs.critical + 0.52 * inputs.longest_admitted_h + 1.14 * inputs.waiting_room +
                     20.55 * inputs.patients / inputs.ed_beds + 0.00124 * inputs.visits_a_year + spline;
  return score_of(std::round(raw) * (inputs.scaling == 0 ? 2 : inputs.scaling), bounds, std::move(warnings));
}

Result<NedocsInputs> nedocs_inputs(std::string_view text) {
  NedocsInputs inputs;
  MYDR24_TRY(read_members(
      text, std::array{Member{"ed_beds", &inputs.ed_beds}, Member{"hospital_beds", &inputs.hospital_beds},
                       Member{"patients", &inputs.patients}, Member{"ventilated", &inputs.ventilated},
                       Member{"admitted", &inputs.admitted}, Member{"longest_admitted_h", &inputs.longest_admitted_h},
                       Member{"longest_waiting_h", &inputs.longest_waiting_h}}));
  return inputs;
}

Result<CedocsInputs> cedocs_inputs(std::string_view text) {
  CedocsInputs inputs;
  MYDR24_TRY(read_members(
      text, std::array{Member{"ed_beds", &inputs.ed_beds}, Member{"visits_a_year", &inputs.visits_a_year},
                       Member{"patients", &inputs.patients}, Member{"critical", &inputs.critical},
                       Member{"waiting_room", &inputs.waiting_room},
                       Member{"longest_admitted_h", &inputs.longest_admitted_h}, Member{"scaling", &inputs.scaling}}));
  return inputs;
}

std::string to_json(const CrowdingScore& score) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .field("points", score.points)
      .field("level", static_cast<int>(score.level) + 1)
      .field("meaning", to_string(score.level));
  writer.key("warnings").begin_array();
  for (const std::string& warning : score.warnings) writer.string(warning);
  writer.end_array().end_object();
  return out;
}

}  // namespace mydr24::vitals
