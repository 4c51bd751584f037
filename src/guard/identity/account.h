#pragma once

// Accounts as an administrator sees to them. Each function is a part of one transaction: what it refuses changes nothing.
//
// Invariants
// - Nobody widens or ends their own rights: own roles, FHIR user, password, second factor and account are for another.
// - One account that may administer accounts stays enabled.
// - What is decided is decided of what was seen: an account that somebody else changed meanwhile stays as it is.
// - A password is only ever known to its person.

#include <functional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "guard/access/policy.h"
#include "guard/identity/identity.h"
#include "guard/identity/user.h"
#include "storage/store/store.h"

namespace mydr24::identity {

// The operation (access::Role::may_operate) whose roles administer accounts.
inline constexpr std::string_view administering = "account-change";

// Who decides what of which account.
struct Order {
  std::string_view by;           // id of a Principal
  const access::Policy& policy;  // in force
  std::string_view name;         // of the account, as its person logs in
  std::string_view seen;         // version_of() what it was decided on
};

struct Invited {
  User user;
  Invitation invitation;
};

// Changes with everything that administrators decide of an account, and not with a login.
std::string version_of(const User& user);

namespace accounts {

// An account without a password. Code::conflict: there is one of that name; Code::invalid as check_user(), and for a role that
// the policy has not.
Result<Invited> add(store::Transaction& transaction, const Identity& identity, const access::Policy& policy, User user);

// What follows: Code::not_found; Code::stale: it was changed meanwhile; Code::refused: it is one's own; Code::conflict: nobody
// would be left who may administer accounts.

// `step` sets display, roles and fhir_user. Code::invalid as above, for roles that it has not already. Who gets a role that needs
// a second factor and has none is logged out: their sessions began without it.
Result<User> change(store::Transaction& transaction, const Identity& identity, const Order& order,
                    const std::function<void(User&)>& step);
// Either way, what was given out before is void.
Result<User> set_disabled(store::Transaction& transaction, const Identity& identity, const Order& order, bool disabled);
// Once more: password, sessions and earlier invitations are void, the second factor stays. Code::conflict: it is disabled.
Result<Invited> invite(store::Transaction& transaction, const Identity& identity, const Order& order);
// And with it sessions. Code::conflict: there is none.
Result<User> remove_second_factor(store::Transaction& transaction, const Identity& identity, const Order& order);

}  // namespace accounts
}  // namespace mydr24::identity
