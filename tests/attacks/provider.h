#pragma once

// An OpenID provider on the loopback, and tokens as it would sign them, or as it never would.

#include <memory>
#include <string>

#include "base/crypto/key.h"
#include "base/net/http.h"

namespace mydr24::attacks {

class Provider {
 public:
  Provider();
  const std::string& issuer() const { return issuer_; }
  const crypto::Key& key() const { return key_; }
  std::string published() const;

  // Claims of a nurse of theirs that are valid for five minutes; `change` replaces or adds members ("\"aud\":\"x\"").
  std::string claims(std::initializer_list<std::string> change = {}) const;
  // Signed by its key with RS256.
  std::string token(const std::string& claims) const;

 private:
  crypto::Key key_ = crypto::Key::generate(crypto::Algorithm::rs256);
  std::string issuer_;
  std::unique_ptr<net::Server> server_;
};

// header.payload.signature, by a key and an algorithm that need not fit what the header says.
std::string signed_by(const crypto::Key& key, crypto::Algorithm algorithm, std::string_view header,
                      std::string_view payload);
// The same by HMAC-SHA-256 with that secret.
std::string signed_by_secret(std::string_view secret, std::string_view header, std::string_view payload);

}  // namespace mydr24::attacks
