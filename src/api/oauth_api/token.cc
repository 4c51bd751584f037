// POST /oauth/token: RFC 6749, 4.1.3, 4.4 and 6; RFC 7523; OpenID Connect Core 1.0, 3.1.3; SMART App Launch 2.2.0.

#include <fmt/format.h>

#include "api/oauth_api/detail/client_proof.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::oauth_api {
namespace {

using identity::Issued;
using identity::ProvenClient;

constexpr std::chrono::seconds id_token_valid{300};

// What was issued, and to whom.
struct Given {
  Issued issued;
  std::optional<identity::User> user;
};

std::int64_t seconds_of(Instant at) { return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count(); }

Result<std::string> id_token(Service& service, const Given& given, const identity::Client& client) {
  const Instant now = service.clock.now();
  std::string claims;
  json::Writer out(claims);
  out.begin_object().field("iss", service.base_url()).field("sub", identity::user_id(given.user->name));
  out.field("aud", client.id).field("iat", seconds_of(now)).field("exp", seconds_of(now + id_token_valid));
  if (!given.issued.nonce.empty()) out.field("nonce", given.issued.nonce);
  if (access::parse_scopes_leniently(given.issued.scopes).has("fhirUser") && !given.user->fhir_user.empty())
    out.field("fhirUser", fmt::format("{}/fhir/R4/{}", service.base_url(), given.user->fhir_user));
  out.end_object();
  return service.identity.keys().sign(claims, client.id_token_algorithm, now);
}

Result<std::string> answer_of(Service& service, const Given& given, const identity::Client& client) {
  const auto& issued = given.issued;
  std::string text;
  json::Writer out(text);
  out.begin_object().field("access_token", issued.token).field("token_type", "Bearer");
  out.field("expires_in", issued.lifetime.count()).field("scope", issued.scopes);
  if (!issued.refresh.empty()) out.field("refresh_token", issued.refresh);
  if (given.user && access::parse_scopes_leniently(issued.scopes).has("openid")) {
    MYDR24_ASSIGN(const auto token, id_token(service, given, client));
    out.field("id_token", token);
  }
  write_context(out, issued.session);
  out.end_object();
  return text;
}

// Scopes of a client without a person: system/, and words that are not about people.
Result<std::string> machine_scopes(std::string_view asked, const identity::Client& client) {
  MYDR24_ASSIGN(const auto wanted, access::parse_scopes(asked.empty() ? std::string_view(client.scopes) : asked));
  auto scopes = access::granted(wanted, access::parse_scopes_leniently(client.scopes));
  std::erase_if(scopes.resources,
                [](const access::Scope& each) { return each.context != access::Scope::Context::system; });
  std::erase_if(scopes.others, [](const std::string& each) { return !each.starts_with("mydr24/"); });
  if (scopes.empty()) return oauth_error("invalid_scope", "none of these scopes is for this client");
  return access::to_string(scopes);
}

Result<Given> give(Service& service, store::Transaction& transaction, const ProvenClient& proven, const Form& form) {
  MYDR24_TRY(service.identity.use_assertion(transaction, proven));
  const auto& client = proven.client;
  const auto& grants = service.identity.grants();
  const auto grant_type = form["grant_type"];
  Given given;
  if (grant_type == "authorization_code") {
    MYDR24_ASSIGN(given.issued,
                  grants.redeem_code(transaction, form["code"], client, form["redirect_uri"], form["code_verifier"]));
  } else if (grant_type == "refresh_token") {
    MYDR24_ASSIGN(given.issued, grants.refresh(transaction, form["refresh_token"], client, form["scope"]));
  } else {
    auto scopes = machine_scopes(form["scope"], client);
    if (!scopes) return oauth_error("invalid_scope", scopes.error().text);
    MYDR24_ASSIGN(given.issued, grants.issue_for_machine(transaction, client, std::move(*scopes)));
  }
  if (!given.issued.session.user.empty()) {
    MYDR24_ASSIGN(given.user, identity::users::find(transaction, given.issued.session.user));
  }
  return given;
}

Task<> token(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_oauth_error(call, form.error());
  const auto proven = co_await prove_client(service, call, *form);
  if (!proven) co_return co_await send_oauth_error(call, proven.error());
  const auto grant_type = (*form)["grant_type"];
  if (grant_type != "authorization_code" && grant_type != "refresh_token" && grant_type != "client_credentials")
    co_return co_await send_oauth_error(
        call,
        oauth_error("unsupported_grant_type", "grant_type is authorization_code, refresh_token or client_credentials"));
  if (!proven->client.may(grant_type))
    co_return co_await send_oauth_error(call, oauth_error("unauthorized_client", "the client has no such grant"));
  const auto given = co_await commit<Given>(
      service, [&](store::Transaction& transaction) { return give(service, transaction, *proven, *form); });
  if (!given) {
    // It may have revoked something.
    service.identity.forget();
    co_return co_await send_oauth_error(call, given.error());
  }
  // A signature may take a millisecond.
  const auto answer =
      co_await service.workers.run(RequestClass::routine, [&] { return answer_of(service, *given, proven->client); });
  if (!answer) co_return co_await send_oauth_error(call, answer.error());
  co_await send_json(call, *answer);
}

}  // namespace

void write_context(json::Writer& out, const identity::Session& session) {
  if (!session.patient.empty()) out.field("patient", session.patient).field("need_patient_banner", true);
  if (!session.encounter.empty()) out.field("encounter", session.encounter);
}

Task<Result<ProvenClient>> prove_client(Service& service, pipeline::Call& call, const Form& form) {
  const identity::ClientClaim claim{
      .authorization = call.request().header("Authorization"),
      .id = std::string(form["client_id"]),
      .secret = std::string(form["client_secret"]),
      .assertion_type = std::string(form["client_assertion_type"]),
      .assertion = std::string(form["client_assertion"]),
      .refresh_token = std::string(form["grant_type"] == "refresh_token" ? form["refresh_token"] : std::string_view())};
  // The audit names who it was said to be, however that was said.
  if (const auto id = identity::claimed_client(claim); !form.has("client_id") && !id.empty())
    call.note_query("client_id=" + net::percent_encode(id));
  const auto now = service.clock.now();
  const std::vector<std::string> audience{service.base_url() + "/oauth/token"};
  co_return co_await service.workers.run(RequestClass::routine,
                                         [&] { return service.identity.check_client(claim, audience, now); });
}

void add_token_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::post, "/oauth/token", "token", RequestClass::urgent,
                   [&service](pipeline::Call& call) -> Task<> { co_await token(service, call); }});
  add_preflight_route(router, "/oauth/token", "token-preflight");
}

}  // namespace mydr24::oauth_api
