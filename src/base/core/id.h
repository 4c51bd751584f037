#pragma once

// Identifiers of our own making, and the FHIR id rule.

#include <string>
#include <string_view>

#include "base/core/clock.h"

namespace mydr24 {

// A UUID version 7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits. Ids made later sort
// later, which keeps index pages in insertion order. 36 characters, lower case. Thread-safe.
std::string make_uuid7(Instant now);

// 128 random bits from the system's generator as 32 hexadecimal digits: for secrets and tokens.
std::string make_secret();

// FHIR R4 `id`: 1 to 64 of A-Z a-z 0-9 - .
bool is_fhir_id(std::string_view text);

}  // namespace mydr24
