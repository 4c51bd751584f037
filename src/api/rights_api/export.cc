// POST /api/v1/rights/export: everything about a person as a stream of resources, one a line, that another server
// takes as it is (POST [base] with application/fhir+ndjson); at the end a Binary with the accounting of disclosures.
// Source: GDPR 15(1)(c), 15(3), 20.

#include <fmt/format.h>

#include <set>

#include "api/pipeline/json_body.h"
#include "api/rights_api/rights_api.h"
#include "base/core/id.h"
#include "base/crypto/base64.h"
#include "base/json/writer.h"
#include "clinical/records/include.h"
#include "fhir/model/definitions.h"
#include "fhir/search/compartment.h"

namespace mydr24::rights_api {
namespace {

constexpr std::uint32_t page_count = 200;
constexpr std::size_t others_max = 100'000;  // resources outside of the compartment that it refers to

// One page after the other, type by type: what is about the person, then what that refers to.
class Export {
 public:
  Export(Service& service, access::Access& access, std::string patient)
      : service_(service), access_(access), patient_(std::move(patient)) {
    catalogue_ = service.trail.fhir.records.definitions()->catalogue;
    types_.emplace_back("Patient");
    for (const auto* type : model::resource_types())
      if (type->name != "Patient" && !search::compartment_parameters("Patient", type->name).empty())
        types_.emplace_back(type->name);
  }

  // The next lines; nothing at the end.
  Result<std::string> next() {
    std::string lines;
    while (lines.empty() && type_ < types_.size()) {
      MYDR24_TRY(access_.read(service_.trail.fhir.store(),
                              [&](store::Reader& reader) -> Result<> { return page(reader, lines); }));
    }
    return lines;
  }
  std::int64_t count() const { return count_; }

 private:
  search::Query query() const {
    search::Query query;
    query.type = types_[type_];
    query.catalogue = catalogue_;
    query.order = search::Order::oldest_first;
    query.conditions.push_back(search::in_record("Patient", patient_, types_[type_], catalogue_.get())
                                   .value_or(search::Condition{.form = search::Condition::Form::any}));
    query.count = page_count;
    query.cursor = cursor_;
    return query;
  }

  Result<> page(store::Reader& reader, std::string& lines) {
    if (!access_.sight().may(access::Permission::search, types_[type_])) {
      ++type_;
      return {};
    }
    MYDR24_ASSIGN(const auto found, reader.search(query()));
    cursor_ = found.next_cursor;
    for (const auto& match : found.matches) write(lines, match);
    search::Query references;
    references.type = types_[type_];
    references.catalogue = catalogue_;
    references.includes.push_back({});
    MYDR24_ASSIGN(const auto included, records::include(reader, references, found.matches));
    for (const auto& other : included.resources) {
      const bool comes_itself =
          other.type == "Patient" || !search::compartment_parameters("Patient", other.type).empty();
      if (comes_itself || others_.size() >= others_max) continue;
      if (others_.insert(fmt::format("{}/{}", other.type, other.id)).second) write(lines, other);
    }
    if (cursor_.empty()) ++type_;
    return {};
  }

  void write(std::string& lines, const store::Version& version) {
    records::append_rendered(lines, version);
    lines += '\n';
    ++count_;
  }

  Service& service_;
  access::Access& access_;
  std::string patient_;
  search::CataloguePtr catalogue_;
  std::vector<std::string> types_;
  std::size_t type_ = 0;
  std::string cursor_;
  std::set<std::string> others_;
  std::int64_t count_ = 0;
};

std::string binary_of(const audit::Accounting& accounting, std::string_view patient, Instant now) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("resourceType", "Binary").field("id", make_uuid7(now));
  out.field("contentType", "application/json").key("securityContext").begin_object();
  out.field("reference", fmt::format("Patient/{}", patient)).end_object();
  out.field("data", crypto::base64(audit_api::to_json(accounting))).end_object();
  return text + "\n";
}

Task<> handle(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const std::string patient(document->root()["patient"].text());
  if (!is_fhir_id(patient)) {
    co_await call.respond(fail(Code::invalid, "give the id of the patient", "patient"));
    co_return;
  }
  call.access().note_patient(patient);
  if (const auto may = audit_api::check_sees_trail_of(service.trail, call.access(), patient); !may) {
    co_await call.respond(may.error());
    co_return;
  }
  auto& fhir = service.trail.fhir;
  const auto caller =
      as_patient(*service.policy(), call.access().principal(), patient, fhir.records.definitions()->catalogue);
  if (!caller) {
    co_await call.respond(caller.error());
    co_return;
  }
  access::Access own(*caller, fhir.clock);
  Export everything(service, own, patient);
  bool begun = false;
  for (;;) {
    auto lines = co_await fhir.workers.run(RequestClass::background, [&] { return everything.next(); });
    const bool ended = lines && lines->empty();
    if (ended && everything.count() == 0)
      lines = fail(Code::not_found, fmt::format("Patient/{} is not there", patient));
    if (!lines && !begun) {
      co_await call.respond(lines.error());
      co_return;
    }
    if (!lines) co_return;  // the connection closes without the end mark: the client sees that it is not complete
    if (!begun) {
      net::Response head;
      head.content_type = "application/fhir+ndjson";
      head.headers.emplace_back("Cache-Control", "no-store");
      if (!co_await call.begin_stream(std::move(head))) co_return;
      begun = true;
    }
    if (ended) break;
    if (!co_await call.exchange().write(*lines)) co_return;
  }
  const auto accounting = co_await fhir.workers.run(RequestClass::background, [&] {
    return audit::account_disclosures(service.trail.log.trail(), patient, std::nullopt, std::nullopt);
  });
  if (!accounting || !co_await call.exchange().write(binary_of(*accounting, patient, fhir.clock.now()))) co_return;
  (void)co_await call.exchange().finish();
}

}  // namespace

Result<std::shared_ptr<const access::Caller>> as_patient(const access::Policy& policy, const access::Principal& who,
                                                         std::string_view patient, search::CataloguePtr catalogue) {
  auto caller = std::make_shared<access::Caller>();
  auto& principal = caller->principal;
  principal.kind = access::PrincipalKind::person;
  principal.id = who.id;
  principal.roles = {"patient"};
  principal.fhir_user = fmt::format("Patient/{}", patient);
  principal.patient = patient;
  MYDR24_ASSIGN(caller->sight, access::Sight::of(std::make_shared<const access::Policy>(policy), principal));
  caller->catalogue = std::move(catalogue);
  return std::shared_ptr<const access::Caller>(std::move(caller));
}

void add_export_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/api/v1/rights/export", "rights-export", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await handle(service, call); },
              admission::Cost::by_method, "Everything about a person, and who got it, as NDJSON"});
}

}  // namespace mydr24::rights_api
