// GET and POST /oauth/authorize: RFC 6749, 4.1.1; RFC 7636; RFC 9207; SMART App Launch 2.2.0, "Obtain authorization
// code".

#include <fmt/format.h>

#include <expected>

#include "api/oauth_api/detail/login.h"
#include "base/core/id.h"
#include "base/core/markup.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/net/uri.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::size_t state_bytes_max = 2048;
constexpr std::size_t challenge_characters = 43;  // base64url of a SHA-256

// An authorization request that may be shown to a person.
struct Ask {
  identity::Client client;
  Form request;
  std::string redirect_uri, state, nonce, challenge, launch, prompt;
  access::Scopes scopes;  // what of those asked for the client may have
};

// Where a refusal goes: back to the client, or, when that is not known for certain, onto a page.
struct Denial {
  Error error;
  std::string redirect_uri;
  std::string state;
};

struct Context {
  std::string patient, encounter;
  bool chosen = false;  // by the person, among patients
};

std::string with_parameters(const std::string& uri,
                            std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string text = uri;
  char separator = uri.contains('?') ? '&' : '?';
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    text += fmt::format("{}{}={}", separator, name, net::percent_encode(value));
    separator = '&';
  }
  return text;
}

Task<> deny(Service& service, pipeline::Call& call, Denial denial) {
  if (denial.redirect_uri.empty()) co_return co_await send_error_page(call, denial.error);
  co_await send_to(call, with_parameters(denial.redirect_uri, {{"error", denial.error.where},
                                                               {"error_description", denial.error.text},
                                                               {"state", denial.state},
                                                               {"iss", service.base_url()}}));
}

bool is_our_fhir(std::string_view aud, const std::string& base) {
  while (aud.ends_with('/')) aud.remove_suffix(1);
  return aud == base + "/fhir/R4" || aud == base + "/fhir";
}

// system/ scopes are for clients without a person.
access::Scopes scopes_for_people(std::string_view asked, std::string_view allowed) {
  auto granted = access::granted(access::parse_scopes_leniently(asked), access::parse_scopes_leniently(allowed));
  std::erase_if(granted.resources,
                [](const access::Scope& each) { return each.context == access::Scope::Context::system; });
  return granted;
}

std::expected<Ask, Denial> read_ask(Service& service, const Form& request) {
  const auto onto_page = [](std::string text) {
    return std::unexpected(Denial{oauth_error("invalid_request", std::move(text)), {}, {}});
  };
  std::optional<identity::Client> client;
  const auto read = service.identity.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(client, identity::clients::find(reader, request["client_id"]));
    return {};
  });
  if (!read) return std::unexpected(Denial{read.error(), {}, {}});
  if (!client) return onto_page("The application that sent you here is not registered.");
  const auto redirect_uri = request["redirect_uri"];
  if (!identity::has_redirect_uri(*client, redirect_uri))
    return onto_page("The application that sent you here named an address that is not registered for it.");
  const std::string state(request["state"].substr(0, state_bytes_max));
  const auto to_client = [&](std::string_view code, std::string text) {
    return std::unexpected(Denial{oauth_error(code, std::move(text)), std::string(redirect_uri), state});
  };
  if (request["state"].size() > state_bytes_max) return to_client("invalid_request", "state is too long");
  if (request["response_type"] != "code") return to_client("unsupported_response_type", "response_type is code");
  if (!client->may("authorization_code")) return to_client("unauthorized_client", "the client has no such grant");
  if (request.has("request") || request.has("request_uri"))
    return to_client("request_not_supported", "request objects are not taken");
  const auto aud = request.has("aud") ? request["aud"] : request["resource"];
  if (!is_our_fhir(aud, service.base_url()))
    return to_client("invalid_request", fmt::format("aud must be {}/fhir/R4", service.base_url()));
  if (request["code_challenge_method"] != "S256" || request["code_challenge"].size() != challenge_characters)
    return to_client("invalid_request", "PKCE is needed: code_challenge with code_challenge_method=S256");
  auto scopes = scopes_for_people(request["scope"], client->scopes);
  if (scopes.empty()) return to_client("invalid_scope", "none of these scopes is for this client");
  return Ask{.client = std::move(*client),
             .request = request,
             .redirect_uri = std::string(redirect_uri),
             .state = state,
             .nonce = std::string(request["nonce"].substr(0, state_bytes_max)),
             .challenge = std::string(request["code_challenge"]),
             .launch = std::string(request["launch"]),
             .prompt = std::string(request["prompt"]),
             .scopes = std::move(scopes)};
}

bool needs_patient(const access::Scopes& scopes) {
  return scopes.has("launch/patient") || std::ranges::any_of(scopes.resources, [](const access::Scope& each) {
           return each.context == access::Scope::Context::patient;
         });
}

// By a launch from this server, or because the person is a patient. Code::refused: the launch is not theirs.
Result<Context> context_of(Service& service, const Ask& ask, const access::Principal& person) {
  Context context;
  if (!ask.launch.empty()) {
    std::optional<std::string> found;
    MYDR24_TRY(service.identity.store().read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(found, identity::once::find(reader, "launch", ask.launch, service.clock.now()));
      return {};
    }));
    if (!found) return oauth_error("invalid_request", "the launch is not known, or has expired");
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(*found));
    const auto root = document.root();
    if (root["user"].text() != person.id || (root["client"] && root["client"].text() != ask.client.id))
      return oauth_error("invalid_request", "the launch is for somebody else");
    context.patient = root["patient"].text();
    context.encounter = root["encounter"].text();
  }
  if (context.patient.empty() && person.fhir_user.starts_with("Patient/")) context.patient = person.fhir_user.substr(8);
  return context;
}

std::string sentence(const access::Scope& scope) {
  using access::Permission;
  std::string verbs;
  for (const auto& [permission, verb] : {std::pair{Permission::read, "read"},
                                         {Permission::search, "search"},
                                         {Permission::create, "create"},
                                         {Permission::update, "change"},
                                         {Permission::remove, "delete"}}) {
    if (!scope.allows(permission)) continue;
    if (!verbs.empty()) verbs += ", ";
    verbs += verb;
  }
  return fmt::format("{} {}{}{}", verbs, scope.type == "*" ? "every kind of record" : scope.type,
                     scope.context == access::Scope::Context::patient ? " of this patient" : " that you may",
                     scope.criteria.empty() ? "" : ", some of them");
}

std::string consent_form(const Texts& texts, const Ask& ask, const access::Principal& person, const Context& context,
                         std::string_view proof) {
  std::string list;
  for (const auto& scope : ask.scopes.resources)
    list += fmt::format("<li>{} <code>{}</code></li>\n", escape_markup(sentence(scope)),
                        escape_markup(access::to_string(scope)));
  for (const auto& other : ask.scopes.others) list += fmt::format("<li><code>{}</code></li>\n", escape_markup(other));
  const auto request = ask.request.print();
  Hidden hidden{{"csrf", proof}, {"request", request}};
  if (context.chosen) hidden.emplace_back("patient", context.patient);
  return fmt::format(
      "<p>{}</p>\n<ul lang=\"en\" dir=\"ltr\">\n{}</ul>\n{}"
      "<form method=\"post\" action=\"/oauth/authorize\">\n{}"
      "<button name=\"decision\" value=\"approve\">{}</button>"
      "<button name=\"decision\" value=\"deny\">{}</button></form>\n<p><a href=\"/logout\">{}</a></p>\n",
      texts("page.consent.asks", {{"app", fmt::format("<strong>{}</strong>", escape_markup(ask.client.name))},
                                  {"who", escape_markup(person.name)}}),
      list,
      context.patient.empty()
          ? std::string()
          : fmt::format("<p>{} <code>{}</code></p>\n", texts("page.consent.patient"), escape_markup(context.patient)),
      hidden_fields(hidden), texts("page.consent.allow"), texts("page.consent.refuse"), texts("page.logout"));
}

std::string patient_form(const Texts& texts, const Ask& ask, const std::vector<PatientChoice>& found,
                         std::string_view searched, std::string_view proof) {
  const auto request = ask.request.print();
  const auto hidden = hidden_fields({{"csrf", proof}, {"request", request}});
  std::string list;
  for (const auto& [id, text] : found)
    list += fmt::format("<button name=\"patient\" value=\"{}\">{}</button>\n", escape_markup(id), escape_markup(text));
  if (found.empty() && !searched.empty()) list = fmt::format("<p role=\"status\">{}</p>\n", texts("page.patient.none"));
  return fmt::format(
      "<p>{}</p>\n"
      "<form method=\"post\" action=\"/oauth/authorize\">\n{}<label>{} <input type=\"text\" name=\"search\" "
      "value=\"{}\" maxlength=\"200\" required></label>\n<button>{}</button></form>\n"
      "<form method=\"post\" action=\"/oauth/authorize\">\n{}{}</form>\n",
      texts("page.patient.text", {{"app", fmt::format("<strong>{}</strong>", escape_markup(ask.client.name))}}), hidden,
      texts("page.patient.search"), escape_markup(searched), texts("page.patient.find"), hidden, list);
}

Task<> ask_for_patient(Service& service, pipeline::Call& call, const Ask& ask, const access::Principal& person,
                       const std::string& searched) {
  std::vector<PatientChoice> found;
  if (!searched.empty()) {
    auto answer =
        co_await service.workers.run(RequestClass::routine, [&] { return service.find_patients(person, searched); });
    if (!answer) co_return co_await send_error_page(call, answer.error());
    found = std::move(*answer);
    for (const auto& patient : found) call.access().note_patient(patient.id);
  }
  auto proof = make_form_proof(service, call.request());
  const auto texts = Texts::of(call.request());
  co_await send_page(call, {.title = texts("page.patient"),
                            .body = patient_form(texts, ask, found, searched, proof.token),
                            .cookies = {std::move(proof.set_cookie)},
                            .form_target = {}});
}

Task<> agree(Service& service, pipeline::Call& call, const Ask& ask, const access::Principal& person,
             const Context& context) {
  const auto code = co_await commit<std::string>(service, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const auto session, identity::sessions::find(transaction, person.session));
    if (!session) return oauth_error("access_denied", "the person has logged out");
    if (!ask.launch.empty()) MYDR24_TRY(identity::once::erase(transaction, "launch", ask.launch));
    return service.identity.grants().issue_code(transaction, {.client = ask.client.id,
                                                              .redirect_uri = ask.redirect_uri,
                                                              .code_challenge = ask.challenge,
                                                              .user = session->user,
                                                              .generation = session->generation,
                                                              .scopes = access::to_string(ask.scopes),
                                                              .patient = context.patient,
                                                              .encounter = context.encounter,
                                                              .nonce = ask.nonce,
                                                              .parent = session->id,
                                                              .client_created = ask.client.created});
  });
  if (!code) co_return co_await deny(service, call, {code.error(), ask.redirect_uri, ask.state});
  co_await send_to(
      call, with_parameters(ask.redirect_uri, {{"code", *code}, {"state", ask.state}, {"iss", service.base_url()}}));
}

// Who is logged in decides: patient, then agreement. `posted`: a form of ours, whose proof was checked.
Task<> decide(Service& service, pipeline::Call& call, Ask ask, const access::Principal& person, const Form* posted) {
  const auto refuse = [&](std::string_view code, std::string text) {
    return deny(service, call, {oauth_error(code, std::move(text)), ask.redirect_uri, ask.state});
  };
  if (posted != nullptr && (*posted)["decision"] == "deny")
    co_return co_await refuse("access_denied", "the person refused");
  if (person.fhir_user.empty()) std::erase(ask.scopes.others, "fhirUser");
  auto context = context_of(service, ask, person);
  if (!context) co_return co_await deny(service, call, {context.error(), ask.redirect_uri, ask.state});
  if (needs_patient(ask.scopes) && context->patient.empty()) {
    if (!service.find_patients) co_return co_await refuse("invalid_scope", "there is no patient in context");
    const std::string chosen(posted != nullptr ? (*posted)["patient"] : std::string_view());
    if (!is_fhir_id(chosen)) {
      const std::string searched(posted != nullptr ? (*posted)["search"].substr(0, 200) : std::string_view());
      co_return co_await ask_for_patient(service, call, ask, person, searched);
    }
    const auto found =
        co_await service.workers.run(RequestClass::routine, [&] { return service.find_patients(person, chosen); });
    if (!found) co_return co_await send_error_page(call, found.error());
    if (std::ranges::find(*found, chosen, &PatientChoice::id) == found->end())
      co_return co_await ask_for_patient(service, call, ask, person, chosen);
    context->patient = chosen;
    context->chosen = true;
  }
  if (posted != nullptr && (*posted)["decision"] == "approve")
    co_return co_await agree(service, call, ask, person, *context);
  if (ask.prompt == "none") co_return co_await refuse("consent_required", "the person has to agree");
  auto proof = make_form_proof(service, call.request());
  const auto texts = Texts::of(call.request());
  co_await send_page(call, {.title = texts("page.consent"),
                            .body = consent_form(texts, ask, person, *context, proof.token),
                            .cookies = {std::move(proof.set_cookie)},
                            .form_target = identity::redirect_source(ask.redirect_uri)});
}

Task<> authorize(Service& service, pipeline::Call& call, const Form& request, const Form* posted) {
  auto ask = read_ask(service, request);
  if (!ask) co_return co_await deny(service, call, ask.error());
  const LoginPlace place{"/oauth/authorize", request.print(), "/oauth/authorize?" + request.print()};
  if (posted != nullptr && !proves_form(service, call.request(), (*posted)["csrf"]))
    co_return co_await show_login(service, call, place, "the page was too old: log in again", {}, 403);
  if (posted != nullptr && (posted->has("password") || posted->has("enrolment")))
    co_return co_await answer_login(service, call, *posted, place);
  const auto person = page_person(service, call.request());
  if (!person) {
    if (ask->prompt == "none")
      co_return co_await deny(service, call,
                              {oauth_error("login_required", "nobody is logged in"), ask->redirect_uri, ask->state});
    co_return co_await show_login(service, call, place);
  }
  co_await decide(service, call, std::move(*ask), *person, posted);
}

Task<> get_authorize(Service& service, pipeline::Call& call) {
  const auto request = Form::parse(call.request().query);
  if (!request) co_return co_await send_error_page(call, request.error());
  co_await authorize(service, call, *request, nullptr);
}

// A request that a client sends by POST (authorize-post), or a form of ours that carries one along.
Task<> post_authorize(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_error_page(call, form.error());
  if (!form->has("csrf")) co_return co_await authorize(service, call, *form, nullptr);
  const auto request = Form::parse((*form)["request"]);
  if (!request) co_return co_await send_error_page(call, request.error());
  co_await authorize(service, call, *request, &*form);
}

}  // namespace

void add_authorize_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::get, "/oauth/authorize", "authorize", RequestClass::urgent,
                   [&service](pipeline::Call& call) -> Task<> { co_await get_authorize(service, call); }});
  router.add_open({net::Method::post, "/oauth/authorize", "authorize", RequestClass::urgent,
                   [&service](pipeline::Call& call) -> Task<> { co_await post_authorize(service, call); }});
}

}  // namespace mydr24::oauth_api
