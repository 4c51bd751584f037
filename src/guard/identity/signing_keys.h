#pragma once

// The keys that our own id_tokens are signed with, one for RS256 and one for ES256, kept in the store so that all
// servers on it share them. A new pair is made every 90 days; the old one stays published for as long again.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/crypto/key.h"
#include "guard/identity/vault.h"
#include "storage/store/store.h"

namespace mydr24::identity {

class SigningKeys {
 public:
  static constexpr std::chrono::days renewed_after{90};
  static constexpr std::chrono::days forgotten_after{180};
  // A new key is published for so long before it signs: every server and every client that keeps the set has it by
  // then.
  static constexpr std::chrono::minutes published_before{15};

  SigningKeys(store::Store& store, const Vault& vault) : store_(store), vault_(vault) {}

  // Reads what is in the store; makes what is missing or old. Blocks (an RSA key takes some 100 ms).
  Result<> refresh(Instant now);

  // Signs with the key for "RS256" or "ES256". Code::internal: there is none.
  Result<std::string> sign(std::string_view payload, std::string_view algorithm, Instant now) const;
  // The JWK Set to publish.
  std::string published() const;
  // 32 bytes that the servers share: what forms are signed with.
  std::string form_key() const;

 private:
  struct Dated {
    crypto::Key key;
    Instant created;
  };
  struct State {
    std::vector<Dated> keys;  // oldest first
    std::string form_key;
  };
  Result<State> read(Instant now) const;

  store::Store& store_;
  const Vault& vault_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_ = std::make_shared<const State>();
};

}  // namespace mydr24::identity
