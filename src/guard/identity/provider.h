#pragma once

// An external OpenID provider: its access tokens as Principals. Signature, iss, aud, exp are checked (RFC 9068, section
// 4); its keys are fetched by a thread in the background, never by who asks.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "guard/access/principal.h"
#include "guard/identity/remote_keys.h"
#include "guard/identity/settings.h"

namespace mydr24::identity {

class Provider {
 public:
  Provider(ProviderSettings settings, Fetch fetch)
      : settings_(std::move(settings)), fetch_(fetch), keys_(std::move(fetch)) {}

  const std::string& issuer() const { return settings_.issuer; }

  // Never blocks. Code::refused says what is wrong with the token; Code::busy: it may be right, but its key has yet to
  // be fetched. Thread-safe.
  Result<access::Principal> verify(std::string_view token, Instant now);

  // Discovers and fetches what is due or was missed; blocks. An error is for the log.
  Result<> refresh(Instant now);
  bool wants_keys() const { return wants_keys_.load(std::memory_order_relaxed); }

 private:
  const ProviderSettings settings_;
  const Fetch fetch_;
  RemoteKeys keys_;
  std::atomic<bool> wants_keys_ = true;
  std::atomic<std::int64_t> asked_us_ = 0;  // when a missing key was last looked for
  mutable std::mutex mutex_;
  std::string key_set_url_;  // by discovery; empty: not known yet
};

// The issuer that a JWT claims, believed by nobody; empty when it is none.
std::string claimed_issuer(std::string_view token);

// What the claims say of a person or a machine. For tests.
Result<access::Principal> principal_of(json::Value claims, const ProviderSettings& settings, Instant expires);

}  // namespace mydr24::identity
