#pragma once

// Signed tokens with which a person who was called acknowledges by link, key press or button.
//
// A token is two parts of base64url without padding (RFC 4648, section 5), joined by a '.': the claims, and the first 16
// bytes of their HMAC-SHA-256 (RFC 2104 allows 128 bits). Whoever has one may acknowledge that alert once, until it
// expires: token_uses remembers the use.

#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "storage/store/store.h"

namespace mydr24::notify {

struct Claims {
  std::string alert_id;
  std::string delivery_id;
  std::string contact;
  Instant expires;  // whole seconds

  friend bool operator==(const Claims&, const Claims&) = default;
};

inline constexpr std::size_t token_bytes_max = 1024;

class AckTokens {
 public:
  // The key: at least 16 bytes that nobody else knows. See ack_key().
  explicit AckTokens(std::string key) : key_(std::move(key)) {}

  // `expires` is cut to whole seconds. Ids and contact hold no line feed.
  std::string issue(std::string_view alert_id, std::string_view delivery_id, std::string_view contact,
                    Instant expires) const;
  // Code::refused: not made with this key, or changed; Code::gone: expired. Compares in constant time.
  Result<Claims> verify(std::string_view token, Instant now) const;

 private:
  std::string key_;
};

// The key that the servers on this store share: made at the first call and kept in the store.
Result<std::string> ack_key(store::Store& store);
// The first line of a file, at least 16 bytes of it. Code::invalid names the file.
Result<std::string> ack_key(const std::string& file);

// How a token was used.
struct TokenUse {
  std::string by;
  Instant at;
};

// The uses that are remembered: until the token has expired, then forgotten a few at a time by later uses. `action` is
// what it was used for ("ack", "close"): each once.
namespace token_uses {
Result<std::optional<TokenUse>> find(store::Reader& reader, const Claims& claims, std::string_view action);
Result<> record(store::Transaction& transaction, const Claims& claims, std::string_view action, std::string_view by);
}  // namespace token_uses

}  // namespace mydr24::notify
