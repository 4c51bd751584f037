// GET [base]/metadata: the CapabilityStatement, made from the router's table and the indexed search parameters.
// Source: FHIR R4, capabilitystatement.html.

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>

#include "api/fhir_api/fhir_api.h"
#include "api/terminology_api/operations.h"
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

// The canonical of an operation of R4; GraphQL and the patient summary have their own places.
std::string definition_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> at[] = {
      {"everything", "Patient-everything"},
      {"lastn", "Observation-lastn"},
      {"validate", "Resource-validate"},
      {"meta", "Resource-meta"},
      {"graphql", "Resource-graphql"},
      {"expand", "ValueSet-expand"},
      {"validate-code", "ValueSet-validate-code"},
      {"lookup", "CodeSystem-lookup"},
      {"subsumes", "CodeSystem-subsumes"},
      {"translate", "ConceptMap-translate"},
  };
  if (name == "summary") return "http://hl7.org/fhir/uv/ips/OperationDefinition/summary";
  for (const auto& [operation, id] : at) {
    if (operation == name) return "http://hl7.org/fhir/OperationDefinition/" + std::string(id);
  }
  return "http://hl7.org/fhir/OperationDefinition/" + std::string(name);
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

void write_resource(json::Writer& out, const pipeline::Router& router, const Service& service, std::string_view type) {
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
  const auto catalogue = service.records.definitions()->catalogue;
  for (const auto& parameter : search::parameters_of(type, catalogue.get())) {
    out.begin_object().field("name", parameter.code);
    if (!parameter.url.empty()) out.field("definition", parameter.url);
    out.field("type", kind_name(parameter.kind)).end_object();
  }
  out.end_array().end_object();
}

// Operations by their routes: "/fhir/Patient/{id}/$everything" is one.
void write_operations(json::Writer& out, const pipeline::Router& router) {
  std::set<std::string_view> names;
  for (const auto& route : router.routes()) {
    if (route.interaction.starts_with('$')) names.insert(std::string_view(route.interaction).substr(1));
  }
  if (names.empty()) return;
  out.key("operation").begin_array();
  for (const auto name : names) {
    out.begin_object().field("name", name).field("definition", definition_of(name)).end_object();
  }
  out.end_array();
}

// SMART App Launch 1.0.0, "Declaring support for OAuth2 endpoints"; later versions have the same in
// /.well-known/smart-configuration.
void write_security(json::Writer& out, const Service& service, const std::string& base) {
  if (base.empty() && !service.security.pages_may_read) return;
  out.key("security").begin_object();
  if (!base.empty()) {
    out.key("extension").begin_array().begin_object();
    out.field("url", "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
    out.key("extension").begin_array();
    for (const auto* name : {"authorize", "token", "introspect", "revoke", "register"})
      out.begin_object().field("url", name).field("valueUri", base + "/oauth/" + name).end_object();
    out.end_array().end_object().end_array();
  }
  out.field("cors", service.security.pages_may_read);
  if (!base.empty()) {
    out.key("service").begin_array().begin_object().key("coding").begin_array().begin_object();
    out.field("system", "http://terminology.hl7.org/CodeSystem/restful-security-service");
    out.field("code", "SMART-on-FHIR").field("display", "SMART-on-FHIR").end_object().end_array();
    out.field("text", "OAuth 2.0 as in SMART App Launch: /.well-known/smart-configuration").end_object().end_array();
  }
  out.end_object();
}

std::string capability_statement(const pipeline::Router& router, const Service& service, const std::string& base) {
  std::string text;
  json::Writer out(text);
  const auto now = format_instant(service.clock.now());
  out.begin_object().field("resourceType", "CapabilityStatement").field("status", "active").field("date", now);
  out.field("publisher", "MyDR24").field("kind", "instance");
  out.key("software").begin_object().field("name", "MyDR24").field("version", service.software_version).end_object();
  out.key("implementation").begin_object().field("description", "MyDR24 FHIR R4 server").end_object();
  out.field("fhirVersion", model::fhir_version);
  out.key("format").begin_array();
  for (const auto* format : {"application/fhir+json", "json", "application/fhir+xml", "xml"}) out.string(format);
  out.end_array();
  out.key("patchFormat").begin_array();
  for (const auto* format : {"application/json-patch+json", "application/fhir+json", "application/fhir+xml"}) {
    out.string(format);
  }
  out.end_array();
  out.key("rest").begin_array().begin_object().field("mode", "server");
  write_security(out, service, base);
  out.key("resource").begin_array();
  for (const auto* type : model::resource_types()) write_resource(out, router, service, type->name);
  out.end_array();
  out.key("interaction").begin_array();
  if (serves(router, "transaction")) {
    out.begin_object().field("code", "transaction").end_object().begin_object().field("code", "batch").end_object();
  }
  for (const auto* code : {"history-system", "search-system"}) {
    if (serves(router, code)) out.begin_object().field("code", code).end_object();
  }
  out.end_array();
  write_operations(out, router);
  out.end_object().end_array().end_object();
  return text;
}

Answer terminology_statement(const Service& service, const std::string& base) {
  const auto definitions = service.records.definitions();
  if (definitions->terminology == nullptr) {
    return Answer::of(fail(Code::unsupported, "this server has no terminology"));
  }
  Answer answer;
  answer.body =
      terminology_api::capabilities(*definitions->terminology, service.software_version, base, service.clock.now());
  return answer;
}

// Made once for each state of the definitions, and again when it is known where the authorization server is.
class Statement {
 public:
  std::shared_ptr<const std::string> text(const pipeline::Router& router, const Service& service) {
    const auto definitions = service.records.definitions();
    const auto base = service.security.authorization ? service.security.authorization() : std::string();
    const std::lock_guard lock(mutex_);
    if (text_ == nullptr || definitions != made_of_ || base != base_) {
      made_of_ = definitions;
      base_ = base;
      text_ = std::make_shared<const std::string>(capability_statement(router, service, base));
    }
    return text_;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const records::Definitions> made_of_;
  std::string base_;
  std::shared_ptr<const std::string> text_;
};

}  // namespace

void add_metadata_routes(pipeline::Router& router, Service& service) {
  auto statement = std::make_shared<Statement>();
  router.add_open({net::Method::get, "/fhir/metadata", "capabilities", RequestClass::routine,
                   [&router, &service, statement](pipeline::Call& call) -> Task<> {
                     if (!co_await acceptable(call)) co_return;
                     if (call.request().query.find("mode=terminology") != std::string_view::npos) {
                       co_await send(call, terminology_statement(service, call.fhir_base()));
                       co_return;
                     }
                     const auto shared = statement->text(router, service);
                     if (accepted_format(call.request()).value_or(Format::json) == Format::xml) {
                       Answer answer;
                       answer.body = *shared;
                       co_await send(call, std::move(answer));
                       co_return;
                     }
                     net::Response response;
                     response.content_type = pipeline::fhir_json;
                     response.shared_body = shared;
                     co_await call.respond(std::move(response));
                   }});
}

void add_routes(pipeline::Router& router, Service& service) {
  add_read_routes(router, service);
  add_write_routes(router, service);
  add_history_routes(router, service);
  add_search_routes(router, service);
  add_bundle_routes(router, service);
  add_operation_routes(router, service);
  add_metadata_routes(router, service);
}

}  // namespace mydr24::fhir_api
