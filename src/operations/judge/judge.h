#pragma once

// Whether what was changed does as well as what was not: each metric of the experiment against the control, then a
// score of all of them. Pure functions. Source of the method: Kayenta's canary judge (metric classes, effect
// thresholds, weighted groups).

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/judge/statistics.h"

namespace mydr24::judge {

enum class Class : std::uint8_t { pass, high, low, no_data };
std::string_view to_string(Class verdict);  // "Pass", "High", "Low", "Nodata"

// In which direction a difference is bad.
enum class Direction : std::uint8_t { increase, decrease, either };
std::string_view to_string(Direction direction);
std::optional<Direction> parse_direction(std::string_view text);

enum class Effect : std::uint8_t { mean_ratio, common_language };

struct ClassifierSettings {
  double confidence = 0.98;
  double tolerance = 0.25;  // of the estimate's size: an interval within it is no difference
  Direction direction = Direction::either;
  Effect effect = Effect::mean_ratio;
  // High needs an effect of at least this, Low one of at most that. Of mean_ratio 1 is none, of common_language 0.5.
  double allowed_increase = 1;
  double allowed_decrease = 1;
  double critical_increase = 1;  // the same for what fails everything; only where `critical`
  double critical_decrease = 1;
  bool critical = false;
  bool zero_for_missing = false;         // values that are not numbers count as 0; else they are left out
  std::optional<double> outlier_factor;  // as without_outliers(); none: every value counts
};

struct Verdict {
  Class verdict = Class::pass;
  bool critical = false;  // fails everything
  double effect = 1;
  Shift shift;
  std::string reason;
};
Verdict classify(std::vector<double> experiment, std::vector<double> control, const ClassifierSettings& settings);

// One metric's outcome for the score.
struct Outcome {
  std::vector<std::string> groups;
  Class verdict = Class::pass;
  bool critical = false;        // fails everything unless it is Pass
  bool must_have_data = false;  // Nodata counts as failed
  bool report_only = false;     // counts for nothing
};

struct Score {
  double value = 0;                                     // 0 to 100
  std::map<std::string, std::optional<double>> groups;  // none: no data
  std::string reason;                                   // why it is 0 whatever the groups say; else empty
};
// `weights`: of groups, in percent; what is left over is shared by the groups that have none. Groups without data
// give their weight to the others.
Score score(const std::vector<Outcome>& outcomes, const std::map<std::string, double>& weights);

enum class Grade : std::uint8_t { pass, marginal, fail };
constexpr Grade grade(double score, double pass, double marginal) {
  return score >= pass ? Grade::pass : score >= marginal ? Grade::marginal : Grade::fail;
}

}  // namespace mydr24::judge
