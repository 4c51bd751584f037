#pragma once

// Metrics as OpenTelemetry's ExportMetricsServiceRequest, in protobuf and in JSON: the same message. Source: opentelemetry-proto
// 1.x (metrics/v1, common/v1, resource/v1) and the OTLP specification 1.x: OTLP/HTTP, JSON mapping (64-bit numbers are texts).

#include <string>
#include <vector>

#include "base/core/clock.h"
#include "base/telemetry/metrics.h"

namespace mydr24::series {

struct Resource {
  std::string service;   // service.name
  std::string version;   // service.version
  std::string instance;  // service.instance.id
};

// Counters and histograms are cumulative from `start` on.
std::string otlp_protobuf(const std::vector<telemetry::Family>& families, const Resource& resource, Instant start,
                          Instant now);
std::string otlp_json(const std::vector<telemetry::Family>& families, const Resource& resource, Instant start,
                      Instant now);

}  // namespace mydr24::series
