#pragma once

// The parts of a configuration that are read element by element. Private to alerting/routing.

#include "alerting/routing/config.h"
#include "alerting/routing/detail/yaml.h"

namespace mydr24::routing::detail {

Result<> read_receivers(const Element& root, Config& config);
Result<TimeInterval> read_interval(const Element& element);

// The document as Alertmanager YAML, without secrets and without what only we know.
std::string shown_text(const YAML::Node& document);

}  // namespace mydr24::routing::detail
