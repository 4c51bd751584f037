#include "guard/audit/detail/crypto.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <span>

#include "base/crypto/base64.h"
#include "guard/audit/detail/file.h"

namespace mydr24::audit {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t key_file_bytes_max = 4096;

// Fetched once: EVP_sha256() would look it up for every digest.
const EVP_MD* digest_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Nothing when it is not exactly `size` bytes.
std::optional<std::string> decode(std::string_view text, std::size_t size) {
  auto bytes = crypto::base64_url_decode(text);
  if (!bytes || bytes->size() != size) return std::nullopt;
  return bytes;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

using Bio = std::unique_ptr<BIO, decltype([](BIO* bio) { BIO_free(bio); })>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* context) { EVP_MD_CTX_free(context); })>;

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) {
  return {key, [](EVP_PKEY* one) { EVP_PKEY_free(one); }};
}

bool is_ed25519(const EVP_PKEY* key) { return key != nullptr && EVP_PKEY_is_a(key, "ED25519") == 1; }

Result<> make_key(const std::filesystem::path& file) {
  const auto key = shared(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return fail(Code::internal, "no key could be made", file.string());
  const Bio memory(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail(Code::internal, "the key could not be written down", file.string());
  return write_whole(file, text_of(memory.get()), 0600);
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(context_, digest_method(), nullptr) != 1) std::abort();
}
Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::begin() { EVP_DigestInit_ex(context_, nullptr, nullptr); }
void Sha256::add(std::string_view text) { EVP_DigestUpdate(context_, text.data(), text.size()); }
Digest Sha256::end() {
  Digest digest;
  EVP_DigestFinal_ex(context_, digest.data(), nullptr);
  return digest;
}

Digest Sha256::of(std::string_view text) {
  begin();
  add(text);
  return end();
}

Digest sha256(std::string_view text) {
  thread_local Sha256 sha;
  return sha.of(text);
}

// Not by the library: it writes another alphabet and padding, and this is done for every line.
void append_base64_url(std::string& out, const Digest& digest) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<char, digest_characters> text{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t bit = i * 6;
    const unsigned high = digest[bit / 8];
    const unsigned low = bit / 8 + 1 < digest.size() ? digest[bit / 8 + 1] : 0;
    text[i] = alphabet[((high << 8 | low) >> (10 - bit % 8)) & 0x3f];
  }
  out.append(text.data(), text.size());
}

std::string to_text(const Digest& digest) {
  std::string text;
  append_base64_url(text, digest);
  return text;
}

std::optional<Digest> parse_digest(std::string_view text) {
  const auto bytes = decode(text, Digest().size());
  if (!bytes) return std::nullopt;
  Digest digest;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

Result<PublicKey> PublicKey::parse(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  PublicKey key;
  if (text.starts_with("-----BEGIN")) {
    const Bio memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    key.key_ = shared(PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr));
  } else if (const auto bytes = decode(text, key_bytes)) {
    key.key_ = shared(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(*bytes), bytes->size()));
  }
  if (!is_ed25519(key.key_.get())) return fail(Code::invalid, "is no Ed25519 public key (base64url or PEM)");
  return key;
}

bool PublicKey::verify(std::string_view text, std::string_view signature_base64_url) const {
  const auto signature = decode(signature_base64_url, signature_bytes);
  if (!signature) return false;
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(*signature), signature->size(), bytes_of(text), text.size()) == 1;
}

std::string PublicKey::text() const {
  std::array<char, key_bytes> bytes{};
  std::size_t size = bytes.size();
  EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
  return crypto::base64_url({bytes.data(), size});
}

std::string PublicKey::pem() const {
  const Bio memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PUBKEY(memory.get(), key_.get());
  return text_of(memory.get());
}

Result<SigningKey> SigningKey::load(const std::filesystem::path& file, bool make) {
  std::error_code ignored;
  if (make && !std::filesystem::exists(file, ignored)) MYDR24_TRY(make_key(file));
  struct stat about{};
  if (::stat(file.c_str(), &about) != 0) return fail(Code::not_found, "the signing key is not there", file.string());
  if ((about.st_mode & 077) != 0)
    return fail(Code::refused, "others may read the signing key: chmod 600", file.string());
  MYDR24_ASSIGN(const std::string text, read_whole(file, key_file_bytes_max));
  const Bio memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  SigningKey key;
  key.key_ = shared(PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr));
  if (!is_ed25519(key.key_.get())) return fail(Code::invalid, "holds no Ed25519 private key", file.string());
  return key;
}

std::string SigningKey::sign(std::string_view text) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::array<char, signature_bytes> signature{};
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(text),
                     text.size()) != 1)
    std::abort();
  return crypto::base64_url({signature.data(), size});
}

PublicKey SigningKey::public_key() const {
  PublicKey key;
  key.key_ = key_;
  return key;
}

}  // namespace mydr24::audit
