#include "operations/series/otlp_traces.h"

#include <fmt/format.h>

#include "operations/series/detail/otlp.h"

namespace mydr24::series {
namespace {

using telemetry::Span;

constexpr unsigned error_status = 2;  // STATUS_CODE_ERROR

std::uint64_t ns(std::chrono::nanoseconds time) { return static_cast<std::uint64_t>(time.count()); }

// Ids are bytes in the order of their digits.
void append_id(std::string& out, std::uint64_t id) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(id >> shift));
}
std::string bytes_of(telemetry::SpanId id) {
  std::string out;
  append_id(out, id);
  return out;
}
std::string bytes_of(const telemetry::TraceId& id) {
  std::string out;
  append_id(out, id.high);
  append_id(out, id.low);
  return out;
}

// What a trace had no room for is told by its request's span, which is the last.
std::uint32_t left_out_by(const telemetry::Trace& trace, const Span& span) {
  return &span == &trace.spans().back() ? trace.left_out() : 0;
}

std::string span_message(const telemetry::Trace& trace, const Span& span) {
  std::string out;
  put_message(out, 1, bytes_of(trace.id()));
  put_message(out, 2, bytes_of(span.id));
  if (span.parent != 0) put_message(out, 4, bytes_of(span.parent));
  put_message(out, 5, span.name);
  put_number(out, 6, static_cast<std::uint64_t>(span.kind));
  put_fixed(out, 7, ns(span.begin));
  put_fixed(out, 8, ns(span.end));
  for (const auto& [key, value] : span.attributes)
    std::visit([&](const auto& each) { put_message(out, 9, attribute(key, each)); }, value);
  if (const auto left_out = left_out_by(trace, span); left_out > 0)
    put_message(out, 9, attribute("mydr24.spans_left_out", std::int64_t{left_out}));
  if (span.failed) {
    std::string status;
    put_number(status, 3, error_status);
    put_message(out, 15, status);
  }
  return out;
}

void write_span(json::Writer& writer, const telemetry::Trace& trace, const Span& span) {
  writer.begin_object();
  writer.field("traceId", std::string_view(fmt::format("{:016x}{:016x}", trace.id().high, trace.id().low)));
  writer.field("spanId", std::string_view(fmt::format("{:016x}", span.id)));
  if (span.parent != 0) writer.field("parentSpanId", std::string_view(fmt::format("{:016x}", span.parent)));
  writer.field("name", std::string_view(span.name)).field("kind", static_cast<std::int64_t>(span.kind));
  write_time(writer, "startTimeUnixNano", ns(span.begin));
  write_time(writer, "endTimeUnixNano", ns(span.end));
  writer.key("attributes").begin_array();
  for (const auto& [key, value] : span.attributes)
    std::visit([&](const auto& each) { write_attribute(writer, key, each); }, value);
  if (const auto left_out = left_out_by(trace, span); left_out > 0)
    write_attribute(writer, "mydr24.spans_left_out", std::int64_t{left_out});
  writer.end_array();
  if (span.failed) writer.key("status").begin_object().field("code", std::int64_t{error_status}).end_object();
  writer.end_object();
}

}  // namespace

std::string otlp_traces_protobuf(TraceBatch traces, const Resource& resource) {
  std::string spans;
  for (const auto& trace : traces)
    for (const Span& span : trace->spans()) put_message(spans, 2, span_message(*trace, span));
  return with_resource(resource, spans);
}

std::string otlp_traces_json(TraceBatch traces, const Resource& resource) {
  std::string out;
  json::Writer writer(out);
  write_with_resource(writer, resource, "resourceSpans", "scopeSpans", "spans", [&] {
    for (const auto& trace : traces)
      for (const Span& span : trace->spans()) write_span(writer, *trace, span);
  });
  return out;
}

}  // namespace mydr24::series
