#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/net/client.h"

namespace mydr24::net {
namespace {

Error bad_url(std::string_view text, std::string_view what) {
  return fail(Code::invalid, fmt::format("'{}' is no URL to call: {}", text, what), "url");
}

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return bad_url(text, "it has no scheme");
  url.scheme = text.substr(0, colon);
  std::ranges::transform(url.scheme, url.scheme.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  if (url.scheme != "http" && url.scheme != "https") return bad_url(text, "the scheme is neither http nor https");
  url.port = url.scheme == "https" ? 443 : 80;
  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  if (!is_visible(rest)) return bad_url(text, "it has white space or control characters");

  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  url.target = rest.substr(authority_end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return bad_url(text, "it has a user or a password");

  std::size_t host_end = authority.find(':');
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return bad_url(text, "a bracket of the address is missing");
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && !authority.starts_with(':')) return bad_url(text, "the address is malformed");
    host_end = authority.empty() ? std::string_view::npos : 0;
  } else {
    url.host = authority.substr(0, host_end);
  }
  if (url.host.empty()) return bad_url(text, "it has no host");
  if (host_end == std::string_view::npos) return url;

  const std::string_view port = authority.substr(host_end + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
  if (error != std::errc() || end != port.data() + port.size() || url.port == 0)
    return bad_url(text, "the port is no port");
  return url;
}

}  // namespace mydr24::net
