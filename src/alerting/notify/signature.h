#pragma once

// The signature that lets a receiver of a webhook know that it came from us and when: HMAC-SHA-256 (RFC 2104, FIPS
// 180-4) over "<unix seconds>.<body>" with the secret both sides know.

#include <chrono>
#include <string>
#include <string_view>

#include "base/core/clock.h"

namespace mydr24::notify {

// "t=1700000000,v1=5257a869..."
std::string sign(std::string_view secret, Instant at, std::string_view body);

// What a receiver does: the signature is right and its time is at most `age_max` from `now`, either way.
bool verify_signature(std::string_view header, std::string_view secret, Instant now, std::string_view body,
                      std::chrono::seconds age_max = std::chrono::seconds(300));

}  // namespace mydr24::notify
