#pragma once

// Keys for signatures as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), by OpenSSL. A key says which
// algorithms it is for: nothing that is signed can choose another.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/document.h"

struct evp_pkey_st;

namespace mydr24::crypto {

// RFC 7518, section 3.1; RFC 8037, section 3.1.
enum class Algorithm : std::uint8_t { rs256, rs384, es256, es384, eddsa };
std::string_view to_string(Algorithm algorithm);  // "RS256"
// Nothing for any other name, "none" and "HS256" among them.
std::optional<Algorithm> parse_algorithm(std::string_view name);

// Immutable; copies share it. Thread-safe.
class Key {
 public:
  // RSA of 2048 bits, P-256, P-384, Ed25519. Its kid is its thumbprint.
  static Key generate(Algorithm algorithm);

  // An RSA key (2048 to 8192 bits), an EC key on P-256 or P-384, or an Ed25519 key. `use`, `key_ops` and `alg`, where
  // they are, must fit. Of a private key the private part is taken with `with_private` only. Code::invalid says what is
  // wrong.
  static Result<Key> from_jwk(json::Value jwk, bool with_private = false);

  const std::string& id() const { return id_; }  // kid; may be empty
  // By its type, its curve and its `alg`: an RSA key without `alg` is for both RS256 and RS384.
  bool is_for(Algorithm algorithm) const;
  Algorithm algorithm() const;  // the first it is for
  bool is_private() const { return private_; }

  // The signature in the form that JWS has (RFC 7518, section 3.4: R and S of ECDSA side by side). The key must be
  // private and for the algorithm: anything else ends the process.
  std::string sign(Algorithm algorithm, std::string_view text) const;
  bool verify(Algorithm algorithm, std::string_view text, std::string_view signature) const;

  // JSON text. The private one ends the process when the key is not private.
  std::string public_jwk() const;
  std::string private_jwk() const;
  // RFC 7638, with SHA-256, in base64url.
  std::string thumbprint() const;

 private:
  enum class Type : std::uint8_t { rsa, p256, p384, ed25519 };
  Key(std::shared_ptr<evp_pkey_st> pkey, Type type, bool is_private)
      : pkey_(std::move(pkey)), type_(type), private_(is_private) {}
  std::string required_members(bool with_names) const;

  std::shared_ptr<evp_pkey_st> pkey_;
  Type type_;
  bool private_;
  std::optional<Algorithm> only_;  // of `alg`
  std::string id_;
};

// A JWK Set (RFC 7517, section 5), in order.
using KeySet = std::vector<Key>;
inline constexpr std::size_t key_set_bytes_max = 64U << 10;
inline constexpr std::size_t keys_max = 64;

// {"keys": [...]}. Keys that are not understood are left out, as section 5 asks; private parts are never taken.
// Code::invalid: it is no JWK Set; Code::too_large.
Result<KeySet> parse_key_set(std::string_view text);
// Public parts only.
std::string print_key_set(const KeySet& keys);

}  // namespace mydr24::crypto
