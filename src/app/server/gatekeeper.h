#pragma once

// Who asks, and what follows from it: identity, policy, Consents and emergency overrides brought together for every listener.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/telemetry/log.h"
#include "clinical/consents/consents.h"
#include "guard/access/break_glass.h"
#include "guard/access/gatekeeper.h"
#include "guard/identity/identity.h"

namespace mydr24::server {

// The policy in that file, or the default one when `file` is empty. The error names the file and the place in it.
Result<std::shared_ptr<const access::Policy>> load_policy(const std::string& file);

class Gatekeeper final : public access::Gatekeeper {
 public:
  struct Parts {
    identity::Identity& identity;
    access::BreakGlass& glass;
    const access::ConsentBook& consents;
    std::shared_ptr<const access::Policy> policy;
    std::function<search::CataloguePtr()> catalogue;  // in force
    std::string organization;  // "Organization/1": whose records these are, for Consents that name a custodian
    std::string tenant;        // begins its tokens; empty: the only one
    const Clock& clock;        // the server's
    const Clock& machine_clock;
  };
  explicit Gatekeeper(Parts parts) : parts_(std::move(parts)) {}

  Result<std::shared_ptr<const access::Caller>> authenticate(const net::Request& request) override;
  std::shared_ptr<const access::Policy> policy() const override { return parts_.policy; }

  // A token for requests that this process makes of itself, in the name of that machine. It is valid as long as it is held.
  struct Loan {
    std::string token;
    std::shared_ptr<const void> held;
  };
  Loan lend(access::Principal principal);

  // The same for a principal that is known otherwise: to explain decisions.
  Result<std::shared_ptr<const access::Caller>> caller_of(access::Principal principal);

 private:
  std::optional<access::Principal> lent_to(const net::Request& request);
  Result<std::shared_ptr<const access::Sight>> sight_of(const access::Principal& principal);

  struct Known {
    identity::Identity::PrincipalPtr principal;  // held, so that no other has its address
    std::uint64_t overrides = 0;                 // BreakGlass::version()
    std::shared_ptr<const access::Caller> caller;
  };

  const Parts parts_;
  // Whose the tokens are that are held. Shared with those who hold them.
  struct Loans {
    std::mutex mutex;
    std::atomic<std::size_t> count = 0;
    std::unordered_map<std::string, access::Principal> by_token;
  };
  const std::shared_ptr<Loans> loans_ = std::make_shared<Loans>();
  std::mutex mutex_;
  // What was made of a principal that identity knows, while it gives out the same.
  std::unordered_map<const access::Principal*, Known> known_;
  // By all that it depends on. Callers are few for the requests they make; those not seen lately go.
  std::unordered_map<std::string, std::shared_ptr<const access::Caller>> callers_;
  std::unordered_map<std::string, std::shared_ptr<const access::Sight>> sights_;
};

}  // namespace mydr24::server
