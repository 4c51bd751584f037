#include "base/crypto/totp.h"

#include <fmt/format.h>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"

namespace mydr24::crypto {
namespace {

constexpr std::int64_t step_seconds = 30;
constexpr std::size_t secret_bytes = 20;
constexpr std::size_t code_digits = 6;

}  // namespace

std::string make_totp_secret() { return random_bytes(secret_bytes); }

std::string hotp(std::string_view secret, std::uint64_t counter, int digits) {
  std::string message(8, '\0');
  for (int i = 0; i < 8; ++i) message[static_cast<std::size_t>(i)] = static_cast<char>(counter >> (56 - 8 * i) & 255U);
  const std::string code = hmac_sha1(secret, message);
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(code[at])); };
  const std::size_t offset = byte(19) & 15U;
  const std::uint32_t number =
      (byte(offset) & 127U) << 24U | byte(offset + 1) << 16U | byte(offset + 2) << 8U | byte(offset + 3);
  std::uint32_t modulus = 1;
  for (int i = 0; i < digits; ++i) modulus *= 10;
  return fmt::format("{:0{}}", number % modulus, digits);
}

std::int64_t totp_step(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count() / step_seconds;
}

std::optional<std::int64_t> check_totp(std::string_view secret, std::string_view code, Instant now,
                                       std::int64_t last_step) {
  if (code.size() != code_digits) return std::nullopt;
  std::optional<std::int64_t> found;
  const std::int64_t step = totp_step(now);
  for (std::int64_t each = step - 1; each <= step + 1; ++each) {
    // All three are compared, so that the time does not tell which it was.
    const bool same = same_secret(hotp(secret, static_cast<std::uint64_t>(each)), code);
    if (same && each > last_step && !found) found = each;
  }
  return found;
}

std::string totp_uri(std::string_view secret, std::string_view issuer, std::string_view account) {
  return fmt::format("otpauth://totp/{0}:{1}?secret={2}&issuer={0}", issuer, account, base32(secret));
}

}  // namespace mydr24::crypto
