#pragma once

// Random bytes, SHA-256 (FIPS 180-4), HMAC (RFC 2104) and comparison in constant time, by OpenSSL. Every function is
// thread-safe; a fault of the generator or of the library ends the process: nothing safe can be done without them.

#include <array>
#include <string>
#include <string_view>

namespace mydr24::crypto {

using Sha256 = std::array<unsigned char, 32>;
inline std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Fit for keys.
std::string random_bytes(std::size_t count);
// 256 random bits as 43 characters of base64url: tokens, codes, secrets of clients.
std::string random_token();
inline constexpr std::size_t token_characters = 43;

Sha256 sha256(std::string_view text);
std::string sha256_hex(std::string_view text);

// The bytes of the code: 32 and 20.
std::string hmac_sha256(std::string_view secret, std::string_view text);
std::string hmac_sha1(std::string_view secret, std::string_view text);
std::string hmac_sha256_hex(std::string_view secret, std::string_view text);

// Whether both are the same, in a time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace mydr24::crypto
