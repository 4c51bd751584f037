#include "clinical/vitals/assess.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/core/date_time.h"
#include "clinical/vitals/artefacts.h"

namespace mydr24::vitals {
namespace {

constexpr int age_min_years = 16;
constexpr std::uint32_t outcome_bits = 16;

std::uint32_t bit(Sign sign) { return 1U << static_cast<std::uint32_t>(sign); }
const std::vector<Held>& held_of(const PatientSigns& signs, Sign sign) {
  return signs.held[static_cast<std::size_t>(sign)];
}

// Only what is certain counts: of a birth year alone its first day.
bool is_under_age(std::string_view born, Instant at) {
  const auto range = parse_date_time(born);
  if (!range) return false;
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(range->low));
  return at < std::chrono::sys_days(day + std::chrono::years(age_min_years));
}

// The newest reading at or before `at` that still counts then.
std::optional<double> value_at(const PatientSigns& signs, Sign sign, Instant at, const WatchSettings& settings) {
  for (const Held& held : held_of(signs, sign)) {
    if (held.at > at) continue;
    if (at - held.at > settings.window[static_cast<std::size_t>(sign)]) return std::nullopt;
    return held.value;
  }
  return std::nullopt;
}

// What counts at the time of the score; without any sign of NEWS2, the newest that is there.
std::optional<double> value_now(const PatientSigns& signs, Sign sign, const WatchSettings& settings) {
  const auto& held = held_of(signs, sign);
  if (held.empty()) return std::nullopt;
  return value_at(signs, sign, std::max(signs.at.value_or(held.front().at), held.front().at), settings);
}

std::optional<Instant> time_at(const PatientSigns& signs, Sign sign, Instant at) {
  for (const Held& held : held_of(signs, sign))
    if (held.at <= at) return held.at;
  return std::nullopt;
}

// The heart rate's, or the oximeter's when that has gone on without it: an electrode taken off hours ago must not hide
// the pulse of now.
Sign pulse_sign_at(const PatientSigns& signs, Instant at) {
  const auto heart = time_at(signs, Sign::pulse, at);
  const auto oximeter = time_at(signs, Sign::pulse_oximetry, at);
  return oximeter && (!heart || *oximeter - *heart > continuous_max) ? Sign::pulse_oximetry : Sign::pulse;
}

std::optional<double> pulse_at(const PatientSigns& signs, Instant at, const WatchSettings& settings) {
  return value_at(signs, pulse_sign_at(signs, at), at, settings);
}

std::string not_scored_at(const Patient& patient, Instant at, const WatchSettings& settings) {
  if (patient.born && is_under_age(*patient.born, at)) return "under 16";
  if (value_at(patient.signs, Sign::pregnancy, at, settings) == 1.0) return "pregnant";
  return {};
}

bool is_of_news2(Signal signal) { return signal == Signal::news2 || signal == Signal::news2_band; }

// The sign a signal is of; nothing for scores.
std::optional<Sign> sign_of_signal(Signal signal) {
  switch (signal) {
    case Signal::respiration:
      return Sign::respiration;
    case Signal::spo2:
      return Sign::spo2;
    case Signal::systolic:
      return Sign::systolic;
    case Signal::pulse:
      return Sign::pulse;
    case Signal::temperature:
      return Sign::temperature;
    case Signal::consciousness:
      return Sign::consciousness;
    case Signal::coma_score:
      return Sign::coma_score;
    default:
      return std::nullopt;
  }
}

// Bits of the signs that a signal of a single sign is read from; 0 for scores.
std::uint32_t sources_of(Signal signal) {
  const auto sign = sign_of_signal(signal);
  if (!sign) return 0;
  if (*sign == Sign::pulse) return bit(Sign::pulse) | bit(Sign::pulse_oximetry);
  // Parts that come one by one are summed by coma_score_of().
  if (*sign == Sign::coma_score)
    return bit(Sign::coma_score) | bit(Sign::coma_eyes) | bit(Sign::coma_verbal) | bit(Sign::coma_motor);
  return bit(*sign);
}

// Whether a new reading bears on the signal.
bool concerns(Signal signal, std::uint32_t changed) {
  const std::uint32_t sources = sources_of(signal);
  return sources == 0 ? changed != 0 : (changed & sources) != 0;
}

// When the signal was measured last; the time of the scores for a score.
std::optional<Instant> last_sample(const PatientSigns& signs, Signal signal) {
  const std::uint32_t sources = sources_of(signal);
  if (sources == 0) return signs.at;
  std::optional<Instant> last;
  for (std::size_t i = 0; i < sign_count; ++i)
    if ((sources >> i & 1U) != 0 && !signs.held[i].empty())
      last = std::max(last.value_or(signs.held[i].front().at), signs.held[i].front().at);
  return last;
}

// When the last of some samples decides, because it held and no more came as they do in continuous measurement.
std::optional<Instant> decided_at(const PatientSigns& signs, const Rule& rule, const RuleState& state) {
  if ((state.outcomes & 1U) == 0) return std::nullopt;
  return std::max(state.since, last_sample(signs, rule.signal).value_or(state.since)) + continuous_max;
}

}  // namespace

bool is_on_scale_2(const PatientSigns& signs, Instant at, const WatchSettings& settings) {
  for (const Limit& limit : signs.limits)
    if (limit.spo2_scale == 2 && (!limit.until || at < *limit.until)) return true;
  return value_at(signs, Sign::spo2_scale, at, settings) == 2.0;
}

std::array<std::chrono::seconds, sign_count> WatchSettings::default_windows() {
  std::array<std::chrono::seconds, sign_count> windows{};
  windows.fill(std::chrono::hours(12));
  windows[static_cast<std::size_t>(Sign::spo2_scale)] = std::chrono::days(280);
  windows[static_cast<std::size_t>(Sign::pregnancy)] = std::chrono::days(280);
  for (const Sign sign : {Sign::leukocytes, Sign::bands, Sign::paco2})
    windows[static_cast<std::size_t>(sign)] = std::chrono::hours(24);
  return windows;
}

Taken take_in(Patient& patient, std::string_view observation, const Signs* signs, Instant now,
              const WatchSettings& settings) {
  Taken taken;
  const Instant future = now + settings.future_max;
  const auto count_fresh = [&](Instant at) {
    taken.fresh = taken.fresh || (at <= future && now - at <= settings.alert_age_max);
  };
  bool any_present = false;
  std::array<Instant, sign_count> said_at{};
  for (std::size_t i = 0; i < sign_count; ++i)
    std::erase_if(patient.signs.held[i], [&](const Held& held) {
      if (held.observation != observation) {
        any_present = any_present || held.at <= future;
        return false;
      }
      count_fresh(held.at);
      said_at[i] = held.at;
      taken.changed |= 1U << i;
      taken.retracted |= 1U << i;
      return true;
    });
  if (signs == nullptr) return taken;

  for (const Finding& finding : signs->findings) taken.findings.push_back(finding.text);
  const bool from_future = signs->at > future;
  if (from_future && any_present && !signs->readings.empty()) {
    taken.findings.emplace_back("measured in the future: not used");
    return taken;
  }
  if (!from_future && !signs->readings.empty())
    for (auto& held : patient.signs.held) std::erase_if(held, [&](const Held& other) { return other.at > future; });
  for (const Reading& reading : signs->readings) {
    auto& held = patient.signs.held[static_cast<std::size_t>(reading.sign)];
    if (signs->at >= said_at[static_cast<std::size_t>(reading.sign)]) taken.retracted &= ~bit(reading.sign);
    const auto place = std::ranges::find_if(held, [&](const Held& other) { return other.at <= signs->at; });
    if (place == held.begin()) {
      taken.changed |= bit(reading.sign);
      if (!held.empty() && signs->at > held.front().at && signs->at - held.front().at <= continuous_max)
        taken.continuous |= bit(reading.sign);
      if (auto text = misfit(patient, reading, signs->at)) {
        taken.suspect = true;
        taken.findings.push_back(std::move(*text));
      }
    } else {
      taken.late = true;
    }
    held.insert(place, {signs->at, reading.value, std::string(observation)});
    if (held.size() > held_max) held.pop_back();
    count_fresh(signs->at);
  }
  return taken;
}

bool begins_new_episode(std::optional<Instant> before, const Patient& patient, const Taken& taken,
                        const WatchSettings& settings) {
  const auto gap_max = *std::max_element(settings.window.begin(), settings.window.begin() + parameter_count);
  return taken.fresh && before && patient.signs.at && *patient.signs.at - *before > gap_max;
}

void score(Patient& patient, const WatchSettings& settings) {
  PatientSigns& signs = patient.signs;
  signs.at.reset();
  signs.score.reset();
  signs.not_scored.clear();
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (!signs.held[i].empty() && (!signs.at || signs.held[i].front().at > *signs.at))
      signs.at = signs.held[i].front().at;
  if (const auto& oximetry = held_of(signs, Sign::pulse_oximetry); !oximetry.empty())
    signs.at = std::max(signs.at.value_or(oximetry.front().at), oximetry.front().at);
  signs.is_child = signs.at && patient.born && is_under_age(*patient.born, *signs.at);
  if (!signs.at) return;
  signs.not_scored = not_scored_at(patient, *signs.at, settings);
  if (signs.not_scored.empty()) signs.score = score_at(patient, *signs.at, settings);
}

std::uint32_t scored_parts(const Score& score) {
  std::uint32_t parts = 0;
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (score.parts[i].state == PartState::scored) parts |= 1U << i;
  return parts;
}

void forget_retracted(Patient& patient, const Taken& taken) {
  std::uint32_t parts = taken.retracted;
  if ((parts & bit(Sign::pulse_oximetry)) != 0) parts |= bit(Sign::pulse);
  const std::uint32_t scored = patient.signs.score ? scored_parts(*patient.signs.score) : 0;
  patient.known &= ~parts | scored;
}

std::optional<Score> score_at(const Patient& patient, Instant at, const WatchSettings& settings) {
  if (!not_scored_at(patient, at, settings).empty()) return std::nullopt;
  const auto value = [&](Sign sign) { return value_at(patient.signs, sign, at, settings); };
  Inputs inputs{.respiration = value(Sign::respiration),
                .spo2 = value(Sign::spo2),
                .spo2_scale = is_on_scale_2(patient.signs, at, settings) ? 2 : 1,
                .systolic = value(Sign::systolic),
                .pulse = pulse_at(patient.signs, at, settings),
                .temperature = value(Sign::temperature)};
  if (const auto oxygen = value(Sign::oxygen)) inputs.oxygen = *oxygen > 0;
  if (const auto level = value(Sign::consciousness)) inputs.consciousness = static_cast<Consciousness>(*level);
  return news2(inputs);
}

std::optional<int> coma_score_of(const PatientSigns& signs, const WatchSettings& settings) {
  const auto part = [&](Sign sign) -> std::optional<int> {
    const auto value = value_now(signs, sign, settings);
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
  };
  const auto total = part(Sign::coma_score);
  const auto sum = glasgow_coma_score(part(Sign::coma_eyes), part(Sign::coma_verbal), part(Sign::coma_motor));
  if (!sum || !total) return sum ? sum : total;
  // Both count: all three parts are newer than the total, or the total is what was said last.
  const Instant said = held_of(signs, Sign::coma_score).front().at;
  const auto newer = [&](Sign sign) { return held_of(signs, sign).front().at > said; };
  return newer(Sign::coma_eyes) && newer(Sign::coma_verbal) && newer(Sign::coma_motor) ? sum : total;
}

std::optional<QuickSofa> quick_sofa_of(const PatientSigns& signs, const WatchSettings& settings) {
  QuickSofaInputs inputs{.respiration = value_now(signs, Sign::respiration, settings),
                         .systolic = value_now(signs, Sign::systolic, settings),
                         .coma_score = coma_score_of(signs, settings)};
  if (const auto level = value_now(signs, Sign::consciousness, settings))
    inputs.consciousness = static_cast<Consciousness>(*level);
  const QuickSofa score = quick_sofa(inputs);
  const bool known = std::ranges::any_of(score.parts, [](Criterion part) { return part != Criterion::unknown; });
  return known && !signs.is_child ? std::optional(score) : std::nullopt;
}

std::optional<Sirs> sirs_of(const PatientSigns& signs, const WatchSettings& settings) {
  const Sirs score = sirs({.temperature = value_now(signs, Sign::temperature, settings),
                           .pulse = signs.at ? pulse_at(signs, *signs.at, settings) : std::nullopt,
                           .respiration = value_now(signs, Sign::respiration, settings),
                           .paco2 = value_now(signs, Sign::paco2, settings),
                           .leukocytes = value_now(signs, Sign::leukocytes, settings),
                           .bands = value_now(signs, Sign::bands, settings)});
  const bool known = std::ranges::any_of(score.parts, [](Criterion part) { return part != Criterion::unknown; });
  return known && !signs.is_child ? std::optional(score) : std::nullopt;
}

std::optional<double> value_of(const PatientSigns& signs, Signal signal, const WatchSettings& settings) {
  switch (signal) {
    case Signal::news2:
      return signs.score ? std::optional<double>(signs.score->partial) : std::nullopt;
    case Signal::news2_band:
      return signs.score ? std::optional<double>(static_cast<int>(signs.score->band)) : std::nullopt;
    case Signal::qsofa: {
      const auto score = quick_sofa_of(signs, settings);
      return score ? std::optional<double>(score->points()) : std::nullopt;
    }
    case Signal::sirs: {
      const auto score = sirs_of(signs, settings);
      return score ? std::optional<double>(score->points()) : std::nullopt;
    }
    case Signal::coma_score: {
      const auto score = coma_score_of(signs, settings);
      return score ? std::optional<double>(*score) : std::nullopt;
    }
    case Signal::pulse: {
      const auto pulse = value_now(signs, pulse_sign_at(signs, signs.at.value_or(Instant::max())), settings);
      return pulse ? std::optional(rounded(Parameter::pulse, *pulse)) : std::nullopt;
    }
    default: {
      const Sign sign = *sign_of_signal(signal);
      const auto value = value_now(signs, sign, settings);
      return value ? std::optional(rounded(static_cast<Parameter>(sign), *value)) : std::nullopt;
    }
  }
}

namespace {

// One judgement in the making.
class Judge {
 public:
  Judge(Patient& patient, const Taken* taken, Instant now, const WatchSettings& settings)
      : patient_(patient), taken_(taken), now_(now), settings_(settings) {}

  void look_at(const Rule& rule) {
    RuleState* state = find(rule.id);
    const std::optional<double> value =
        rule.adults_only && patient_.signs.is_child ? std::nullopt : value_of(patient_.signs, rule.signal, settings_);
    if (state != nullptr && state->phase == RuleState::Phase::active) {
      look_for_end(rule, value);
      return;
    }
    if (state != nullptr && state->phase == RuleState::Phase::held_back) {
      drop(rule.id);
      state = nullptr;
    }
    if (taken_ == nullptr) {
      if (state != nullptr && has_lasted(rule, *state)) fire(rule, value);
      return;
    }
    if (!concerns(rule.signal, taken_->changed)) return;
    const bool holds = value && rule.holds(*value);
    if (holds)
      begin(rule, state, *value);
    else if (state != nullptr)
      interrupt(rule, *state, value);
  }

  // The patient's own limit applies: that the rule would hold is written down when it begins.
  void hold_back(const Rule& rule) {
    const RuleState* state = find(rule.id);
    const auto value = value_of(patient_.signs, rule.signal, settings_);
    if (state != nullptr && state->phase == RuleState::Phase::active) {
      end(rule, value, "the patient's own limit applies");
      state = nullptr;
    }
    const bool holds = value && rule.holds(*value) && !(rule.adults_only && patient_.signs.is_child);
    if (!holds) {
      drop(rule.id);
    } else if (state == nullptr || state->phase != RuleState::Phase::held_back) {
      drop(rule.id);
      patient_.signs.rules.push_back(
          {.phase = RuleState::Phase::held_back, .rule = rule.id, .since = time_of_sample(), .alert_id = {}});
      judgement_.events.push_back({RuleEvent::Kind::suppressed, &rule, value, "the patient's own limit applies", {}});
    }
  }

  // Rules that are no longer in the set cannot end by themselves.
  void end_unknown(const std::vector<const Rule*>& rules, const std::vector<const Rule*>& held_back) {
    std::erase_if(patient_.signs.rules, [&](const RuleState& state) {
      const auto is_it = [&](const Rule* rule) { return rule->id == state.rule; };
      if (std::ranges::any_of(rules, is_it) || std::ranges::any_of(held_back, is_it)) return false;
      if (state.phase == RuleState::Phase::active)
        judgement_.events.push_back(
            {RuleEvent::Kind::cleared, nullptr, {}, "the rule is no longer in force", state.alert_id});
      return true;
    });
  }

  Judgement finish(const std::vector<const Rule*>& rules) {
    for (const Rule* rule : rules) {
      const RuleState* state = find(rule->id);
      if (state == nullptr || state->phase != RuleState::Phase::active) continue;
      judgement_.level = std::max(judgement_.level, level_of(rule->severity));
      if (judgement_.gravest == nullptr || rule->severity < judgement_.gravest->severity) judgement_.gravest = rule;
    }
    return std::move(judgement_);
  }

 private:
  RuleState* find(std::string_view id) {
    const auto found = std::ranges::find(patient_.signs.rules, id, &RuleState::rule);
    return found == patient_.signs.rules.end() ? nullptr : &*found;
  }
  void drop(std::string_view id) {
    std::erase_if(patient_.signs.rules, [&](const RuleState& state) { return state.rule == id; });
  }
  Instant time_of_sample() const { return taken_ != nullptr ? patient_.signs.at.value_or(now_) : now_; }

  void look_for_end(const Rule& rule, std::optional<double> value) {
    if (!value) {
      if (!has_merely_run_out(rule)) end(rule, value, why_without_value());
      return;
    }
    if (!rule.is_clear(*value)) return;
    // Whatever was known when people were called must still be known.
    const bool all_known = !is_of_news2(rule.signal) || (patient_.known & ~scored_parts(*patient_.signs.score)) == 0;
    if (all_known) end(rule, value, "");
  }

  // Readings are there, but too old to count: no reason to end anything.
  bool has_merely_run_out(const Rule& rule) const {
    return sources_of(rule.signal) != 0 && last_sample(patient_.signs, rule.signal) &&
           !(rule.adults_only && patient_.signs.is_child);
  }
  std::string why_without_value() const {
    if (!patient_.signs.not_scored.empty()) return "not scored: " + patient_.signs.not_scored;
    return "the vital signs were taken back";
  }

  void begin(const Rule& rule, RuleState* state, double value) {
    if (!is_fresh()) {
      judgement_.too_old = true;
      return;
    }
    const bool first_emergency = rule.severity == alerts::Severity::emergency && !patient_.had_emergency;
    const bool waits = rule.rule_class == RuleClass::sustained && !first_emergency &&
                       (state != nullptr || taken_->suspect || concerns(rule.signal, taken_->continuous));
    if (!waits) {
      fire(rule, value);
      return;
    }
    if (state == nullptr) {
      patient_.signs.rules.push_back(
          {.phase = RuleState::Phase::pending, .rule = rule.id, .since = time_of_sample(), .alert_id = {}});
      state = &patient_.signs.rules.back();
    }
    state->outcomes = (state->outcomes << 1U | 1U) & ((1U << outcome_bits) - 1);
    if (has_lasted(rule, *state)) fire(rule, value);
  }

  void interrupt(const Rule& rule, RuleState& state, std::optional<double> value) {
    state.outcomes = state.outcomes << 1U & ((1U << outcome_bits) - 1);
    const std::uint32_t window = (1U << rule.of) - 1;
    if (rule.of > 0 && (state.outcomes & window) != 0) return;
    judgement_.events.push_back({RuleEvent::Kind::suppressed, &rule, value, "it did not last", {}});
    drop(rule.id);
  }

  // Another scale, or a pregnancy taken back, is news about the newest signs, whatever its own time.
  bool is_fresh() const {
    const auto& at = patient_.signs.at;
    return taken_->fresh || ((taken_->changed & (bit(Sign::spo2_scale) | bit(Sign::pregnancy))) != 0 && at &&
                             *at <= now_ + settings_.future_max && now_ - *at <= settings_.alert_age_max);
  }

  bool has_lasted(const Rule& rule, const RuleState& state) const {
    if (rule.of > 0) {
      const std::uint32_t window = (1U << rule.of) - 1;
      if (static_cast<std::uint32_t>(std::popcount(state.outcomes & window)) >= rule.samples) return true;
      const auto decided = decided_at(patient_.signs, rule, state);
      return taken_ == nullptr && decided && now_ >= *decided;
    }
    return time_of_sample() - state.since >= std::chrono::seconds(rule.seconds);
  }

  void fire(const Rule& rule, std::optional<double> value) {
    drop(rule.id);
    patient_.signs.rules.push_back(
        {.phase = RuleState::Phase::active, .rule = rule.id, .since = time_of_sample(), .alert_id = {}});
    patient_.had_emergency = patient_.had_emergency || rule.severity == alerts::Severity::emergency;
    judgement_.events.push_back({RuleEvent::Kind::fired, &rule, value, {}, {}});
  }

  void end(const Rule& rule, std::optional<double> value, std::string why) {
    judgement_.events.push_back({RuleEvent::Kind::cleared, &rule, value, std::move(why), find(rule.id)->alert_id});
    drop(rule.id);
  }

  Patient& patient_;
  const Taken* taken_;
  Instant now_;
  const WatchSettings& settings_;
  Judgement judgement_;
};

}  // namespace

Judgement judge(Patient& patient, const EffectiveRules& effective, const Taken* taken, Instant now,
                const WatchSettings& settings) {
  Judge judge(patient, taken, now, settings);
  judge.end_unknown(effective.rules, effective.held_back);
  for (const Rule* rule : effective.rules) judge.look_at(*rule);
  for (const Rule* rule : effective.held_back) judge.hold_back(*rule);
  return judge.finish(effective.rules);
}

EffectiveRules effective_rules(const RuleSet& set, const PatientSigns& signs, Instant at) {
  constexpr std::uint32_t limit_seconds = 30;
  EffectiveRules effective;
  effective.own.reserve(2 * signs.limits.size());
  const auto add = [&](const Limit& limit, bool upward, double threshold) {
    Rule rule;
    rule.id = fmt::format("limit-{}-{}", to_string(limit.signal), upward ? "high" : "low");
    rule.title =
        fmt::format("Vital signs: {} {} the patient's own limit", to_string(limit.signal), upward ? "above" : "below");
    rule.signal = limit.signal;
    rule.upward = upward;
    rule.exclusive = true;
    rule.threshold = rule.clear = threshold;
    rule.severity = limit.severity;
    rule.seconds = limit_seconds;
    rule.adults_only = false;
    effective.own.push_back(std::move(rule));
  };
  for (const Limit& limit : signs.limits) {
    if (!limit.in_force(at)) continue;
    if (limit.low) add(limit, false, *limit.low);
    if (limit.high) add(limit, true, *limit.high);
  }
  const auto is_limited = [&](const Rule& rule) {
    return rule.rule_class == RuleClass::sustained &&
           // A limit above says nothing about what is too low.
           std::ranges::any_of(effective.own,
                               [&](const Rule& own) { return own.signal == rule.signal && own.upward == rule.upward; });
  };
  for (const Rule& rule : set.rules) (is_limited(rule) ? effective.held_back : effective.rules).push_back(&rule);
  for (const Rule& rule : effective.own) effective.rules.push_back(&rule);
  return effective;
}

Instant persistence_due(const PatientSigns& signs, const std::vector<const Rule*>& rules) {
  Instant due;
  for (const RuleState& state : signs.rules) {
    if (state.phase != RuleState::Phase::pending) continue;
    const auto rule = std::ranges::find_if(rules, [&](const Rule* each) { return each->id == state.rule; });
    if (rule == rules.end()) continue;
    const auto decided = decided_at(signs, **rule, state);
    if ((*rule)->of > 0 && !decided) continue;
    const Instant lasted = (*rule)->of > 0 ? *decided : state.since + std::chrono::seconds((*rule)->seconds);
    if (to_us(due) == 0 || lasted < due) due = lasted;
  }
  return due;
}

Silence silence_of(const PatientSigns& signs, Instant now, const WatchSettings& settings) {
  Silence silence;
  if (!signs.monitoring || (signs.monitoring->until && now >= *signs.monitoring->until)) return silence;
  silence.next = signs.monitoring->until.value_or(Instant{});
  for (std::size_t i = 0; i < sign_count; ++i) {
    if ((signs.monitoring->signs >> i & 1U) == 0) continue;
    const Instant last = time_at(signs, static_cast<Sign>(i), now + settings.future_max).value_or(Instant{});
    const Instant heard = std::max(last, signs.monitoring->from);
    const Instant due = heard + signs.monitoring->stale_after;
    if (due <= now)
      silence.signs |= 1U << i;
    else if (to_us(silence.next) == 0 || due < silence.next)
      silence.next = due;
  }
  return silence;
}

std::string reason_of(const PatientSigns& signs, const std::vector<const Rule*>& rules, const WatchSettings& settings) {
  std::string text;
  if (signs.score) {
    const Score& score = *signs.score;
    text = fmt::format("NEWS2 {}{}", score.total ? "" : "at least ", score.partial);
    std::string_view separator = ": ";
    for (std::size_t i = 0; i < parameter_count; ++i) {
      const auto parameter = static_cast<Parameter>(i);
      const bool from_oximeter =
          parameter == Parameter::pulse && signs.at && pulse_sign_at(signs, *signs.at) == Sign::pulse_oximetry;
      const auto& held = from_oximeter ? held_of(signs, Sign::pulse_oximetry) : signs.held[i];
      if (score.parts[i].points == 0 || held.empty()) continue;
      text += fmt::format("{}{}", std::exchange(separator, ", "), to_string(parameter));
      if (parameter == Parameter::consciousness)
        text += fmt::format(" {}", "ACVPU"[static_cast<std::size_t>(held.front().value)]);
      else if (parameter != Parameter::oxygen)
        text += fmt::format(" {:.4g}", held.front().value);
      text += fmt::format(" ({})", score.parts[i].points);
    }
  }
  for (const Rule* rule : rules) {
    if (is_of_news2(rule->signal)) continue;
    const auto state = std::ranges::find(signs.rules, rule->id, &RuleState::rule);
    if (state == signs.rules.end() || state->phase != RuleState::Phase::active) continue;
    const auto value = value_of(signs, rule->signal, settings);
    text += fmt::format(
        "{}{}{}", text.empty() ? "" : "; ", to_string(rule->signal),
        value ? fmt::format(" {:.4g} ({} {:.4g})", *value, rule->upward ? "high from" : "low from", rule->threshold)
              : std::string());
  }
  return text;
}

}  // namespace mydr24::vitals
