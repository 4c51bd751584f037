#pragma once

// Users, clients and sessions as an operator sees to them: one command, a JSON object, one answer. The command line
// gives it to a store that it opens itself, or to the server that has the store.
//
//   {"do": "user.add", "name", "display", "roles": [], "fhir_user", "password"}   password: may be left out
//   {"do": "user.list"}                       {"users": [...]}
//   {"do": "user.disable" | "user.enable", "name"}
//   {"do": "user.password", "name", "password"}
//   {"do": "user.totp", "name"}               {"uri": "otpauth://..."}: shown once
//   {"do": "client.add", "client_id", ...}    with metadata of RFC 7591; answers them, and the secret, shown once
//   {"do": "client.list"}                     {"clients": [...]}
//   {"do": "client.remove", "client_id"}
//   {"do": "session.list", "user"}            {"sessions": [...]}
//   {"do": "session.revoke", "id"}

#include <string>
#include <string_view>

#include "guard/identity/identity.h"

namespace mydr24::identity {

inline constexpr std::size_t command_bytes_max = 256U << 10;

// Blocks. Code::invalid, not_found, conflict as the thing that is done.
Result<std::string> administer(Identity& identity, std::string_view command, Instant now);

// A session as it is shown, an object that stays open.
void write_session(json::Writer& out, const Session& session);

}  // namespace mydr24::identity
