#pragma once

// What was given to whom: sessions, the tokens that belong to them, and the codes that lead to them.
//
// Of a token, a code and a link only the SHA-256 is kept. A session is one login at our page, one agreement with an
// application, or one access token of a machine; to erase it makes every token of it void. Tokens are opaque: 256
// random bits (RFC 6749, 10.10).
//
// What is refused may have revoked something. So a refusal of redeem_code() or refresh() is to be committed too: the
// Work ends with success, and the Error is handed on (see commit()).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "guard/access/scope.h"
#include "guard/identity/client.h"
#include "guard/identity/settings.h"
#include "guard/identity/user.h"
#include "storage/store/store.h"

namespace mydr24::identity {

enum class SessionKind : std::uint8_t { page, application, machine };
std::string_view to_string(SessionKind kind);

struct Session {
  std::string id;
  SessionKind kind = SessionKind::page;
  std::string user;                // name; empty of a machine
  std::string client;              // empty of our page
  std::string scopes;              // all that was agreed to
  std::vector<std::string> roles;  // of a machine: its client's when the token was made
  std::string patient, encounter;  // ids, by launch context
  std::string parent;              // the session of our page that it ends with (online_access); may be empty
  std::string address;             // where the login came from, without port
  std::int64_t generation = 0;     // of the user
  Instant client_created;          // of the client: another one of the same id has no part in it
  Instant created, used, expires;
};

enum class TokenKind : std::uint8_t { page, access, refresh };

struct Token {
  TokenKind kind = TokenKind::access;
  std::string session;
  std::string scopes;  // of an access token
  bool used = false;   // a refresh token that has been given in
  Instant expires;
};

// What a person agreed to, until the client comes for it.
struct Agreement {
  std::string client;
  std::string redirect_uri;
  std::string code_challenge;  // RFC 7636, S256
  std::string user;
  std::int64_t generation = 0;
  std::string scopes;
  std::string patient, encounter;
  std::string nonce;   // for the id_token
  std::string parent;  // the session of our page
  Instant client_created;
};

// What a client or a browser takes away.
struct Issued {
  std::string token;  // access token, or of a page what its cookie holds
  std::chrono::seconds lifetime{0};
  std::string scopes;   // of the token
  std::string refresh;  // empty: none
  Session session;
  std::string nonce;  // of the agreement
};

class Grants {
 public:
  explicit Grants(const Settings& settings) : settings_(settings) {}

  Result<Issued> open_page(store::Transaction& transaction, const User& user, std::string_view address) const;

  // The code: RFC 6749, 4.1.2. Lives Settings::code.
  Result<std::string> issue_code(store::Transaction& transaction, const Agreement& agreement) const;
  // Code::refused, where "invalid_grant". A code that was used before: what it gave is revoked (RFC 6749, 4.1.2).
  Result<Issued> redeem_code(store::Transaction& transaction, std::string_view code, const Client& client,
                             std::string_view redirect_uri, std::string_view verifier) const;
  // Rotation (RFC 9700, 4.14.2): a refresh token that was used before revokes its session. `scopes` empty: as before;
  // else not more. Code::refused, where "invalid_grant" or "invalid_scope".
  Result<Issued> refresh(store::Transaction& transaction, std::string_view token, const Client& client,
                         std::string_view scopes) const;
  Result<Issued> issue_for_machine(store::Transaction& transaction, const Client& client, std::string scopes) const;

  // RFC 7009: an access token ends, or with a refresh token its whole session. Of another client, or none: nothing
  // happens.
  Result<> revoke(store::Transaction& transaction, std::string_view token, std::string_view client) const;

 private:
  Result<Issued> issue(store::Transaction& transaction, const Session& session, std::string scopes,
                       bool with_refresh) const;
  const Settings settings_;
};

// What stands of a token now, judged by everything it depends on.
struct Standing {
  Token token;
  Session session;
  std::optional<User> user;  // nothing of a machine
};

// The id of the client that a refresh token, used or not, was given to. Code::refused, where "invalid_grant".
Result<std::string> client_of_refresh(store::Reader& reader, std::string_view token);
// Code::refused with the reason: unknown, expired, revoked, idle, its user or client gone.
Result<Standing> look_up_token(store::Reader& reader, std::string_view digest, const Settings& settings, Instant now);

namespace sessions {
Result<std::optional<Session>> find(store::Reader& reader, std::string_view id);
// In the order of their beginning; `user` empty: everybody's.
Result<std::vector<Session>> list(store::Reader& reader, std::string_view user, std::string_view after,
                                  std::uint32_t count);
// Code::not_found.
Result<> revoke(store::Transaction& transaction, std::string_view id);
// A person is still there.
Result<> touch(store::Transaction& transaction, std::string_view id, Instant at);
}  // namespace sessions

// What may be used once before it expires: the id of a client's assertion, a launch, a link, an enrolment. `key` is
// kept as its digest, `value` as it is.
namespace once {
// Code::conflict: it is there already.
Result<> put(store::Transaction& transaction, std::string_view kind, std::string_view key, std::string_view value,
             Instant expires);
// Nothing when it is not there or has expired.
Result<std::optional<std::string>> find(store::Reader& reader, std::string_view kind, std::string_view key,
                                        Instant now);
Result<> erase(store::Transaction& transaction, std::string_view kind, std::string_view key);
}  // namespace once

}  // namespace mydr24::identity
