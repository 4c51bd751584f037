#pragma once

// Who asks: users, clients, sessions and tokens in the store, and the Principal of a request.
//
// Invariants
// - What was revoked, disabled or has expired is refused after TokenCache::valid (2 s) at most, on every server that
//   shares the store; on the server that revoked it, at once.
// - No password, token, code or secret of a client is kept as it is; no secret is ever logged.
// - authenticate() takes no lock that other threads wait for; of a token that was met before it costs about half a
//   microsecond.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/net/http.h"
#include "base/telemetry/log.h"
#include "guard/access/principal.h"
#include "guard/identity/client.h"
#include "guard/identity/grant.h"
#include "guard/identity/provider.h"
#include "guard/identity/remote_keys.h"
#include "guard/identity/settings.h"
#include "guard/identity/signing_keys.h"
#include "guard/identity/throttle.h"
#include "guard/identity/token_cache.h"
#include "guard/identity/user.h"
#include "guard/identity/vault.h"
#include "storage/store/store.h"

namespace mydr24::identity {

// What a person types in.
struct Credentials {
  std::string name;
  std::string password;
  std::string code;     // one-time code; may be empty
  std::string address;  // where it comes from, without port
};

// Whose password was right.
struct CheckedUser {
  User user;
  std::string rehashed;  // of the password, when its cost has changed
};

// What a token request says of its client (RFC 6749, 2.3; RFC 7523, 2.2).
struct ClientClaim {
  std::string_view authorization;  // the header
  std::string id, secret;          // client_id, client_secret of the body
  std::string assertion_type, assertion;
  // Of a request to refresh. A public client need not name itself then: the token does (SMART App Launch 2.2.0,
  // "Refresh access token").
  std::string refresh_token;
};

// Whom it names, unproven; empty: nobody.
std::string claimed_client(const ClientClaim& claim);

struct ProvenClient {
  Client client;
  std::string assertion_id;  // jti; empty: no assertion
  Instant assertion_expires;
};

// By which somebody begins, once: what follows /setup/ in the address of our page.
struct Invitation {
  std::string token;
  Instant expires;
};

// An authenticator app that is being enrolled.
struct Enrolment {
  std::string token;   // names it in the next request
  std::string secret;  // for the app
};

class Identity {
 public:
  // All must outlive it. `fetch`: null: over HTTP.
  Identity(store::Store& store, const Clock& clock, Settings settings, const telemetry::Log& log, Fetch fetch = {});
  ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  // Before the store's first tick.
  void attach();
  // Makes keys, begins to sweep what has expired, and to fetch keys of providers.
  Result<> start();
  void stop();

  // Authorization: Bearer, or else the cookie of our page. Without either: an anonymous Principal. Code::refused: the
  // text is for the answer (401); Code::busy: a provider's key is being fetched (503). A request with a header
  // X-MyDR24-Unattended is of a page without its person: it keeps no session from ending. Reads the store at most every
  // 2 s for a token. Thread-safe.
  Result<access::Principal> authenticate(const net::Request& request, Instant now);
  // The same, without a copy: the same object for requests with the same token, as long as that need not be looked at
  // again.
  using PrincipalPtr = std::shared_ptr<const access::Principal>;
  Result<PrincipalPtr> find_principal(const net::Request& request, Instant now);
  // For an access token alone.
  Result<PrincipalPtr> find_principal(std::string_view token, Instant now);
  // What was cached is looked at again: after anything was revoked here.
  void forget() { cache_.forget(); }
  // How often somebody may try to log in.
  Throttle& throttle() { return throttle_; }

  // ---- People. check_password() blocks for tens of milliseconds: on a worker.

  // Code::refused: name or password is wrong, in the same time whoever it is; Code::busy: too many attempts.
  Result<CheckedUser> check_password(const Credentials& credentials, Instant now);
  // Opens a session of our page. Code::refused: the one-time code is wrong (in the words of a wrong password); where
  // "totp_enrolment": there must be one and the person has none yet.
  Result<Issued> log_in(store::Transaction& transaction, const CheckedUser& checked, const Credentials& credentials,
                        Instant now);
  Result<Enrolment> begin_enrolment(store::Transaction& transaction, const CheckedUser& checked);
  // With a code of the app: keeps the secret and opens a session. Code::refused: a wrong code; Code::gone: too late.
  Result<Issued> finish_enrolment(store::Transaction& transaction, const Credentials& credentials,
                                  std::string_view token, Instant now);
  // Whether one of the user's roles demands one-time codes.
  bool needs_totp(const User& user) const;
  // A secret for the user's app, at once: for the command line. The text of totp_uri().
  Result<std::string> set_totp(store::Transaction& transaction, std::string_view name);

  // Invitations: whoever has one chooses a password. Only its digest is kept.

  // The first administrator's, for an hour; nothing when there is a user.
  Result<std::optional<std::string>> make_setup_token(store::Transaction& transaction);
  // That user's, for 72 hours, until what they were given is void (User::generation).
  Result<Invitation> invite(store::Transaction& transaction, const User& user) const;
  // Whose it is; empty: the first administrator's, who has no name yet. Code::gone: it was used, is void, or has expired.
  Result<std::string> check_setup_token(store::Reader& reader, std::string_view token, Instant now) const;
  // `name`: what the first administrator chose. `phc`: of hash_password(). Errors as check_setup_token().
  Result<> finish_setup(store::Transaction& transaction, std::string_view token, std::string_view name,
                        std::string phc);

  // ---- Clients.

  // Blocks while a key set is fetched: on a worker. `audience`: what an assertion may call us. Code::refused, where
  // "invalid_client".
  Result<ProvenClient> check_client(const ClientClaim& claim, const std::vector<std::string>& audience, Instant now);
  // An assertion counts once. Code::refused, where "invalid_client".
  Result<> use_assertion(store::Transaction& transaction, const ProvenClient& proven) const;

  const Settings& settings() const { return settings_; }
  const Grants& grants() const { return grants_; }
  const SigningKeys& keys() const { return keys_; }
  store::Store& store() { return store_; }
  std::string_view cookie_name(bool secure) const;
  // The value of our cookie; empty when there is none.
  std::string_view cookie_of(const net::Request& request) const;

 private:
  Result<PrincipalPtr> look_up(std::string_view token, TokenKind kind, bool attended, Instant now);
  Result<access::Principal> read_token(const crypto::Sha256& digest, TokenKind kind, bool attended, Instant now,
                                       Instant& touch_due);
  Result<access::Principal> ask_provider(std::string_view token, Instant now);
  Result<bool> check_code(User& user, std::string_view code, Instant now) const;
  void run();
  void look();

  store::Store& store_;
  const Clock& clock_;
  const Settings settings_;
  const telemetry::Log& log_;
  const Vault vault_;
  const Grants grants_;
  SigningKeys keys_;
  Throttle throttle_;
  TokenCache cache_;
  RemoteKeys client_keys_;
  std::vector<std::unique_ptr<Provider>> providers_;
  std::string nobody_;  // the hash that an unknown user's password is compared with
  std::atomic<int> passwords_in_work_ = 0;

  std::chrono::nanoseconds keys_looked_at_{};  // steady
  std::chrono::nanoseconds providers_due_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// Runs `work` in a transaction. What it refuses (Code::refused) is committed: a revocation that went with it stays.
template <class T>
store::Work committing(std::function<Result<T>(store::Transaction&)> work, Result<T>& result) {
  return [work = std::move(work), &result](store::Transaction& transaction) -> Result<> {
    result = work(transaction);
    if (result || result.error().code == Code::refused) return {};
    return result.error();
  };
}

}  // namespace mydr24::identity
