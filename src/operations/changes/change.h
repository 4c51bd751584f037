#pragma once

// A change as it is kept: its plan, approvals, and how far its run has come.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/changes/plan.h"
#include "operations/changes/risk.h"

namespace mydr24::changes {

enum class State : std::uint8_t {
  proposed,  // waits for approvals
  approved,  // may be started
  running,
  paused,  // a check was inconclusive: somebody resumes or aborts it
  rolling_back,
  successful,
  failed,             // a step failed or the process ended; rolled back
  validation_failed,  // a check before or after failed; rolled back, or nothing was done
  aborted,            // somebody ended it; rolled back
  rolled_back,        // was successful, and was taken back
  rollback_failed,    // the way back failed: an emergency
  rejected,
  withdrawn
};
std::string_view to_string(State state);
std::optional<State> parse_state(std::string_view text);
constexpr bool is_active(State state) {
  return state == State::running || state == State::paused || state == State::rolling_back;
}
constexpr bool is_over(State state) { return state >= State::successful; }

struct Approval {
  std::string member;  // of the board
  std::string digest;  // of the plan that it is for
  Instant at;
  // HMAC over all of that, the requester and the level: an approval that somebody wrote into the store is none.
  std::string seal;
};

enum class Phase : std::uint8_t { before, steps, after, way_back, verify_way_back };
std::string_view to_string(Phase phase);

// One thing that was done, for people.
struct Entry {
  Instant at;
  Phase phase = Phase::before;
  int step = 0;
  std::string name;
  bool ok = true;
  std::string text;
};

// A setting, or something that was scaled, as it was before the run touched it, in the order in which it did.
struct Undo {
  std::string setting;
  int version = 0;          // to put back
  int made = 0;             // the version that the run made
  std::string scaled = {};  // in place of a setting
  std::int64_t number = 0;  // of it, before
};

struct Run {
  std::string owner;  // the process that runs it
  Phase phase = Phase::before;
  int step = 0;                                  // the next one, or the one that has begun
  bool begun = false;                            // its effect may or may not have been
  std::optional<Instant> until;                  // of a wait, the next measurement, or the end of settling
  std::optional<Instant> deadline;               // of a scaling that was asked for: by then the number is there
  std::vector<judge::Measurement> measurements;  // of a watch
  std::vector<double> canary, control;           // of a judge
  std::vector<Undo> undo;
  std::string because;  // why it is rolled back; empty: it is not
  State ends_as = State::failed;
  std::string abort;  // somebody asks for its end: why
  std::vector<Entry> log;
};
inline constexpr std::size_t log_max = 500;

struct Rehearsal {
  Instant at;
  std::string by, evidence, digest;
  bool rolled_back = false;
};

struct Change {
  std::string id;
  std::string requested_by;
  State state = State::proposed;
  Plan plan;
  Risk risk;
  std::vector<Approval> approvals;
  std::vector<Rehearsal> rehearsals;
  Instant proposed, edited;
  std::optional<Instant> approved, starts, started, failed_at, finished, reviewed;
  std::optional<Instant> succeeded;                     // stays when it is taken back
  std::string started_by, review, reviewed_by, reason;  // reason: of a rejection or a withdrawal
  std::string not_started;                              // what was in the way of a scheduled start the last time
  std::optional<Run> run;
  bool review_overdue = false;
};

std::string to_json(const Change& change);
Result<Change> parse_change(std::string_view text);

}  // namespace mydr24::changes
