#pragma once

// The audit trail over HTTP. As FHIR AuditEvents (ADR 18), and what has no form in FHIR below /api/v1/audit. Reading
// it is itself recorded, as every request is.
//
//   GET    /fhir/AuditEvent?...               every search parameter of R4; newest first, in pages
//   POST   /fhir/AuditEvent/_search
//   GET    /fhir/Patient/{id}/AuditEvent?...
//   GET    /fhir/AuditEvent/{id}              and /_history/1
//   GET    /api/v1/audit/disclosures?patient=&since=&until=&format=json|csv
//   GET    /api/v1/audit/status               how far the trail is, and how far behind its disk
//   POST   /api/v1/audit/verify               reads every line; names those that are not as they were written
//   GET    /api/v1/audit/holds
//   POST   /api/v1/audit/holds                {"patient", "reason", "until"?}
//   DELETE /api/v1/audit/holds/{patient}?reason=
//
// An AuditEvent of the trail is shown to whom the policy shows such a resource; the accounting of a patient to whom it
// shows the AuditEvents of that patient.

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/fhir_api/fhir_api.h"
#include "guard/audit/disclosures.h"
#include "guard/audit/fhir.h"
#include "guard/audit/log.h"

namespace mydr24::audit_api {

struct Service {
  fhir_api::Service& fhir;
  audit::Log& log;
  const Clock& clock;  // the one that entries have their time by
  audit::Observer observer;

  // What the last verification that was asked for found.
  struct Verified {
    Instant at;
    std::int64_t findings = 0;
    std::int64_t last = 0;  // line
  };
  std::mutex mutex = {};
  std::optional<Verified> verified = {};  // under mutex
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// ---- parts, for tests and for what else tells of the trail

// What a search asks of the trail: all entries that may have an event which matches, and perhaps more.
audit::Query narrowed(const search::Query& query);
// The entry whose event has that id, "UUID" or "UUID.2".
audit::Query by_id(std::string_view id);

// An event as a version that BundleWriter writes and access judges; its text has meta.
store::Version as_version(std::string event, Instant at);

// Code::refused unless the caller may see the AuditEvents of that patient.
Result<> check_sees_trail_of(Service& service, access::Access& access, std::string_view patient);

std::string to_json(const audit::Accounting& accounting);
std::string to_csv(const audit::Accounting& accounting);

void add_event_routes(pipeline::Router& router, Service& service);

}  // namespace mydr24::audit_api
