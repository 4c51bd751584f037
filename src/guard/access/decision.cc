#include "guard/access/decision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mydr24::access {
namespace {

// Of interactions that are about one type. What is not here is open to everybody who is known: it shows nothing, or what it
// shows passes a GuardedReader.
constexpr std::array<std::pair<std::string_view, Permission>, 19> permissions{{
    {"read", Permission::read},
    {"vread", Permission::read},
    {"history-instance", Permission::read},
    {"history-type", Permission::read},
    {"$everything", Permission::read},
    {"$summary", Permission::read},
    {"$early-warning", Permission::read},
    {"$meta", Permission::read},
    {"search-type", Permission::search},
    {"search-compartment", Permission::read},
    {"$lastn", Permission::search},
    {"create", Permission::create},
    {"update", Permission::update},
    {"conditional-update", Permission::update},
    {"patch", Permission::update},
    {"conditional-patch", Permission::update},
    {"$meta-add", Permission::update},
    {"delete", Permission::remove},
    {"conditional-delete", Permission::remove},
}};

std::string_view name_of(Permission permission) {
  switch (permission) {
    case Permission::create:
      return "create";
    case Permission::read:
      return "read";
    case Permission::update:
      return "update";
    case Permission::remove:
      return "delete";
    case Permission::search:
      return "search";
  }
  return {};
}

std::string roles_of(const Principal& principal) {
  if (principal.roles.empty()) return "no role";
  std::string text = "role ";
  for (const auto& role : principal.roles) text.append(&role == principal.roles.data() ? "" : ", ").append(role);
  return text;
}

// What is asked for next by who is refused.
std::string who_may(const Policy& policy, std::string_view operation) {
  std::string names;
  for (const auto& role : policy.roles)
    if (role.may_operate(operation)) names.append(names.empty() ? "; " : ", ").append(role.name);
  return names.empty() ? names : names + " may";
}

Decision nobody() { return {.allowed = false, .unknown = true, .rule = "nobody is logged in"}; }

}  // namespace

Decision decide_fhir(const Caller& caller, std::string_view interaction, std::string_view type) {
  if (!caller.principal.is_known()) return nobody();
  const auto found = std::ranges::find(permissions, interaction == "$meta-delete" ? "$meta-add" : interaction,
                                       [](const auto& entry) { return entry.first; });
  if (found == permissions.end() || type.empty())
    return {.allowed = true,
            .unknown = false,
            .rule = fmt::format("{}: each resource by itself", roles_of(caller.principal))};
  const auto permission = found->second;
  const bool allowed = caller.sight->may(permission, type);
  // Put together by hand: it is made for every request.
  std::string rule = roles_of(caller.principal);
  rule.append(allowed ? " may " : " may not ").append(name_of(permission)).append(" ").append(type);
  if (caller.principal.scopes) rule += " within the scopes of the token";
  return {.allowed = allowed, .unknown = false, .rule = std::move(rule)};
}

Decision decide_operation(const Policy& policy, const Caller& caller, std::string_view operation) {
  const auto& principal = caller.principal;
  if (!principal.is_known()) return nobody();
  if (principal.kind == PrincipalKind::system) return {.allowed = true, .unknown = false, .rule = "the server itself"};
  // A token for an application is for FHIR, unless it says more.
  if (principal.scopes && !principal.scopes->has("mydr24/desk"))
    return {.allowed = false, .unknown = false, .rule = "the token has no scope mydr24/desk"};
  if (principal.kind == PrincipalKind::person && operation.starts_with("session-"))
    return {.allowed = true, .unknown = false, .rule = "everybody sees to their own sessions"};
  const auto role = role_for_operation(policy, principal, operation);
  if (role.empty())
    return {.allowed = false,
            .unknown = false,
            .rule = fmt::format("{} may not {}{}", roles_of(principal), operation, who_may(policy, operation))};
  return {.allowed = true, .unknown = false, .rule = fmt::format("role {} may {}", role, operation)};
}

}  // namespace mydr24::access
