#include "clinical/vitals/scores.h"

#include <algorithm>
#include <span>

#include "base/json/writer.h"

namespace mydr24::vitals {
namespace {

Criterion criterion(bool present) { return present ? Criterion::present : Criterion::absent; }

// Met by either of two measurements: one that is met suffices, absent only when neither is and one at least is known.
Criterion either(Criterion a, Criterion b) { return std::max(a, b); }

template <class Test>
Criterion when_known(std::optional<double> value, Test test) {
  return value ? criterion(test(*value)) : Criterion::unknown;
}

std::string json_of(int points, bool complete, std::span<const Criterion> parts,
                    std::span<const std::string_view> names) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("points", points).field("complete", complete).key("parts").begin_object();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    writer.key(names[i]);
    if (parts[i] == Criterion::unknown)
      writer.null();
    else
      writer.number(static_cast<std::int64_t>(parts[i] == Criterion::present ? 1 : 0));
  }
  writer.end_object().end_object();
  return out;
}

}  // namespace

std::optional<int> glasgow_coma_score(std::optional<int> eyes, std::optional<int> verbal, std::optional<int> motor) {
  const auto in_range = [](std::optional<int> part, int max) { return part && *part >= 1 && *part <= max; };
  if (!in_range(eyes, 4) || !in_range(verbal, 5) || !in_range(motor, 6)) return std::nullopt;
  return *eyes + *verbal + *motor;
}

QuickSofa quick_sofa(const QuickSofaInputs& inputs) {
  constexpr int coma_score_alert = 15;
  const Criterion letter =
      inputs.consciousness ? criterion(*inputs.consciousness != Consciousness::alert) : Criterion::unknown;
  const Criterion coma = inputs.coma_score ? criterion(*inputs.coma_score < coma_score_alert) : Criterion::unknown;
  return {{when_known(inputs.respiration, [](double rate) { return rate >= 22; }),
           when_known(inputs.systolic, [](double pressure) { return pressure <= 100; }), either(letter, coma)}};
}

Sirs sirs(const SirsInputs& inputs) {
  return {{when_known(inputs.temperature, [](double celsius) { return celsius > 38 || celsius < 36; }),
           when_known(inputs.pulse, [](double rate) { return rate > 90; }),
           either(when_known(inputs.respiration, [](double rate) { return rate > 20; }),
                  when_known(inputs.paco2, [](double pressure) { return pressure < 32; })),
           either(when_known(inputs.leukocytes, [](double count) { return count > 12 || count < 4; }),
                  when_known(inputs.bands, [](double percent) { return percent > 10; }))}};
}

std::string_view to_string(SepsisStage stage) {
  constexpr std::array<std::string_view, 6> names{"none",          "sirs",         "sepsis",
                                                  "severe-sepsis", "septic-shock", "multiple-organ-dysfunction"};
  return names[static_cast<std::size_t>(stage)];
}

SepsisStage sepsis_stage(const Sirs& score, const SepsisFindings& findings) {
  if (!is_met(score)) return SepsisStage::none;
  if (findings.organ_failure) return SepsisStage::organ_dysfunction;
  if (findings.refractory_hypotension) return SepsisStage::septic_shock;
  if (findings.hypoperfusion) return SepsisStage::severe_sepsis;
  return findings.infection ? SepsisStage::sepsis : SepsisStage::sirs;
}

std::string to_json(const QuickSofa& score) {
  return json_of(score.points(), score.is_complete(), score.parts, quick_sofa_parts);
}

std::string to_json(const Sirs& score) { return json_of(score.points(), score.is_complete(), score.parts, sirs_parts); }

}  // namespace mydr24::vitals
