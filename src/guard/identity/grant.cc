#include "guard/identity/grant.h"

#include <fmt/format.h>

#include "base/core/id.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

// A code that was used is remembered for so long, to find out that it is used again.
constexpr std::chrono::hours code_remembered{24};
constexpr std::size_t verifier_bytes_min = 43;  // RFC 7636, section 4.1
constexpr std::size_t verifier_bytes_max = 128;

Error refuse(std::string_view text, std::string_view code = "invalid_grant") {
  return fail(Code::refused, std::string(text), std::string(code));
}

std::string to_row(const Session& session) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", session.id).field("kind", static_cast<int>(session.kind));
  out.field("user", session.user).field("client", session.client).field("scopes", session.scopes);
  out.field("patient", session.patient).field("encounter", session.encounter).field("parent", session.parent);
  out.field("address", session.address).field("generation", session.generation);
  out.field("client_created", to_us(session.client_created)).field("created", to_us(session.created));
  if (!session.roles.empty()) rows::write_texts(out, "roles", session.roles);
  out.field("used", to_us(session.used)).field("expires", to_us(session.expires)).end_object();
  return text;
}

Result<Session> session_of(std::string_view row) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  const auto root = document.root();
  Session session;
  session.id = root["id"].text();
  session.kind = static_cast<SessionKind>(rows::number_of(root["kind"]));
  session.user = root["user"].text();
  session.client = root["client"].text();
  session.scopes = root["scopes"].text();
  session.roles = rows::texts_of(root["roles"]);
  session.patient = root["patient"].text();
  session.encounter = root["encounter"].text();
  session.parent = root["parent"].text();
  session.address = root["address"].text();
  session.generation = rows::number_of(root["generation"]);
  session.client_created = rows::time_of(root["client_created"]);
  session.created = rows::time_of(root["created"]);
  session.used = rows::time_of(root["used"]);
  session.expires = rows::time_of(root["expires"]);
  return session;
}

std::string to_row(const Token& token) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("kind", static_cast<int>(token.kind)).field("session", token.session);
  out.field("scopes", token.scopes).field("used", token.used).field("expires", to_us(token.expires)).end_object();
  return text;
}

Result<Token> token_of(std::string_view row) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  const auto root = document.root();
  return Token{.kind = static_cast<TokenKind>(rows::number_of(root["kind"])),
               .session = std::string(root["session"].text()),
               .scopes = std::string(root["scopes"].text()),
               .used = root["used"].is_true(),
               .expires = rows::time_of(root["expires"])};
}

std::string to_row(const Agreement& agreement, Instant valid_until, std::string_view session, Instant expires) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("client", agreement.client).field("redirect_uri", agreement.redirect_uri);
  out.field("code_challenge", agreement.code_challenge).field("user", agreement.user);
  out.field("generation", agreement.generation).field("scopes", agreement.scopes);
  out.field("patient", agreement.patient).field("encounter", agreement.encounter).field("nonce", agreement.nonce);
  out.field("parent", agreement.parent).field("client_created", to_us(agreement.client_created));
  out.field("valid_until", to_us(valid_until)).field("session", session).field("expires", to_us(expires)).end_object();
  return text;
}

Agreement agreement_of(json::Value root) {
  Agreement agreement;
  agreement.client = root["client"].text();
  agreement.redirect_uri = root["redirect_uri"].text();
  agreement.code_challenge = root["code_challenge"].text();
  agreement.user = root["user"].text();
  agreement.generation = rows::number_of(root["generation"]);
  agreement.scopes = root["scopes"].text();
  agreement.patient = root["patient"].text();
  agreement.encounter = root["encounter"].text();
  agreement.nonce = root["nonce"].text();
  agreement.parent = root["parent"].text();
  agreement.client_created = rows::time_of(root["client_created"]);
  return agreement;
}

Result<> write_session(store::Transaction& transaction, const Session& session) {
  return transaction.set_state(rows::sessions, session.id, to_row(session));
}

Result<> write_token(store::Transaction& transaction, std::string_view token, const Token& row) {
  const auto digest = crypto::sha256_hex(token);
  MYDR24_TRY(transaction.set_state(rows::tokens, digest, to_row(row)));
  return rows::expire_at(transaction, rows::tokens, digest, row.expires);
}

Result<std::optional<Token>> find_token(store::Reader& reader, std::string_view digest) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::tokens, digest));
  if (!row) return std::optional<Token>();
  MYDR24_ASSIGN(auto token, token_of(*row));
  return std::optional(std::move(token));
}

// Its user, its client and the session it hangs on are as they were when it began.
Result<std::optional<User>> check_session(store::Reader& reader, const Session& session, const Settings& settings,
                                          Instant now) {
  if (now >= session.expires) return refuse("the session has expired");
  if (session.kind == SessionKind::page && now >= session.used + settings.page_idle)
    return refuse("the session was idle for too long: log in again");
  if (!session.client.empty()) {
    MYDR24_ASSIGN(const auto client, clients::find(reader, session.client));
    if (!client || client->created != session.client_created) return refuse("the client is not registered any more");
  }
  if (!session.parent.empty()) {
    MYDR24_ASSIGN(const auto parent, sessions::find(reader, session.parent));
    if (!parent || now >= parent->expires || now >= parent->used + settings.page_idle)
      return refuse("the person has logged out");
  }
  if (session.user.empty()) return std::optional<User>();
  MYDR24_ASSIGN(auto user, users::find(reader, session.user));
  if (!user || user->disabled || user->generation != session.generation)
    return refuse("the account was disabled or its password changed");
  return user;
}

}  // namespace

std::string_view to_string(SessionKind kind) {
  switch (kind) {
    case SessionKind::page:
      return "page";
    case SessionKind::application:
      return "application";
    case SessionKind::machine:
      break;
  }
  return "machine";
}

Result<Issued> Grants::issue(store::Transaction& transaction, const Session& session, std::string scopes,
                             bool with_refresh) const {
  MYDR24_TRY(write_session(transaction, session));
  MYDR24_TRY(rows::expire_at(transaction, rows::sessions, session.id, session.expires));
  Issued issued;
  issued.token = crypto::random_token();
  if (!settings_.tenant.empty() && session.kind != SessionKind::page)
    issued.token = fmt::format("{}.{}", settings_.tenant, issued.token);
  issued.lifetime = session.kind == SessionKind::page      ? settings_.page_max
                    : session.kind == SessionKind::machine ? settings_.access_of_machines
                                                           : settings_.access_of_people;
  const Token row{.kind = session.kind == SessionKind::page ? TokenKind::page : TokenKind::access,
                  .session = session.id,
                  .scopes = scopes,
                  .expires = std::min(transaction.now() + issued.lifetime, session.expires)};
  MYDR24_TRY(write_token(transaction, issued.token, row));
  if (with_refresh) {
    issued.refresh = crypto::random_token();
    MYDR24_TRY(write_token(transaction, issued.refresh,
                           {.kind = TokenKind::refresh, .session = session.id, .expires = session.expires}));
  }
  issued.scopes = std::move(scopes);
  issued.session = session;
  return issued;
}

Result<Issued> Grants::open_page(store::Transaction& transaction, const User& user, std::string_view address) const {
  Session session;
  session.id = make_uuid7(transaction.now());
  session.kind = SessionKind::page;
  session.user = user.name;
  session.generation = user.generation;
  session.address = address;
  session.created = session.used = transaction.now();
  session.expires = transaction.now() + settings_.page_max;
  return issue(transaction, session, {}, false);
}

Result<std::string> Grants::issue_code(store::Transaction& transaction, const Agreement& agreement) const {
  const std::string code = crypto::random_token();
  const auto digest = crypto::sha256_hex(code);
  const Instant kept = transaction.now() + code_remembered;
  MYDR24_TRY(
      transaction.set_state(rows::codes, digest, to_row(agreement, transaction.now() + settings_.code, {}, kept)));
  MYDR24_TRY(rows::expire_at(transaction, rows::codes, digest, kept));
  return code;
}

Result<Issued> Grants::redeem_code(store::Transaction& transaction, std::string_view code, const Client& client,
                                   std::string_view redirect_uri, std::string_view verifier) const {
  const auto digest = crypto::sha256_hex(code);
  MYDR24_ASSIGN(const auto row, transaction.state(rows::codes, digest));
  if (!row) return refuse("there is no such code");
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  const auto root = document.root();
  const Agreement agreement = agreement_of(root);
  const Instant valid_until = rows::time_of(root["valid_until"]);
  // Whoever holds a code that is not his must not be able to void it for the client that it is for.
  if (agreement.client != client.id || agreement.client_created != client.created)
    return refuse("the code is another client's");
  if (const auto before = root["session"].text(); !before.empty()) {
    const auto revoked = sessions::revoke(transaction, before);
    if (!revoked && revoked.error().code != Code::not_found) return revoked.error();
    return refuse("the code was used before: what it gave is revoked");
  }
  if (transaction.now() >= valid_until) return refuse("the code has expired");

  Session session;
  session.id = make_uuid7(transaction.now());
  // From here on the code is used, whatever comes of it.
  MYDR24_TRY(transaction.set_state(rows::codes, digest,
                                   to_row(agreement, valid_until, session.id, rows::time_of(root["expires"]))));
  if (agreement.redirect_uri != redirect_uri) return refuse("redirect_uri is not that of the authorization request");
  if (verifier.size() < verifier_bytes_min || verifier.size() > verifier_bytes_max ||
      !crypto::same_secret(crypto::base64_url(crypto::bytes_of(crypto::sha256(verifier))), agreement.code_challenge))
    return refuse("code_verifier does not fit the code_challenge");

  const auto scopes = access::parse_scopes_leniently(agreement.scopes);
  const bool is_offline = scopes.has("offline_access");
  const bool is_online = scopes.has("online_access");
  const bool with_refresh = client.may("refresh_token") && (is_offline || is_online);
  session.kind = SessionKind::application;
  session.user = agreement.user;
  session.client = client.id;
  session.client_created = client.created;
  session.scopes = agreement.scopes;
  session.patient = agreement.patient;
  session.encounter = agreement.encounter;
  session.generation = agreement.generation;
  if (!is_offline) session.parent = agreement.parent;
  session.created = session.used = transaction.now();
  session.expires = transaction.now() + (with_refresh ? settings_.refresh : settings_.access_of_people);
  MYDR24_TRY(check_session(transaction, session, settings_, transaction.now()));
  MYDR24_ASSIGN(auto issued, issue(transaction, session, session.scopes, with_refresh));
  issued.nonce = agreement.nonce;
  return issued;
}

Result<Issued> Grants::refresh(store::Transaction& transaction, std::string_view token, const Client& client,
                               std::string_view scopes) const {
  const auto digest = crypto::sha256_hex(token);
  MYDR24_ASSIGN(auto row, find_token(transaction, digest));
  if (!row || row->kind != TokenKind::refresh) return refuse("there is no such refresh token");
  MYDR24_ASSIGN(auto session, sessions::find(transaction, row->session));
  if (!session) return refuse("what the refresh token belongs to was revoked");
  if (session->client != client.id) return refuse("the refresh token is another client's");
  if (row->used) {
    MYDR24_TRY(sessions::revoke(transaction, session->id));
    return refuse("the refresh token was used before: all that belongs to it is revoked");
  }
  if (transaction.now() >= row->expires) return refuse("the refresh token has expired");
  MYDR24_TRY(check_session(transaction, *session, settings_, transaction.now()));
  std::string given = session->scopes;
  if (!scopes.empty()) {
    const auto asked = access::parse_scopes(scopes);
    if (!asked) return refuse(asked.error().text, "invalid_scope");
    const auto had = access::parse_scopes_leniently(session->scopes);
    const auto granted = access::granted(*asked, had);
    if (granted.empty()) return refuse("none of these scopes was granted", "invalid_scope");
    given = access::to_string(granted);
  }
  row->used = true;
  MYDR24_TRY(transaction.set_state(rows::tokens, digest, to_row(*row)));
  session->used = transaction.now();
  return issue(transaction, *session, std::move(given), true);
}

Result<Issued> Grants::issue_for_machine(store::Transaction& transaction, const Client& client,
                                         std::string scopes) const {
  Session session;
  session.id = make_uuid7(transaction.now());
  session.kind = SessionKind::machine;
  session.client = client.id;
  session.client_created = client.created;
  session.scopes = scopes;
  session.roles = client.roles;
  session.created = session.used = transaction.now();
  session.expires = transaction.now() + settings_.access_of_machines;
  return issue(transaction, session, std::move(scopes), false);
}

Result<> Grants::revoke(store::Transaction& transaction, std::string_view token, std::string_view client) const {
  const auto digest = crypto::sha256_hex(token);
  MYDR24_ASSIGN(const auto row, find_token(transaction, digest));
  if (!row || row->kind == TokenKind::page) return {};
  MYDR24_ASSIGN(const auto session, sessions::find(transaction, row->session));
  if (!session || session->client != client) return {};
  if (row->kind == TokenKind::refresh || session->kind == SessionKind::machine)
    return sessions::revoke(transaction, session->id);
  return transaction.erase_state(rows::tokens, digest);
}

Result<std::string> client_of_refresh(store::Reader& reader, std::string_view token) {
  MYDR24_ASSIGN(const auto row, find_token(reader, crypto::sha256_hex(token)));
  if (!row || row->kind != TokenKind::refresh) return refuse("there is no such refresh token");
  MYDR24_ASSIGN(const auto session, sessions::find(reader, row->session));
  if (!session) return refuse("what the refresh token belongs to was revoked");
  return session->client;
}

Result<Standing> look_up_token(store::Reader& reader, std::string_view digest, const Settings& settings, Instant now) {
  MYDR24_ASSIGN(auto token, find_token(reader, digest));
  if (!token || token->kind == TokenKind::refresh) return refuse("the token is not known", "invalid_token");
  if (now >= token->expires) return refuse("the token has expired", "invalid_token");
  MYDR24_ASSIGN(auto session, sessions::find(reader, token->session));
  if (!session) return refuse("the token was revoked", "invalid_token");
  auto user = check_session(reader, *session, settings, now);
  if (!user) {
    if (user.error().code != Code::refused) return user.error();
    return refuse(user.error().text, "invalid_token");
  }
  return Standing{std::move(*token), std::move(*session), std::move(*user)};
}

namespace sessions {

Result<std::optional<Session>> find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::sessions, id));
  if (!row) return std::optional<Session>();
  MYDR24_ASSIGN(auto session, session_of(*row));
  return std::optional(std::move(session));
}

Result<std::vector<Session>> list(store::Reader& reader, std::string_view user, std::string_view after,
                                  std::uint32_t count) {
  constexpr std::uint32_t at_once = 256;
  std::vector<Session> listed;
  std::string last(after);
  while (listed.size() < count) {
    MYDR24_ASSIGN(const auto found, reader.states(rows::sessions, "", last, at_once));
    for (const auto& row : found) {
      MYDR24_ASSIGN(auto session, session_of(row.value));
      if ((user.empty() || session.user == user) && listed.size() < count) listed.push_back(std::move(session));
    }
    if (found.size() < at_once) break;
    last = found.back().key;
  }
  return listed;
}

Result<> revoke(store::Transaction& transaction, std::string_view id) {
  MYDR24_ASSIGN(const auto row, transaction.state(rows::sessions, id));
  if (!row) return fail(Code::not_found, "there is no such session", "session");
  return transaction.erase_state(rows::sessions, id);
}

Result<> touch(store::Transaction& transaction, std::string_view id, Instant at) {
  MYDR24_ASSIGN(auto session, find(transaction, id));
  if (!session || session->used >= at) return {};
  session->used = at;
  return write_session(transaction, *session);
}

}  // namespace sessions

namespace once {
namespace {

std::string key_of(std::string_view kind, std::string_view key) {
  return fmt::format("{}.{}", kind, crypto::sha256_hex(key));
}

}  // namespace

Result<> put(store::Transaction& transaction, std::string_view kind, std::string_view key, std::string_view value,
             Instant expires) {
  const auto name = key_of(kind, key);
  MYDR24_ASSIGN(const auto there, transaction.state(rows::once, name));
  if (there) return fail(Code::conflict, "it was used before");
  std::string text;
  json::Writer(text).begin_object().field("value", value).field("expires", to_us(expires)).end_object();
  MYDR24_TRY(transaction.set_state(rows::once, name, text));
  return rows::expire_at(transaction, rows::once, name, expires);
}

Result<std::optional<std::string>> find(store::Reader& reader, std::string_view kind, std::string_view key,
                                        Instant now) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::once, key_of(kind, key)));
  if (!row) return std::optional<std::string>();
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  if (now >= rows::time_of(document.root()["expires"])) return std::optional<std::string>();
  return std::optional(std::string(document.root()["value"].text()));
}

Result<> erase(store::Transaction& transaction, std::string_view kind, std::string_view key) {
  return transaction.erase_state(rows::once, key_of(kind, key));
}

}  // namespace once
}  // namespace mydr24::identity
