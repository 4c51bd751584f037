// GET /api/v1/sessions, DELETE /api/v1/sessions/{id}, and POST /api/v1/launch: SMART App Launch 2.2.0, EHR launch.

#include <fmt/format.h>

#include "api/oauth_api/detail/exchange.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "guard/identity/administration.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::uint32_t sessions_max = 1000;
constexpr std::chrono::seconds launch_valid{300};
constexpr std::size_t launch_bytes_max = 4096;

// A person on our own page: applications neither list sessions nor launch others.
Task<std::optional<access::Principal>> require_person(Service& service, pipeline::Call& call) {
  auto person = co_await require_known(service, call);
  if (!person) co_return std::nullopt;
  if (person->kind == access::PrincipalKind::person && !person->scopes) co_return person;
  co_await send_oauth_error(call, oauth_error("insufficient_scope", "this is for people on the server's own page"));
  co_return std::nullopt;
}

// The name a person's sessions are kept under.
std::string_view user_of(const access::Principal& person) { return std::string_view(person.id).substr(5); }

Task<> list(Service& service, pipeline::Call& call) {
  const auto person = co_await require_person(service, call);
  if (!person) co_return;
  std::vector<identity::Session> found;
  const std::string whose(person->has_role("administrator") ? std::string_view() : user_of(*person));
  const auto read = service.identity.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(found, identity::sessions::list(reader, whose, "", sessions_max));
    return {};
  });
  if (!read) co_return co_await send_oauth_error(call, read.error());
  std::string text;
  json::Writer out(text);
  out.begin_object().key("sessions").begin_array();
  for (const auto& session : found) {
    if (service.clock.now() >= session.expires) continue;
    identity::write_session(out, session);
    out.field("this", session.id == person->session).end_object();
  }
  out.end_array().end_object();
  co_await send_json(call, std::move(text));
}

Task<> end(Service& service, pipeline::Call& call) {
  const auto person = co_await require_person(service, call);
  if (!person) co_return;
  const std::string id(call.capture(0));
  const auto done = co_await commit<void>(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto session, identity::sessions::find(transaction, id));
    if (!session || (!person->has_role("administrator") && session->user != user_of(*person)))
      return fail(Code::not_found, "there is no such session");
    return identity::sessions::revoke(transaction, id);
  });
  if (!done) co_return co_await send_oauth_error(call, done.error());
  service.identity.forget();
  net::Response response{.status = 204, .content_type = {}};
  response.headers = {{"Cache-Control", "no-store"}};
  co_await call.respond(std::move(response));
}

struct Launch {
  std::string patient, encounter, client;
};

Result<Launch> parse_launch(std::string_view body) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(body, {.bytes_max = launch_bytes_max, .depth_max = 4}));
  Launch launch;
  for (const auto member : document.root()) {
    std::string* const to = member.key() == "patient"     ? &launch.patient
                            : member.key() == "encounter" ? &launch.encounter
                            : member.key() == "client"    ? &launch.client
                                                          : nullptr;
    if (to == nullptr || !member.is_string())
      return oauth_error("invalid_request", "there are patient, encounter and client");
    *to = member.text();
  }
  for (const auto& id : {launch.patient, launch.encounter})
    if (!id.empty() && !is_fhir_id(id)) return oauth_error("invalid_request", "patient and encounter are ids");
  return launch;
}

Task<> launch(Service& service, pipeline::Call& call) {
  const auto person = co_await require_person(service, call);
  if (!person) co_return;
  if (!call.request().header("Content-Type").starts_with("application/json"))
    co_return co_await send_oauth_error(call, oauth_error("invalid_request", "send Content-Type: application/json"));
  const auto body = co_await call.exchange().read_body(launch_bytes_max);
  if (!body) co_return co_await send_oauth_error(call, body.error());
  const auto asked = parse_launch(*body);
  if (!asked) co_return co_await send_oauth_error(call, oauth_error("invalid_request", asked.error().text));
  const auto token = crypto::random_token();
  const auto done = co_await commit<void>(service, [&](store::Transaction& transaction) -> Result<> {
    std::string value;
    json::Writer out(value);
    out.begin_object().field("user", person->id).field("patient", asked->patient).field("encounter", asked->encounter);
    if (!asked->client.empty()) out.field("client", asked->client);
    out.end_object();
    return identity::once::put(transaction, "launch", token, value, transaction.now() + launch_valid);
  });
  if (!done) co_return co_await send_oauth_error(call, done.error());
  std::string text;
  json::Writer out(text);
  out.begin_object().field("launch", token).field("iss", service.base_url() + "/fhir/R4");
  out.field("expires_in", launch_valid.count()).end_object();
  co_await send_json(call, std::move(text), 201);
}

}  // namespace

void add_session_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/api/v1/sessions", "session-list", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await list(service, call); }});
  router.add({net::Method::del, "/api/v1/sessions/{id}", "session-end", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await end(service, call); }});
  router.add({net::Method::post, "/api/v1/launch", "session-launch", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await launch(service, call); }});
}

}  // namespace mydr24::oauth_api
