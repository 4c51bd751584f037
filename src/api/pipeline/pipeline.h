#pragma once

// One request from the socket to its answer; the page to read first.
//
//   1 the router finds the route                    404, 405
//   2 admission says how urgent it is
//   3 the route's handler answers through the Call  (parse, validate, write or read, respond)
//   4 the request is counted under its route, class and status
//
// Errors below /fhir are OperationOutcomes, elsewhere problem details (RFC 9457).

#include <span>
#include <string>
#include <string_view>

#include "api/pipeline/router.h"
#include "base/core/clock.h"
#include "base/net/http.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "fhir/model/outcome.h"

namespace mydr24::pipeline {

// One request on its way. Lives until it is answered.
class Call {
 public:
  Call(net::Exchange& exchange, const Match& match, RequestClass request_class, std::string base_url);

  const net::Request& request() const { return exchange_.request(); }
  net::Exchange& exchange() { return exchange_; }
  RequestClass request_class() const { return request_class_; }
  std::string_view capture(std::size_t index) const { return match_.captures[index]; }
  const Route& route() const { return *match_.route; }
  // http://host:port as the client sees it; the FHIR base is this and "/fhir/R4".
  const std::string& base_url() const { return base_url_; }
  std::string fhir_base() const { return base_url_ + "/fhir/R4"; }

  Task<> respond(net::Response response);
  // An error in the form of the path: OperationOutcome or problem details.
  Task<> respond(const Error& error);
  Task<> respond(int status, std::span<const model::Issue> issues);
  // For answers that are streamed: what was begun, for the count.
  void note_status(int status) { status_ = status; }
  int status() const { return status_; }

 private:
  net::Exchange& exchange_;
  const Match& match_;
  RequestClass request_class_;
  std::string base_url_;
  int status_ = 0;
};

struct PipelineSettings {
  std::string base_url;  // empty: from the Host header
  // Told of every request that a route answered, after it was. Must be quick and must not throw.
  std::function<void(const Route&, std::chrono::nanoseconds)> served;
};

class Pipeline {
 public:
  // All must outlive the pipeline. Routes are complete by now.
  Pipeline(const Router& router, const PipelineSettings& settings, telemetry::Metrics& metrics,
           const telemetry::Log& log, const Clock& clock);

  Task<> serve(net::Exchange& exchange) const;

 private:
  struct Counters {
    std::array<telemetry::Counter, 6> by_status_class;  // index: first digit of the status
    telemetry::Histogram seconds;
  };
  void count(const Match& match, int status, std::chrono::nanoseconds time) const;

  const Router& router_;
  PipelineSettings settings_;
  const telemetry::Log& log_;
  const Clock& clock_;
  std::map<const Route*, Counters> counters_;
  Counters unrouted_;
};

inline constexpr std::string_view fhir_json = "application/fhir+json; charset=utf-8";

}  // namespace mydr24::pipeline
