#include "guard/admission/ticket.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"

namespace mydr24::admission {
namespace {

constexpr std::size_t key_bytes_min = 16;
constexpr std::size_t tenant_bytes_max = 64;
constexpr std::size_t mac_bytes = 16;
constexpr std::string_view tenant_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string mac_of(std::string_view key, std::string_view text) {
  return crypto::hex(crypto::hmac_sha256(key, text).substr(0, mac_bytes));
}

std::int64_t seconds_of(Instant at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

// The text before the next '.', taken off the front.
std::string_view next_part(std::string_view& text) {
  const auto part = text.substr(0, text.find('.'));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

}  // namespace

Result<std::string> read_ticket_key(const std::string& file) {
  std::ifstream in(file);
  std::string key;
  if (!in || !std::getline(in, key) || key.size() < key_bytes_min) {
    return fail(
        Code::invalid,
        fmt::format("cannot read a key of at least {} bytes from the first line of \"{}\"", key_bytes_min, file),
        "admission.ticket_key_file");
  }
  return key;
}

Result<std::string> issue_ticket(std::string_view key, RequestClass raises_to, std::string_view tenant,
                                 Instant expires) {
  if (key.size() < key_bytes_min)
    return fail(Code::invalid, fmt::format("the key of tickets must have at least {} bytes", key_bytes_min), "key");
  if (tenant.size() > tenant_bytes_max || tenant.find_first_not_of(tenant_characters) != tenant.npos) {
    return fail(Code::invalid, fmt::format("a tenant has up to {} letters, digits, '-' or '_'", tenant_bytes_max),
                "tenant");
  }
  auto text = fmt::format("1.{}.{}.{}", static_cast<int>(raises_to), seconds_of(expires), tenant);
  const auto mac = mac_of(key, text);
  return text + "." + mac;
}

std::optional<Ticket> check_ticket(std::string_view key, std::string_view text, Instant now) {
  const auto mac_at = text.rfind('.');
  if (key.size() < key_bytes_min || mac_at == text.npos || text.size() > 160) return std::nullopt;
  const auto given = text.substr(mac_at + 1);
  if (!crypto::same_secret(given, mac_of(key, text.substr(0, mac_at)))) return std::nullopt;
  auto rest = text.substr(0, mac_at);
  if (next_part(rest) != "1") return std::nullopt;
  const auto raises_to = next_part(rest);
  const auto expires_text = next_part(rest);
  std::int64_t expires = 0;
  const auto [end, error] = std::from_chars(expires_text.data(), expires_text.data() + expires_text.size(), expires);
  if (error != std::errc() || end != expires_text.data() + expires_text.size() || expires <= seconds_of(now))
    return std::nullopt;
  if (raises_to.size() != 1 || raises_to[0] < '0' || raises_to[0] > '3') return std::nullopt;
  return Ticket{static_cast<RequestClass>(raises_to[0] - '0'), rest};
}

}  // namespace mydr24::admission
