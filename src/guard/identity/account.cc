#include "guard/identity/account.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto/digest.h"
#include "guard/access/principal.h"

namespace mydr24::identity {
namespace {

constexpr std::uint32_t listed_at_once = 1000;
constexpr std::size_t version_characters = 16;
constexpr std::size_t name_shown_bytes_max = 64;

Error own(std::string_view what, std::string_view where) {
  return fail(Code::refused, fmt::format("nobody {}: another administrator does it", what), std::string(where));
}

// Those that `before` has may stay: a policy may have dropped them since.
Result<> check_roles(const access::Policy& policy, const std::vector<std::string>& before,
                     const std::vector<std::string>& after) {
  for (const auto& role : after) {
    if (policy.find(role) != nullptr || std::ranges::find(before, role) != before.end()) continue;
    std::string known;
    for (const auto& each : policy.roles) known += fmt::format("{}{}", known.empty() ? "" : ", ", each.name);
    return fail(Code::invalid, fmt::format("there is no role \"{}\"; there are {}", role, known), "roles");
  }
  return {};
}

Result<> check_own(std::string_view by, const User& before, const User& after) {
  if (by != user_id(before.name)) return {};
  if (before.roles != after.roles) return own("changes their own roles", "roles");
  if (before.fhir_user != after.fhir_user) return own("changes their own FHIR user", "fhir_user");
  if (before.disabled != after.disabled) return own("disables their own account", "name");
  if (before.totp != after.totp) return own("takes away their own second factor", "name");
  if (before.password != after.password || before.generation != after.generation)
    return own("invites themselves anew", "name");
  return {};
}

bool administers(const access::Policy& policy, const User& user) {
  const access::Principal principal{.roles = user.roles};
  return !user.disabled && !access::role_for_operation(policy, principal, administering).empty();
}

Result<bool> is_last(store::Reader& reader, const access::Policy& policy, std::string_view name) {
  std::string after;
  for (;;) {
    MYDR24_ASSIGN(const auto page, users::list(reader, after, listed_at_once));
    for (const auto& user : page)
      if (user.name != name && administers(policy, user)) return false;
    if (page.size() < listed_at_once) return true;
    after = page.back().name;
  }
}

// Whether what was given out before must not count any more.
bool voids(const Identity& identity, const User& before, const User& after) {
  if (before.disabled != after.disabled || before.password != after.password) return true;
  if (before.password.empty()) return false;  // nobody has logged in with it: an invitation that waits still counts
  const bool needs_more = identity.needs_totp(after) && !identity.needs_totp(before) && after.totp.empty();
  return before.totp != after.totp || needs_more;
}

Result<User> seen(store::Reader& reader, const Order& order) {
  MYDR24_ASSIGN(auto found, users::find(reader, order.name));
  if (!found)
    return fail(Code::not_found, fmt::format("there is no user \"{}\"", order.name.substr(0, name_shown_bytes_max)),
                "name");
  if (version_of(*found) != order.seen)
    return fail(Code::stale, fmt::format("{} was changed meanwhile: read it again, then repeat", found->name),
                "If-Match");
  return std::move(*found);
}

Result<User> write(store::Transaction& transaction, const Identity& identity, const Order& order, const User& before,
                   User after) {
  MYDR24_TRY(check_user(after));
  MYDR24_TRY(check_roles(order.policy, before.roles, after.roles));
  MYDR24_TRY(check_own(order.by, before, after));
  if (administers(order.policy, before) && !administers(order.policy, after)) {
    MYDR24_ASSIGN(const bool last, is_last(transaction, order.policy, before.name));
    if (last)
      return fail(Code::conflict,
                  fmt::format("{} is the last enabled administrator: make another one first", before.name), "name");
  }
  if (voids(identity, before, after)) ++after.generation;
  MYDR24_TRY(users::write(transaction, after));
  return after;
}

}  // namespace

std::string version_of(const User& user) {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n", user.name, user.display, user.fhir_user, user.generation,
                                 user.disabled, !user.totp.empty());
  for (const auto& role : user.roles) text += role + "\n";
  return crypto::sha256_hex(text).substr(0, version_characters);
}

namespace accounts {

Result<Invited> add(store::Transaction& transaction, const Identity& identity, const access::Policy& policy,
                    User user) {
  MYDR24_TRY(check_roles(policy, {}, user.roles));
  user.name = folded_name(user.name);
  MYDR24_TRY(users::add(transaction, user));
  user.created = transaction.now();
  MYDR24_ASSIGN(auto invitation, identity.invite(transaction, user));
  return Invited{std::move(user), std::move(invitation)};
}

Result<User> change(store::Transaction& transaction, const Identity& identity, const Order& order,
                    const std::function<void(User&)>& step) {
  MYDR24_ASSIGN(const auto before, seen(transaction, order));
  auto after = before;
  step(after);
  return write(transaction, identity, order, before, std::move(after));
}

Result<User> set_disabled(store::Transaction& transaction, const Identity& identity, const Order& order,
                          bool disabled) {
  return change(transaction, identity, order, [&](User& user) { user.disabled = disabled; });
}

Result<Invited> invite(store::Transaction& transaction, const Identity& identity, const Order& order) {
  MYDR24_ASSIGN(const auto before, seen(transaction, order));
  if (before.disabled) return fail(Code::conflict, fmt::format("{} is disabled: enable it first", before.name), "name");
  auto after = before;
  after.password.clear();
  // The invitation before this one is void, too.
  if (before.password.empty()) ++after.generation;
  MYDR24_ASSIGN(auto user, write(transaction, identity, order, before, std::move(after)));
  MYDR24_ASSIGN(auto invitation, identity.invite(transaction, user));
  return Invited{std::move(user), std::move(invitation)};
}

Result<User> remove_second_factor(store::Transaction& transaction, const Identity& identity, const Order& order) {
  MYDR24_ASSIGN(const auto before, seen(transaction, order));
  if (before.totp.empty()) return fail(Code::conflict, fmt::format("{} has no second factor", before.name), "name");
  auto after = before;
  after.totp.clear();
  after.totp_step = 0;
  return write(transaction, identity, order, before, std::move(after));
}

}  // namespace accounts
}  // namespace mydr24::identity
