#pragma once

// What new signs mean for a patient: pure functions over the patient's row, used by the watch inside the transaction
// and by the dry run over stored history. No store, no clock.
//
// Rules
// - A sign counts for its window from its own time; the time of the scores is the time of the newest sign of NEWS2. So
//   history is scored as it was then. Only what is known counts: an incomplete set has its lower bound.
// - Under 16 (Patient.birthDate) or pregnant: no NEWS2. An unknown birth date counts as adult: a score too many is
//   safer than none.
// - A rule's condition that begins to hold calls at once, or after it has lasted (rules.h). The first emergency of an
//   episode always calls at once. A rule that called ends when its signal is beyond `clear`; NEWS2's rules also need
//   every sign that was known when people were called: that one has merely run out is no recovery.
// - A reading that changes faster than a body does, contradicts the pulse oximeter or never changes is a finding, and
//   the sustained rules wait for more even on a spot check. Never the life-threat rules.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clinical/vitals/patient.h"
#include "clinical/vitals/rules.h"
#include "clinical/vitals/scores.h"
#include "clinical/vitals/signs.h"

namespace mydr24::vitals {

struct WatchSettings {
  std::array<std::chrono::seconds, sign_count> window = default_windows();
  std::chrono::seconds alert_age_max = std::chrono::hours(1);
  std::chrono::seconds future_max = std::chrono::minutes(10);
  std::chrono::seconds board_age_max = std::chrono::hours(24);  // older patients leave the board
  std::chrono::seconds forget_after = std::chrono::days(30);    // nothing new for so long: the row is given up

  // 12 hours, the interval of spot checks at a score of 0; laboratory values a day; a decision on the scale and a
  // pregnancy 280 days.
  static std::array<std::chrono::seconds, sign_count> default_windows();
};

// Two readings of a sign at most this far apart: continuous measurement.
inline constexpr std::chrono::seconds continuous_max{120};

// What taking an Observation in has changed.
struct Taken {
  bool fresh = false;  // recent enough to call people for
  bool late = false;   // older than what was there
  bool suspect = false;
  std::uint32_t changed = 0;     // bits of Sign: the newest reading is another one
  std::uint32_t continuous = 0;  // bits of Sign, among `changed`
  // Bits of Sign: the Observation no longer says it, or says it of an earlier time. What stands before it may be more
  // than what is held.
  std::uint32_t retracted = 0;
  std::vector<std::string> findings;
};

// Takes what `observation` said before out of the patient's signs and puts `signs` (null: nothing) in.
Taken take_in(Patient& patient, std::string_view observation, const Signs* signs, Instant now,
              const WatchSettings& settings);

// Signs that come after a gap longer than every window: what people were called for is another matter.
bool begins_new_episode(std::optional<Instant> before, const Patient& patient, const Taken& taken,
                        const WatchSettings& settings);

// The scores as of signs.at.
void score(Patient& patient, const WatchSettings& settings);
// Bits of Parameter.
std::uint32_t scored_parts(const Score& score);
// What was taken back, and by the new score is not known otherwise, need not be known again for a call to end.
void forget_retracted(Patient& patient, const Taken& taken);
// NEWS2 as the signs held were at a moment, for data that comes late.
std::optional<Score> score_at(const Patient& patient, Instant at, const WatchSettings& settings);

// A recorded decision for SpO2 scale 2: an Observation's, or with a limit.
bool is_on_scale_2(const PatientSigns& signs, Instant at, const WatchSettings& settings);

// The other scores of what counts at signs.at; nothing when no part is known.
std::optional<QuickSofa> quick_sofa_of(const PatientSigns& signs, const WatchSettings& settings);
std::optional<Sirs> sirs_of(const PatientSigns& signs, const WatchSettings& settings);
std::optional<int> coma_score_of(const PatientSigns& signs, const WatchSettings& settings);

std::optional<double> value_of(const PatientSigns& signs, Signal signal, const WatchSettings& settings);

struct RuleEvent {
  enum class Kind : std::uint8_t { fired, cleared, suppressed } kind = Kind::fired;
  const Rule* rule = nullptr;
  std::optional<double> value;
  std::string why;       // of cleared and suppressed
  std::string alert_id;  // cleared: of its own alert
};

struct Judgement {
  std::vector<RuleEvent> events;
  bool too_old = false;       // something would have called
  Level level = Level::none;  // of the rules that are active now
  const Rule* gravest = nullptr;
};

// The set with the patient's own limits in place of the sustained rules on their signals.
struct EffectiveRules {
  std::vector<Rule> own;               // the limits, as rules "limit-spo2-low"
  std::vector<const Rule*> rules;      // into the set and into `own`
  std::vector<const Rule*> held_back;  // of the set: the patient's own limit applies
  EffectiveRules() = default;
  EffectiveRules(EffectiveRules&&) = default;
  EffectiveRules& operator=(EffectiveRules&&) = default;
};
// `set` must outlive it.
EffectiveRules effective_rules(const RuleSet& set, const PatientSigns& signs, Instant at);

// What the rules say about the patient as scored. `taken` null: only time has passed.
Judgement judge(Patient& patient, const EffectiveRules& rules, const Taken* taken, Instant now,
                const WatchSettings& settings);

// When the earliest pending rule has lasted long enough; 0: none is waiting for time.
Instant persistence_due(const PatientSigns& signs, const std::vector<const Rule*>& rules);

// Bits of the monitored signs that are silent at `now`, and when to look again: the next one will be, or the monitoring
// ends (0: never). A reading from a future that is no clock's error is nothing heard.
struct Silence {
  std::uint32_t signs = 0;
  Instant next;
};
Silence silence_of(const PatientSigns& signs, Instant now, const WatchSettings& settings);

// "NEWS2 at least 3: spo2 82 (3); pulse 28": what called, in words. Stays inside.
std::string reason_of(const PatientSigns& signs, const std::vector<const Rule*>& rules, const WatchSettings& settings);

}  // namespace mydr24::vitals
