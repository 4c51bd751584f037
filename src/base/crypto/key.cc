#include "base/crypto/key.h"

#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/json/writer.h"

namespace mydr24::crypto {
namespace {

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr int rsa_bits_made = 2048;
constexpr std::size_t exponent_bytes_max = 8;
constexpr std::size_t ed25519_bytes = 32;

constexpr std::array<std::pair<Algorithm, std::string_view>, 5> names{{{Algorithm::rs256, "RS256"},
                                                                       {Algorithm::rs384, "RS384"},
                                                                       {Algorithm::es256, "ES256"},
                                                                       {Algorithm::es384, "ES384"},
                                                                       {Algorithm::eddsa, "EdDSA"}}};

// A private RSA key's further members and what OpenSSL calls them.
constexpr std::array<std::pair<const char*, const char*>, 5> rsa_factors{{{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                                                          {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                                                          {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                                                          {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                                                          {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Number = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using Pair = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;
using Pkey = std::shared_ptr<EVP_PKEY>;

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

void require(bool done) {
  if (!done) std::abort();
}

Pkey hold(EVP_PKEY* pkey) { return {pkey, &EVP_PKEY_free}; }

Error bad_key(std::string_view what) { return fail(Code::invalid, fmt::format("the JSON Web Key {}", what), "jwk"); }

Result<std::string> octets_of(json::Value jwk, const char* member) {
  const auto bytes = base64_url_decode(jwk[member].text());
  if (!jwk[member].is_string() || !bytes || bytes->empty())
    return bad_key(fmt::format("has no \"{}\" in base64url", member));
  return *bytes;
}

Number number_of(std::string_view bytes) {
  return Number(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

// EVP_PKEY_fromdata copies what it is given.
Pkey make(const char* type, const Builder& builder, bool with_private) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  require(parameters && context);
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        parameters.get()) != 1)
    return nullptr;
  return hold(made);
}

Result<Pkey> make_rsa(json::Value jwk, bool with_private) {
  MYDR24_ASSIGN(const auto modulus, octets_of(jwk, "n"));
  MYDR24_ASSIGN(const auto exponent, octets_of(jwk, "e"));
  const Number n = number_of(modulus), e = number_of(exponent);
  if (BN_num_bits(n.get()) < rsa_bits_min || BN_num_bits(n.get()) > rsa_bits_max)
    return bad_key(fmt::format("of type RSA has not {} to {} bits", rsa_bits_min, rsa_bits_max));
  if (exponent.size() > exponent_bytes_max || BN_is_odd(e.get()) != 1 || BN_is_one(e.get()) == 1)
    return bad_key("has an exponent that is not used");
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  std::vector<Number> secrets;  // until the key is made
  if (with_private) {
    const auto push = [&](const char* member, const char* name) -> Result<> {
      MYDR24_ASSIGN(const auto bytes, octets_of(jwk, member));
      secrets.push_back(number_of(bytes));
      BN_set_flags(secrets.back().get(), BN_FLG_CONSTTIME);
      OSSL_PARAM_BLD_push_BN(builder.get(), name, secrets.back().get());
      return {};
    };
    MYDR24_TRY(push("d", OSSL_PKEY_PARAM_RSA_D));
    for (const auto& [member, name] : rsa_factors) MYDR24_TRY(push(member, name));
  }
  Pkey made = make("RSA", builder, with_private);
  if (!made) return bad_key("is no RSA key");
  return made;
}

Result<Pkey> make_ec(json::Value jwk, bool with_private, const char* group, std::size_t size) {
  MYDR24_ASSIGN(const auto x, octets_of(jwk, "x"));
  MYDR24_ASSIGN(const auto y, octets_of(jwk, "y"));
  if (x.size() != size || y.size() != size) return bad_key(fmt::format("has coordinates not of {} bytes", size));
  const std::string point = "\x04" + x + y;
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  Number secret;
  if (with_private) {
    MYDR24_ASSIGN(const auto d, octets_of(jwk, "d"));
    if (d.size() != size) return bad_key(fmt::format("has a \"d\" not of {} bytes", size));
    secret = number_of(d);
    OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  }
  Pkey made = make("EC", builder, with_private);
  if (!made) return bad_key("is no point of its curve");
  // A point that is not on the curve gives a private key of the other side away.
  const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, made.get(), nullptr));
  if (EVP_PKEY_public_check(check.get()) != 1) return bad_key("is no point of its curve");
  if (with_private && EVP_PKEY_pairwise_check(check.get()) != 1)
    return bad_key("has parts that do not belong together");
  return made;
}

Result<Pkey> make_ed25519(json::Value jwk, bool with_private) {
  MYDR24_ASSIGN(const auto bytes, octets_of(jwk, with_private ? "d" : "x"));
  if (bytes.size() != ed25519_bytes) return bad_key("of Ed25519 has not 32 bytes");
  Pkey made = hold(with_private ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size())
                                : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size()));
  if (!made) return bad_key("is no key of Ed25519");
  return made;
}

std::string number_text(EVP_PKEY* pkey, const char* name, std::size_t size = 0) {
  BIGNUM* raw = nullptr;
  require(EVP_PKEY_get_bn_param(pkey, name, &raw) == 1);
  const Number number(raw);
  std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(number.get())) : size, '\0');
  require(BN_bn2binpad(number.get(), octets(bytes), static_cast<int>(bytes.size())) >= 0);
  return base64_url(bytes);
}

const EVP_MD* hash_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256:
    case Algorithm::es256:
      return EVP_sha256();
    case Algorithm::rs384:
    case Algorithm::es384:
      return EVP_sha384();
    case Algorithm::eddsa:
      break;
  }
  return nullptr;  // Ed25519 hashes by itself
}

// Bytes of R and of S; 0: no ECDSA.
std::size_t half_of(Algorithm algorithm) {
  if (algorithm == Algorithm::es256) return 32;
  return algorithm == Algorithm::es384 ? 48 : 0;
}

std::string side_by_side(const std::string& der, std::size_t half) {
  const unsigned char* at = octets(std::string_view(der));
  const Pair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  require(pair != nullptr);
  std::string bytes(2 * half, '\0');
  const int size = static_cast<int>(half);
  require(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), octets(bytes), size) == size);
  require(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), octets(bytes) + half, size) == size);
  return bytes;
}

std::string as_der(std::string_view signature, std::size_t half) {
  const Pair pair(ECDSA_SIG_new());
  Number r = number_of(signature.substr(0, half)), s = number_of(signature.substr(half));
  require(pair && r && s && ECDSA_SIG_set0(pair.get(), r.release(), s.release()) == 1);
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  require(size > 0);
  std::string der(static_cast<std::size_t>(size), '\0');
  unsigned char* at = octets(der);
  i2d_ECDSA_SIG(pair.get(), &at);
  return der;
}

bool has_operation(json::Value operations, std::string_view name) {
  return std::ranges::any_of(operations, [&](json::Value each) { return each.text() == name; });
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  return std::ranges::find(names, algorithm, &std::pair<Algorithm, std::string_view>::first)->second;
}

std::optional<Algorithm> parse_algorithm(std::string_view name) {
  const auto found = std::ranges::find(names, name, &std::pair<Algorithm, std::string_view>::second);
  if (found == names.end()) return std::nullopt;
  return found->first;
}

Key Key::generate(Algorithm algorithm) {
  const auto made = [&] {
    switch (algorithm) {
      case Algorithm::rs256:
      case Algorithm::rs384: {
        Key key(hold(EVP_RSA_gen(static_cast<unsigned>(rsa_bits_made))), Type::rsa, true);
        key.only_ = algorithm;
        return key;
      }
      case Algorithm::es256:
        return Key(hold(EVP_EC_gen("P-256")), Type::p256, true);
      case Algorithm::es384:
        return Key(hold(EVP_EC_gen("P-384")), Type::p384, true);
      case Algorithm::eddsa:
        break;
    }
    return Key(hold(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), Type::ed25519, true);
  };
  Key key = made();
  require(key.pkey_ != nullptr);
  key.id_ = key.thumbprint();
  return key;
}

Result<Key> Key::from_jwk(json::Value jwk, bool with_private) {
  if (!jwk.is_object()) return bad_key("is no object");
  if (jwk["use"] && jwk["use"].text() != "sig") return bad_key("is not for signatures");
  if (jwk["key_ops"] && !has_operation(jwk["key_ops"], with_private ? "sign" : "verify") &&
      !has_operation(jwk["key_ops"], "verify"))
    return bad_key("is not for signatures");
  const std::string_view kty = jwk["kty"].text();
  const std::string_view crv = jwk["crv"].text();
  Pkey pkey;
  Type type = Type::rsa;
  if (kty == "RSA") {
    MYDR24_ASSIGN(pkey, make_rsa(jwk, with_private));
  } else if (kty == "EC" && crv == "P-256") {
    type = Type::p256;
    MYDR24_ASSIGN(pkey, make_ec(jwk, with_private, "P-256", 32));
  } else if (kty == "EC" && crv == "P-384") {
    type = Type::p384;
    MYDR24_ASSIGN(pkey, make_ec(jwk, with_private, "P-384", 48));
  } else if (kty == "OKP" && crv == "Ed25519") {
    type = Type::ed25519;
    MYDR24_ASSIGN(pkey, make_ed25519(jwk, with_private));
  } else {
    return bad_key("is neither RSA, nor EC on P-256 or P-384, nor Ed25519");
  }
  Key key(std::move(pkey), type, with_private);
  if (jwk["alg"]) {
    const auto algorithm = parse_algorithm(jwk["alg"].text());
    if (!algorithm || !key.is_for(*algorithm)) return bad_key("names an algorithm that it cannot be for");
    key.only_ = algorithm;
  }
  constexpr std::size_t id_bytes_max = 256;
  if (jwk["kid"].text().size() > id_bytes_max) return bad_key(fmt::format("has a kid above {} bytes", id_bytes_max));
  key.id_ = jwk["kid"].text();
  return key;
}

bool Key::is_for(Algorithm algorithm) const {
  if (only_) return *only_ == algorithm;
  switch (type_) {
    case Type::rsa:
      return algorithm == Algorithm::rs256 || algorithm == Algorithm::rs384;
    case Type::p256:
      return algorithm == Algorithm::es256;
    case Type::p384:
      return algorithm == Algorithm::es384;
    case Type::ed25519:
      break;
  }
  return algorithm == Algorithm::eddsa;
}

Algorithm Key::algorithm() const {
  return std::ranges::find_if(names, [&](const auto& each) { return is_for(each.first); })->first;
}

std::string Key::sign(Algorithm algorithm, std::string_view text) const {
  require(private_ && is_for(algorithm));
  const Digest context(EVP_MD_CTX_new());
  std::size_t size = 0;
  require(EVP_DigestSignInit(context.get(), nullptr, hash_of(algorithm), nullptr, pkey_.get()) == 1);
  require(EVP_DigestSign(context.get(), nullptr, &size, octets(text), text.size()) == 1);
  std::string signature(size, '\0');
  require(EVP_DigestSign(context.get(), octets(signature), &size, octets(text), text.size()) == 1);
  signature.resize(size);
  const std::size_t half = half_of(algorithm);
  return half == 0 ? signature : side_by_side(signature, half);
}

bool Key::verify(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!is_for(algorithm)) return false;
  const std::size_t half = half_of(algorithm);
  if (half != 0 && signature.size() != 2 * half) return false;
  const std::string given = half == 0 ? std::string(signature) : as_der(signature, half);
  const Digest context(EVP_MD_CTX_new());
  require(EVP_DigestVerifyInit(context.get(), nullptr, hash_of(algorithm), nullptr, pkey_.get()) == 1);
  return EVP_DigestVerify(context.get(), octets(std::string_view(given)), given.size(), octets(text), text.size()) == 1;
}

// What every form of the key has, in the order of RFC 7638, section 3.2.
std::string Key::required_members(bool with_names) const {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  EVP_PKEY* const pkey = pkey_.get();
  if (type_ == Type::rsa) {
    out.field("e", number_text(pkey, OSSL_PKEY_PARAM_RSA_E));
    out.field("kty", "RSA").field("n", number_text(pkey, OSSL_PKEY_PARAM_RSA_N));
  } else if (type_ == Type::ed25519) {
    std::string x(ed25519_bytes, '\0');
    std::size_t size = x.size();
    require(EVP_PKEY_get_raw_public_key(pkey, octets(x), &size) == 1);
    out.field("crv", "Ed25519").field("kty", "OKP").field("x", base64_url(x));
  } else {
    const std::size_t size = type_ == Type::p256 ? 32 : 48;
    out.field("crv", type_ == Type::p256 ? "P-256" : "P-384").field("kty", "EC");
    out.field("x", number_text(pkey, OSSL_PKEY_PARAM_EC_PUB_X, size));
    out.field("y", number_text(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, size));
  }
  if (with_names) {
    if (!id_.empty()) out.field("kid", id_);
    if (type_ != Type::rsa || only_) out.field("alg", to_string(algorithm()));
    out.field("use", "sig");
  }
  out.end_object();
  return text;
}

std::string Key::public_jwk() const { return required_members(true); }

std::string Key::private_jwk() const {
  require(private_);
  std::string text = required_members(true);
  text.pop_back();
  const auto member = [&](std::string_view name, std::string_view value) {
    text += fmt::format(R"(,"{}":"{}")", name, value);
  };
  EVP_PKEY* const pkey = pkey_.get();
  if (type_ == Type::rsa) {
    member("d", number_text(pkey, OSSL_PKEY_PARAM_RSA_D));
    for (const auto& [name, parameter] : rsa_factors) member(name, number_text(pkey, parameter));
  } else if (type_ == Type::ed25519) {
    std::string d(ed25519_bytes, '\0');
    std::size_t size = d.size();
    require(EVP_PKEY_get_raw_private_key(pkey, octets(d), &size) == 1);
    member("d", base64_url(d));
  } else {
    member("d", number_text(pkey, OSSL_PKEY_PARAM_PRIV_KEY, type_ == Type::p256 ? 32 : 48));
  }
  return text + "}";
}

std::string Key::thumbprint() const { return base64_url(bytes_of(sha256(required_members(false)))); }

Result<KeySet> parse_key_set(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(
                                         text, {.bytes_max = key_set_bytes_max, .depth_max = 16, .values_max = 4096}));
  const auto list = document.root()["keys"];
  if (!list.is_array()) return fail(Code::invalid, "this is no JWK Set: it has no list \"keys\"", "jwks");
  if (list.size() > keys_max)
    return fail(Code::too_large, fmt::format("a JWK Set has at most {} keys", keys_max), "jwks");
  KeySet keys;
  for (const auto jwk : list)
    if (auto key = Key::from_jwk(jwk)) keys.push_back(std::move(*key));
  return keys;
}

std::string print_key_set(const KeySet& keys) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("keys").begin_array();
  for (const Key& key : keys) out.raw(key.public_jwk());
  out.end_array().end_object();
  return text;
}

}  // namespace mydr24::crypto
