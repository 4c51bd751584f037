// From a request's head to its seat: class, gate, refusal.

#include <fmt/format.h>

#include <charconv>

#include "api/pipeline/pipeline.h"
#include "guard/admission/admission.h"
#include "guard/admission/hash.h"
#include "guard/admission/ticket.h"

namespace mydr24::pipeline {
namespace {

using admission::Cost;
using admission::Listener;
using std::chrono::nanoseconds;

// A thread that is this late with what was due serves others badly if it works on anything itself.
constexpr nanoseconds crowded_lag = std::chrono::milliseconds(5);
constexpr nanoseconds crowded_emergency_lag = std::chrono::milliseconds(1);
constexpr std::size_t crowded_emergencies = 4;
constexpr std::size_t crowded_writes = 96;

constexpr int retry_after_max = 60;
constexpr std::size_t retry_texts = 3 * retry_after_max / 2 + 1;  // with half as much on top, and 0

// Of refused requests, all there is: by status, level and seconds to wait.
class Refusals {
 public:
  Refusals() {
    for (const int status : {429, 503}) {
      for (int level = 0; level <= admission::level_max; ++level) {
        for (std::size_t seconds = 0; seconds < retry_texts; ++seconds) {
          heads_.push_back(
              fmt::format("HTTP/1.1 {} {}\r\nContent-Length: 0\r\nRetry-After: {}\r\nX-MyDR24-Level: {}\r\n", status,
                          status == 429 ? "Too Many Requests" : "Service Unavailable", seconds, level));
        }
      }
    }
  }
  net::Prepared get(int status, int level, std::size_t seconds) const {
    const std::size_t row = (status == 429 ? 0U : admission::level_max + 1U) + static_cast<std::size_t>(level);
    return {status, heads_[row * retry_texts + std::min(seconds, retry_texts - 1)]};
  }

 private:
  std::vector<std::string> heads_;
};

const Refusals& refusals() {
  static const Refusals made;
  return made;
}

// Half as long to half as long again, so that those who were refused together do not come back together.
std::size_t jittered(double seconds) {
  thread_local std::uint64_t state = 0x9e3779b97f4a7c15U;
  state ^= state << 13U;
  state ^= state >> 7U;
  state ^= state << 17U;
  const double factor = 0.5 + static_cast<double>(state >> 11U) / static_cast<double>(1ULL << 53U);
  return static_cast<std::size_t>(std::max(1.0, std::clamp<double>(seconds, 1, retry_after_max) * factor));
}

nanoseconds deadline_of(const net::Request& request, nanoseconds now) {
  const auto text = request.header("X-MyDR24-Deadline-Ms");
  std::int64_t left_ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), left_ms);
  constexpr std::int64_t ms_max = 3'600'000;
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || left_ms < 0 || left_ms > ms_max)
    return nanoseconds::max();
  return now + std::chrono::milliseconds(left_ms);
}

// Exports and imports hold a seat for as long as they take: of background work, so that they leave some to others.
bool is_stream(const net::Request& request, const Match& match) {
  constexpr std::string_view line_by_line = "application/fhir+ndjson";
  if (!request.path.starts_with("/fhir")) return false;
  if (request.has_body) return request.header("Content-Type").starts_with(line_by_line);
  return match.route != nullptr && match.route->cost == Cost::work &&
         request.header("Accept").starts_with(line_by_line);
}

std::string_view without_port(std::string_view remote) { return remote.substr(0, remote.rfind(':')); }

}  // namespace

RequestClass Pipeline::classify(const net::Exchange& exchange, const Match& match, std::string_view& tenant) const {
  admission::Control* const control = settings_.admission;
  if (control == nullptr) return std::min(RequestClass::routine, settings_.listener_class);
  const auto& request = exchange.request();
  admission::Facts facts{.listener = settings_.listener_class,
                         .route = match.route != nullptr ? match.route->request_class : RequestClass::routine,
                         .patient_in_emergency = settings_.emergency_patients != nullptr &&
                                                 settings_.emergency_patients->named_in(request.path, request.query),
                         .path = request.path,
                         .writes = request.method == net::Method::post || request.method == net::Method::put ||
                                   request.method == net::Method::patch,
                         .class_header = request.header("X-MyDR24-Class"),
                         .content_length = request.content_length,
                         .stream = is_stream(request, match)};
  if (!control->ticket_key().empty()) {
    const auto ticket =
        admission::check_ticket(control->ticket_key(), request.header("X-MyDR24-Priority"), clock_.now());
    if (ticket) {
      facts.ticket = ticket->raises_to;
      tenant = ticket->tenant;
    }
  }
  return admission::classify(facts);
}

// All that can be decided at once. No lock is taken for what needs no seat.
Pipeline::Place Pipeline::admit(const net::Exchange& exchange, const Match& match, nanoseconds now) const {
  Place place;
  std::string_view tenant;
  place.entry.request_class = classify(exchange, match, tenant);
  place.cost = match.route != nullptr ? match.route->cost : Cost::quick;
  admission::Control* const control = settings_.admission;
  if (control == nullptr) return place;
  const auto& request = exchange.request();
  const bool emergency_lane = settings_.listener == Listener::emergency;
  place.entry.now = now;
  place.entry.deadline = deadline_of(request, now);
  place.entry.hand = settings_.hand;
  const auto lag = exchange.loop_lag();
  place.standing = {.admission = control,
                    .crowded = lag > (emergency_lane ? crowded_emergency_lag : crowded_lag),
                    .deadline = place.entry.deadline};
  if (place.cost != Cost::quick) {
    place.gate = &control->gate(settings_.listener, place.cost);
    place.entry.flow = admission::hash(tenant.empty() ? without_port(request.remote) : tenant);
  }
  const auto hour = std::chrono::duration_cast<std::chrono::hours>(now).count();
  const auto rank = admission::Threshold::rank(place.entry.request_class,
                                               admission::Threshold::cohort(admission::hash(request.remote), hour));
  place.verdict.refusal = control->screen(place.entry.request_class, place.cost, rank);
  if (place.verdict.admitted() && settings_.quota != nullptr && place.entry.request_class >= RequestClass::routine &&
      !settings_.quota->take(now))
    place.verdict.refusal = admission::Refusal::quota;
  if (!place.verdict.admitted() || place.gate == nullptr) return place;
  const auto crowd = emergency_lane ? crowded_emergencies : crowded_writes;
  if (place.gate->taken() >= crowd) place.standing.crowded = true;
  if (const auto verdict = place.gate->enter(place.entry)) {
    place.verdict = *verdict;
  } else {
    place.waits = place.standing.crowded = true;
  }
  return place;
}

void Pipeline::note(const Place& place) const {
  if (settings_.admission == nullptr) return;
  if (place.gate != nullptr) {
    queue_seconds_[static_cast<std::size_t>(place.entry.request_class)].observe(
        std::chrono::duration<double>(place.verdict.waited).count());
  }
  if (place.verdict.admitted()) {
    settings_.admission->count_admitted(place.entry.request_class);
  } else {
    settings_.admission->count_refused(place.entry.request_class, place.verdict.refusal);
  }
}

net::Prepared Pipeline::refusal(const Place& place) const {
  const auto seconds =
      place.entry.request_class == RequestClass::emergency ? 0 : jittered(settings_.admission->excess());
  return refusals().get(admission::http_status(place.verdict.refusal), settings_.admission->level(), seconds);
}

}  // namespace mydr24::pipeline
