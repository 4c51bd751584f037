// What a request leaves in the traces when it was answered: its own span, by the words of the router's table only.

#include <fmt/format.h>

#include "api/pipeline/pipeline.h"

namespace mydr24::pipeline {
namespace {

// Of methods that nobody knows only this is told: OpenTelemetry's conventions for HTTP.
std::string_view method_of(const net::Request& request) {
  return request.method == net::Method::other ? "_OTHER" : net::to_string(request.method);
}

}  // namespace

std::unique_ptr<telemetry::Trace> Pipeline::begin_trace(const net::Request& request) const {
  return settings_.traces != nullptr ? settings_.traces->begin(request.header("traceparent")) : nullptr;
}

void Pipeline::finish(Served served) const {
  const auto ended = clock_.steady();
  const auto took = ended - served.started;
  count(served.match, served.status, took);
  if (settings_.traces == nullptr) return;
  const bool admitted = served.place.verdict.admitted();
  const bool failed = served.status >= 500;
  auto trace = std::move(served.trace);
  // Who is refused for want of room is counted; a stream takes as long as it is listened to.
  if (trace == nullptr && admitted) {
    const auto counted = served.is_stream ? std::chrono::nanoseconds(0) : took;
    trace = settings_.traces->begin_late(served.request.header("traceparent"), counted, failed);
  }
  if (trace == nullptr) return;
  if (served.place.gate != nullptr)
    trace->add("admission wait", served.started, served.started + served.place.verdict.waited);
  telemetry::Span own{.kind = telemetry::Span::Kind::server, .begin = served.started, .end = ended, .failed = failed};
  const auto method = method_of(served.request);
  own.name = method;
  const auto tell = [&own](std::string_view key, std::string_view value) {
    own.attributes.push_back({key, std::string(value)});
  };
  tell("http.request.method", method);
  if (const auto* route = served.match.route) {
    own.name += fmt::format(" {}", route->pattern);
    tell("http.route", route->pattern);
    tell("mydr24.interaction", route->interaction);
  }
  own.attributes.push_back({"http.response.status_code", std::int64_t{served.status}});
  tell("url.scheme", served.request.secure ? "https" : "http");
  tell("mydr24.class", to_string(served.place.entry.request_class));
  tell("mydr24.listener", settings_.listener == admission::Listener::emergency ? "emergency" : "general");
  if (!admitted) tell("mydr24.refusal", admission::to_string(served.place.verdict.refusal));
  if (!settings_.tenant.empty()) tell("mydr24.tenant", settings_.tenant);
  if (!served.request_id.empty()) tell("mydr24.request_id", served.request_id);
  settings_.traces->end(std::move(trace), std::move(own));
}

}  // namespace mydr24::pipeline
