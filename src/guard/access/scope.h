#pragma once

// SMART scopes, versions 1 and 2, as values.
// Source: SMART App Launch 2.2.0, scopes-and-launch-context: (patient|user|system)/(Type|*).(c r u d s in that order, or
// read, write, *)[?search criteria]. "read" of version 1 is "rs", "write" is "cud".

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace mydr24::access {

enum class Permission : std::uint8_t { create = 1, read = 2, update = 4, remove = 8, search = 16 };

constexpr std::uint8_t operator|(Permission a, Permission b) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

struct Scope {
  enum class Context : std::uint8_t { patient, user, system } context = Context::user;
  std::string type;              // resource type; "*": every one
  std::uint8_t permissions = 0;  // of Permission
  // Decoded search criteria that what is read or written must meet; empty: none.
  std::vector<std::pair<std::string, std::string>> criteria;

  bool allows(Permission permission) const { return (permissions & static_cast<std::uint8_t>(permission)) != 0; }
  bool operator==(const Scope&) const = default;
};

struct Scopes {
  std::vector<Scope> resources;
  std::vector<std::string> others;  // "openid", "fhirUser", "launch/patient", "offline_access", "mydr24/desk" ...

  bool has(std::string_view other) const;
  bool empty() const { return resources.empty() && others.empty(); }
  bool operator==(const Scopes&) const = default;
};

inline constexpr std::size_t scopes_max = 128;
inline constexpr std::size_t scope_bytes_max = 8U << 10;

// A space-separated list, as in a token request. Code::invalid names the scope that is malformed: one that looks like a
// resource scope and is none; any other word is in `others`.
Result<Scopes> parse_scopes(std::string_view text);
// One that cannot be understood is left out, as RFC 6749 3.3 allows for what is asked.
Scopes parse_scopes_leniently(std::string_view text);
// Normal form: version 2, in the order given.
std::string to_string(const Scope& scope);
std::string to_string(const Scopes& scopes);

// What of `asked` is covered by `allowed`, each asked scope cut down to the permissions it may have: the scopes of a token
// from those that a client or its user may have. Criteria are kept; of an allowed scope with criteria only an asked one
// with the same is covered.
Scopes granted(const Scopes& asked, const Scopes& allowed);

}  // namespace mydr24::access
