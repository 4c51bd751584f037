// What others send: tokens, key sets, passwords' hashes. Nothing that was not signed with the key is ever accepted.

#include <cstdint>
#include <cstdlib>

#include "base/crypto/base64.h"
#include "base/crypto/jwt.h"
#include "base/crypto/seal.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24::crypto;
  static const KeySet keys{Key::generate(Algorithm::es256), Key::generate(Algorithm::rs384)};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const mydr24::Instant now(std::chrono::seconds(1'700'000'000));
  require(!verify_jwt(text, keys, {}, now));
  // The same bytes as header, as payload of a token that is signed, and as a signature.
  const std::string body = base64_url(text);
  require(!verify_jws(body + ".e30." + body, keys));
  require(!verify_jws(base64_url(R"({"alg":"ES256"})") + ".e30." + body, keys));
  if (const auto header = parse_jws_header(text)) require(!to_string(header->algorithm).empty());
  if (const auto claims = parse_claims(std::string(text))) require(claims->all.root().is_object());
  if (body.size() < jws_bytes_max - 512) {
    const auto payload = verify_jws(sign_jws(keys.front(), text), keys);
    require(payload && *payload == text);
  }
  if (const auto set = parse_key_set(text))
    for (const Key& key : *set) require(!key.is_private() && !key.thumbprint().empty());
  if (const auto bytes = base64_url_decode(text)) require(base64_url(*bytes) == text);
  if (const auto bytes = base64_decode(text)) require(base64(*bytes) == text);
  require(!open_sealed(std::string(seal_key_bytes, 'k'), text, "context"));
  return 0;
}
