#include "app/server/gatekeeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/core/id.h"
#include "guard/audit/entry.h"

namespace mydr24::server {
namespace {

constexpr std::size_t callers_max = 16'384;
constexpr std::size_t sights_max = 4'096;
constexpr std::size_t known_max = 16'384;
constexpr char separator = '\x1f';

std::string overrides_text(const access::Principal& principal) {
  std::string text;
  for (const auto& override : principal.overrides) text += override.id + separator;
  return text;
}

// All of a principal that its rights depend on.
std::string rights_key(const access::Principal& principal) {
  return fmt::format("{1}{0}{2}{0}{3}{0}{4}{0}{5}{0}{6}{0}{7}{0}{8}", separator, static_cast<int>(principal.kind),
                     fmt::join(principal.roles, ","), principal.scopes ? to_string(*principal.scopes) : "-",
                     principal.patient, principal.fhir_user, fmt::join(principal.member_of, ","),
                     overrides_text(principal), principal.purpose);
}

// Who acts for a purpose acts in the roles that serve it.
void bind_to_purpose(const access::Policy& policy, access::Principal& principal) {
  if (principal.purpose.empty()) return;
  std::erase_if(principal.roles, [&](std::string_view name) {
    const auto* role = policy.find(name);
    return role == nullptr || !role->serves(principal.purpose);
  });
}

}  // namespace

Result<std::shared_ptr<const access::Policy>> load_policy(const std::string& file) {
  if (file.empty()) return access::default_policy();
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(Code::invalid, fmt::format("{} cannot be read", file), "access.policy_file");
  auto policy = access::parse_policy(text.str());
  if (!policy) return fail(Code::invalid, fmt::format("{}: {}", file, policy.error().text), "access.policy_file");
  return std::make_shared<const access::Policy>(std::move(*policy));
}

Gatekeeper::Loan Gatekeeper::lend(access::Principal principal) {
  const auto secret = make_secret() + make_secret();
  const auto token = parts_.tenant.empty() ? secret : fmt::format("{}.{}", parts_.tenant, secret);
  {
    const std::lock_guard lock(loans_->mutex);
    loans_->by_token.emplace(token, std::move(principal));
    ++loans_->count;
  }
  const auto give_back = [loans = loans_, token](const void*) {
    const std::lock_guard lock(loans->mutex);
    loans->by_token.erase(token);
    --loans->count;
  };
  return {.token = token, .held = std::shared_ptr<const void>(loans_.get(), give_back)};
}

std::optional<access::Principal> Gatekeeper::lent_to(const net::Request& request) {
  constexpr std::string_view scheme = "Bearer ";
  if (loans_->count.load(std::memory_order_relaxed) == 0) return std::nullopt;
  const auto shown = request.header("Authorization");
  if (!shown.starts_with(scheme)) return std::nullopt;
  const std::lock_guard lock(loans_->mutex);
  const auto found = loans_->by_token.find(std::string(shown.substr(scheme.size())));
  return found == loans_->by_token.end() ? std::nullopt : std::optional(found->second);
}

Result<std::shared_ptr<const access::Caller>> Gatekeeper::authenticate(const net::Request& request) {
  if (auto lent = lent_to(request)) return caller_of(std::move(*lent));
  MYDR24_ASSIGN(const auto principal, parts_.identity.find_principal(request, parts_.machine_clock.now()));
  const auto overrides = parts_.glass.version();
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(principal.get());
    if (found != known_.end() && found->second.overrides == overrides) return found->second.caller;
  }
  MYDR24_ASSIGN(auto caller, caller_of(*principal));
  // An override ends by itself, without a new version.
  if (!caller->principal.overrides.empty()) return caller;
  const std::lock_guard lock(mutex_);
  if (known_.size() >= known_max) known_.clear();
  known_.insert_or_assign(principal.get(), Known{principal, overrides, caller});
  return caller;
}

Result<std::shared_ptr<const access::Sight>> Gatekeeper::sight_of(const access::Principal& principal) {
  auto key = rights_key(principal);
  {
    const std::lock_guard lock(mutex_);
    const auto found = sights_.find(key);
    if (found != sights_.end()) return found->second;
  }
  MYDR24_ASSIGN(auto sight, access::Sight::of(parts_.policy, principal));
  const std::lock_guard lock(mutex_);
  if (sights_.size() >= sights_max) sights_.clear();
  sights_.insert_or_assign(std::move(key), sight);
  return sight;
}

Result<std::shared_ptr<const access::Caller>> Gatekeeper::caller_of(access::Principal principal) {
  bind_to_purpose(*parts_.policy, principal);
  if (principal.is_known()) principal.overrides = parts_.glass.in_force(principal.id);
  auto key = fmt::format("{1}{0}{2}{0}{3}{0}{4}", separator, principal.id, principal.session, principal.client,
                         rights_key(principal));
  {
    const std::lock_guard lock(mutex_);
    const auto found = callers_.find(key);
    if (found != callers_.end()) return found->second;
  }
  auto caller = std::make_shared<access::Caller>();
  MYDR24_ASSIGN(caller->sight, sight_of(principal));
  if (principal.purpose.empty()) {
    for (const auto& name : principal.roles) {
      const auto* role = parts_.policy->find(name);
      if (role != nullptr && principal.purpose.empty()) principal.purpose = role->purpose;
    }
  }
  caller->denials =
      std::make_shared<access::Denials>(parts_.consents, principal, principal.purpose, parts_.organization);
  caller->catalogue = parts_.catalogue();
  caller->principal = std::move(principal);
  caller->audited = std::make_shared<const std::string>(audit::principal_text(caller->principal));
  std::shared_ptr<const access::Caller> made = std::move(caller);
  const std::lock_guard lock(mutex_);
  if (callers_.size() >= callers_max) callers_.clear();
  callers_.insert_or_assign(std::move(key), made);
  return made;
}

}  // namespace mydr24::server
