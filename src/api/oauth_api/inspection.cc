// POST /oauth/introspect (RFC 7662), /oauth/revoke (RFC 7009), /oauth/register (RFC 7591); GET and POST /oauth/userinfo
// (OpenID Connect Core 1.0, 5.3).

#include <fmt/format.h>

#include <algorithm>

#include "api/oauth_api/detail/client_proof.h"
#include "base/crypto/digest.h"
#include "base/json/writer.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::size_t registration_bytes_max = 128U << 10;
// Whoever has it may ask about the tokens of any client (SMART App Launch 2.2.0, token introspection).
constexpr std::string_view introspection_scope = "mydr24/introspect";

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

// Who asks about a token: a client about its own, or one that may ask about all.
struct Asker {
  std::string client;
  bool may_all = false;
};

Task<Result<Asker>> find_asker(Service& service, pipeline::Call& call, const Form& form) {
  const auto authorization = call.request().header("Authorization");
  if (authorization.starts_with("Bearer ")) {
    const auto principal = service.identity.authenticate(call.request(), service.clock.now());
    if (!principal) co_return principal.error();
    if (!principal->scopes || !principal->scopes->has(introspection_scope))
      co_return oauth_error("insufficient_scope", fmt::format("the token has not the scope {}", introspection_scope));
    co_return Asker{.client = principal->client, .may_all = true};
  }
  const auto proven = co_await prove_client(service, call, form);
  if (!proven) co_return proven.error();
  if (proven->client.proof == identity::ClientProof::none)
    co_return oauth_error("invalid_client", "a public client may not ask about tokens");
  const auto used = co_await commit<void>(
      service, [&](store::Transaction& transaction) { return service.identity.use_assertion(transaction, *proven); });
  if (!used) co_return used.error();
  co_return Asker{.client = proven->client.id, .may_all = false};
}

std::string describe(Service& service, const identity::Standing& standing) {
  const auto& [token, session, user] = standing;
  std::string text;
  json::Writer out(text);
  out.begin_object().field("active", true).field("scope", token.scopes).field("client_id", session.client);
  out.field("token_type", "Bearer").field("exp", seconds_of(token.expires)).field("iss", service.base_url());
  out.field("sub", user ? identity::user_id(user->name) : fmt::format("client/{}", session.client));
  if (user) out.field("username", user->name);
  if (user && !user->fhir_user.empty())
    out.field("fhirUser", fmt::format("{}/fhir/R4/{}", service.base_url(), user->fhir_user));
  write_context(out, session);
  out.end_object();
  return text;
}

Task<> introspect(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_oauth_error(call, form.error());
  const auto asker = co_await find_asker(service, call, *form);
  if (!asker) co_return co_await send_oauth_error(call, asker.error());
  std::optional<identity::Standing> standing;
  const auto read = service.identity.store().read([&](store::Reader& reader) -> Result<> {
    auto found = identity::look_up_token(reader, crypto::sha256_hex((*form)["token"]), service.identity.settings(),
                                         service.clock.now());
    if (!found && found.error().code != Code::refused) return found.error();
    if (found && found->token.kind == identity::TokenKind::access &&
        (asker->may_all || found->session.client == asker->client))
      standing = std::move(*found);
    return {};
  });
  if (!read) co_return co_await send_oauth_error(call, read.error());
  // Of a token that is none nothing is told, not even why (RFC 7662, 2.2).
  co_await send_json(call, standing ? describe(service, *standing) : std::string(R"({"active":false})"));
}

Task<> revoke(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_oauth_error(call, form.error());
  const auto proven = co_await prove_client(service, call, *form);
  if (!proven) co_return co_await send_oauth_error(call, proven.error());
  if (!form->has("token"))
    co_return co_await send_oauth_error(call, oauth_error("invalid_request", "token is missing"));
  const auto done = co_await commit<void>(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(service.identity.use_assertion(transaction, *proven));
    return service.identity.grants().revoke(transaction, (*form)["token"], proven->client.id);
  });
  if (!done) co_return co_await send_oauth_error(call, done.error());
  service.identity.forget();
  co_await send_json(call, "{}");
}

// A machine that sees records of many: not for one administrator alone. Those that only deliver are.
bool needs_two(const identity::Client& client) {
  return client.may("client_credentials") && std::ranges::any_of(client.roles, [](std::string_view role) {
           return role != "device-feed" && role != "monitoring-feed";
         });
}

// Refused, and kept, for the first of two who ask for the same.
Result<> ask_for_second(store::Transaction& transaction, std::string_view metadata, const std::string& person) {
  constexpr std::string_view kind = "registration";
  constexpr std::chrono::hours kept{1};
  MYDR24_ASSIGN(const auto first, identity::once::find(transaction, kind, metadata, transaction.now()));
  if (first && *first != person) return identity::once::erase(transaction, kind, metadata);
  if (!first) MYDR24_TRY(identity::once::put(transaction, kind, metadata, person, transaction.now() + kept));
  return fail(Code::refused,
              "a client that acts for itself takes two administrators: another one posts the same within an hour",
              "insufficient_scope");
}

Task<> enrol_client(Service& service, pipeline::Call& call) {
  const auto person = co_await require_known(service, call);
  if (!person) co_return;
  // An application that acts for an administrator is none.
  if (!person->has_role("administrator") || person->scopes)
    co_return co_await send_oauth_error(call,
                                        oauth_error("insufficient_scope", "only an administrator registers clients"));
  if (!call.request().header("Content-Type").starts_with("application/json"))
    co_return co_await send_oauth_error(call,
                                        oauth_error("invalid_client_metadata", "send Content-Type: application/json"));
  const auto body = co_await call.exchange().read_body(registration_bytes_max);
  if (!body) co_return co_await send_oauth_error(call, body.error());
  auto client = identity::parse_client(*body);
  if (!client) co_return co_await send_oauth_error(call, client.error());
  const auto registered = co_await commit<identity::clients::Registered>(
      service, [&](store::Transaction& transaction) -> Result<identity::clients::Registered> {
        if (needs_two(*client)) {
          MYDR24_TRY(ask_for_second(transaction, *body, person->id));
        }
        return identity::clients::add(transaction, *client);
      });
  if (!registered) co_return co_await send_oauth_error(call, registered.error());
  std::string text;
  json::Writer out(text);
  out.begin_object();
  identity::write_client(out, registered->client);
  if (!registered->secret.empty()) out.field("client_secret", registered->secret).field("client_secret_expires_at", 0);
  out.end_object();
  co_await send_json(call, std::move(text), 201);
}

Task<> userinfo(Service& service, pipeline::Call& call) {
  const auto person = co_await require_known(service, call);
  if (!person) co_return;
  if (!person->scopes || !person->scopes->has("openid") || person->kind != access::PrincipalKind::person)
    co_return co_await send_oauth_error(call, oauth_error("insufficient_scope", "the token has not the scope openid"));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("sub", person->id).field("name", person->name);
  if (person->scopes->has("fhirUser") && !person->fhir_user.empty())
    out.field("fhirUser", fmt::format("{}/fhir/R4/{}", service.base_url(), person->fhir_user));
  out.end_object();
  co_await send_json(call, std::move(text));
}

}  // namespace

void add_inspection_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](net::Method method, const char* path, const char* name,
                       Task<> (*handler)(Service&, pipeline::Call&)) {
    router.add_open({method, path, name, RequestClass::routine,
                     [&service, handler](pipeline::Call& call) -> Task<> { co_await handler(service, call); }});
  };
  add(net::Method::post, "/oauth/introspect", "introspect", introspect);
  add(net::Method::post, "/oauth/revoke", "revoke-token", revoke);
  add(net::Method::post, "/oauth/register", "register-client", enrol_client);
  add_preflight_route(router, "/oauth/introspect", "introspect-preflight");
  add_preflight_route(router, "/oauth/revoke", "revoke-token-preflight");
  add_preflight_route(router, "/oauth/userinfo", "userinfo-preflight");
  add(net::Method::get, "/oauth/userinfo", "userinfo", userinfo);
  add(net::Method::post, "/oauth/userinfo", "userinfo", userinfo);
}

}  // namespace mydr24::oauth_api
