#pragma once

// What people and authorities may ask of who keeps records, over HTTP (docs/rights.md).
//
//   POST /api/v1/rights/export {"patient"}      everything about a person, as NDJSON (GDPR 15 and 20)
//   POST /api/v1/rights/erasure {"patient", "reason", "dry_run"?}   (17) what is erased, what is kept, and why
//   GET  /api/v1/rights/erasures                what was asked for and decided
//   GET  /api/v1/compliance/processing-record   (30) from the configuration in force
//   POST /api/v1/breaches                       (33) see guard/breach
//   GET  /api/v1/breaches, /api/v1/breaches/{id}, /api/v1/breaches/{id}/people
//   POST /api/v1/breaches/{id}/told {"who": "authority"|"people", "reason"?}
//   POST /api/v1/breaches/{id}/close {"outcome"}
//
// Who may ask for one of these of a patient must also be shown the AuditEvents of that patient: privacy officers of
// all, patients of their own.

#include "api/audit_api/audit_api.h"
#include "clinical/erasure/erasure.h"
#include "guard/breach/breach.h"

namespace mydr24::rights_api {

struct Service {
  audit_api::Service& trail;
  breach::Book& breaches;
  std::function<std::shared_ptr<const access::Policy>()> policy;
  std::function<Result<std::string>()> processing_record;  // JSON
  erasure::Ledger& ledger;
  erasure::Rules rules;  // whether a hold is on the patient is asked of the trail
};

// `service` must outlive the router.
void add_routes(pipeline::Router& router, Service& service);

// Nobody may be shown more of a person than that person: what `patient` sees by the policy, whatever Consents say, in
// the name of `who`.
Result<std::shared_ptr<const access::Caller>> as_patient(const access::Policy& policy, const access::Principal& who,
                                                         std::string_view patient, search::CataloguePtr catalogue);

void add_export_routes(pipeline::Router& router, Service& service);
void add_erasure_routes(pipeline::Router& router, Service& service);
void add_breach_routes(pipeline::Router& router, Service& service);

inline constexpr std::size_t body_bytes_max = 64U << 10;

}  // namespace mydr24::rights_api
