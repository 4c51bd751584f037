#pragma once

// Encodings of texts: base64 (RFC 4648, sections 4 and 5), hexadecimal, and the escapes of HTML and JSON. Private to
// fhir/path.

#include <optional>
#include <string>
#include <string_view>

namespace mydr24::path {

// `format`: base64, urlbase64 or hex; nothing for others, and for what cannot be decoded to valid UTF-8.
std::optional<std::string> encode(std::string_view format, std::string_view text);
std::optional<std::string> decode(std::string_view format, std::string_view text);
// `target`: html or json; nothing for others.
std::optional<std::string> escape(std::string_view target, std::string_view text);
std::optional<std::string> unescape(std::string_view target, std::string_view text);

}  // namespace mydr24::path
