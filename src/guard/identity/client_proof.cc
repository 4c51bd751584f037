// Clients: what they show at the token endpoint.

#include <array>

#include "base/crypto/base64.h"
#include "base/crypto/jwt.h"
#include "base/net/uri.h"
#include "guard/identity/identity.h"

namespace mydr24::identity {
namespace {

constexpr std::string_view jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
// SMART App Launch 2.2.0, client-confidential-asymmetric.
constexpr std::array assertion_algorithms{crypto::Algorithm::rs384, crypto::Algorithm::es384};
constexpr std::chrono::seconds assertion_valid_max{300};
constexpr std::chrono::seconds assertion_skew{10};

Error refuse(std::string_view text) { return fail(Code::refused, std::string(text), "invalid_client"); }

struct Named {
  std::string id, secret;
};

// RFC 6749, section 2.3.1: both are form-encoded inside of Basic.
std::optional<Named> basic_of(std::string_view authorization) {
  constexpr std::string_view scheme = "Basic ";
  if (!authorization.starts_with(scheme)) return std::nullopt;
  const auto pair = crypto::base64_decode(authorization.substr(scheme.size()));
  if (!pair) return std::nullopt;
  const auto colon = pair->find(':');
  if (colon == pair->npos) return std::nullopt;
  auto id = net::percent_decode(std::string_view(*pair).substr(0, colon), true);
  auto secret = net::percent_decode(std::string_view(*pair).substr(colon + 1), true);
  if (!id || !secret) return std::nullopt;
  return Named{std::move(*id), std::move(*secret)};
}

// Whom an assertion speaks for, unverified.
std::string subject_of(std::string_view assertion) {
  const auto payload = crypto::unverified_payload(assertion);
  if (!payload) return {};
  const auto claims = crypto::parse_claims(*payload);
  return claims ? claims->subject : std::string();
}

}  // namespace

std::string claimed_client(const ClientClaim& claim) {
  if (const auto basic = basic_of(claim.authorization)) return basic->id;
  return claim.id.empty() ? subject_of(claim.assertion) : claim.id;
}

Result<ProvenClient> Identity::check_client(const ClientClaim& claim, const std::vector<std::string>& audience,
                                            Instant now) {
  Named named{claim.id, claim.secret};
  const bool has_assertion = !claim.assertion.empty() || !claim.assertion_type.empty();
  if (!claim.authorization.empty()) {
    const auto basic = basic_of(claim.authorization);
    if (!basic) return refuse("the client's authorization is not Basic with its id and secret");
    if (has_assertion || !claim.secret.empty() || (!claim.id.empty() && claim.id != basic->id))
      return refuse("a client proves itself in one way at a time");
    named = *basic;
  } else if (has_assertion) {
    if (claim.assertion_type != jwt_bearer || !claim.secret.empty())
      return refuse("client_assertion goes with client_assertion_type jwt-bearer, and nothing else");
    const auto subject = subject_of(claim.assertion);
    if (!named.id.empty() && named.id != subject) return refuse("client_id is not whom the assertion speaks for");
    named.id = subject;
  }
  std::optional<Client> client;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    if (named.id.empty() && claim.secret.empty() && !claim.refresh_token.empty()) {
      MYDR24_ASSIGN(named.id, client_of_refresh(reader, claim.refresh_token));
    }
    MYDR24_ASSIGN(client, clients::find(reader, named.id));
    return {};
  }));
  if (!client) return refuse("the client is not registered");
  ProvenClient proven{.client = std::move(*client)};
  switch (proven.client.proof) {
    case ClientProof::none:
      if (!named.secret.empty() || has_assertion) return refuse("the client is public: it has nothing to show");
      return proven;
    case ClientProof::secret:
      if (has_assertion || !crypto::same_secret(crypto::sha256_hex(named.secret), proven.client.secret_digest))
        return refuse("the client's secret is wrong");
      return proven;
    case ClientProof::key:
      break;
  }
  if (!has_assertion) return refuse("the client shows a signed assertion (private_key_jwt)");
  crypto::JwtChecks checks{.issuer = proven.client.id,
                           .skew = assertion_skew,
                           .lifetime_max = assertion_valid_max,
                           .needs_id = true,
                           .jws = {.jku = proven.client.key_set_url, .algorithms = assertion_algorithms}};
  checks.audience.assign(audience.begin(), audience.end());
  const auto verify = [&](bool is_unknown) -> Result<crypto::JwtClaims> {
    if (proven.client.key_set_url.empty()) {
      MYDR24_ASSIGN(const auto keys, crypto::parse_key_set(proven.client.key_set));
      return crypto::verify_jwt(claim.assertion, keys, checks, now);
    }
    const auto keys = client_keys_.get(proven.client.key_set_url, now, is_unknown);
    if (!keys) {
      // Why it failed tells who asks what there is at an address of their choice (CWE-918).
      log_.warn("the key set of a client cannot be had", {{"client", proven.client.id}, {"detail", keys.error().text}});
      return refuse("the client's key set cannot be had");
    }
    return crypto::verify_jwt(claim.assertion, **keys, checks, now);
  };
  auto claims = verify(false);
  if (!claims && claims.error().code == Code::not_found) claims = verify(true);
  if (!claims) return refuse(claims.error().text);
  if (claims->subject != proven.client.id) return refuse("the token's claim sub is not the client");
  proven.assertion_id = claims->id;
  proven.assertion_expires = *claims->expires + assertion_skew;
  return proven;
}

Result<> Identity::use_assertion(store::Transaction& transaction, const ProvenClient& proven) const {
  if (proven.assertion_id.empty()) return {};
  auto kept =
      once::put(transaction, "jti", proven.client.id + "\n" + proven.assertion_id, "", proven.assertion_expires);
  if (!kept && kept.error().code == Code::conflict) return refuse("the assertion was used before");
  return kept;
}

}  // namespace mydr24::identity
