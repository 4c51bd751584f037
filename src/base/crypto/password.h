#pragma once

// Passwords of people: Argon2id (RFC 9106) by libargon2, kept as PHC strings
// ("$argon2id$v=19$m=19456,t=2,p=1$salt$tag").

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::crypto {

// The least that the OWASP Password Storage Cheat Sheet recommends of Argon2id: 19 MiB, two passes, one lane. Some tens of
// milliseconds.
struct PasswordCost {
  std::uint32_t memory_kib = 19 << 10;
  std::uint32_t passes = 2;
  std::uint32_t lanes = 1;
};

inline constexpr std::size_t password_bytes_max = 1024;

// With a salt of its own of 16 random bytes, and a tag of 32. Code::too_large: the password; Code::busy: no memory.
Result<std::string> hash_password(std::string_view password, const PasswordCost& cost = {});

struct PasswordCheck {
  bool matches = false;
  bool rehash_due = false;  // it matches, and was hashed at another cost than `cost`
};
// A text that is no PHC string of Argon2id, or one that would cost more than 256 MiB or 16 passes, matches nothing.
PasswordCheck check_password(std::string_view phc, std::string_view password, const PasswordCost& cost = {});

}  // namespace mydr24::crypto
