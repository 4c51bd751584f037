#pragma once

// Secrets that must be read back (one-time secrets, signing keys) as text for rows of the store: sealed when there is a
// key, else as they are.

#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::identity {

class Vault {
 public:
  // `secret`: at least 16 bytes of the deployment's own; empty: nothing is sealed.
  explicit Vault(std::string_view secret);

  // `context`: the row it is kept in.
  std::string close(std::string_view text, std::string_view context) const;
  // Code::internal: it was sealed with another key, or changed.
  Result<std::string> open(std::string_view closed, std::string_view context) const;

 private:
  std::string key_;
};

}  // namespace mydr24::identity
