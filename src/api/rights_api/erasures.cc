// POST /api/v1/rights/erasure: decided for each resource, carried out, and on record with what was refused and why.

#include <fmt/format.h>

#include <algorithm>

#include "api/pipeline/json_body.h"
#include "api/rights_api/rights_api.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/writer.h"
#include "guard/audit/writes.h"

namespace mydr24::rights_api {
namespace {

constexpr std::string_view space = "rights.erasure";
constexpr std::size_t reason_bytes_max = 2'000;

struct Request {
  std::string id, patient, reason, by;
  bool dry_run = false;
  Instant at;
};

// What stays on record: no name, no id of the person, whom only who knows the id can tell to be meant.
std::string record_of(const Request& request, const erasure::Plan& plan, bool done) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", request.id).field("at", format_instant(request.at)).field("by", request.by);
  out.field("subject", crypto::sha256_hex(fmt::format("{}/{}", request.id, request.patient)));
  out.field("reason", request.reason).field("done", done).field("erased", plan.erased()).key("kept").begin_array();
  for (const auto& [reason, count] : plan.kept())
    out.begin_object().field("reason", reason).field("count", count).end_object();
  out.end_array().end_object();
  return text;
}

std::string answer_of(const Request& request, const erasure::Plan& plan) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  if (!request.dry_run) out.field("id", request.id);
  out.field("dry_run", request.dry_run).field("erased", plan.erased()).key("kept").begin_array();
  for (const auto& decision : plan.decisions) {
    if (decision.erase) continue;
    out.begin_object().field("resource", fmt::format("{}/{}", decision.type, decision.id));
    out.field("reason", decision.reason).end_object();
  }
  out.end_array().end_object();
  return text;
}

Result<> put_on_record(Service& service, const Request& request, const erasure::Plan& plan, bool done) {
  return service.trail.fhir.store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.set_state(space, request.id, record_of(request, plan, done)));
    audit::Entry entry;
    entry.at = transaction.now();
    entry.action = done ? audit::Action::remove : audit::Action::execute;
    entry.interaction = done ? "rights.erased" : "rights.erasure";
    entry.principal_kind = access::PrincipalKind::person;
    entry.principal = request.by;
    std::int64_t kept = 0;
    for (const auto& [reason, count] : plan.kept()) kept += count;
    entry.rule = fmt::format("erasure {}: {} erased, {} kept", request.id, plan.erased(), kept);
    MYDR24_TRY(audit::note_write(transaction, std::move(entry)));
    return {};
  });
}

Result<std::string> perform(Service& service, const Request& request) {
  auto& fhir = service.trail.fhir;
  auto rules = service.rules;
  MYDR24_ASSIGN(const auto holds, service.trail.log.holds());
  rules.held = std::ranges::any_of(holds, [&](const auto& hold) { return hold.patient == request.patient; });
  MYDR24_ASSIGN(const auto plan, erasure::plan(fhir.records, request.patient, rules, request.at));
  if (!request.dry_run) {
    MYDR24_TRY(put_on_record(service, request, plan, false));
    MYDR24_TRY(erasure::carry_out(fhir.records, plan, request.id, service.ledger));
    MYDR24_TRY(put_on_record(service, request, plan, true));
  }
  return answer_of(request, plan);
}

Result<Request> request_of(json::Value body, const access::Principal& principal, Instant now) {
  Request request{.id = make_uuid7(now),
                  .patient = std::string(body["patient"].text()),
                  .reason = std::string(body["reason"].text()),
                  .by = principal.id,
                  .dry_run = body["dry_run"].is_true(),
                  .at = now};
  if (!is_fhir_id(request.patient)) return fail(Code::invalid, "give the id of the patient", "patient");
  if (request.reason.empty() || request.reason.size() > reason_bytes_max)
    return fail(Code::invalid, fmt::format("say why, in 1 to {} bytes", reason_bytes_max), "reason");
  return request;
}

Task<> erase(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto request = request_of(document->root(), call.access().principal(), service.trail.fhir.clock.now());
  if (!request) {
    co_await call.respond(request.error());
    co_return;
  }
  if (const auto may = audit_api::check_sees_trail_of(service.trail, call.access(), request->patient); !may) {
    co_await call.respond(may.error());
    co_return;
  }
  auto done =
      co_await service.trail.fhir.workers.run(RequestClass::background, [&] { return perform(service, *request); });
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, 200, std::move(*done));
  }
}

Result<std::string> list_of(Service& service) {
  constexpr std::uint32_t page = 500;
  std::vector<std::string> rows;
  MYDR24_TRY(service.trail.fhir.store().read([&](store::Reader& reader) -> Result<> {
    std::string after;
    for (;;) {
      MYDR24_ASSIGN(auto more, reader.states(space, "", after, page));
      for (auto& row : more) {
        after = row.key;
        rows.push_back(std::move(row.value));
      }
      if (more.size() < page) return {};
    }
  }));
  std::string text;
  json::Writer out(text);
  out.begin_object().key("erasures").begin_array();
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) out.raw(*row);
  out.end_array().end_object();
  return text;
}

Task<> list(Service& service, pipeline::Call& call) {
  auto text = co_await service.trail.fhir.workers.run(call.request_class(), [&] { return list_of(service); });
  if (!text) {
    co_await call.respond(text.error());
  } else {
    co_await pipeline::send_json(call, 200, std::move(*text));
  }
}

}  // namespace

void add_erasure_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/api/v1/rights/erasure", "rights-erasure", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await erase(service, call); }, admission::Cost::by_method,
              "Erase the record of a person, as far as the law lets"});
  router.add({net::Method::get, "/api/v1/rights/erasures", "rights-erasures", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await list(service, call); }, admission::Cost::by_method,
              "Erasures that were asked for, and what was refused"});
}

}  // namespace mydr24::rights_api
