#pragma once

// What a change is to do, as its requester wrote it: steps, checks, way back, impact. Approvals are given to the
// digest of its text.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "operations/judge/judge.h"
#include "operations/judge/rollout.h"
#include "operations/live_settings/live_settings.h"

namespace mydr24::changes {

enum class Type : std::uint8_t { standard, normal, emergency };
std::string_view to_string(Type type);

// What it touches. The seed's change types.
enum class Kind : std::uint8_t {
  configuration,
  application,
  database_schema,
  infrastructure,
  security,
  compliance,
  feature,
  hotfix
};
std::string_view to_string(Kind kind);

enum class Level : std::uint8_t { low, medium, high, critical };
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

// What downtime of so many minutes means: 0 to 5 low, 6 to 30 medium, 31 to 120 high, more critical (the seed's
// table).
constexpr Level downtime_level(std::int64_t minutes) {
  return minutes <= 5 ? Level::low : minutes <= 30 ? Level::medium : minutes <= 120 ? Level::high : Level::critical;
}

struct Impact {
  std::optional<std::int64_t> downtime_min;  // none: no downtime
  bool emergency_services = false;           // critical
  bool patient_data_access = false;          // high
  bool data_migration = false;               // needs a rehearsed way back
  std::vector<std::string> wards;
};
// The worst of it; low when there is none.
Level level_of(const Impact& impact);

// Something that must hold. An error or a time-out is as much a failure as a wrong answer.
struct Check {
  enum class Kind : std::uint8_t { http, fhir, metric, burn, setting };
  Kind kind = Kind::http;
  std::string name;     // for people; made from what it asks when it is left out
  std::string subject;  // http: URL, or a path of this server; fhir: search; metric, burn, setting: name
  std::string method = "GET", body, content_type;  // http
  std::string credential;  // http: the name of one that the policy has; empty: it is asked without
  std::vector<int> status{200};
  std::string contains;                     // http: in the answer's body; empty: anything
  std::string scope;                        // metric: of which ward; empty: everywhere
  std::optional<double> at_least, at_most;  // fhir: of matches; metric and burn: of the value
  std::string is;                           // setting
  bool before = true;                       // holds before the change, and again after it was rolled back
  bool after = true;                        // holds after it
  std::chrono::milliseconds time_max{10'000};
};

inline constexpr std::int64_t scale_max = 1'000'000;  // nothing is scaled to more

struct Step {
  enum class Kind : std::uint8_t { set, command, webhook, scale, wait, verify, watch, judge };
  Kind kind = Kind::wait;
  std::string name;
  std::string setting, scope{live_settings::everywhere};  // set
  std::optional<std::string> value;                       // set; none: back to the default
  std::string command;                                    // the name of one that the policy allows
  std::string url, body;                                  // webhook
  std::string scaled;                                     // scale: the name of one that the policy has
  std::int64_t number = 0;                                // scale: to which
  std::chrono::milliseconds within{120'000};              // scale: until it has to be there
  std::chrono::milliseconds wait{0};
  std::vector<Check> checks;                // verify: each once; watch: all of them, again and again
  judge::AnalysisLimits limits;             // watch
  std::chrono::milliseconds every{10'000};  // watch and judge
  std::string metric, canary, control;      // judge: of which scope
  int samples = 30;
  judge::ClassifierSettings classifier;
  std::chrono::milliseconds time_max{30'000};  // command, webhook; scale: of each reading and setting

  // The longest that it may last.
  std::chrono::milliseconds lasts_max() const;
};
std::string_view to_string(Step::Kind kind);

struct Plan {
  std::string title, description;
  Type type = Type::normal;
  Kind kind = Kind::configuration;
  std::string service;                // the one that is changed
  std::vector<std::string> services;  // all that are touched: `service`, and the owners of the settings, among them
  std::optional<Level> declared;      // the least that the requester takes it for
  Impact impact;
  bool tested = false;
  std::string evidence;       // of the test
  bool irreversible = false;  // rolling back is not possible, or loses something
  std::string rollback_text;  // for people
  std::vector<Step> steps;
  std::vector<Step> rollback;  // beside putting settings back, which is done by itself and first
  std::vector<Check> checks;
  std::chrono::milliseconds settle{10'000};  // how long a check may fail after a rollback before it counts
  std::optional<Instant> begin, end;         // the window
  std::string text;                          // as it was written, compact
  std::string digest;                        // SHA-256 of `text`, hexadecimal

  // The longest that it may last, with its way back.
  std::chrono::milliseconds lasts_max() const;
};

inline constexpr std::size_t steps_max = 100;
inline constexpr std::size_t plan_bytes_max = 256U << 10;

// Code::invalid names the member.
Result<Plan> parse_plan(std::string_view text);

// Against the settings there are: names, values, scopes; exposure only grows, emergency paths come last, and
// between two stages something is verified. Code::invalid names the step.
Result<> check_exposure(const Plan& plan, const live_settings::Registry& settings);
// The steps of its way back: settings, values and scopes that there are, and nothing that waits for a verdict.
// Code::invalid names the step.
Result<> check_way_back(const Plan& plan, const live_settings::Registry& settings);

}  // namespace mydr24::changes
