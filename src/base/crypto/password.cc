#include "base/crypto/password.h"

#include <argon2.h>
#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/crypto/digest.h"

namespace mydr24::crypto {
namespace {

constexpr std::size_t salt_bytes = 16;
constexpr std::size_t tag_bytes = 32;
constexpr std::uint32_t memory_kib_max = 256 << 10;
constexpr std::uint32_t passes_max = 16;
constexpr std::uint32_t lanes_max = 16;
constexpr std::size_t phc_bytes_max = 512;
constexpr std::string_view prefix = "$argon2id$v=19$";

// "m=19456" off the front of the text.
std::optional<std::uint32_t> take_number(std::string_view& text, std::string_view name, char after) {
  if (!text.starts_with(name)) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + name.size(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != after) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return number;
}

std::optional<PasswordCost> cost_of(std::string_view phc) {
  if (phc.size() > phc_bytes_max || !phc.starts_with(prefix)) return std::nullopt;
  phc.remove_prefix(prefix.size());
  const auto memory = take_number(phc, "m=", ',');
  const auto passes = take_number(phc, "t=", ',');
  const auto lanes = take_number(phc, "p=", '$');
  if (!memory || !passes || !lanes) return std::nullopt;
  if (*memory > memory_kib_max || *passes > passes_max || *lanes > lanes_max) return std::nullopt;
  return PasswordCost{*memory, *passes, *lanes};
}

}  // namespace

Result<std::string> hash_password(std::string_view password, const PasswordCost& cost) {
  if (password.size() > password_bytes_max)
    return fail(Code::too_large, fmt::format("a password has at most {} bytes", password_bytes_max), "password");
  const std::string salt = random_bytes(salt_bytes);
  std::string phc(argon2_encodedlen(cost.passes, cost.memory_kib, cost.lanes, salt_bytes, tag_bytes, Argon2_id), '\0');
  const int status = argon2id_hash_encoded(cost.passes, cost.memory_kib, cost.lanes, password.data(), password.size(),
                                           salt.data(), salt.size(), tag_bytes, phc.data(), phc.size());
  if (status == ARGON2_MEMORY_ALLOCATION_ERROR) return fail(Code::busy, "there is no memory to hash a password");
  if (status != ARGON2_OK) return fail(Code::internal, argon2_error_message(status));
  phc.resize(phc.find('\0'));
  return phc;
}

PasswordCheck check_password(std::string_view phc, std::string_view password, const PasswordCost& cost) {
  const auto was = cost_of(phc);
  if (!was || password.size() > password_bytes_max) return {};
  if (argon2id_verify(std::string(phc).c_str(), password.data(), password.size()) != ARGON2_OK) return {};
  const bool same = was->memory_kib == cost.memory_kib && was->passes == cost.passes && was->lanes == cost.lanes;
  return {.matches = true, .rehash_due = !same};
}

}  // namespace mydr24::crypto
