#pragma once

// Priority tickets: what a front tier or a login gives to a client so that its requests are taken for what they are
// before anything about them is verified. Checking one costs well under a microsecond, a tenth of a refusal; a JSON Web
// Token costs more than the refusal itself.
//
// Form: "1.CLASS.EXPIRES.TENANT.MAC": CLASS 0 (emergency) to 3, EXPIRES in seconds since 1970, TENANT up to 64 letters,
// digits, '-' or '_', MAC the first 16 bytes of HMAC-SHA-256 over all before it, as 32 hexadecimal digits.

#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/request_class.h"
#include "base/core/result.h"

namespace mydr24::admission {

struct Ticket {
  RequestClass raises_to = RequestClass::routine;
  std::string_view tenant;  // into the text
};

// The key that signs tickets: the first line of `file`. Code::invalid when it cannot be read or has less than 16 bytes.
Result<std::string> read_ticket_key(const std::string& file);
// Code::invalid when the tenant has other characters or is too long, or the key has less than 16 bytes.
Result<std::string> issue_ticket(std::string_view key, RequestClass raises_to, std::string_view tenant,
                                 Instant expires);
// Nothing when it is malformed, expired or of another key.
std::optional<Ticket> check_ticket(std::string_view key, std::string_view text, Instant now);

}  // namespace mydr24::admission
