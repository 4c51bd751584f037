#pragma once

// How repeated checks during a rollout add up: limits as Argo Rollouts' analysis has them, advancement as Flagger
// has it. Pure functions. Source: Argo Rollouts, analysis (failureLimit, consecutiveSuccessLimit, inconclusive,
// dry-run) and rollback windows; Flagger, how it works (threshold, hooks, suspend).

#include <cstdint>
#include <span>
#include <string_view>

namespace mydr24::judge {

enum class Measurement : std::uint8_t { success, failure, inconclusive, error };

struct AnalysisLimits {
  int count = 1;                    // measurements there are to be; 0: until `successes` or a limit
  int failure_limit = 0;            // so many may fail; one more and it has failed. Below 0: any number may
  int inconclusive_limit = 0;       // the same of inconclusive ones
  int consecutive_error_limit = 4;  // so many errors one after the other; one more and it has failed
  int consecutive_successes = 0;    // so many one after the other are enough; 0: all of `count` have to be made
  bool dry_run = false;             // told, but decides nothing
};

enum class Phase : std::uint8_t { running, successful, failed, inconclusive };
std::string_view to_string(Phase phase);

// Failed wins over everything; an error is a failure once consecutive_error_limit is exceeded. A dry run that is
// over is successful.
Phase assess(std::span<const Measurement> measurements, const AnalysisLimits& limits);
// Of several analyses of one rollout: failed if one is; else inconclusive if one is; else running if one is.
Phase worst(std::span<const Phase> phases);

// What a rollout does next.
enum class Move : std::uint8_t { advance, hold, roll_back, finish };
std::string_view to_string(Move move);

struct Progress {
  int failed_checks = 0;  // of this rollout so far
  int threshold = 1;      // failed checks that roll it back
  int weight = 0;         // exposed, in percent
  int weight_max = 100;
  bool suspended = false;       // frozen as it is: not even rolled back
  bool hook_refused = false;    // a confirmation hook answered other than 2xx
  bool rollback_asked = false;  // a rollback hook answered 200
};
Move next_move(const Progress& progress, bool check_passed);

// Whether going back to a revision that ran `revisions_ago` needs no steps and no analysis: within the window.
constexpr bool is_fast_rollback(int revisions_ago, int window) { return revisions_ago > 0 && revisions_ago <= window; }

}  // namespace mydr24::judge
