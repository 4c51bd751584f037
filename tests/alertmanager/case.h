#pragma once

// A behaviour of alert routing as data: what is sent when, and what receivers must be told when. One file a case, run
// against our program and against the real Alertmanager. Times are seconds after the start. See README.md.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "alerting/routing/labels.h"

namespace mydr24::alertmanager {

struct WantedAlert {
  routing::Labels labels;
  routing::Labels annotations;  // checked where given
  std::optional<double> start;
  std::optional<double> end;  // it must be resolved; without: firing
};

struct Want {
  int line = 0;
  std::string hook;
  double from = 0;
  double to = 0;
  std::vector<WantedAlert> alerts;  // none: nothing may come in this time
};

struct Step {
  int line = 0;
  double at = 0;
  std::string verb;
  std::vector<std::string> words;  // what follows the time
};

// How a hook behaves until a time: answers 200 and keeps nothing, answers 500, or hangs.
struct Hook {
  std::string name;
  std::string manner;  // swallow, fail, hang; empty: well
  double until = 0;
};

struct Case {
  std::string name;   // of the file
  std::string title;  // its first comment
  std::string only;   // ours, real; empty: both
  std::string only_why;
  std::string config;  // YAML with $HOOK for the address of a hook
  std::string prefix;
  double start_delay = 0;
  std::vector<Hook> hooks;
  std::vector<Step> steps;  // by time
  std::vector<Want> wants;
};

// Throws std::runtime_error with file and line.
Case read_case(const std::filesystem::path& file);

// LABELS[@START[-END]][!NAME=VALUE]: labels as name=value separated by commas; a bare word is the alertname.
WantedAlert read_alert(const std::string& word);

struct Outcome {
  std::string name;
  std::string target;
  bool skipped = false;
  std::vector<std::string> faults;
};

// target: "ours" or "real". Takes as long as the case says.
Outcome run_case(const Case& what, const std::string& target);

}  // namespace mydr24::alertmanager
