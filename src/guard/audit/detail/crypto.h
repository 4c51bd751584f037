#pragma once

// SHA-256 (FIPS 180-4) kept ready for one digest after another, and Ed25519 (RFC 8032) from PEM files: what base/crypto does
// not have. Private to guard/audit.

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

struct evp_pkey_st;
struct evp_md_ctx_st;

namespace mydr24::audit {

using Digest = std::array<unsigned char, 32>;

// Kept for many digests: asking the library for one each time costs more than the digest of a short text. One thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Digest of(std::string_view text);
  // In pieces.
  void begin();
  void add(std::string_view text);
  Digest end();

 private:
  evp_md_ctx_st* context_;
};
Digest sha256(std::string_view text);

inline constexpr std::size_t digest_characters = 43;
inline constexpr std::size_t signature_characters = 86;

void append_base64_url(std::string& out, const Digest& digest);
std::string to_text(const Digest& digest);  // digest_characters of base64url
// Nothing when it is not exactly what to_text() makes.
std::optional<Digest> parse_digest(std::string_view text);

// With it signatures are checked.
class PublicKey {
 public:
  // 32 bytes as base64url, or a PEM file's text (SubjectPublicKeyInfo).
  static Result<PublicKey> parse(std::string_view text);

  bool verify(std::string_view text, std::string_view signature_base64_url) const;
  std::string text() const;  // base64url, 43 characters
  std::string pem() const;
  // The first 12 characters of text(): names it in a record.
  std::string id() const { return text().substr(0, 12); }

 private:
  friend class SigningKey;
  std::shared_ptr<evp_pkey_st> key_;
};

class SigningKey {
 public:
  // Reads the PEM file (PKCS #8); makes it, with mode 0600, when it is not there and `make`. Code::refused: others than
  // its owner may read it. Code::not_found: it is not there. Code::invalid: it holds no Ed25519 key.
  static Result<SigningKey> load(const std::filesystem::path& file, bool make);

  std::string sign(std::string_view text) const;  // base64url, 86 characters
  PublicKey public_key() const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace mydr24::audit
