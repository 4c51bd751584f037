#include "base/crypto/seal.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

#include "base/crypto/digest.h"

namespace mydr24::crypto {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

void require(bool done) {
  if (!done) std::abort();
}

}  // namespace

std::string seal(std::string_view key, std::string_view text, std::string_view context) {
  require(key.size() == seal_key_bytes);
  std::string sealed = random_bytes(nonce_bytes);
  sealed.resize(nonce_bytes + text.size() + tag_bytes);
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int size = 0;
  require(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, octets(key), octets(sealed)) == 1);
  require(EVP_EncryptUpdate(cipher.get(), nullptr, &size, octets(context), static_cast<int>(context.size())) == 1);
  require(EVP_EncryptUpdate(cipher.get(), octets(sealed) + nonce_bytes, &size, octets(text),
                            static_cast<int>(text.size())) == 1);
  require(EVP_EncryptFinal_ex(cipher.get(), octets(sealed) + nonce_bytes + text.size(), &size) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes,
                              octets(sealed) + nonce_bytes + text.size()) == 1);
  return sealed;
}

std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed, std::string_view context) {
  require(key.size() == seal_key_bytes);
  if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const std::size_t text_bytes = sealed.size() - nonce_bytes - tag_bytes;
  std::string text(text_bytes, '\0');
  std::string tag(sealed.substr(nonce_bytes + text_bytes));
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int size = 0;
  require(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, octets(key), octets(sealed)) == 1);
  require(EVP_DecryptUpdate(cipher.get(), nullptr, &size, octets(context), static_cast<int>(context.size())) == 1);
  require(EVP_DecryptUpdate(cipher.get(), octets(text), &size, octets(sealed) + nonce_bytes,
                            static_cast<int>(text_bytes)) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), octets(text) + text_bytes, &size) != 1) return std::nullopt;
  return text;
}

}  // namespace mydr24::crypto
