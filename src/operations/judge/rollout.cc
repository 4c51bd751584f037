#include "operations/judge/rollout.h"

#include <algorithm>

namespace mydr24::judge {

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::running:
      return "Running";
    case Phase::successful:
      return "Successful";
    case Phase::failed:
      return "Failed";
    case Phase::inconclusive:
      return "Inconclusive";
  }
  return {};
}

std::string_view to_string(Move move) {
  switch (move) {
    case Move::advance:
      return "advance";
    case Move::hold:
      return "hold";
    case Move::roll_back:
      return "roll back";
    case Move::finish:
      return "finish";
  }
  return {};
}

Phase assess(std::span<const Measurement> measurements, const AnalysisLimits& limits) {
  int failures = 0, inconclusive = 0, errors_in_a_row = 0, successes_in_a_row = 0;
  bool too_many_errors = false, enough = false;
  for (const auto each : measurements) {
    errors_in_a_row = each == Measurement::error ? errors_in_a_row + 1 : 0;
    successes_in_a_row = each == Measurement::success ? successes_in_a_row + 1 : 0;
    if (each == Measurement::failure) ++failures;
    if (each == Measurement::inconclusive) ++inconclusive;
    too_many_errors = too_many_errors || errors_in_a_row > limits.consecutive_error_limit;
    enough = enough || (limits.consecutive_successes > 0 && successes_in_a_row >= limits.consecutive_successes);
  }
  const bool over = limits.count > 0 && static_cast<int>(measurements.size()) >= limits.count;
  if (limits.dry_run) return over || enough ? Phase::successful : Phase::running;
  if (too_many_errors || (limits.failure_limit >= 0 && failures > limits.failure_limit)) return Phase::failed;
  if (enough) return Phase::successful;
  if (inconclusive > limits.inconclusive_limit) return Phase::inconclusive;
  if (!over) return Phase::running;
  return limits.consecutive_successes > 0 ? Phase::inconclusive : Phase::successful;
}

Phase worst(std::span<const Phase> phases) {
  for (const auto phase : {Phase::failed, Phase::inconclusive, Phase::running})
    if (std::ranges::find(phases, phase) != phases.end()) return phase;
  return Phase::successful;
}

Move next_move(const Progress& progress, bool check_passed) {
  if (progress.suspended) return Move::hold;
  if (progress.rollback_asked) return Move::roll_back;
  const int failed = progress.failed_checks + (check_passed ? 0 : 1);
  if (failed >= progress.threshold) return Move::roll_back;
  if (!check_passed || progress.hook_refused) return Move::hold;
  return progress.weight >= progress.weight_max ? Move::finish : Move::advance;
}

}  // namespace mydr24::judge
