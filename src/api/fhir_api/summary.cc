// GET or POST [base]/Patient/id/$summary, and [base]/Patient/$summary?identifier=: the International Patient Summary.
// Source: HL7 International Patient Summary 1.1.0, OperationDefinition summary.

#include <fmt/format.h>

#include <algorithm>

#include "api/fhir_api/operation.h"
#include "fhir/model/definitions.h"

namespace mydr24::fhir_api {
namespace {

Result<std::string> patient_with(const Service& service, access::Access& access, const std::string& identifier,
                                 const std::string& base) {
  if (identifier.empty()) {
    return fail(Code::invalid, "name the patient: Patient/ID/$summary, or identifier=SYSTEM|VALUE", "identifier");
  }
  auto query = parse(service, access, "Patient", {{"identifier", identifier}}, false, base);
  if (!query) return fail(Code::invalid, query.error().issues.front().diagnostics, "identifier");
  query->count = 2;
  store::SearchPage page;
  MYDR24_TRY(access.read(service.store(), [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(page, reader.search(*query));
    return {};
  }));
  if (page.matches.empty()) return fail(Code::not_found, fmt::format("no patient has the identifier {}", identifier));
  if (page.matches.size() > 1) {
    return fail(Code::ambiguous, fmt::format("several patients have the identifier {}", identifier), "identifier");
  }
  return page.matches.front().id;
}

// What is kept ready was made from everything there is about the patient.
bool may_have(const Service& service, const access::Access& access, std::string_view patient,
              std::string_view document) {
  if (access.is_unlimited()) return true;
  if (access.has_consent(patient)) return false;
  const bool unlabelled = access::has_no_label(document);
  return std::ranges::all_of(model::resource_types(), [&](const auto* type) {
    if (!service.summaries->concerns(type->name)) return true;
    const auto& reach = access.sight().reach(access::Permission::read, type->name);
    return reach.extent == access::Reach::Extent::all || (reach.labels_only && unlabelled);
  });
}

Result<std::string> made_for(const Service& service, access::Access& access, const std::string& id,
                             const std::string& base) {
  std::string document;
  MYDR24_TRY(access.read(service.store(), [&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(document, summary::build(reader, id, base, service.clock.now()));
    return {};
  }));
  return document;
}

Answer summary_of(const Service& service, access::Access& access, std::string id, const std::string& identifier,
                  const std::string& base) {
  if (id.empty()) {
    auto found = patient_with(service, access, identifier, base);
    if (!found) return Answer::of(found.error());
    id = std::move(*found);
  }
  access.note_patient(id);
  if (const auto shown = access.check_shown(service.store(), "Patient", id); !shown) return Answer::of(shown.error());
  auto document = service.summaries->get(id, base);
  if (document && !may_have(service, access, id, *document)) document = made_for(service, access, id, base);
  if (!document) return Answer::of(document.error());
  Answer answer;
  answer.body = std::move(*document);
  return answer;
}

Task<> handle(Service& service, pipeline::Call& call, bool has_id) {
  if (!co_await acceptable(call)) co_return;
  auto input = co_await take_input(call, service.settings.body_bytes_max);
  if (!input) co_return;
  const std::string id(has_id ? call.capture(0) : std::string_view());
  auto answer = co_await service.workers.run(call.request_class(), [&] {
    return summary_of(service, call.access(), id, input->text("identifier"), call.fhir_base());
  });
  co_await send(call, std::move(answer));
}

}  // namespace

void add_summary_routes(pipeline::Router& router, Service& service) {
  for (const auto method : {net::Method::get, net::Method::post}) {
    for (const bool has_id : {true, false}) {
      router.add({method, has_id ? "/fhir/Patient/{id}/$summary" : "/fhir/Patient/$summary", "$summary",
                  RequestClass::urgent,
                  [&service, has_id](pipeline::Call& call) -> Task<> { co_await handle(service, call, has_id); }});
    }
  }
}

}  // namespace mydr24::fhir_api
