#pragma once

// Traces as OpenTelemetry's ExportTraceServiceRequest, in protobuf and in JSON: the same message. Source: opentelemetry-proto 1.x
// (trace/v1, common/v1, resource/v1) and the OTLP specification 1.x (ids are hexadecimal digits in JSON).

#include <memory>
#include <span>
#include <string>

#include "base/telemetry/traces.h"
#include "operations/series/otlp.h"

namespace mydr24::series {

using TraceBatch = std::span<const std::unique_ptr<telemetry::Trace>>;

std::string otlp_traces_protobuf(TraceBatch traces, const Resource& resource);
std::string otlp_traces_json(TraceBatch traces, const Resource& resource);

}  // namespace mydr24::series
