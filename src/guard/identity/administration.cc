#include "guard/identity/administration.h"

#include <fmt/format.h>

#include "base/core/date_time.h"
#include "base/crypto/password.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr std::uint32_t listed_at_once = 1000;
constexpr std::size_t listed_max = 100'000;

Result<> change(Identity& identity, const std::function<Result<>(store::Transaction&)>& work) {
  MYDR24_TRY(
      identity.store().write(RequestClass::urgent, [&](store::Transaction& transaction) { return work(transaction); }));
  identity.forget();
  return {};
}

// {"NAME": [...]}, page by page of the store.
template <class List, class Write>
Result<std::string> list(Identity& identity, std::string_view name, List read_page, Write write) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key(name).begin_array();
  std::string after;
  for (std::size_t written = 0; written < listed_max;) {
    std::size_t found = 0;
    MYDR24_TRY(identity.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto page, read_page(reader, after));
      found = page.size();
      for (const auto& each : page) after = write(out, each);
      return {};
    }));
    written += found;
    if (found < listed_at_once) break;
  }
  out.end_array().end_object();
  return text;
}

std::string write_user(json::Writer& out, const User& user) {
  out.begin_object().field("name", user.name).field("display", user.display);
  rows::write_texts(out, "roles", user.roles);
  out.field("fhir_user", user.fhir_user).field("disabled", user.disabled);
  out.field("has_password", !user.password.empty()).field("has_totp", !user.totp.empty());
  out.field("created", format_instant(user.created)).end_object();
  return user.name;
}

Result<std::string> hashed(json::Value command) {
  const auto password = command["password"].text();
  MYDR24_TRY(check_new_password(password, folded_name(command["name"].text())));
  return crypto::hash_password(password);
}

Result<std::string> add_user(Identity& identity, json::Value command) {
  User user;
  user.name = command["name"].text();
  user.display = command["display"].text();
  user.roles = rows::texts_of(command["roles"]);
  user.fhir_user = command["fhir_user"].text();
  if (command["password"]) {
    MYDR24_ASSIGN(user.password, hashed(command));
  }
  MYDR24_TRY(change(identity, [&](store::Transaction& transaction) { return users::add(transaction, user); }));
  return std::string("{}");
}

Result<std::string> add_client(Identity& identity, std::string_view text, json::Value command) {
  MYDR24_ASSIGN(auto client, parse_client(text));
  client.id = command["client_id"].text();
  clients::Registered registered;
  MYDR24_TRY(change(identity, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(registered, clients::add(transaction, client));
    return {};
  }));
  std::string answer;
  json::Writer out(answer);
  out.begin_object();
  write_client(out, registered.client);
  if (!registered.secret.empty()) out.field("client_secret", registered.secret);
  out.end_object();
  return answer;
}

}  // namespace

void write_session(json::Writer& out, const Session& session) {
  out.begin_object().field("id", session.id).field("kind", to_string(session.kind));
  if (!session.user.empty()) out.field("user", session.user);
  if (!session.client.empty()) out.field("client", session.client).field("scope", session.scopes);
  if (!session.address.empty()) out.field("address", session.address);
  out.field("created", format_instant(session.created)).field("used", format_instant(session.used));
  out.field("expires", format_instant(session.expires));
}

Result<std::string> administer(Identity& identity, std::string_view text, Instant now) {
  MYDR24_ASSIGN(const auto document,
                json::Document::parse_view(text, {.bytes_max = command_bytes_max, .depth_max = 16}));
  const auto command = document.root();
  const auto what = command["do"].text();
  const auto name = command["name"].text();
  const std::string done = "{}";
  if (what == "user.add") return add_user(identity, command);
  if (what == "user.list")
    return list(
        identity, "users",
        [](store::Reader& reader, const std::string& after) { return users::list(reader, after, listed_at_once); },
        write_user);
  if (what == "user.disable" || what == "user.enable") {
    MYDR24_TRY(change(identity, [&](store::Transaction& transaction) {
      return users::set_disabled(transaction, name, what == "user.disable");
    }));
    return done;
  }
  if (what == "user.password") {
    MYDR24_ASSIGN(const auto phc, hashed(command));
    MYDR24_TRY(
        change(identity, [&](store::Transaction& transaction) { return users::set_password(transaction, name, phc); }));
    return done;
  }
  if (what == "user.totp") {
    std::string uri;
    MYDR24_TRY(change(identity, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(uri, identity.set_totp(transaction, name));
      return {};
    }));
    std::string answer;
    json::Writer(answer).begin_object().field("uri", uri).end_object();
    return answer;
  }
  if (what == "client.add") return add_client(identity, text, command);
  if (what == "client.list")
    return list(
        identity, "clients",
        [](store::Reader& reader, const std::string& after) { return clients::list(reader, after, listed_at_once); },
        [](json::Writer& out, const Client& client) {
          out.begin_object();
          write_client(out, client);
          out.end_object();
          return client.id;
        });
  if (what == "client.remove") {
    MYDR24_TRY(change(identity, [&](store::Transaction& transaction) {
      return clients::remove(transaction, command["client_id"].text());
    }));
    return done;
  }
  if (what == "session.list")
    return list(
        identity, "sessions",
        [&](store::Reader& reader, const std::string& after) {
          return sessions::list(reader, folded_name(command["user"].text()), after, listed_at_once);
        },
        [&](json::Writer& out, const Session& session) {
          if (now < session.expires) {
            write_session(out, session);
            out.end_object();
          }
          return session.id;
        });
  if (what == "session.revoke") {
    MYDR24_TRY(change(identity, [&](store::Transaction& transaction) {
      return sessions::revoke(transaction, command["id"].text());
    }));
    return done;
  }
  return fail(Code::invalid, fmt::format("there is no command \"{}\"", what.substr(0, 100)), "do");
}

}  // namespace mydr24::identity
