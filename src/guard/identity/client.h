#pragma once

// Applications that may ask for tokens (RFC 6749, section 2; RFC 7591; SMART App Launch 2.2.0, registration).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/writer.h"
#include "storage/store/store.h"

namespace mydr24::identity {

// How a client proves at the token endpoint that it is who it says.
enum class ClientProof : std::uint8_t {
  none,    // a public client: PKCE only
  secret,  // client_secret_basic or client_secret_post
  key,     // private_key_jwt (RFC 7523)
};
std::string_view to_string(ClientProof proof);  // "none", "client_secret_basic", "private_key_jwt"

struct Client {
  std::string id;    // 1 to 64 of A-Z a-z 0-9 . _ -
  std::string name;  // shown to people who are asked to agree
  ClientProof proof = ClientProof::none;
  std::string secret_digest;               // of `secret`: SHA-256, hexadecimal
  std::string key_set;                     // of `key`: JWK Set inline, or
  std::string key_set_url;                 // where it is
  std::vector<std::string> redirect_uris;  // see has_redirect_uri()
  std::vector<std::string> grant_types;    // authorization_code, refresh_token, client_credentials
  std::string scopes;                      // what it may ask for, words
  std::vector<std::string> roles{
      "service"};  // of its tokens when it acts for itself; a person's token has the person's
  std::string id_token_algorithm = "RS256";
  Instant created;

  bool may(std::string_view grant_type) const;
};

// From registration metadata (RFC 7591, section 2) as JSON: client_name, redirect_uris, grant_types, scope,
// token_endpoint_auth_method, jwks, jwks_uri, id_token_signed_response_alg; and `roles`, which is ours. Code::invalid;
// `where` is the error code of RFC 7591, section 3.2.2.
Result<Client> parse_client(std::string_view metadata);
// The same rules for a client made elsewhere.
Result<> check_client(const Client& client);
// Whether answers may go there: it is registered byte by byte (RFC 9700, 2.1), but for the port of an http URI of a loopback
// address, which a program of the person's own machine cannot know beforehand (RFC 8252, 7.3).
bool has_redirect_uri(const Client& client, std::string_view redirect_uri);
// The origin or scheme that a page may send a form's answer to: "https://app.example:8443", "com.example.app:".
std::string redirect_source(std::string_view redirect_uri);

namespace clients {
Result<std::optional<Client>> find(store::Reader& reader, std::string_view id);
Result<std::vector<Client>> list(store::Reader& reader, std::string_view after, std::uint32_t count);

struct Registered {
  Client client;
  std::string secret;  // of `secret`: shown once, kept nowhere
};
// An id is made when it is empty. Code::conflict: there is one of that id.
Result<Registered> add(store::Transaction& transaction, Client client);
// What it was given is void at once. Code::not_found.
Result<> remove(store::Transaction& transaction, std::string_view id);
}  // namespace clients

// As registration answers it (RFC 7591, section 3.2.1), without a secret; the object stays open.
void write_client(json::Writer& out, const Client& client);

}  // namespace mydr24::identity
