#pragma once

// JSON Web Tokens (RFC 7519): the claims of a verified JWS, checked.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/crypto/jws.h"
#include "base/json/document.h"

namespace mydr24::crypto {

struct JwtClaims {
  std::string issuer, subject, id;  // iss, sub, jti; empty when they are not there
  std::vector<std::string> audience;
  std::optional<Instant> expires, not_before, issued;
  json::Document all;
};

struct JwtChecks {
  std::string_view issuer;                 // what iss must be; empty: not checked
  std::vector<std::string_view> audience;  // one of them must be in aud; empty: not checked
  std::chrono::seconds skew{60};           // how far the other clock may be from ours
  std::chrono::seconds lifetime_max{0};    // exp at most so far from now (and skew); 0: not checked
  bool needs_id = false;                   // jti must be there
  JwsChecks jws;
};

// The claims of a payload as they are; names and forms of the registered ones are checked (RFC 7519, section 4.1), a
// claim that is there twice is refused.
Result<JwtClaims> parse_claims(std::string payload);

// Signature, then claims: exp must be there and ahead, nbf and iat must not be ahead. Code::refused says which claim is
// wrong; Code::not_found as verify_jws().
Result<JwtClaims> verify_jwt(std::string_view compact, const KeySet& keys, const JwtChecks& checks, Instant now);

}  // namespace mydr24::crypto
