#pragma once

// What one generator does: one class of requests from one process. It travels as JSON from the bench to the process.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/load/http.h"
#include "app/surge/arrivals.h"
#include "base/core/result.h"

namespace mydr24::surge {

// What is asked for. The routes are those of every server but `work`, which a server has with admission.bench_route.
enum class Kind : std::uint8_t {
  alarm,      // POST Observation: a saturation of 82 %, which is an emergency
  vital,      // POST Observation: a normal pulse
  summary,    // GET the emergency summary of a patient
  board,      // GET the open alerts
  work,       // POST /bench/work?ms=N: a fixed piece of CPU time
  read,       // GET Patient by id
  search,     // GET the newest Observations of a patient
  encounter,  // POST Encounter
  admit,      // PUT Patient
  bundle,     // POST transaction Bundle of linked resources
  history,    // GET the history of a patient
  alerts,     // POST /api/v2/alerts: a batch of operational alerts, each of its own
};
inline constexpr std::size_t kind_count = 12;
inline constexpr std::size_t alerts_a_post = 100;
std::string_view to_string(Kind kind);

struct Share {
  Kind kind = Kind::read;
  double weight = 1;
};

// What a client does after a refusal, a timeout or a broken connection; at most three attempts in all.
enum class Retry : std::uint8_t {
  none,
  immediate,
  backoff,  // after a random time below 500 ms, then below 1 s
  budget,   // as backoff, not before Retry-After has passed, and at most one retry for ten requests
};
inline constexpr std::uint32_t attempts_max = 3;
Result<Retry> parse_retry(std::string_view name);

struct LoadSpec {
  std::string name;  // of the class: "emergency"
  load::Endpoint endpoint;
  bool tls = false;                     // any certificate is taken: it is a bench
  bool connection_per_request = false;  // else connections are kept
  std::vector<Share> mix;
  std::vector<Phase> phases;
  Pace pace = Pace::poisson;
  Retry retry = Retry::none;
  double warm_up_s = 0;  // requests that are due before are sent, not counted
  std::uint64_t seed = 24;
  std::size_t connections = 64;
  std::size_t sources = 1;  // addresses 127.x.y.z that the connections come from: the tenants. Connections are given to
                            // them after Zipf's law (1.1), at least one each. 1: the machine's own choice
  std::chrono::milliseconds timeout{1000};
  int work_ms = 1;             // of the processor, a piece of work; 1 to 100
  std::size_t patients = 1;    // ids PREFIX-0 ...
  std::string patient_prefix;  // must exist on the server
  std::string alarm_prefix;    // of the patients of alarms: one alarm a patient in turn; empty: patient_prefix
  std::string headers;         // of every request: whole lines, each with its CRLF
  int fifo = 0;                // SCHED_FIFO priority, when permitted; 0: none
  bool keep_times = false;     // the result tells when each alarm was due, by patient
};

std::string to_json(const LoadSpec& spec);
Result<LoadSpec> parse_load_spec(std::string_view json);

}  // namespace mydr24::surge
