#pragma once

// The signature that lets a receiver of a webhook know that it came from us and when: HMAC-SHA-256 (RFC 2104, FIPS
// 180-4) over "<unix seconds>.<body>" with the secret both sides know.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"

namespace mydr24::notify {

// 64 hexadecimal digits, lower case.
std::string hmac_sha256(std::string_view secret, std::string_view text);
// Base64 (RFC 4648, section 4) of HMAC-SHA-1: what Twilio signs with.
std::string hmac_sha1_base64(std::string_view secret, std::string_view text);
// Whether both are the same, in a time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

std::string base64(std::string_view bytes);
// RFC 4648, section 5, without padding.
std::string base64_url(std::string_view bytes);
// Nothing when it is not exactly what base64_url() makes.
std::optional<std::string> base64_url_decode(std::string_view text);

// "t=1700000000,v1=5257a869..."
std::string sign(std::string_view secret, Instant at, std::string_view body);

// What a receiver does: the signature is right and its time is at most `age_max` from `now`, either way.
bool verify_signature(std::string_view header, std::string_view secret, Instant now, std::string_view body,
                      std::chrono::seconds age_max = std::chrono::seconds(300));

}  // namespace mydr24::notify
