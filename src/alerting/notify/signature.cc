#include "alerting/notify/signature.h"

#include <fmt/format.h>

#include <charconv>

#include "base/crypto/digest.h"

namespace mydr24::notify {
namespace {

std::int64_t unix_seconds(Instant at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::string signed_text(std::int64_t seconds, std::string_view body) { return fmt::format("{}.{}", seconds, body); }

}  // namespace

std::string sign(std::string_view secret, Instant at, std::string_view body) {
  const std::int64_t seconds = unix_seconds(at);
  return fmt::format("t={},v1={}", seconds, crypto::hmac_sha256_hex(secret, signed_text(seconds, body)));
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
  const std::string expected = crypto::hmac_sha256_hex(secret, signed_text(seconds, body));
  const std::string_view given = header.substr(comma + 4);
  return crypto::same_secret(given, expected);
}

}  // namespace mydr24::notify
