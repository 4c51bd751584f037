#pragma once

// Watches every Observation in the transaction that writes it: keeps each patient's vital signs, scores them, holds
// them against the rules in force (assess.h) and raises an alert in the same transaction when one calls for it.
//
// - One alert a patient: people are called when the level rises, and when another rule calls after somebody closed the
//   alert by hand. An emergency that comes on top of one that was acknowledged is an alert of its own. The alert is
//   resolved when no rule holds any more. Signs that come after a gap longer than every window begin a new episode.
// - Only data measured at most `alert_age_max` before the transaction (and not in the future) can call: an import of
//   old records scores, but calls nobody. An alert that was closed is not raised again by late data.
// - Data from the future beyond `future_max` is held only as long as a patient has no other. Older than what is held:
//   kept at its own time, never in place of a newer one; scored there ("vitals.rescored"). Corrections replace what the
//   same Observation said; entered-in-error and deletion take it away; both score again, by what still stands: when
//   less is held than may be, the store is asked for the newest readings of the retracted signs.
// - What lasts (rules with seconds) and what falls silent (monitored signs) is found by a durable timer a patient.
// - State is one row of bounded size a patient, given up `forget_after` the last sign; a restart finds it in the store.
//
// Events: vitals.suppressed (a rule held and nobody was called: why), vitals.finding (technical, when it changes),
// vitals.rescored (late and recent enough to have called), vitals.limit, vitals.monitoring, vitals.rules (rule_book.h).

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/book.h"
#include "clinical/records/records.h"
#include "clinical/vitals/assess.h"
#include "clinical/vitals/rule_book.h"

namespace mydr24::vitals {

struct BoardRow {
  std::string patient_id;
  Instant at;
  int points = 0;  // the total, or its lower bound
  bool complete = false;
  Band band = Band::low;
  std::string alert_id;  // empty: none
};

struct BoardPage {
  std::vector<BoardRow> rows;  // highest band first, then most points
  std::string next;            // empty: no more
};

struct WatchCounters {
  std::atomic<std::int64_t> observations = 0;  // with a vital sign
  std::atomic<std::int64_t> findings = 0;      // technical
  std::atomic<std::int64_t> scored = 0;
  std::atomic<std::int64_t> too_old = 0;  // would have called, but the data was too old or from the future
  std::atomic<std::int64_t> suppressed = 0;
  std::atomic<std::int64_t> rescored = 0;  // late data, at its own time
  std::atomic<std::int64_t> silences = 0;  // technical alarms
};

class Watch : public records::Reaction {
 public:
  // `book` must outlive it.
  explicit Watch(const alerts::Book& book, WatchSettings settings = {}) : book_(book), settings_(settings) {}

  // Makes the store take patients off the board when their data is old, and look at what lasts and what is silent.
  // Before the first tick; must outlive the store.
  void attach(store::Store& store);

  bool concerns(std::string_view type) const override { return type == "Observation" || type == "Patient"; }
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  // Nothing when no vital sign of the patient is known.
  Result<std::optional<PatientSigns>> current(store::Reader& reader, std::string_view patient_id) const;
  // Patients by need. `count` at most 500; `after`: BoardPage::next.
  static Result<BoardPage> board(store::Reader& reader, std::uint32_t count = 100, std::string_view after = {});

  // A clinician's limit for the patient; replaces the one on the same signal. Code::invalid: no name, no bound, or
  // bounds that cannot be.
  Result<> set_limit(store::Transaction& transaction, std::string_view patient_id, Limit limit);
  // Code::not_found when there is none.
  Result<> remove_limit(store::Transaction& transaction, std::string_view patient_id, Signal signal,
                        std::string_view by);
  // Silence of these signs is an alarm from now on. Code::invalid: no name, no sign, or a time below 10 s or above a
  // day.
  Result<> monitor(store::Transaction& transaction, std::string_view patient_id, Monitoring monitoring);
  Result<> stop_monitoring(store::Transaction& transaction, std::string_view patient_id, std::string_view by);

  const WatchCounters& counters() const { return counters_; }
  const WatchSettings& settings() const { return settings_; }
  const RuleBook& rules() const { return rules_; }

 private:
  Result<> react_to_patient(store::Transaction& transaction, const records::Change& change);
  Result<> update(store::Transaction& transaction, std::string_view patient_id, std::string_view observation,
                  const Signs* signs);
  Result<> recall(store::Transaction& transaction, std::string_view patient_id, const Patient& before,
                  const Taken& taken, Patient& row) const;
  Result<Patient> load(store::Reader& reader, std::string_view patient_id) const;
  Result<> learn_birth_date(store::Transaction& transaction, std::string_view patient_id, Patient& row) const;
  // Holds the patient against the rules, calls and ends calls. `taken` null: only time has passed.
  Result<> assess(store::Transaction& transaction, std::string_view patient_id, const Patient& before, Patient& row,
                  const Taken* taken);
  Result<> call(store::Transaction& transaction, std::string_view patient_id, Patient& row, const Judgement& judgement,
                const EffectiveRules& rules, bool score_changed);
  Result<> raise(store::Transaction& transaction, std::string_view patient_id, Patient& row, const Rule& gravest,
                 const EffectiveRules& rules, std::string cause, const std::vector<std::string>& active,
                 std::string& alert_id);
  Result<> end_call(store::Transaction& transaction, Patient& row, std::string_view why) const;
  Result<> note_suppressed(store::Transaction& transaction, std::string_view patient_id, const RuleEvent& event);
  Result<> note_findings(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                         const std::vector<std::string>& findings);
  Result<> note_late(store::Transaction& transaction, std::string_view patient_id, const Patient& row,
                     const Signs& signs, std::string_view observation);
  // Technical alarms: raised for silent signs, resolved when all are heard again.
  Result<> listen(store::Transaction& transaction, std::string_view patient_id, Patient& row);
  Result<> look_again(store::Transaction& transaction, std::string_view patient_id);
  Result<> set_watch_timer(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                           Instant due) const;
  Result<> save(store::Transaction& transaction, std::string_view patient_id, const Patient& before,
                Patient& row) const;
  Result<> leave_board(store::Transaction& transaction, std::string_view patient_id) const;
  // Kept for the scores of its time.
  static Result<> keep_past(store::Transaction& transaction, std::string_view patient_id, const Limit& limit);
  static Result<> drop_limits(store::Transaction& transaction, std::string_view patient_id, Patient& row,
                              const std::function<bool(const Limit&)>& goes);

  const alerts::Book& book_;
  const WatchSettings settings_;
  RuleBook rules_;
  WatchCounters counters_;
};

}  // namespace mydr24::vitals
