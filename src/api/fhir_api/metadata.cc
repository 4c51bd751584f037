// GET [base]/metadata: the CapabilityStatement, made from the router's table and the indexed search parameters.
// Source: FHIR R4, capabilitystatement.html.

#include <algorithm>
#include <memory>

#include "api/fhir_api/fhir_api.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"

namespace mydr24::fhir_api {
namespace {

std::string_view kind_name(search::Kind kind) {
  switch (kind) {
    case search::Kind::string:
      return "string";
    case search::Kind::token:
      return "token";
    case search::Kind::reference:
      return "reference";
    case search::Kind::date:
      return "date";
    case search::Kind::id:
      return "token";
    case search::Kind::last_updated:
      return "date";
    case search::Kind::number:
      return "number";
    case search::Kind::quantity:
      return "quantity";
    case search::Kind::uri:
      return "uri";
    case search::Kind::composite:
      return "composite";
    case search::Kind::text:
      return "string";
    case search::Kind::position:
      break;
  }
  return "special";
}

bool serves(const pipeline::Router& router, std::string_view interaction) {
  return std::ranges::any_of(router.routes(), [&](const auto& route) { return route.interaction == interaction; });
}

void write_interactions(json::Writer& out, const pipeline::Router& router,
                        std::initializer_list<std::string_view> codes) {
  out.key("interaction").begin_array();
  for (const auto code : codes) {
    if (serves(router, code)) out.begin_object().field("code", code).end_object();
  }
  out.end_array();
}

void write_resource(json::Writer& out, const pipeline::Router& router, std::string_view type) {
  out.begin_object()
      .field("type", type)
      .field("profile", "http://hl7.org/fhir/StructureDefinition/" + std::string(type));
  write_interactions(
      out, router,
      {"read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"});
  out.field("versioning", "versioned-update").field("readHistory", serves(router, "vread"));
  out.field("updateCreate", true).field("conditionalCreate", true).field("conditionalRead", "full-support");
  out.field("conditionalUpdate", serves(router, "conditional-update"));
  out.field("conditionalDelete", serves(router, "conditional-delete") ? "single" : "not-supported");
  out.key("searchParam").begin_array();
  for (const auto& parameter : search::parameters_of(type)) {
    out.begin_object().field("name", parameter.code).field("type", kind_name(parameter.kind)).end_object();
  }
  out.end_array().end_object();
}

std::string capability_statement(const pipeline::Router& router, const Service& service) {
  std::string text;
  json::Writer out(text);
  const auto now = format_instant(service.clock.now());
  out.begin_object().field("resourceType", "CapabilityStatement").field("status", "active").field("date", now);
  out.field("publisher", "MyDR24").field("kind", "instance");
  out.key("software").begin_object().field("name", "MyDR24").field("version", service.software_version).end_object();
  out.key("implementation").begin_object().field("description", "MyDR24 FHIR R4 server").end_object();
  out.field("fhirVersion", model::fhir_version);
  out.key("format").begin_array().string("application/fhir+json").string("json").end_array();
  out.key("patchFormat").begin_array().string("application/json-patch+json").end_array();
  out.key("rest").begin_array().begin_object().field("mode", "server");
  out.key("resource").begin_array();
  for (const auto* type : model::resource_types()) write_resource(out, router, type->name);
  out.end_array();
  out.key("interaction").begin_array();
  if (serves(router, "transaction")) {
    out.begin_object().field("code", "transaction").end_object().begin_object().field("code", "batch").end_object();
  }
  if (serves(router, "history-system")) out.begin_object().field("code", "history-system").end_object();
  out.end_array();
  out.end_object().end_array().end_object();
  return text;
}

}  // namespace

void add_metadata_routes(pipeline::Router& router, Service& service) {
  auto statement = std::make_shared<std::shared_ptr<const std::string>>();
  router.add({net::Method::get, "/fhir/metadata", "capabilities", RequestClass::routine,
              [statement](pipeline::Call& call) -> Task<> {
                if (const auto acceptable = check_accept(call.request()); !acceptable) {
                  co_await refuse(call, acceptable.error(), 406);
                  co_return;
                }
                net::Response response;
                response.content_type = pipeline::fhir_json;
                response.shared_body = *statement;
                co_await call.respond(std::move(response));
              }});
  *statement = std::make_shared<const std::string>(capability_statement(router, service));
}

void add_routes(pipeline::Router& router, Service& service) {
  add_read_routes(router, service);
  add_write_routes(router, service);
  add_history_routes(router, service);
  add_search_routes(router, service);
  add_bundle_routes(router, service);
  add_metadata_routes(router, service);
}

}  // namespace mydr24::fhir_api
