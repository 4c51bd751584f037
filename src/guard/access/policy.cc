#include "guard/access/policy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/document.h"
#include "base/net/uri.h"
#include "fhir/model/definitions.h"
#include "guard/access/purpose.h"

namespace mydr24::access {
namespace {

bool has(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

Error wrong(std::string_view where, std::string text) {
  return fail(Code::invalid, fmt::format("{}: {}", where, text), std::string(where));
}

Result<std::vector<std::string>> texts(json::Value value, std::string_view where) {
  std::vector<std::string> found;
  if (!value) return found;
  if (!value.is_array()) return wrong(where, "a list of texts is expected");
  for (const auto item : value) {
    if (!item.is_string() || item.text().empty()) return wrong(where, "a list of texts is expected");
    found.emplace_back(item.text());
  }
  return found;
}

Result<> known_members(json::Value object, std::initializer_list<std::string_view> names, std::string_view where) {
  if (!object.is_object()) return wrong(where, "an object is expected");
  for (const auto member : object) {
    if (std::ranges::find(names, member.key()) == names.end())
      return wrong(where, fmt::format("\"{}\" is not known here; known are {}", member.key(), fmt::join(names, ", ")));
  }
  return {};
}

Result<std::vector<std::string>> purposes_of(json::Value value, const std::string& where) {
  MYDR24_ASSIGN(auto purposes, texts(value["purposes"], where + ".purposes"));
  for (const auto& purpose : purposes) {
    if (!is_purpose(purpose))
      return wrong(where + ".purposes", fmt::format("{} is no purpose of use of HL7's v3-ActReason", purpose));
  }
  return purposes;
}

Result<Grant> parse_grant(json::Value value, const std::string& where) {
  MYDR24_TRY(known_members(value, {"types", "not_types", "permissions", "compartment", "criteria", "purposes"}, where));
  Grant grant;
  MYDR24_ASSIGN(grant.types, texts(value["types"], where + ".types"));
  MYDR24_ASSIGN(grant.not_types, texts(value["not_types"], where + ".not_types"));
  if (grant.types.empty()) return wrong(where + ".types", "name at least one resource type, or \"*\"");
  for (const auto& list : {grant.types, grant.not_types}) {
    for (const auto& type : list)
      if (type != "*" && model::find_resource(type) == nullptr)
        return wrong(where, fmt::format("{} is no resource type of R4", type));
  }
  MYDR24_ASSIGN(grant.purposes, purposes_of(value, where));
  const auto permissions = value["permissions"].text();
  const auto scope = parse_scopes(fmt::format("user/*.{}", permissions));
  if (permissions.empty() || !scope)
    return wrong(where + ".permissions", "some of \"cruds\" are expected, in this order");
  grant.permissions = scope->resources.front().permissions;
  if (const auto compartment = value["compartment"]) {
    if (compartment.text() != "own") return wrong(where + ".compartment", "\"own\" is all that is known");
    grant.own_compartment = true;
  }
  if (const auto criteria = value["criteria"]) {
    auto parsed = net::parse_query(criteria.text());
    if (!parsed || parsed->empty())
      return wrong(where + ".criteria", "search criteria are expected, as \"status=final\"");
    grant.criteria = std::move(*parsed);
  }
  return grant;
}

Result<std::vector<Grant>> parse_grants(json::Value list, const std::string& where) {
  std::vector<Grant> grants;
  if (!list) return grants;
  if (!list.is_array()) return wrong(where, "a list of grants is expected");
  for (const auto item : list) {
    MYDR24_ASSIGN(auto grant, parse_grant(item, fmt::format("{}[{}]", where, grants.size())));
    grants.push_back(std::move(grant));
  }
  return grants;
}

Result<> check_label(const std::string& label, std::string_view where) {
  const auto bar = label.find('|');
  if (label == "*" || (bar != label.npos && bar > 0 && bar + 1 < label.size())) return {};
  return wrong(where, fmt::format("the label {} is not written as system|code", label));
}

Result<Role> parse_role(json::Value value) {
  Role role;
  role.name = value.key();
  const auto where = fmt::format("roles.{}", role.name);
  MYDR24_TRY(known_members(
      value, {"text", "purpose", "purposes", "fhir", "labels", "operations", "break_glass", "privileged"}, where));
  role.text = value["text"].text();
  role.purpose = value["purpose"].text();
  MYDR24_ASSIGN(role.purposes, purposes_of(value, where));
  role.privileged = value["privileged"].is_true();
  MYDR24_ASSIGN(role.fhir, parse_grants(value["fhir"], where + ".fhir"));
  MYDR24_ASSIGN(role.break_glass, parse_grants(value["break_glass"], where + ".break_glass"));
  MYDR24_ASSIGN(role.labels, texts(value["labels"], where + ".labels"));
  MYDR24_ASSIGN(role.operations, texts(value["operations"], where + ".operations"));
  for (const auto& label : role.labels) MYDR24_TRY(check_label(label, where + ".labels"));
  return role;
}

}  // namespace

bool Grant::covers(std::string_view type) const {
  return (has(types, "*") || has(types, type)) && !has(not_types, type);
}

bool Role::may_operate(std::string_view operation) const {
  return std::ranges::any_of(operations, [&](std::string_view allowed) {
    return allowed.ends_with('*') ? operation.starts_with(allowed.substr(0, allowed.size() - 1)) : operation == allowed;
  });
}

bool Role::serves(std::string_view named) const {
  if (named.empty() || named == purpose || (purpose.empty() && purposes.empty())) return true;
  return is_kind_of_purpose(named, purpose) ||
         std::ranges::any_of(purposes, [&](std::string_view other) { return is_kind_of_purpose(named, other); });
}

const Role* Policy::find(std::string_view role) const {
  const auto found = std::ranges::find(roles, role, &Role::name);
  return found == roles.end() ? nullptr : &*found;
}

Result<Policy> parse_policy(std::string_view json) {
  auto document = json::Document::parse_view(json, {.bytes_max = 1U << 20, .depth_max = 16, .values_max = 100'000});
  if (!document) return wrong("policy", document.error().text);
  const auto root = document->root();
  MYDR24_TRY(known_members(root, {"sensitive", "roles"}, "policy"));
  Policy policy;
  MYDR24_ASSIGN(policy.sensitive, texts(root["sensitive"], "sensitive"));
  for (const auto& label : policy.sensitive) MYDR24_TRY(check_label(label, "sensitive"));
  if (!root["roles"].is_object()) return wrong("roles", "an object of roles is expected");
  for (const auto member : root["roles"]) {
    MYDR24_ASSIGN(auto role, parse_role(member));
    if (policy.find(role.name) != nullptr) return wrong("roles", fmt::format("{} is there twice", role.name));
    policy.roles.push_back(std::move(role));
  }
  return policy;
}

std::shared_ptr<const Policy> default_policy() {
  static const auto policy = [] {
    auto parsed = parse_policy(default_policy_text());
    if (!parsed) throw std::logic_error(parsed.error().text);
    return std::make_shared<const Policy>(std::move(*parsed));
  }();
  return policy;
}

std::string_view role_for_operation(const Policy& policy, const Principal& principal, std::string_view operation) {
  for (const auto& name : principal.roles) {
    const auto* role = policy.find(name);
    if (role != nullptr && role->may_operate(operation)) return role->name;
  }
  return {};
}

}  // namespace mydr24::access
