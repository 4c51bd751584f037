#pragma once

// JSON Web Signature in the compact form (RFC 7515) with RS256, RS384, ES256, ES384 and EdDSA, as RFC 8725 recommends:
//
// - The algorithm is the key's: a header that names another ("none", HS256 with a public key as secret) is refused.
// - The key is one that the verifier has: a header that brings one (`jwk`, `x5c`) or says where to fetch one (`jku`,
//   `x5u`) is refused, but for a `jku` that the verifier knows.
// - `crit` is refused: no extension is understood. A member that is there twice is refused.

#include <span>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/crypto/key.h"

namespace mydr24::crypto {

inline constexpr std::size_t jws_bytes_max = 16U << 10;

// `type` for the header's `typ`; no such member when empty. The key must be private.
std::string sign_jws(const Key& key, std::string_view payload, std::string_view type = "JWT");

struct JwsHeader {
  Algorithm algorithm = Algorithm::es256;
  std::string key_id;  // may be empty
  std::string type;    // may be empty
};

struct JwsChecks {
  std::string_view jku;                   // a header may say it; empty: none may
  std::string_view type;                  // the `typ` that it must have (RFC 8725, section 3.11); empty: any or none
  std::span<const Algorithm> algorithms;  // that are accepted; empty: every one a key is for
};

// The payload. Code::refused: not as above, or the signature is not right. Code::not_found: no key of that kid (the
// owner may have a newer set). Without a kid there must be one key only that fits.
Result<std::string> verify_jws(std::string_view compact, const KeySet& keys, const JwsChecks& checks = {});

// What a header says, unverified; all rules for headers hold. The parts are not looked at.
Result<JwsHeader> parse_jws_header(std::string_view text, const JwsChecks& checks = {});

// The payload, believed by nobody: to find out whose it claims to be.
Result<std::string> unverified_payload(std::string_view compact);

}  // namespace mydr24::crypto
