// What the roles may, and what would be decided of a request.

#include <fmt/format.h>

#include "api/access_api/access_api.h"
#include "api/pipeline/json_body.h"
#include "api/pipeline/query.h"
#include "base/json/writer.h"

namespace mydr24::access_api {
namespace {

constexpr std::size_t path_bytes_max = 2'000;

void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  out.key(name).begin_array();
  for (const auto& text : texts) out.string(text);
  out.end_array();
}

Task<> answer(pipeline::Call& call, Result<std::string> made) {
  if (made) {
    co_await pipeline::send_json(call, 200, std::move(*made));
  } else {
    co_await call.respond(made.error());
  }
}

std::string letters_of(std::uint8_t permissions) {
  std::string text;
  for (const auto& [letter, permission] :
       {std::pair('c', access::Permission::create), std::pair('r', access::Permission::read),
        std::pair('u', access::Permission::update), std::pair('d', access::Permission::remove),
        std::pair('s', access::Permission::search)}) {
    if ((permissions & static_cast<std::uint8_t>(permission)) != 0) text += letter;
  }
  return text;
}

// In the words of the policy (guard/access/policy.h).
void write_grants(json::Writer& out, std::string_view name, const std::vector<access::Grant>& grants) {
  if (grants.empty()) return;
  out.key(name).begin_array();
  for (const auto& grant : grants) {
    out.begin_object();
    write_texts(out, "types", grant.types);
    write_texts(out, "not_types", grant.not_types);
    out.field("permissions", letters_of(grant.permissions));
    if (grant.own_compartment) out.field("compartment", "own");
    std::string criteria;
    for (const auto& [key, value] : grant.criteria)
      criteria += fmt::format("{}{}={}", criteria.empty() ? "" : "&", key, value);
    if (!criteria.empty()) out.field("criteria", criteria);
    write_texts(out, "purposes", grant.purposes);
    out.end_object();
  }
  out.end_array();
}

bool is_operation(const pipeline::Route& route) {
  return !route.open && !route.pattern.starts_with("/fhir") && !route.interaction.starts_with("session-");
}

std::string policy(Service& service) {
  const auto policy = service.policy();
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_texts(out, "sensitive", policy->sensitive);
  out.key("roles").begin_array();
  for (const auto& role : policy->roles) {
    out.begin_object().field("name", role.name).field("text", role.text).field("privileged", role.privileged);
    out.field("second_factor", service.identity.needs_totp({.roles = {role.name}}));
    if (!role.purpose.empty()) out.field("purpose", role.purpose);
    write_texts(out, "purposes", role.purposes);
    write_texts(out, "labels", role.labels);
    write_grants(out, "fhir", role.fhir);
    write_grants(out, "break_glass", role.break_glass);
    out.key("operations").begin_array();
    for (const auto& route : service.router.routes())
      if (is_operation(route) && role.may_operate(route.interaction)) out.string(route.interaction);
    out.end_array().end_object();
  }
  out.end_array().key("operations").begin_array();
  for (const auto& route : service.router.routes()) {
    if (!is_operation(route)) continue;
    out.begin_object().field("name", route.interaction).field("method", net::to_string(route.method));
    out.field("path", route.pattern).end_object();
  }
  out.end_array().end_object();
  return text;
}

Result<std::string> explain(Service& service, pipeline::Call& call) {
  MYDR24_ASSIGN(const auto query, pipeline::Query::parse(call.request().query, {"as", "method", "path"}));
  Question question{.as = query.text("as"), .method = query.text("method"), .path = query.text("path")};
  if (question.as.empty() || question.path.empty())
    return fail(Code::invalid, "say whose request and which: as=USER&path=/fhir/R4/Patient/1",
                question.as.empty() ? "as" : "path");
  if (question.path.size() > path_bytes_max)
    return fail(Code::invalid, fmt::format("a path has at most {} bytes", path_bytes_max), "path");
  if (question.method.empty()) question.method = "GET";
  return service.explain(question, call.access());
}

}  // namespace

void add_policy_routes(pipeline::Router& router, Service& service) {
  using net::Method;
  const auto look = [&](const char* pattern, const char* name, const char* summary,
                        std::function<Result<std::string>(pipeline::Call&)> what) {
    router.add({Method::get, pattern, name, RequestClass::routine,
                [what = std::move(what)](pipeline::Call& call) -> Task<> { co_await answer(call, what(call)); },
                admission::Cost::by_method, summary});
  };
  look("/api/v1/access/policy", "access-policy", "The roles in force and what they may",
       [&service](pipeline::Call&) -> Result<std::string> { return policy(service); });
  look("/api/v1/access/explain", "access-explain", "What would be decided of a request of somebody, by which rule",
       [&service](pipeline::Call& call) { return explain(service, call); });
  look("/api/v1/access/tenant", "access-tenant", "The tenant, its tier, its quotas and their use",
       [&service](pipeline::Call&) -> Result<std::string> { return service.tenant(); });
}

}  // namespace mydr24::access_api
