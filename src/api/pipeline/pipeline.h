#pragma once

// One request from the socket to its answer; the page to read first.
//
//   1 the router finds the route                    404, 405
//   2 admission says how urgent it is and whether it is served now, later or not   429, 503
//   3 access says who asks and whether they may at all         401, 403
//   4 the route's handler answers through the Call  (parse, validate, write or read, respond)
//     and the audit has its entry before the answer goes out: without it there is none  507, 500
//   5 the request is counted under its route, class and status, and traced when it is to be
//
// Errors below /fhir are OperationOutcomes, elsewhere problem details (RFC 9457).

#include <span>
#include <string>
#include <string_view>

#include "api/pipeline/recorder.h"
#include "api/pipeline/router.h"
#include "base/core/clock.h"
#include "base/net/http.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/traces.h"
#include "fhir/model/outcome.h"
#include "guard/access/decision.h"
#include "guard/access/gatekeeper.h"
#include "guard/admission/control.h"
#include "guard/admission/patients.h"
#include "guard/admission/quota.h"

namespace mydr24::pipeline {

class Pipeline;

// One request on its way. Lives until it is answered.
class Call {
 public:
  Call(net::Exchange& exchange, const Match& match, RequestClass request_class, std::string base_url,
       access::Access& access);

  const net::Request& request() const { return exchange_.request(); }
  net::Exchange& exchange() { return exchange_; }
  RequestClass request_class() const { return request_class_; }
  // What this request may see and do; all that is read or written for it passes here.
  access::Access& access() { return access_; }
  // In whose name something is done: of who is logged in, whatever they say; where nobody is asked who they are, what was
  // said.
  std::string in_name_of(std::string_view said) const;
  std::string_view capture(std::size_t index) const { return match_.captures[index]; }
  const Route& route() const { return *match_.route; }
  // http://host:port as the client sees it; the FHIR base is this and "/fhir/R4".
  const std::string& base_url() const { return base_url_; }
  std::string fhir_base() const { return base_url_ + "/fhir/R4"; }

  Task<> respond(net::Response response);
  // The head of an answer that is written piece by piece, through exchange().
  Task<Result<>> begin_stream(net::Response head);
  // An error in the form of the path: OperationOutcome or problem details.
  Task<> respond(const Error& error);
  Task<> respond(int status, std::span<const model::Issue> issues);
  // 401, with what the client must show (RFC 9110, WWW-Authenticate).
  Task<> respond_unknown(const Error& error, std::string_view challenge);
  // What is left out while there is too much to do: see admission::Ladder. 0: nothing.
  int brown_out_level() const { return standing_.admission != nullptr ? standing_.admission->level() : 0; }
  // Others wait: work of more than some microseconds belongs on a worker, not on the I/O thread.
  bool crowded() const { return standing_.crowded; }
  // Steady time after which nobody waits for the answer.
  std::chrono::nanoseconds deadline() const { return standing_.deadline; }

  struct Standing {
    const admission::Control* admission = nullptr;  // null: everything is served
    bool crowded = false;
    std::chrono::nanoseconds deadline = std::chrono::nanoseconds::max();
    Recorder* recorder = nullptr;        // null: nothing is recorded
    std::string_view origin;             // of the page of another site that may read the answer; empty: none
    bool known = false;                  // somebody is logged in, or shows a token
    const Pipeline* entrance = nullptr;  // who is asked again whether it is allowed; null: it always is
  };
  void stand(Standing standing) { standing_ = std::move(standing); }

  // See Standing::origin.
  std::string_view origin() const { return standing_.origin; }
  int status() const { return status_; }
  bool is_stream() const { return is_stream_; }
  // For streams, now and then: false when the token was revoked or has expired, or the rights were taken away.
  bool is_still_allowed() const;
  // Parameters that came in the body, for the audit.
  void note_query(std::string_view query) {
    if (standing_.recorder != nullptr) standing_.recorder->note_query(query);
  }

 private:
  net::Response as_response(const Error& error, int status) const;
  Result<> record(int status);
  void protect(net::Response& response) const;  // protect.cc

  net::Exchange& exchange_;
  const Match& match_;
  RequestClass request_class_;
  std::string base_url_;
  access::Access& access_;
  Standing standing_;
  int status_ = 0;
  bool is_stream_ = false;
};

struct PipelineSettings {
  std::string base_url;  // empty: from the Host header
  // What the listener says of its requests: raises their class, bulk work excepted.
  RequestClass listener_class = RequestClass::background;
  // Null: every request of the listener is routine, or what `listener_class` says, and none is refused.
  admission::Control* admission = nullptr;
  admission::Listener listener = admission::Listener::general;
  // Null: everybody is let in as the server itself.
  access::Gatekeeper* gatekeeper = nullptr;
  audit::Log* audit = nullptr;  // null: nothing is recorded
  // Those of the tenant whose requests these are: a request about one of them is urgent. Null: none.
  const admission::EmergencyPatients* emergency_patients = nullptr;
  const admission::Hand* hand = nullptr;  // the tenant's queues; null: every queue
  admission::Quota* quota = nullptr;      // of its requests that are neither emergencies nor urgent; null: none
  // Whether the tenant has no room left for writes that are neither emergencies nor urgent. Empty: it has.
  std::function<bool()> is_full;
  const FeatureSwitches* features = nullptr;  // null: nothing is switched off
  telemetry::Traces* traces = nullptr;        // null: nothing is traced
  std::string tenant;                         // told in traces; empty: the only one
  // Whether pages of that origin ("https://app.example") may read answers below /fhir, as the token that they show allows. Must
  // be quick. Null: none may.
  std::function<bool(std::string_view origin)> may_read;
  // Told of every request that a route answered, after it was. Must be quick and must not throw.
  std::function<void(const Route&, std::chrono::nanoseconds)> served;
};

class Pipeline {
 public:
  // All must outlive the pipeline. Routes are complete by now.
  Pipeline(const Router& router, const PipelineSettings& settings, telemetry::Metrics& metrics,
           const telemetry::Log& log, const Clock& clock);

  Task<> serve(net::Exchange& exchange) const;

  // enter.cc: who asks, and whether they may at all
  struct Entrance {
    std::shared_ptr<const access::Caller> caller;  // null: nobody is asked for
    access::Decision decision;
    std::optional<Error> refused;  // what was shown is not valid
  };
  Entrance enter(const net::Request& request, const Match& match) const;

 private:
  struct Counters {
    std::array<telemetry::Counter, 6> by_status_class;  // index: first digit of the status
    telemetry::Histogram seconds;
  };
  void count(const Match& match, int status, std::chrono::nanoseconds time) const;

  // admit.cc: from the head to a seat
  struct Place {
    admission::Entry entry;
    admission::Cost cost = admission::Cost::quick;
    admission::Gate* gate = nullptr;  // whose seat it takes; null: none
    bool waits = false;               // no verdict yet: it has to wait for the seat
    admission::Verdict verdict;
    Call::Standing standing;
  };
  RequestClass classify(const net::Exchange& exchange, const Match& match, std::string_view& tenant) const;
  Place admit(const net::Exchange& exchange, const Match& match, std::chrono::nanoseconds now) const;
  void note(const Place& place) const;
  net::Prepared refusal(const Place& place) const;

  // trace.cc: what is left of a request when it was answered
  struct Served {
    const net::Request& request;
    const Match& match;
    const Place& place;
    int status = 0;
    std::chrono::nanoseconds started{0};
    std::unique_ptr<telemetry::Trace> trace;  // null: it was not chosen
    bool is_stream = false;
    std::string_view request_id;  // see Recorder::own_request_id
  };
  std::unique_ptr<telemetry::Trace> begin_trace(const net::Request& request) const;
  void finish(Served served) const;

  static bool adds_to_the_store(const net::Request& request, const Place& place);
  Task<> turn_away(Call& call, const Entrance& entrance) const;

  // protect.cc: pages of other sites
  std::string_view origin_of(const net::Request& request) const;
  // The head of an answer with what lets the page of another site read it; empty: no such page asks.
  std::string readable_by(const net::Request& request, std::string_view head) const;
  Task<> answer_preflight(Call& call, const Match& match) const;

  const Router& router_;
  PipelineSettings settings_;
  const telemetry::Log& log_;
  const Clock& clock_;
  std::map<const Route*, Counters> counters_;
  std::array<telemetry::Histogram, request_class_count> queue_seconds_;
  Counters unrouted_;
};

inline constexpr std::string_view fhir_json = "application/fhir+json; charset=utf-8";

}  // namespace mydr24::pipeline
