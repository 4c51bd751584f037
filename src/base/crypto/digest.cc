#include "base/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>

#include "base/crypto/base64.h"

namespace mydr24::crypto {
namespace {

std::string hmac(const EVP_MD* hash, std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int size = 0;
  // A null key would mean the key of the call before.
  const char* key = secret.empty() ? "" : secret.data();
  if (HMAC(hash, key, static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           code.data(), &size) == nullptr)
    std::abort();
  return {reinterpret_cast<const char*>(code.data()), size};
}

}  // namespace

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

std::string random_token() { return base64_url(random_bytes(32)); }

Sha256 sha256(std::string_view text) {
  // Found once: to look an algorithm up costs more than to digest a token.
  static EVP_MD* const hash = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                                     &EVP_MD_CTX_free);
  Sha256 digest{};
  if (EVP_DigestInit_ex(context.get(), hash, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), text.data(), text.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1)
    std::abort();
  return digest;
}

std::string sha256_hex(std::string_view text) { return hex(bytes_of(sha256(text))); }

std::string hmac_sha256(std::string_view secret, std::string_view text) { return hmac(EVP_sha256(), secret, text); }
std::string hmac_sha1(std::string_view secret, std::string_view text) { return hmac(EVP_sha1(), secret, text); }
std::string hmac_sha256_hex(std::string_view secret, std::string_view text) { return hex(hmac_sha256(secret, text)); }

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mydr24::crypto
