#pragma once

// Which addresses may be called. What people enter as a target must not lead to services that trust whoever is inside:
// the machine's own, those of its network, the metadata service of a cloud.
// Source: IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890).

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::net {

class Reach {
 public:
  Reach() = default;  // everywhere
  // "any": everywhere. "public": what is routed on the internet. Networks, with commas ("10.1.0.0/16, fd00::/8"): these
  // beside the public ones. Code::invalid names the word that is none.
  static Result<Reach> parse(std::string_view text);

  // An IP address as text, without brackets; false for anything else. What IPv6 wraps around IPv4 is judged as that.
  bool covers(std::string_view address) const;
  bool is_everywhere() const { return everywhere_; }

 private:
  // IPv4 as ::ffff:a.b.c.d.
  struct Network {
    std::array<std::uint8_t, 16> bytes{};
    unsigned bits = 0;
    bool has(const std::array<std::uint8_t, 16>& address) const;
  };
  static Result<Network> parse_network(std::string_view text);
  static const std::vector<Network>& special();

  bool everywhere_ = true;
  std::vector<Network> allowed_;
};

// "localhost", or an address of the loopback: never another name, whatever it begins with.
bool is_loopback_host(std::string_view host);

}  // namespace mydr24::net
