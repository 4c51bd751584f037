#pragma once

// Secrets at rest: AES-256-GCM (NIST SP 800-38D) by OpenSSL.

#include <optional>
#include <string>
#include <string_view>

namespace mydr24::crypto {

inline constexpr std::size_t seal_key_bytes = 32;

// A random nonce of 12 bytes, the cipher text, the tag of 16 bytes. `context` is bound to it and must be given again to
// open it: where it is kept, so that it cannot be moved elsewhere. `key`: seal_key_bytes; another length ends the
// process. With random nonces one key seals at most 2^32 texts.
std::string seal(std::string_view key, std::string_view text, std::string_view context);
// Nothing when it was not sealed with this key and context, or was changed.
std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view context);

}  // namespace mydr24::crypto
