#include "base/net/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>

namespace mydr24::net {
namespace {

namespace ip = boost::asio::ip;
using Bytes = std::array<std::uint8_t, 16>;

constexpr unsigned mapped_bits = 96;

Bytes mapped(const ip::address_v4::bytes_type& four) {
  Bytes bytes{};
  bytes[10] = bytes[11] = 0xff;
  std::ranges::copy(four, bytes.begin() + 12);
  return bytes;
}

std::optional<Bytes> bytes_of(std::string_view text) {
  boost::system::error_code error;
  // A zone ("fe80::1%eth0") says by which interface, not where.
  const auto address = ip::make_address(std::string(text.substr(0, text.find('%'))), error);
  if (error) return std::nullopt;
  if (address.is_v4()) return mapped(address.to_v4().to_bytes());
  return address.to_v6().to_bytes();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Reach::Network::has(const Bytes& address) const {
  const auto whole = bits / 8;
  if (!std::equal(bytes.begin(), bytes.begin() + whole, address.begin())) return false;
  const auto rest = bits % 8;
  return rest == 0 || (bytes[whole] >> (8 - rest)) == (address[whole] >> (8 - rest));
}

Result<Reach::Network> Reach::parse_network(std::string_view text) {
  const auto refuse = [&] {
    return fail(Code::invalid, fmt::format("\"{}\" is neither any, public nor a network such as 10.1.0.0/16", text));
  };
  const auto slash = text.find('/');
  const auto bytes = bytes_of(text.substr(0, slash));
  if (!bytes) return refuse();
  const bool is_v4 = !text.substr(0, slash).contains(':');
  const unsigned bits_max = is_v4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || bits > bits_max)
      return refuse();
  }
  return Network{*bytes, is_v4 ? mapped_bits + bits : bits};
}

// Not routed on the internet, or a way into what is not (NAT64, Teredo, 6to4).
const std::vector<Reach::Network>& Reach::special() {
  static const auto networks = [] {
    std::vector<Network> made;
    for (const std::string_view text :
         {"0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
          "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
          "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "::/96",          "64:ff9b::/96",   "64:ff9b:1::/48",
          "100::/64",       "2001::/23",    "2001:db8::/32",  "2002::/16",      "3fff::/20",      "5f00::/16",
          "fc00::/7",       "fe80::/10",    "fec0::/10",      "ff00::/8"}) {
      made.push_back(parse_network(text).value());
    }
    return made;
  }();
  return networks;
}

Result<Reach> Reach::parse(std::string_view text) {
  Reach reach;
  text = trimmed(text);
  if (text == "any") return reach;
  reach.everywhere_ = false;
  if (text == "public") return reach;
  do {
    const auto comma = text.find(',');
    MYDR24_ASSIGN(auto network, parse_network(trimmed(text.substr(0, comma))));
    reach.allowed_.push_back(network);
    text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
  } while (!text.empty());
  return reach;
}

bool Reach::covers(std::string_view address) const {
  const auto bytes = bytes_of(address);
  if (!bytes) return false;
  const auto is_in = [&](const std::vector<Network>& networks) {
    return std::ranges::any_of(networks, [&](const Network& network) { return network.has(*bytes); });
  };
  return everywhere_ || is_in(allowed_) || !is_in(special());
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(host), error);
  return !error && address.is_loopback();
}

}  // namespace mydr24::net
