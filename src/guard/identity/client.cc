#include "guard/identity/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/crypto/key.h"
#include "base/net/client.h"
#include "guard/access/scope.h"
#include "guard/identity/rows.h"

namespace mydr24::identity {
namespace {

constexpr std::size_t id_bytes_max = 64;
constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t uri_bytes_max = 1024;
constexpr std::size_t uris_max = 32;
constexpr std::string_view id_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr std::string_view host_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
constexpr std::array<std::string_view, 3> grant_types_known{"authorization_code", "refresh_token",
                                                            "client_credentials"};

Error bad(std::string_view text) { return fail(Code::invalid, std::string(text), "invalid_client_metadata"); }

// RFC 3986 characters only: it goes into a header, a page and a policy.
bool is_uri_text(std::string_view text) {
  constexpr std::string_view marks = "-._~:/?#[]@!$&()*+,;=%";
  return !text.empty() && text.size() <= uri_bytes_max && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || marks.contains(c);
  });
}

Result<> check_https(std::string_view uri) {
  const auto url = net::parse_url(uri);
  if (!url) return url.error();
  if (url->scheme == "https" || net::is_loopback_host(url->host)) return {};
  return fail(Code::invalid, fmt::format("{} must begin with https", uri));
}

// RFC 6749, section 3.1.2; RFC 8252, section 7.1: a private-use scheme has a dot.
Result<> check_redirect_uri(std::string_view uri) {
  const auto refuse = [&](std::string_view what) {
    return fail(Code::invalid, fmt::format("the redirect URI {} {}", uri.substr(0, uri_bytes_max), what),
                "invalid_redirect_uri");
  };
  if (!is_uri_text(uri)) return refuse("is no URI");
  if (uri.contains('#')) return refuse("has a fragment");
  const auto scheme = uri.substr(0, uri.find(':'));
  if (scheme == "https" || scheme == "http") {
    if (!uri.substr(scheme.size()).starts_with("://")) return refuse("has no host");
    // It goes into the page's policy.
    const auto authority = redirect_source(uri).substr(scheme.size() + 3);
    if (authority.find_first_not_of(host_characters) != authority.npos) return refuse("has a host that is none");
    const auto checked = check_https(uri);
    return checked ? Result<>() : refuse("must be https; http is for the loopback only");
  }
  const bool is_private = scheme.size() < uri.size() && scheme.contains('.') &&
                          scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-+") == scheme.npos;
  return is_private ? Result<>()
                    : refuse("has a scheme that is neither https nor an application's own (com.example.app)");
}

std::string to_row(const Client& client) {
  std::string text;
  json::Writer out(text);
  out.begin_object().field("id", client.id).field("name", client.name);
  out.field("proof", static_cast<int>(client.proof)).field("secret_digest", client.secret_digest);
  out.field("key_set", client.key_set).field("key_set_url", client.key_set_url);
  rows::write_texts(out, "redirect_uris", client.redirect_uris);
  rows::write_texts(out, "grant_types", client.grant_types);
  out.field("scopes", client.scopes).field("id_token_algorithm", client.id_token_algorithm);
  rows::write_texts(out, "roles", client.roles);
  out.field("created", to_us(client.created)).end_object();
  return text;
}

Result<Client> from_row(std::string_view row) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(row));
  const auto root = document.root();
  Client client;
  client.id = root["id"].text();
  client.name = root["name"].text();
  client.proof = static_cast<ClientProof>(rows::number_of(root["proof"]));
  client.secret_digest = root["secret_digest"].text();
  client.key_set = root["key_set"].text();
  client.key_set_url = root["key_set_url"].text();
  client.redirect_uris = rows::texts_of(root["redirect_uris"]);
  client.grant_types = rows::texts_of(root["grant_types"]);
  client.scopes = root["scopes"].text();
  client.id_token_algorithm = root["id_token_algorithm"].text();
  client.roles = rows::texts_of(root["roles"]);
  client.created = rows::time_of(root["created"]);
  return client;
}

Result<> check_keys(const Client& client) {
  if (client.key_set.empty() == client.key_set_url.empty())
    return bad("private_key_jwt needs jwks or jwks_uri, one of them");
  if (!client.key_set_url.empty()) {
    if (!is_uri_text(client.key_set_url) || !check_https(client.key_set_url)) return bad("jwks_uri is no https URL");
    return {};
  }
  const auto keys = crypto::parse_key_set(client.key_set);
  if (!keys) return bad(keys.error().text);
  if (std::ranges::none_of(*keys, [](const crypto::Key& key) {
        return key.is_for(crypto::Algorithm::rs384) || key.is_for(crypto::Algorithm::es384);
      }))
    return bad("jwks has no key for RS384 or ES384");
  return {};
}

std::vector<std::string> string_list(json::Value value) {
  std::vector<std::string> list;
  for (const auto each : value)
    if (each.is_string()) list.emplace_back(each.text());
  return list;
}

}  // namespace

std::string_view to_string(ClientProof proof) {
  switch (proof) {
    case ClientProof::none:
      return "none";
    case ClientProof::secret:
      return "client_secret_basic";
    case ClientProof::key:
      break;
  }
  return "private_key_jwt";
}

bool Client::may(std::string_view grant_type) const {
  return std::ranges::find(grant_types, grant_type) != grant_types.end();
}

Result<> check_client(const Client& client) {
  if (client.id.size() > id_bytes_max || client.id.find_first_not_of(id_characters) != std::string::npos)
    return bad("a client's id has 1 to 64 of A-Z a-z 0-9 . _ -");
  if (client.name.empty() || client.name.size() > name_bytes_max ||
      std::ranges::any_of(client.name, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
    return bad("client_name has 1 to 200 bytes");
  if (client.grant_types.empty()) return bad("grant_types is empty");
  for (const auto& type : client.grant_types)
    if (std::ranges::find(grant_types_known, type) == grant_types_known.end())
      return bad("grant_types are authorization_code, refresh_token and client_credentials");
  const bool has_people = client.may("authorization_code");
  if (client.may("refresh_token") && !has_people) return bad("refresh_token goes with authorization_code");
  if (has_people && client.redirect_uris.empty())
    return fail(Code::invalid, "authorization_code needs redirect_uris", "invalid_redirect_uri");
  if (client.redirect_uris.size() > uris_max) return bad("there are at most 32 redirect_uris");
  for (const auto& uri : client.redirect_uris) MYDR24_TRY(check_redirect_uri(uri));
  if (client.proof == ClientProof::none && client.may("client_credentials"))
    return bad("client_credentials is for clients with a secret or a key");
  if (client.proof == ClientProof::key) {
    MYDR24_TRY(check_keys(client));
  } else if (!client.key_set.empty() || !client.key_set_url.empty()) {
    return bad("jwks and jwks_uri go with private_key_jwt");
  }
  if (const auto scopes = access::parse_scopes(client.scopes); !scopes) return bad(scopes.error().text);
  if (client.id_token_algorithm != "RS256" && client.id_token_algorithm != "ES256")
    return bad("id_token_signed_response_alg is RS256 or ES256");
  return {};
}

Result<Client> parse_client(std::string_view metadata) {
  constexpr json::Limits limits{.bytes_max = 128U << 10, .depth_max = 16, .values_max = 4096};
  const auto document = json::Document::parse_view(metadata, limits);
  if (!document || !document->root().is_object()) return bad("client metadata is a JSON object");
  const auto root = document->root();
  Client client;
  client.name = root["client_name"].text();
  client.redirect_uris = string_list(root["redirect_uris"]);
  client.grant_types =
      root["grant_types"] ? string_list(root["grant_types"]) : std::vector<std::string>{"authorization_code"};
  client.scopes = root["scope"].text();
  if (root["roles"]) client.roles = string_list(root["roles"]);
  if (root["jwks"]) client.key_set = json::compact(root["jwks"]);
  client.key_set_url = root["jwks_uri"].text();
  if (root["id_token_signed_response_alg"]) client.id_token_algorithm = root["id_token_signed_response_alg"].text();
  const auto method = root["token_endpoint_auth_method"].text();
  if (method == "private_key_jwt") {
    client.proof = ClientProof::key;
  } else if (method.empty() || method == "client_secret_basic" || method == "client_secret_post") {
    client.proof = ClientProof::secret;
  } else if (method != "none") {
    return bad("token_endpoint_auth_method is none, client_secret_basic, client_secret_post or private_key_jwt");
  }
  MYDR24_TRY(check_client(client));
  return client;
}

namespace {

// "http://127.0.0.1:51004/x" without its port; empty: no such URI.
std::string without_loopback_port(std::string_view uri) {
  for (const std::string_view host : {"http://127.0.0.1", "http://[::1]"}) {
    if (!uri.starts_with(host)) continue;
    auto rest = uri.substr(host.size());
    if (rest.starts_with(':')) {
      const auto digits = rest.substr(1, rest.find_first_not_of("0123456789", 1) - 1);
      if (digits.empty() || digits.size() > 5) return {};
      rest.remove_prefix(1 + digits.size());
    }
    if (rest.starts_with('/')) return std::string(host).append(rest);
  }
  return {};
}

}  // namespace

bool has_redirect_uri(const Client& client, std::string_view redirect_uri) {
  const auto loopback = without_loopback_port(redirect_uri);
  return std::ranges::any_of(client.redirect_uris, [&](const std::string& registered) {
    return registered == redirect_uri || (!loopback.empty() && without_loopback_port(registered) == loopback);
  });
}

std::string redirect_source(std::string_view redirect_uri) {
  const auto scheme = redirect_uri.substr(0, redirect_uri.find(':') + 1);
  if (scheme != "https:" && scheme != "http:") return std::string(scheme);
  return std::string(redirect_uri.substr(0, redirect_uri.find_first_of("/?", scheme.size() + 2)));
}

namespace clients {

Result<std::optional<Client>> find(store::Reader& reader, std::string_view id) {
  if (id.empty() || id.size() > id_bytes_max) return std::optional<Client>();
  MYDR24_ASSIGN(const auto row, reader.state(rows::clients, id));
  if (!row) return std::optional<Client>();
  MYDR24_ASSIGN(auto client, from_row(*row));
  return std::optional(std::move(client));
}

Result<std::vector<Client>> list(store::Reader& reader, std::string_view after, std::uint32_t count) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::clients, "", after, count));
  std::vector<Client> listed;
  for (const auto& row : found) {
    MYDR24_ASSIGN(auto client, from_row(row.value));
    listed.push_back(std::move(client));
  }
  return listed;
}

Result<Registered> add(store::Transaction& transaction, Client client) {
  MYDR24_TRY(check_client(client));
  if (client.id.empty()) client.id = make_uuid7(transaction.now());
  MYDR24_ASSIGN(const auto there, transaction.state(rows::clients, client.id));
  if (there) return fail(Code::conflict, fmt::format("there is a client \"{}\"", client.id), "client_id");
  Registered registered;
  if (client.proof == ClientProof::secret) {
    registered.secret = crypto::random_token();
    client.secret_digest = crypto::sha256_hex(registered.secret);
  }
  client.created = transaction.now();
  MYDR24_TRY(transaction.set_state(rows::clients, client.id, to_row(client)));
  registered.client = std::move(client);
  return registered;
}

Result<> remove(store::Transaction& transaction, std::string_view id) {
  MYDR24_ASSIGN(const auto client, find(transaction, id));
  if (!client)
    return fail(Code::not_found, fmt::format("there is no client \"{}\"", id.substr(0, id_bytes_max)), "client_id");
  return transaction.erase_state(rows::clients, id);
}

}  // namespace clients

void write_client(json::Writer& out, const Client& client) {
  out.field("client_id", client.id).field("client_name", client.name);
  out.field("client_id_issued_at", std::chrono::floor<std::chrono::seconds>(client.created).time_since_epoch().count());
  out.field("token_endpoint_auth_method", to_string(client.proof));
  rows::write_texts(out, "redirect_uris", client.redirect_uris);
  rows::write_texts(out, "grant_types", client.grant_types);
  out.field("scope", client.scopes).field("id_token_signed_response_alg", client.id_token_algorithm);
  rows::write_texts(out, "roles", client.roles);
  if (!client.key_set.empty()) out.key("jwks").raw(client.key_set);
  if (!client.key_set_url.empty()) out.field("jwks_uri", client.key_set_url);
}

}  // namespace mydr24::identity
