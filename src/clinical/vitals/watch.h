#pragma once

// Watches every Observation in the transaction that writes it: keeps each patient's vital signs, scores them (NEWS2)
// and raises an alert in the same transaction when the score calls for it.
//
// Rules
// - A sign counts for `window` from its own time; the time of the score is the time of the newest sign. So imported
//   history is scored as it was then.
// - A total of 7 or more is an emergency; 5 or 6, or one parameter with 3 points, is urgent. What is known suffices: an
//   incomplete set counts with its lower bound.
// - Hysteresis: people are called when the level rises. It falls back only when the score is 4 or less without a 3, and
//   none of the signs that were known when it rose has merely run out: then the alert is resolved. Somebody who
//   resolves it by hand silences that level until it falls. Signs that come after a gap longer than every window begin
//   a new episode.
// - Only data measured at most `alert_age_max` before the transaction (and not in the future) can raise: an import of
//   old records scores, but calls nobody. An alert that was closed is not raised again by late data.
// - Data from the future beyond `future_max` is held only as long as a patient has no other.
// - Older than what is held: kept at its own time (the last two values of a sign are), never in place of a newer one.
//   Corrections replace what the same Observation said; entered-in-error and deletion take it away; both score again.
// - Under 16 (Patient.birthDate, read once and kept; followed when the Patient changes) or pregnant: not scored. An
//   unknown birth date counts as adult: a score too many is safer than none.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/book.h"
#include "clinical/records/records.h"
#include "clinical/vitals/news2.h"
#include "clinical/vitals/signs.h"

namespace mydr24::vitals {

struct WatchSettings {
  std::array<std::chrono::seconds, sign_count> window = default_windows();
  std::chrono::seconds alert_age_max = std::chrono::hours(1);
  std::chrono::seconds future_max = std::chrono::minutes(10);
  std::chrono::seconds board_age_max = std::chrono::hours(24);  // older patients leave the board

  // 12 hours, the interval of spot checks at a score of 0; a decision on the scale and a pregnancy 280 days.
  static std::array<std::chrono::seconds, sign_count> default_windows();
};

struct Held {
  Instant at;
  double value = 0;
  std::string observation;  // id
};

enum class Level : std::uint8_t { none, urgent, emergency };

// What is known of a patient.
struct PatientSigns {
  std::array<std::vector<Held>, sign_count> held;  // newest first, at most two
  std::optional<Instant> at;                       // time of the newest sign of the score: the time of the score
  std::optional<Score> score;                      // nothing: no signs, or not scored
  std::string not_scored;                          // why: "under 16", "pregnant"; empty otherwise
  Level level = Level::none;                       // what people have been called for
  std::string alert_id;                            // of that call
  std::string finding;                             // the last technical finding; empty: none
};
std::string to_json(const PatientSigns& signs);

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
  std::atomic<std::int64_t> too_old = 0;  // would have raised, but the data was too old or from the future
};

class Watch : public records::Reaction {
 public:
  // `book` must outlive it.
  explicit Watch(const alerts::Book& book, WatchSettings settings = {}) : book_(book), settings_(settings) {}

  // Makes the store take patients off the board when their data is old. Before the first tick; must outlive the store.
  void attach(store::Store& store);

  bool concerns(std::string_view type) const override { return type == "Observation" || type == "Patient"; }
  Result<> react(store::Transaction& transaction, const records::Change& change) override;

  // Nothing when no vital sign of the patient is known.
  Result<std::optional<PatientSigns>> current(store::Reader& reader, std::string_view patient_id) const;
  // Patients by need. `count` at most 500; `after`: BoardPage::next.
  static Result<BoardPage> board(store::Reader& reader, std::uint32_t count = 100, std::string_view after = {});

  const WatchCounters& counters() const { return counters_; }

 private:
  struct Row;
  Result<> react_to_patient(store::Transaction& transaction, const records::Change& change);
  // Takes what `observation` said before out of the patient's signs, puts `signs` (null: nothing) in, scores and
  // judges.
  Result<> update(store::Transaction& transaction, std::string_view patient_id, std::string_view observation,
                  const Signs* signs);
  Result<Row> load(store::Reader& reader, std::string_view patient_id) const;
  void score(Row& row) const;
  // `fresh`: what changed is recent enough to call people for.
  Result<> judge(store::Transaction& transaction, std::string_view patient_id, const Row& before, Row& row, bool fresh);
  Result<> save(store::Transaction& transaction, std::string_view patient_id, const Row& before, Row& row) const;
  Result<> leave_board(store::Transaction& transaction, std::string_view patient_id) const;

  const alerts::Book& book_;
  const WatchSettings settings_;
  WatchCounters counters_;
};

}  // namespace mydr24::vitals
