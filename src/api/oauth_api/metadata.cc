// What clients discover: SMART App Launch 2.2.0, conformance; OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC
// 7517.

#include <fmt/format.h>

#include <array>

#include "api/oauth_api/detail/exchange.h"
#include "base/json/writer.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::array<std::string_view, 17> capabilities{"launch-ehr",
                                                        "launch-standalone",
                                                        "authorize-post",
                                                        "client-public",
                                                        "client-confidential-symmetric",
                                                        "client-confidential-asymmetric",
                                                        "sso-openid-connect",
                                                        "context-banner",
                                                        "context-ehr-patient",
                                                        "context-ehr-encounter",
                                                        "context-standalone-patient",
                                                        "permission-offline",
                                                        "permission-online",
                                                        "permission-patient",
                                                        "permission-user",
                                                        "permission-v1",
                                                        "permission-v2"};
constexpr std::array<std::string_view, 9> scopes{"openid",          "fhirUser",       "launch",
                                                 "launch/patient",  "offline_access", "online_access",
                                                 "patient/*.cruds", "user/*.cruds",   "system/*.cruds"};

void list(json::Writer& out, std::string_view name, std::span<const std::string_view> texts) {
  out.key(name).begin_array();
  for (const auto text : texts) out.string(text);
  out.end_array();
}

void write_common(json::Writer& out, const std::string& base) {
  out.field("issuer", base).field("jwks_uri", base + "/.well-known/jwks.json");
  out.field("authorization_endpoint", base + "/oauth/authorize").field("token_endpoint", base + "/oauth/token");
  out.field("introspection_endpoint", base + "/oauth/introspect");
  out.field("revocation_endpoint", base + "/oauth/revoke");
  out.field("registration_endpoint", base + "/oauth/register");
  constexpr std::array<std::string_view, 3> grants{"authorization_code", "refresh_token", "client_credentials"};
  constexpr std::array<std::string_view, 4> methods{"client_secret_basic", "client_secret_post", "private_key_jwt",
                                                    "none"};
  constexpr std::array<std::string_view, 2> algorithms{"RS384", "ES384"};
  constexpr std::array<std::string_view, 1> types{"code"}, challenges{"S256"};
  list(out, "grant_types_supported", grants);
  list(out, "token_endpoint_auth_methods_supported", methods);
  list(out, "token_endpoint_auth_signing_alg_values_supported", algorithms);
  list(out, "response_types_supported", types);
  list(out, "code_challenge_methods_supported", challenges);
  list(out, "scopes_supported", scopes);
  out.field("authorization_response_iss_parameter_supported", true);
}

std::string smart_configuration(const std::string& base) {
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_common(out, base);
  list(out, "capabilities", capabilities);
  out.end_object();
  return text;
}

std::string openid_configuration(const std::string& base) {
  constexpr std::array<std::string_view, 1> subjects{"public"}, modes{"query"};
  constexpr std::array<std::string_view, 2> signing{"RS256", "ES256"};
  constexpr std::array<std::string_view, 7> claims{"iss", "sub", "aud", "exp", "iat", "nonce", "fhirUser"};
  std::string text;
  json::Writer out(text);
  out.begin_object();
  write_common(out, base);
  out.field("userinfo_endpoint", base + "/oauth/userinfo");
  list(out, "subject_types_supported", subjects);
  list(out, "response_modes_supported", modes);
  list(out, "id_token_signing_alg_values_supported", signing);
  list(out, "claims_supported", claims);
  out.end_object();
  return text;
}

// Public, and the same for everybody.
Task<> send_public(pipeline::Call& call, std::string body) {
  net::Response response{.status = 200, .content_type = "application/json"};
  response.headers = {{"Cache-Control", "public, max-age=300"}, {"Access-Control-Allow-Origin", "*"}};
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

}  // namespace

void add_metadata_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](const char* path, std::function<std::string()> body) {
    router.add_open({net::Method::get, path, "discovery", RequestClass::routine,
                     [body = std::move(body)](pipeline::Call& call) -> Task<> { co_await send_public(call, body()); },
                     admission::Cost::quick});
  };
  for (const char* path : {"/.well-known/smart-configuration", "/fhir/.well-known/smart-configuration"})
    add(path, [&service] { return smart_configuration(service.base_url()); });
  add("/.well-known/openid-configuration", [&service] { return openid_configuration(service.base_url()); });
  add("/.well-known/jwks.json", [&service] { return service.identity.keys().published(); });
}

}  // namespace mydr24::oauth_api
