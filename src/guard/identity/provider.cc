#include "guard/identity/provider.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crypto/jwt.h"
#include "guard/access/purpose.h"

namespace mydr24::identity {
namespace {

constexpr std::size_t subject_bytes_max = 200;
constexpr std::size_t roles_read_max = 256;

json::Value member_at(json::Value value, std::string_view path) {
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('.'));
    value = value[part];
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
  return value;
}

std::vector<std::string_view> words_of(json::Value value) {
  std::vector<std::string_view> words;
  if (value.is_array()) {
    for (const auto each : value)
      if (words.size() < roles_read_max) words.push_back(each.text());
    return words;
  }
  for (std::string_view rest = value.text(); !rest.empty() && words.size() < roles_read_max;) {
    const auto word = rest.substr(0, rest.find(' '));
    if (!word.empty()) words.push_back(word);
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return words;
}

// For what the token was given: the claim purpose_of_use, by itself or below extensions.ihe_iua (IHE ITI IUA, 3.71.4.2.2.1.1), as
// code, Coding, or a list with one of them. Empty: it does not say. What it says and is not understood must not become what the
// role is for.
Result<std::string> purpose_of(json::Value claims) {
  auto value = member_at(claims, "extensions.ihe_iua.purpose_of_use");
  if (!value) value = claims["purpose_of_use"];
  if (!value) return std::string();
  if (value.is_array()) {
    if (value.size() != 1) return fail(Code::refused, "the token is for several purposes of use", "purpose_of_use");
    value = value.at(0);
  }
  if (value.is_object()) {
    const auto system = value["system"].text();
    if (!system.empty() && system != access::purpose_system && system != "urn:oid:2.16.840.1.113883.5.8" &&
        system != "2.16.840.1.113883.5.8")
      return fail(Code::refused, "the token's purpose of use is of an unknown system", "purpose_of_use");
    value = value["code"];
  }
  if (!access::is_purpose(value.text()))
    return fail(Code::refused, "the token's purpose of use is none of HL7's v3-ActReason", "purpose_of_use");
  return std::string(value.text());
}

// A URL of ours or of theirs: the reference is what counts.
std::string reference_of(std::string_view fhir_user) {
  const auto id_at = fhir_user.rfind('/');
  if (id_at == fhir_user.npos || id_at == 0) return {};
  const auto type_at = fhir_user.rfind('/', id_at - 1);
  return std::string(type_at == fhir_user.npos ? fhir_user : fhir_user.substr(type_at + 1));
}

}  // namespace

std::string claimed_issuer(std::string_view token) {
  const auto payload = crypto::unverified_payload(token);
  if (!payload) return {};
  const auto claims = crypto::parse_claims(*payload);
  return claims ? claims->issuer : std::string();
}

Result<access::Principal> principal_of(json::Value claims, const ProviderSettings& settings, Instant expires) {
  const auto subject = claims["sub"].text();
  if (subject.empty() || subject.size() > subject_bytes_max)
    return fail(Code::refused, "the token's claim sub names nobody", "sub");
  const auto tenants = words_of(member_at(claims, settings.tenant_claim));
  if (!settings.tenant.empty() && std::ranges::find(tenants, settings.tenant) == tenants.end())
    return fail(Code::refused, "the token is for another tenant", settings.tenant_claim);
  const auto client = claims["client_id"] ? claims["client_id"].text() : claims["azp"].text();
  access::Principal principal;
  principal.tenant = settings.tenant;
  principal.kind = client == subject ? access::PrincipalKind::machine : access::PrincipalKind::person;
  principal.id = fmt::format("oidc/{}/{}", settings.name, subject);
  principal.name = claims["name"].text();
  for (const auto word : words_of(member_at(claims, settings.roles_claim))) {
    const auto found = settings.roles.find(std::string(word));
    if (found != settings.roles.end() && !principal.has_role(found->second)) principal.roles.push_back(found->second);
  }
  if (settings.uses_scopes) {
    const auto scope = claims["scope"] ? claims["scope"] : claims["scp"];
    std::string text;
    for (const auto word : words_of(scope)) text += fmt::format("{} ", word);
    principal.scopes = access::parse_scopes_leniently(text);
  }
  principal.client = client;
  principal.fhir_user = reference_of(claims["fhirUser"].text());
  principal.patient = claims["patient"].text();
  if (principal.patient.empty() && principal.fhir_user.starts_with("Patient/"))
    principal.patient = principal.fhir_user.substr(8);
  principal.encounter = claims["encounter"].text();
  MYDR24_ASSIGN(principal.purpose, purpose_of(claims));
  principal.session = claims["sid"] ? claims["sid"].text() : claims["jti"].text();
  principal.expires = expires;
  return principal;
}

Result<access::Principal> Provider::verify(std::string_view token, Instant now) {
  std::string url;
  {
    const std::lock_guard lock(mutex_);
    url = key_set_url_;
  }
  const auto want = [&] {
    wants_keys_ = true;
    return fail(Code::busy, fmt::format("the keys of {} are being fetched: try again", settings_.issuer));
  };
  const auto keys = url.empty() ? nullptr : keys_.peek(url);
  if (!keys) return want();
  crypto::JwtChecks checks{.issuer = settings_.issuer};
  checks.audience.assign(settings_.audience.begin(), settings_.audience.end());
  auto claims = crypto::verify_jwt(token, *keys, checks, now);
  if (!claims) {
    if (claims.error().code != Code::not_found) return std::move(claims).error();
    // A key that is not known: worth a look at most once a minute, else it is none.
    auto asked = asked_us_.load();
    if (to_us(now) - asked >= Microseconds(RemoteKeys::fetched_again_after).count() &&
        asked_us_.compare_exchange_strong(asked, to_us(now)))
      return want();
    if (wants_keys()) return want();
    return fail(Code::refused, claims.error().text);
  }
  return principal_of(claims->all.root(), settings_, *claims->expires);
}

Result<> Provider::refresh(Instant now) {
  const bool wanted = wants_keys_.exchange(false);
  std::string url;
  {
    const std::lock_guard lock(mutex_);
    url = key_set_url_;
  }
  if (url.empty()) {
    const auto failed = [&](const Error& error) {
      wants_keys_ = true;
      return error;
    };
    const auto fetched = fetch_(settings_.issuer + "/.well-known/openid-configuration");
    if (!fetched) return failed(fetched.error());
    const auto document = json::Document::parse_view(fetched->body);
    if (!document) return failed(document.error());
    // OpenID Connect Discovery 1.0, section 4.3.
    if (document->root()["issuer"].text() != settings_.issuer)
      return failed(fail(Code::refused, fmt::format("{} describes another issuer", settings_.issuer)));
    url = document->root()["jwks_uri"].text();
    const std::lock_guard lock(mutex_);
    key_set_url_ = url;
  }
  MYDR24_TRY(keys_.get(url, now, wanted));
  return {};
}

}  // namespace mydr24::identity
