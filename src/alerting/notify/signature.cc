#include "alerting/notify/signature.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

namespace mydr24::notify {
namespace {

std::int64_t unix_seconds(Instant at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::string signed_text(std::int64_t seconds, std::string_view body) { return fmt::format("{}.{}", seconds, body); }

}  // namespace

std::string hmac_sha256(std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  std::string hex;
  hex.reserve(2UL * size);
  for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(hex), "{:02x}", digest[i]);
  return hex;
}

std::string sign(std::string_view secret, Instant at, std::string_view body) {
  const std::int64_t seconds = unix_seconds(at);
  return fmt::format("t={},v1={}", seconds, hmac_sha256(secret, signed_text(seconds, body)));
}

bool verify_signature(std::string_view header, std::string_view secret, Instant now, std::string_view body,
                      std::chrono::seconds age_max) {
  const auto comma = header.find(",v1=");
  if (!header.starts_with("t=") || comma == std::string_view::npos) return false;
  std::int64_t seconds = 0;
  const std::string_view time = header.substr(2, comma - 2);
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), seconds);
  if (error != std::errc{} || end != time.data() + time.size()) return false;
  const std::int64_t age = unix_seconds(now) - seconds;
  if (age > age_max.count() || age < -age_max.count()) return false;
  const std::string expected = hmac_sha256(secret, signed_text(seconds, body));
  const std::string_view given = header.substr(comma + 4);
  return given.size() == expected.size() && CRYPTO_memcmp(given.data(), expected.data(), expected.size()) == 0;
}

}  // namespace mydr24::notify
