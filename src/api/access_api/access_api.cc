#include "api/access_api/access_api.h"

#include <fmt/format.h>

#include <set>

#include "api/pipeline/json_body.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/net/uri.h"
#include "fhir/model/definitions.h"
#include "guard/access/decision.h"

namespace mydr24::access_api {
namespace {

constexpr std::size_t body_bytes_max = 16U << 10;
constexpr std::uint32_t list_max = 1'000;

template <class Step>
Task<> change(Service& service, pipeline::Call& call, int status, Step step) {
  access::OverrideRecord record;
  const auto done = co_await async_call<Result<>>([&](auto finish) {
    service.store.submit(
        RequestClass::emergency,
        [&](store::Transaction& transaction) -> Result<> {
          MYDR24_ASSIGN(record, step(transaction));
          return {};
        },
        std::move(finish));
  });
  service.glass.look_again();
  if (!done) {
    co_await call.respond(done.error());
  } else {
    co_await pipeline::send_json(call, status, access::to_json(record));
  }
}

Task<> start(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto patient = document->root()["patient"].text();
  call.access().note_patient(patient);
  co_await change(service, call, 201, [&](store::Transaction& transaction) {
    return service.glass.start(transaction, call.access().principal(), patient, document->root()["reason"].text());
  });
}

Task<> review(Service& service, pipeline::Call& call) {
  const auto document = co_await pipeline::take_object(call, body_bytes_max);
  if (!document) {
    co_await call.respond(document.error());
    co_return;
  }
  const auto root = document->root();
  co_await change(service, call, 200, [&](store::Transaction& transaction) {
    return service.glass.review(transaction, call.access().principal(), call.capture(0), root["verdict"].text(),
                                root["review"].text());
  });
}

Task<> list(Service& service, pipeline::Call& call) {
  const auto parameters = net::parse_query(call.request().query);
  bool waiting = false;
  if (!parameters) {
    co_await call.respond(fail(Code::invalid, "the query string is malformed: check its percent-encoding"));
    co_return;
  }
  for (const auto& [name, value] : *parameters) {
    if (name == "waiting" && (value == "true" || value == "false")) {
      waiting = value == "true";
      continue;
    }
    co_await call.respond(fail(Code::invalid, "the one parameter is waiting=true or waiting=false", name));
    co_return;
  }
  std::string text;
  const auto done = service.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto records, service.glass.list(reader, waiting, list_max));
    json::Writer out(text);
    out.begin_object().key("overrides").begin_array();
    for (const auto& record : records) out.raw(access::to_json(record));
    out.end_array().end_object();
    return {};
  });
  if (!done) {
    co_await call.respond(done.error());
    co_return;
  }
  co_await pipeline::send_json(call, 200, std::move(text));
}

std::string permissions_of(const access::Sight& sight, std::string_view type) {
  std::string text;
  for (const auto& [letter, permission] :
       {std::pair('c', access::Permission::create), std::pair('r', access::Permission::read),
        std::pair('u', access::Permission::update), std::pair('d', access::Permission::remove),
        std::pair('s', access::Permission::search)}) {
    if (sight.may(permission, type)) text += letter;
  }
  return text;
}

// What is not FHIR and would not be refused, by those who decide it for each request.
std::set<std::string_view> operations_of(const Service& service, const access::Caller& caller) {
  const auto policy = service.policy();
  std::set<std::string_view> operations;
  for (const auto& route : service.router.routes()) {
    if (!route.open && !route.pattern.starts_with("/fhir") && !operations.contains(route.interaction) &&
        access::decide_operation(*policy, caller, route.interaction).allowed)
      operations.insert(route.interaction);
  }
  return operations;
}

std::string me(const Service& service, const access::Access& access) {
  const auto& principal = access.principal();
  std::string text;
  json::Writer out(text);
  out.begin_object().field("kind", to_string(principal.kind)).field("id", principal.id);
  if (!principal.name.empty()) out.field("name", principal.name);
  if (!principal.client.empty()) out.field("client", principal.client);
  if (!principal.fhir_user.empty()) out.field("fhirUser", principal.fhir_user);
  if (!principal.patient.empty()) out.field("patient", principal.patient);
  out.key("roles").begin_array();
  for (const auto& role : principal.roles) out.string(role);
  out.end_array();
  if (principal.scopes) out.field("scope", to_string(*principal.scopes));
  out.key("overrides").begin_array();
  for (const auto& override : principal.overrides) {
    out.begin_object().field("id", override.id).field("patient", override.patient);
    out.field("until", format_instant(override.until)).end_object();
  }
  out.end_array().key("permissions").begin_object();
  for (const auto* type : model::resource_types()) {
    const auto permissions = permissions_of(access.sight(), type->name);
    if (!permissions.empty()) out.field(type->name, permissions);
  }
  out.end_object().key("operations").begin_array();
  for (const auto operation : operations_of(service, access.caller())) out.string(operation);
  out.end_array().end_object();
  return text;
}

}  // namespace

void add_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  router.add({Method::get, "/api/v1/access/me", "session-me", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> {
                co_await pipeline::send_json(call, 200, me(service, call.access()));
              }});
  router.add({Method::post, "/api/v1/break-glass", "break-glass", RequestClass::emergency,
              [&service](pipeline::Call& call) -> Task<> { co_await start(service, call); }});
  router.add({Method::get, "/api/v1/break-glass", "break-glass-list", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await list(service, call); }});
  router.add({Method::post, "/api/v1/break-glass/{id}/end", "break-glass-end", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> {
                co_await change(service, call, 200, [&](store::Transaction& transaction) {
                  return service.glass.end(transaction, call.access().principal(), call.capture(0));
                });
              }});
  router.add({Method::post, "/api/v1/break-glass/{id}/review", "break-glass-review", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await review(service, call); }});
  add_account_routes(router, service);
  add_policy_routes(router, service);
}

}  // namespace mydr24::access_api
