#pragma once

// Key sets that are fetched: of OpenID providers and of clients that name one. Kept until what its server said of
// caching has passed, five minutes at most, and fetched again for a key that is not in it, at most once a minute.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/crypto/key.h"
#include "base/net/reach.h"

namespace mydr24::identity {

struct Fetched {
  std::string body;
  std::optional<std::chrono::seconds> max_age;  // of Cache-Control; 0: no-store or no-cache
};
// GET of an https URL (http: of the loopback); blocks. Code::busy: not reachable, not 200, too long.
using Fetch = std::function<Result<Fetched>(const std::string& url)>;
// Code::refused: `reach` does not cover it.
Fetch make_fetch(std::string ca_file, net::Reach reach = {});

using KeySetPtr = std::shared_ptr<const crypto::KeySet>;

class RemoteKeys {
 public:
  static constexpr std::chrono::seconds kept_max{300};
  static constexpr std::chrono::seconds fetched_again_after{60};
  static constexpr std::size_t sets_max = 1024;

  explicit RemoteKeys(Fetch fetch) : fetch_(std::move(fetch)) {}

  // Blocks while it fetches. `is_unknown`: what is kept lacks a key. A set that cannot be fetched again is used as it
  // is: keys change without a pause. Thread-safe.
  Result<KeySetPtr> get(const std::string& url, Instant now, bool is_unknown = false);
  // What is kept, without waiting; null when nothing is.
  KeySetPtr peek(const std::string& url) const;

 private:
  struct Kept {
    KeySetPtr keys;
    Instant fetched;
    Instant until;
  };
  const Fetch fetch_;
  mutable std::mutex mutex_;
  std::map<std::string, Kept> kept_;
};

}  // namespace mydr24::identity
