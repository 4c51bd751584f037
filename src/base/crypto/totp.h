#pragma once

// One-time codes of authenticator apps: HOTP (RFC 4226) with SHA-1 over time steps of 30 s, six digits (RFC 6238).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"

namespace mydr24::crypto {

// 20 random bytes, as RFC 4226, section 4, recommends.
std::string make_totp_secret();

// RFC 4226, section 5.3; `digits` 6 to 8.
std::string hotp(std::string_view secret, std::uint64_t counter, int digits = 6);

// Time steps since 1970.
std::int64_t totp_step(Instant at);

// The step that the code is of: the one at `now`, the one before or the one after, and later than `last_step`, the one
// that was used last: each code counts once (RFC 6238, section 5.2). Nothing when it is of none.
std::optional<std::int64_t> check_totp(std::string_view secret, std::string_view code, Instant now,
                                       std::int64_t last_step);

// What an app reads from a QR code: "otpauth://totp/MyDR24:anna?secret=...&issuer=MyDR24". Names are percent-encoded by
// the caller.
std::string totp_uri(std::string_view secret, std::string_view issuer, std::string_view account);

}  // namespace mydr24::crypto
