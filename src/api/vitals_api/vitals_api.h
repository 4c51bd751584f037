#pragma once

// What clinicians and devices do with vital signs, below /api/v1/vitals; and the scores as FHIR.
//
//   GET    rules                       versions, which one is in force, what came of each rule
//   POST   rules?by=NAME               adds a version (a rule set, clinical/vitals/rules.h); 201
//   GET    rules/{version}             0: the built-in one
//   POST   rules/{version}/activate    {"by": NAME}
//   POST   rules/validate              a rule set; says what is wrong with it, by line
//   POST   dry-run?since=&until=       a rule set, held against stored history; calls nobody
//   GET    outcomes/{alert}            what came of one alert
//   POST   outcomes/{alert}            {"acted": true, "by": NAME, "note": ""}: whether it needed action
//   POST   crowding/nedocs             the scale's inputs; and crowding/cedocs
//   POST   stream                      samples (clinical/vitals/sample.h), one a line; a line of answer each
//   GET    {patient}/scores?at=        NEWS2 with its response, qSOFA, SIRS, coma score; at: as of that time
//   PUT    {patient}/limits/{signal}   {"low": 88, "high": 92, "by": NAME, "reason": "", "until": TIME,
//                                      "spo2_scale": 2, "severity": "urgent"}; DELETE with ?by=NAME
//   PUT    {patient}/monitoring        {"signs": ["spo2"], "stale_after_s": 60, "by": NAME, "until": TIME}; DELETE
//   GET    /fhir/Patient/{id}/$early-warning   a Bundle of the scores (clinical/vitals/fhir_scores.h)
//
// Bodies are JSON with Content-Type application/json (the stream: application/x-ndjson or application/fhir+ndjson): a
// page of another site cannot send that without asking first. Errors are problem details, below /fhir
// OperationOutcomes.

#include <string>

#include "api/pipeline/pipeline.h"
#include "base/async/worker_pool.h"
#include "clinical/records/records.h"
#include "clinical/vitals/watch.h"

namespace mydr24::vitals_api {

struct Service {
  const records::Records& records;
  vitals::Watch& watch;
  WorkerPool& workers;
  const Clock& clock;

  store::Store& store() const { return records.store(); }
};

// `service` must outlive the router. Before fhir_api::add_routes: its CapabilityStatement tells of $early-warning.
void add_routes(pipeline::Router& router, Service& service);

// One file each.
void add_rule_routes(pipeline::Router& router, Service& service);
void add_patient_routes(pipeline::Router& router, Service& service);
void add_score_routes(pipeline::Router& router, Service& service);
void add_stream_routes(pipeline::Router& router, Service& service);

// The JSON body. Code::invalid for another Content-Type, Code::too_large.
Task<Result<std::string>> take_json(pipeline::Call& call, std::size_t bytes_max);
// 200 (or `status`) with JSON that must not be cached, or the error.
Task<> answer(pipeline::Call& call, Result<std::string> result, int status = 200);
// One value of the query; empty when it is not there. Code::invalid when the query has a name that is not among
// `names`.
Result<std::string> query_value(pipeline::Call& call, std::string_view name,
                                std::initializer_list<std::string_view> names);
// A time with its zone, or `otherwise` when the text is empty.
Result<Instant> time_of(std::string_view text, std::string_view where, Instant otherwise);

// Runs `work` in a write of class urgent.
Task<Result<>> write(Service& service, store::Work work);

}  // namespace mydr24::vitals_api
