#pragma once

// Percent-encoding and query strings (RFC 3986; application/x-www-form-urlencoded as in the WHATWG URL standard).

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mydr24::net {

// Nothing when a '%' is not followed by two hexadecimal digits. `plus_is_space` for query strings.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// Everything but unreserved characters is encoded.
std::string percent_encode(std::string_view text);

using QueryParameters = std::vector<std::pair<std::string, std::string>>;
// Names and values decoded, in order; nothing when malformed or over `count_max` pairs.
std::optional<QueryParameters> parse_query(std::string_view query, std::size_t count_max = 256);

}  // namespace mydr24::net
