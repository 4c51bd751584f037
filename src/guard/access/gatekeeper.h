#pragma once

// Who asks, found out from a request. Implemented where identities are kept; the pipeline asks it of every request.

#include <memory>

#include "base/net/http.h"
#include "guard/access/access.h"
#include "guard/access/policy.h"

namespace mydr24::access {

class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;
  // Anonymous when the request shows nothing. Code::refused when what it shows (a token, a cookie) is not valid or not valid
  // any more; another Code when that cannot be found out now. Thread-safe, and quick for a session that was seen a moment ago.
  virtual Result<std::shared_ptr<const Caller>> authenticate(const net::Request& request) = 0;
  // In force now.
  virtual std::shared_ptr<const Policy> policy() const = 0;
};

}  // namespace mydr24::access
