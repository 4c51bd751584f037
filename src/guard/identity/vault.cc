#include "guard/identity/vault.h"

#include <fmt/format.h>

#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/seal.h"

namespace mydr24::identity {
namespace {

constexpr std::string_view sealed_mark = "sealed:";
constexpr std::string_view plain_mark = "plain:";

}  // namespace

Vault::Vault(std::string_view secret)
    : key_(secret.empty() ? std::string() : crypto::hmac_sha256(secret, "mydr24 identity seal 1")) {}

std::string Vault::close(std::string_view text, std::string_view context) const {
  if (key_.empty()) return std::string(plain_mark) + crypto::base64_url(text);
  return std::string(sealed_mark) + crypto::base64_url(crypto::seal(key_, text, context));
}

Result<std::string> Vault::open(std::string_view closed, std::string_view context) const {
  const auto refuse = [&] {
    return fail(Code::internal, fmt::format("{} was sealed with another key", context), "access.key_file");
  };
  const bool is_plain = closed.starts_with(plain_mark);
  if (!is_plain && (!closed.starts_with(sealed_mark) || key_.empty())) return refuse();
  const auto bytes = crypto::base64_url_decode(closed.substr(closed.find(':') + 1));
  if (!bytes) return refuse();
  if (is_plain) return *bytes;
  auto text = crypto::open_sealed(key_, *bytes, context);
  if (!text) return refuse();
  return std::move(*text);
}

}  // namespace mydr24::identity
