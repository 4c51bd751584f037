#pragma once

// What is kept of one patient between two Observations: the last readings of each sign, the state of each rule, the
// limits and the monitoring that a clinician has set. One row a patient, of bounded size; its text is JSON in the
// store's space "vitals".

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clinical/vitals/news2.h"
#include "clinical/vitals/rules.h"
#include "clinical/vitals/signs.h"

namespace mydr24::vitals {

inline constexpr std::size_t held_max = 2;     // readings kept of each sign
inline constexpr std::size_t limits_max = 11;  // of a patient: one a signal

struct Held {
  Instant at;
  double value = 0;
  std::string observation;  // id
};

enum class Level : std::uint8_t { none, advisory, urgent, emergency };
std::string_view to_string(Level level);
Level level_of(alerts::Severity severity);

// A rule whose condition holds, or held recently. Rules that are not here are at rest.
struct RuleState {
  // pending: it holds, not yet long enough. active: people were called. held_back: it holds, but the patient's own
  // limit on the signal applies.
  enum class Phase : std::uint8_t { pending, active, held_back } phase = Phase::pending;
  std::string rule;            // id
  Instant since;               // when its condition began to hold; of an active one, when it called
  std::uint32_t outcomes = 0;  // of the last samples, the newest in the lowest bit: 1 held
  std::string alert_id;        // of an alert of its own; empty: the patient's
};

// A clinician's decision for one patient: takes the place of the sustained rules on that signal. Life-threat rules
// stay.
struct Limit {
  Signal signal = Signal::spo2;
  std::optional<double> low;   // below: call
  std::optional<double> high;  // above: call
  int spo2_scale = 0;          // 2: with it goes the decision for SpO2 scale 2 of NEWS2; 0: none
  alerts::Severity severity = alerts::Severity::urgent;
  std::string by;  // who set it
  std::string reason;
  Instant from;                  // when it was set
  std::optional<Instant> until;  // nothing: until it is taken away

  bool in_force(Instant at) const { return at >= from && (!until || at < *until); }
};

// The patient is watched continuously: silence of these signs is a technical alarm.
struct Monitoring {
  std::uint32_t signs = 0;  // bits of Sign
  std::chrono::seconds stale_after{300};
  std::string by;
  Instant from;
  std::optional<Instant> until;
  std::string alert_id;  // of the technical alarm that is open; empty: none
};

// What is known of a patient.
struct PatientSigns {
  std::array<std::vector<Held>, sign_count> held;  // newest first, at most held_max
  std::optional<Instant> at;                       // time of the newest sign of the score: the time of the score
  std::optional<Score> score;                      // nothing: no signs, or not scored
  std::string not_scored;                          // why: "under 16", "pregnant"; empty otherwise
  bool is_child = false;                           // under 16 for certain
  Level level = Level::none;                       // what people have been called for
  std::string alert_id;                            // of that call
  std::string finding;                             // the last technical finding; empty: none
  std::vector<RuleState> rules;
  std::vector<Limit> limits;
  std::optional<Monitoring> monitoring;
};
std::string to_json(const PatientSigns& signs);
std::string to_json(const Limit& limit);
std::string to_json(const Monitoring& monitoring);

// The row.
struct Patient {
  PatientSigns signs;
  std::optional<std::string> born;  // Patient.birthDate; empty: unknown; nothing: not looked up yet
  std::uint32_t known = 0;          // bits of Parameter: scored when people were called
  bool had_emergency = false;       // in this episode
  std::uint32_t same_pulse = 0;     // samples in a row with the same heart rate
  Instant same_pulse_since;
  std::string board_key;  // its place on the board; empty: not on it
  Instant board_due;      // when its timer looks whether it still belongs there; 0: no timer
  Instant watch_due;      // when the timer of persistence and silence is due; 0: none
  std::string text;       // as it was read

  bool is_new() const { return text.empty(); }
  std::string to_text() const;
  static Result<Patient> from_text(std::string text);
};

inline constexpr std::string_view vitals_space = "vitals";
inline constexpr std::string_view board_space = "vitals_board";
// Limits that were replaced or taken away, one a row, in the order in which they ended; the newest are kept.
inline constexpr std::string_view past_limits_space = "vitals_past_limits";
inline constexpr std::uint32_t past_limits_max = 100;  // of a patient
std::string past_limits_prefix(std::string_view patient_id);
std::string past_limit_key(std::string_view patient_id, Instant ended, std::size_t signal);

inline constexpr std::string_view board_timer_kind = "vitals.board";
inline constexpr std::string_view watch_timer_kind = "vitals.watch";

}  // namespace mydr24::vitals
