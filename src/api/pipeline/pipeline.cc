#include "api/pipeline/pipeline.h"

#include <fmt/format.h>

#include "api/pipeline/seat.h"
#include "base/json/writer.h"

namespace mydr24::pipeline {
namespace {

bool is_fhir(std::string_view path) { return path.starts_with("/fhir"); }

std::string problem(int status, std::string_view title, std::string_view detail, std::string_view where) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("type", "about:blank").field("title", title).field("status", status).field("detail", detail);
  if (!where.empty()) out.field("instance", where);
  out.end_object();
  return text;
}

std::string client_base(const net::Request& request, const std::string& configured) {
  if (!configured.empty()) return configured;
  const auto host = request.header("Host");
  std::string base = request.secure ? "https://" : "http://";
  return base.append(host.empty() ? "localhost" : host);
}

Error no_route(const net::Request& request, const Match& match) {
  if (!match.allow.empty()) {
    return fail(Code::unsupported,
                fmt::format("{} is not allowed on {}; allowed: {}", request.method_text, request.path, match.allow));
  }
  return fail(Code::not_found,
              fmt::format("there is nothing at {}; the FHIR base is /fhir/R4, see /fhir/R4/metadata", request.path));
}

Error switched_off(std::uint8_t feature) {
  const auto name = features()[feature].name;
  return fail(Code::busy, fmt::format("switched off by a change: see the setting 'feature.{}'", name));
}

}  // namespace

Call::Call(net::Exchange& exchange, const Match& match, RequestClass request_class, std::string base_url,
           access::Access& access)
    : exchange_(exchange),
      match_(match),
      request_class_(request_class),
      base_url_(std::move(base_url)),
      access_(access) {}

std::string Call::in_name_of(std::string_view said) const {
  const auto& who = access_.principal();
  if (!who.is_known() || who.kind == access::PrincipalKind::system) return std::string(said);
  return who.name.empty() ? who.id : who.name;
}

// Answered also when that cannot be recorded, which the log of the server says: an emergency, and what was written, which has
// its entries in its own transaction and would be sent again.
Result<> Call::record(int status) {
  if (standing_.recorder == nullptr) return {};
  auto done = standing_.recorder->record(status);
  if (!done && (request_class_ == RequestClass::emergency || access_.has_noted())) return {};
  return done;
}

Task<Result<>> Call::begin_stream(net::Response head) {
  if (auto recorded = record(head.status); !recorded) {
    auto response = as_response(recorded.error(), model::http_status(recorded.error().code));
    status_ = response.status;
    protect(response);
    co_await exchange_.respond(std::move(response));
    co_return recorded.error();
  }
  status_ = head.status;
  is_stream_ = true;
  protect(head);
  co_return co_await exchange_.begin_stream(std::move(head));
}

Task<> Call::respond(net::Response response) {
  if (auto recorded = record(response.status); !recorded)
    response = as_response(recorded.error(), model::http_status(recorded.error().code));
  status_ = response.status;
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  protect(response);
  co_await exchange_.respond(std::move(response));
}

Task<> Call::respond(const Error& error) { co_await respond(as_response(error, model::http_status(error.code))); }

Task<> Call::respond_unknown(const Error& error, std::string_view challenge) {
  auto response = as_response(error, 401);
  const model::Issue issue{model::Severity::error, "login", error.text, error.where};
  if (is_fhir(request().path)) response.body = model::operation_outcome(std::span(&issue, 1));
  response.headers.emplace_back("WWW-Authenticate", challenge);
  co_await respond(std::move(response));
}

net::Response Call::as_response(const Error& error, int status) const {
  if (is_fhir(exchange_.request().path)) {
    net::Response response{.status = status, .content_type = std::string(fhir_json)};
    response.body = model::operation_outcome(error);
    return response;
  }
  net::Response response{.status = status, .content_type = "application/problem+json"};
  response.body = problem(status, to_string(error.code), error.text, error.where);
  return response;
}

Task<> Call::respond(int status, std::span<const model::Issue> issues) {
  net::Response response{.status = status, .content_type = std::string(fhir_json)};
  response.body = model::operation_outcome(issues);
  co_await respond(std::move(response));
}

Pipeline::Pipeline(const Router& router, const PipelineSettings& settings, telemetry::Metrics& metrics,
                   const telemetry::Log& log, const Clock& clock)
    : router_(router), settings_(settings), log_(log), clock_(clock) {
  const auto counters_for = [&](const std::string& interaction) {
    Counters counters;
    for (std::size_t digit = 1; digit < counters.by_status_class.size(); ++digit) {
      counters.by_status_class[digit] =
          metrics.counter("http_requests_total", "Requests answered, by route and class of status",
                          {{"route", interaction}, {"status", fmt::format("{}xx", digit)}});
    }
    counters.seconds =
        metrics.histogram("http_request_seconds", "Time from the request's headers to the end of its answer",
                          telemetry::seconds_buckets(), {{"route", interaction}});
    return counters;
  };
  for (std::size_t i = 0; i < request_class_count; ++i) {
    queue_seconds_[i] = metrics.histogram("admission_queue_seconds", "How long requests waited for a seat",
                                          telemetry::seconds_buckets(),
                                          {{"class", std::string(to_string(static_cast<RequestClass>(i)))}});
  }
  for (const auto& route : router.routes()) counters_.emplace(&route, counters_for(route.interaction));
  unrouted_ = counters_for("none");
}

// What a full quota refuses.
bool Pipeline::adds_to_the_store(const net::Request& request, const Place& place) {
  return place.cost == admission::Cost::write && place.entry.request_class >= RequestClass::routine &&
         is_fhir(request.path) && request.method != net::Method::del;
}

Task<> Pipeline::serve(net::Exchange& exchange) const {
  const auto started = clock_.steady();
  const auto& request = exchange.request();
  const auto match = router_.match(request.method, request.path);
  auto trace = begin_trace(request);
  auto place = admit(exchange, match, started);
  if (place.waits) {
    place.verdict =
        co_await async_call<admission::Verdict>([&](auto done) { place.gate->wait(place.entry, std::move(done)); });
  }
  note(place);
  if (!place.verdict.admitted()) {
    auto refused = refusal(place);
    const auto head = readable_by(request, refused.head);
    if (!head.empty()) refused.head = head;
    co_await exchange.respond_prepared(refused);
    finish({.request = request,
            .match = match,
            .place = place,
            .status = admission::http_status(place.verdict.refusal),
            .started = started,
            .trace = std::move(trace)});
    co_return;
  }
  const Seat seat(place.gate, place.entry.request_class, place.verdict.shard, clock_);
  const auto entrance = [&] {
    const telemetry::TraceTimer timer(trace.get(), "access decision");
    return enter(request, match);
  }();
  const bool is_asked = entrance.caller != nullptr;
  std::optional<access::Access> own;
  if (is_asked)
    own.emplace(entrance.caller, clock_);
  else if (trace != nullptr)
    own.emplace();
  if (own) own->trace_by(trace.get());
  Call call(exchange, match, place.entry.request_class, client_base(request, settings_.base_url),
            own ? *own : access::Access::server());
  std::optional<Recorder> recorder;
  auto standing = place.standing;
  if (is_asked) {
    if (settings_.audit != nullptr) {
      recorder.emplace(*settings_.audit, clock_, request, match, *own, entrance.decision.rule);
      recorder->record_writes();
      standing.recorder = &*recorder;
    }
    standing.entrance = this;
  }
  standing.origin = origin_of(request);
  standing.known = is_asked && entrance.caller->principal.is_known();
  call.stand(std::move(standing));
  if (!entrance.decision.allowed) {
    co_await turn_away(call, entrance);
  } else if (adds_to_the_store(request, place) && settings_.is_full && settings_.is_full()) {
    co_await call.respond(fail(Code::full, "the tenant has used up its storage quota: ask its operator for more"));
  } else if (match.route != nullptr && settings_.features != nullptr &&
             settings_.features->is_off(match.route->feature)) {
    co_await call.respond(switched_off(match.route->feature));
  } else if (match.route != nullptr) {
    try {
      co_await match.route->handler(call);
    } catch (const std::exception& error) {
      const auto request_id = recorder ? recorder->own_request_id() : std::string_view();
      log_.error("a request handler failed",
                 {{"route", match.route->interaction}, {"error", error.what()}, {"request", request_id}});
      finish({.request = request,
              .match = match,
              .place = place,
              .status = 500,
              .started = started,
              .trace = std::move(trace),
              .request_id = request_id});
      throw;  // net answers 500 when nothing was answered yet, and closes the connection
    }
  } else if (!call.origin().empty() && request.method == net::Method::options && !match.allow.empty() &&
             is_fhir(request.path)) {
    co_await answer_preflight(call, match);
  } else if (!match.allow.empty()) {
    const auto error = no_route(request, match);
    net::Response response{.status = 405, .content_type = std::string(fhir_json)};
    response.headers.emplace_back("Allow", match.allow);
    response.body =
        is_fhir(request.path) ? model::operation_outcome(error) : problem(405, "not-allowed", error.text, "");
    if (!is_fhir(request.path)) response.content_type = "application/problem+json";
    co_await call.respond(std::move(response));
  } else {
    co_await call.respond(no_route(request, match));
  }
  finish({.request = request,
          .match = match,
          .place = place,
          .status = call.status(),
          .started = started,
          .trace = std::move(trace),
          .is_stream = call.is_stream(),
          .request_id = recorder ? recorder->own_request_id() : std::string_view()});
}

void Pipeline::count(const Match& match, int status, std::chrono::nanoseconds time) const {
  const auto found = counters_.find(match.route);
  const auto& counters = found == counters_.end() ? unrouted_ : found->second;
  const auto digit = static_cast<std::size_t>(status / 100);
  if (digit >= 1 && digit < counters.by_status_class.size()) counters.by_status_class[digit].add();
  counters.seconds.observe(std::chrono::duration<double>(time).count());
  if (settings_.served && match.route != nullptr) settings_.served(*match.route, time);
}

}  // namespace mydr24::pipeline
