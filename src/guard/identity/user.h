#pragma once

// People who have an account here. A name is never given to another: who leaves is disabled.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::identity {

struct User {
  std::string name;      // what they log in with: 1 to 64 of a-z 0-9 . _ @ -
  std::string display;   // for people to read; may be empty
  std::string password;  // PHC; empty: cannot log in
  std::vector<std::string> roles;
  std::string fhir_user;       // "Practitioner/12"; may be empty
  std::string totp;            // of a Vault; empty: no one-time codes
  std::int64_t totp_step = 0;  // of the code used last
  // Grows when the password changes or the account is disabled: what was given out before is void.
  std::int64_t generation = 0;
  bool disabled = false;
  Instant created;
  Instant last_login;  // on our page; the epoch: never
};

inline constexpr std::size_t user_name_bytes_max = 64;
inline constexpr std::size_t password_characters_min = 12;
inline constexpr std::size_t roles_max = 32;

// Lower case.
std::string folded_name(std::string_view name);
// "user/anna": the id of the Principal.
std::string user_id(std::string_view name);

// Code::invalid names the field: name, display, roles, fhir_user.
Result<> check_user(const User& user);
// NIST SP 800-63B, 3.1.1: length, and that it is not the name; no composition rules.
Result<> check_new_password(std::string_view password, std::string_view name);

namespace users {
Result<std::optional<User>> find(store::Reader& reader, std::string_view name);
// In the order of their names.
Result<std::vector<User>> list(store::Reader& reader, std::string_view after, std::uint32_t count);
Result<bool> any(store::Reader& reader);
// Code::conflict: there is one of that name.
Result<> add(store::Transaction& transaction, User user);
Result<> write(store::Transaction& transaction, const User& user);
// Code::not_found. What they were given is void.
Result<> set_password(store::Transaction& transaction, std::string_view name, std::string phc);
Result<> set_disabled(store::Transaction& transaction, std::string_view name, bool disabled);
}  // namespace users

}  // namespace mydr24::identity
