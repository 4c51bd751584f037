#pragma once

// Bytes as text: base64, base64url, base32, hexadecimal digits. Source: RFC 4648, sections 4, 5, 6, 8.

#include <optional>
#include <string>
#include <string_view>

namespace mydr24::crypto {

std::string base64(std::string_view bytes);
// Section 5, without padding.
std::string base64_url(std::string_view bytes);
// Nothing when it is not exactly what base64() or base64_url() makes: each text has one form.
std::optional<std::string> base64_decode(std::string_view text);
std::optional<std::string> base64_url_decode(std::string_view text);

// Section 6, without padding: how authenticator apps take a secret.
std::string base32(std::string_view bytes);
// Nothing for anything but A-Z and 2-7 in a length that base32() makes, with no left-over bits.
std::optional<std::string> base32_decode(std::string_view text);

// Lower case.
std::string hex(std::string_view bytes);

}  // namespace mydr24::crypto
