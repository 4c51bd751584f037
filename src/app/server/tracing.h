#pragma once

// Traces of the running server's requests, and the way they take to an OpenTelemetry collector. One for all tenants: a trace names its
// own.

#include <memory>
#include <string>

#include "app/server/settings.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/traces.h"
#include "operations/series/exporter.h"
#include "operations/series/otlp.h"

namespace mydr24::server {

// The name of the machine.
std::string host_name();
// Who the numbers and traces of this server are said to be of.
series::Resource otlp_resource(const Settings& settings);

class Tracing {
 public:
  // Null: traces.otlp_url is empty. Both must outlive it. Code::invalid names the setting.
  static Result<std::unique_ptr<Tracing>> make(const Settings& settings, telemetry::Metrics& metrics,
                                               const Clock& clock);
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  telemetry::Traces& traces() { return traces_; }

 private:
  Tracing(const Settings& settings, telemetry::Metrics& metrics, const Clock& clock);

  telemetry::Traces traces_;
  series::Exporter exporter_;
};

}  // namespace mydr24::server
