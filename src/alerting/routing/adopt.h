#pragma once

// A configuration that was written for an Alertmanager, any version, as one that load_config() takes: what has no equal
// here is left out and named. Pure.
//
// Invariant: no receiver that told somebody becomes one that tells nobody: where nothing of it is left it calls by the
// on-call policy of the severity.
//
// Source of the settings: Prometheus Alertmanager, configuration reference, 0.15 to 0.28.

#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/config.h"
#include "base/core/result.h"

namespace mydr24::routing {

// What was not carried over as it was.
struct Left {
  std::string where;  // its place in the original
  std::string text;   // why, or what to do
  bool operator==(const Left&) const = default;
};

struct Adopted {
  std::string yaml;  // load_config() takes it; adopted again it stays the same
  std::vector<Left> left;
};

// Code::invalid, `where` as with load_config(): no YAML, or wrong in a way that no Alertmanager would take.
Result<Adopted> adopt_config(std::string_view yaml, Names names = Names::utf8);

}  // namespace mydr24::routing
