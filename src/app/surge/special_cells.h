#pragma once

// The cells that are more than a multiple of the capacity.

#include <string>

#include "app/surge/cell.h"

namespace mydr24::surge {

Result<CellResult> run_special(const Stage& stage, const BenchSettings& settings, const std::string& cell, Mode mode,
                               const Clock& clock);

// Seconds after `pulse_end_s` until the served rate is back: the first from which two seconds in a row reach 95 % of the
// mean between `from_s` and `until_s`. The length of what was seen when it never is.
double recovery_s(const std::vector<std::uint64_t>& good_s, std::size_t from_s, std::size_t until_s,
                  std::size_t pulse_end_s);

// 100,000 kept connections on as many servers as the limit of descriptors demands, emergencies beside.
Result<CellResult> run_idle(const Stage& stage, const BenchSettings& settings, Mode mode, bool tls, const Clock& clock);

// From the Observation to the webhook, beside ten times the load and 50,000 operational alerts.
Result<CellResult> run_storm(const Stage& stage, const BenchSettings& settings, Mode mode, const Clock& clock);

}  // namespace mydr24::surge
