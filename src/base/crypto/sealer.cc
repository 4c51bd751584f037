#include "base/crypto/sealer.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "base/crypto/digest.h"
#include "base/crypto/seal.h"

namespace mydr24::crypto {
namespace {

constexpr std::size_t random_nonce_bytes = 8;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype([](EVP_CIPHER_CTX* context) { EVP_CIPHER_CTX_free(context); })>;

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

void require(bool done) {
  if (!done) std::abort();
}

}  // namespace

void Nonces::next(Nonce& nonce) {
  if (left_ == 0) {
    std::ranges::copy(random_bytes(random_nonce_bytes), current_.begin());
    left_ = UINT32_MAX;
  }
  --left_;
  for (std::size_t i = 0; i < nonce_bytes - random_nonce_bytes; ++i)
    current_[random_nonce_bytes + i] = static_cast<unsigned char>(left_ >> (8 * i));
  nonce = current_;
}

struct Sealer::Contexts {
  Cipher seal{EVP_CIPHER_CTX_new()};
  Cipher open{EVP_CIPHER_CTX_new()};
};

Sealer::Sealer(std::string_view key) : contexts_(std::make_unique<Contexts>()) {
  require(key.size() == seal_key_bytes);
  require(EVP_EncryptInit_ex(contexts_->seal.get(), EVP_aes_256_gcm(), nullptr, octets(key), nullptr) == 1);
  require(EVP_DecryptInit_ex(contexts_->open.get(), EVP_aes_256_gcm(), nullptr, octets(key), nullptr) == 1);
}

Sealer::~Sealer() = default;

void Sealer::seal(const Nonce& nonce, std::string_view context, std::span<const Part> text, Tag& tag) {
  EVP_CIPHER_CTX* const cipher = contexts_->seal.get();
  int size = 0;
  require(EVP_EncryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1);
  require(EVP_EncryptUpdate(cipher, nullptr, &size, octets(context), static_cast<int>(context.size())) == 1);
  for (const Part& part : text)
    require(EVP_EncryptUpdate(cipher, part.to, &size, part.from, static_cast<int>(part.size)) == 1);
  require(EVP_EncryptFinal_ex(cipher, tag.data(), &size) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1);
}

bool Sealer::open(const Nonce& nonce, std::string_view context, std::span<const Part> sealed, const Tag& tag) {
  EVP_CIPHER_CTX* const cipher = contexts_->open.get();
  int size = 0;
  Tag expected = tag;
  require(EVP_DecryptInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data()) == 1);
  require(EVP_DecryptUpdate(cipher, nullptr, &size, octets(context), static_cast<int>(context.size())) == 1);
  for (const Part& part : sealed)
    require(EVP_DecryptUpdate(cipher, part.to, &size, part.from, static_cast<int>(part.size)) == 1);
  require(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, tag_bytes, expected.data()) == 1);
  Tag nothing;
  return EVP_DecryptFinal_ex(cipher, nothing.data(), &size) == 1;
}

}  // namespace mydr24::crypto
