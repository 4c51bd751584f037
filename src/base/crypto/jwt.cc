#include "base/crypto/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace mydr24::crypto {
namespace {

constexpr json::Limits claim_limits{.bytes_max = jws_bytes_max, .depth_max = 32, .values_max = 2048};
constexpr std::size_t audiences_max = 32;
constexpr double seconds_max = 253'402'300'800;  // the year 10000

Error wrong(std::string_view claim, std::string_view what) {
  return fail(Code::refused, fmt::format("the token's claim {} {}", claim, what), std::string(claim));
}

// NumericDate: seconds, possibly with a fraction.
Result<std::optional<Instant>> time_of(json::Value claims, const char* name) {
  const auto value = claims[name];
  if (!value) return std::optional<Instant>();
  double seconds = 0;
  const auto text = value.text();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (!value.is_number() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds) ||
      seconds < 0 || seconds > seconds_max)
    return wrong(name, "is no time");
  return std::optional(from_us(static_cast<std::int64_t>(seconds * 1e6)));
}

Result<std::string> text_of(json::Value claims, const char* name) {
  const auto value = claims[name];
  if (value && !value.is_string()) return wrong(name, "is no string");
  return std::string(value.text());
}

Result<std::vector<std::string>> audience_of(json::Value claims) {
  std::vector<std::string> audience;
  const auto value = claims["aud"];
  if (value.is_string()) {
    audience.emplace_back(value.text());
  } else if (value) {
    if (!value.is_array() || value.size() > audiences_max) return wrong("aud", "is no string and no list of strings");
    for (const auto each : value) {
      if (!each.is_string()) return wrong("aud", "is no string and no list of strings");
      audience.emplace_back(each.text());
    }
  }
  return audience;
}

Result<> check(const JwtClaims& claims, const JwtChecks& checks, Instant now) {
  if (!checks.issuer.empty() && claims.issuer != checks.issuer) return wrong("iss", "is not who is expected");
  const auto is_ours = [&](const std::string& each) {
    return std::ranges::find(checks.audience, each) != checks.audience.end();
  };
  if (!checks.audience.empty() && std::ranges::none_of(claims.audience, is_ours))
    return wrong("aud", "does not name this server");
  if (!claims.expires) return wrong("exp", "is missing");
  if (now >= *claims.expires + checks.skew) return wrong("exp", "is in the past");
  if (checks.lifetime_max.count() > 0 && *claims.expires > now + checks.lifetime_max + checks.skew)
    return wrong("exp", fmt::format("is more than {} s ahead", checks.lifetime_max.count()));
  if (claims.not_before && now + checks.skew < *claims.not_before) return wrong("nbf", "is ahead");
  if (claims.issued && now + checks.skew < *claims.issued) return wrong("iat", "is ahead");
  if (checks.needs_id && claims.id.empty()) return wrong("jti", "is missing");
  return {};
}

}  // namespace

Result<JwtClaims> parse_claims(std::string payload) {
  auto document = json::Document::parse(std::move(payload), claim_limits);
  if (!document || !document->root().is_object()) return fail(Code::refused, "the token's claims are no JSON object");
  const auto root = document->root();
  std::set<std::string_view> seen;
  for (const auto member : root)
    if (!seen.insert(member.key()).second) return wrong(member.key(), "is there twice");
  JwtClaims claims;
  MYDR24_ASSIGN(claims.issuer, text_of(root, "iss"));
  MYDR24_ASSIGN(claims.subject, text_of(root, "sub"));
  MYDR24_ASSIGN(claims.id, text_of(root, "jti"));
  MYDR24_ASSIGN(claims.audience, audience_of(root));
  MYDR24_ASSIGN(claims.expires, time_of(root, "exp"));
  MYDR24_ASSIGN(claims.not_before, time_of(root, "nbf"));
  MYDR24_ASSIGN(claims.issued, time_of(root, "iat"));
  claims.all = std::move(*document);
  return claims;
}

Result<JwtClaims> verify_jwt(std::string_view compact, const KeySet& keys, const JwtChecks& checks, Instant now) {
  MYDR24_ASSIGN(auto payload, verify_jws(compact, keys, checks.jws));
  MYDR24_ASSIGN(auto claims, parse_claims(std::move(payload)));
  MYDR24_TRY(check(claims, checks, now));
  return claims;
}

}  // namespace mydr24::crypto
