#pragma once

// Stored history held against rules: what a rule set would have called, before anybody activates it; and what a
// patient's scores were at any moment, from the Observations as they stand now, so that late and corrected data count
// at their own time. Reads only. Nothing here calls anybody.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clinical/vitals/assess.h"
#include "storage/store/store.h"

namespace mydr24::vitals {

struct DryRunSettings {
  Instant since;
  Instant until;
  std::int64_t observations_max = 500'000;  // read; then it stops and says so
  std::size_t patients_max = 20'000;        // held at once
  std::size_t examples_max = 50;
  const std::atomic<bool>* cancelled = nullptr;
};

struct RuleRun {
  std::string rule;
  alerts::Severity severity = alerts::Severity::urgent;
  std::int64_t fired = 0;
  std::int64_t suppressed = 0;
  std::int64_t patients = 0;
};

// What one rule set would have done.
struct SetRun {
  int version = 0;
  std::string name;
  std::int64_t calls = 0;        // times people would have been called: alerts, and rises of severity
  std::int64_t emergencies = 0;  // of these
  std::int64_t patients = 0;     // for whom
  std::vector<RuleRun> rules;
};

struct CallExample {
  std::string patient_id;
  Instant at;
  std::string rule;
  alerts::Severity severity = alerts::Severity::urgent;
  double value = 0;
};

struct DryRun {
  std::int64_t observations = 0;  // with a vital sign
  std::int64_t patients = 0;
  double patient_days = 0;  // from each one's first to its last sign
  bool complete = true;     // false: a limit was reached
  SetRun candidate;
  SetRun in_force;
  std::vector<CallExample> calls;           // of the candidate, the first ones
  std::vector<std::string> only_candidate;  // patients that only one of the two would have called for, the first ones
  std::vector<std::string> only_in_force;
};

// Blocks; for a worker. In the order in which the signs were measured, from what the watch held of each patient when the
// time began, with the limits that patients have now.
// Code::invalid when the time is empty, Code::too_costly when cancelled.
Result<DryRun> dry_run(store::Store& store, const RuleSet& candidate, const RuleSet& in_force,
                       const WatchSettings& watch, const DryRunSettings& settings);
std::string to_json(const DryRun& run);

// Fills up what `signs` holds of `wanted` (bits of Sign) with the newest readings that stand in the store: measured at
// most at `until`, and counting at `at`. False: there was too much to read, and there may be newer ones.
Result<bool> take_newest(store::Reader& reader, std::string_view patient_id, std::uint32_t wanted, Instant at,
                         Instant until, const WatchSettings& settings, PatientSigns& signs);

// What the watch held of the patient at `at`, with the scores: the newest readings of every sign, each as far back as
// it counts, and the limits of that time; from what is stored now. Code::too_costly when that is too much to read.
Result<PatientSigns> signs_at(store::Reader& reader, std::string_view patient_id, Instant at,
                              const WatchSettings& settings);

}  // namespace mydr24::vitals
