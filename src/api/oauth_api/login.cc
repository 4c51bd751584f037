// /login, /logout and /setup/{token}.

#include "api/oauth_api/detail/login.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/core/markup.h"
#include "base/crypto/base64.h"
#include "base/crypto/password.h"
#include "base/net/uri.h"
#include "guard/audit/writes.h"

namespace mydr24::oauth_api {
namespace {

using identity::Issued;

// A path of this server: never another site.
std::string local_path(std::string_view to) {
  constexpr std::size_t bytes_max = 2048;
  const bool is_local = to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\") &&
                        to.size() <= bytes_max && std::ranges::all_of(to, [](char c) { return c > 0x20 && c < 0x7f; });
  return is_local ? std::string(to) : std::string("/");
}

identity::Credentials credentials_of(const Form& form, const net::Request& request) {
  return {.name = std::string(form["user"]),
          .password = std::string(form["password"]),
          .code = std::string(form["code"]),
          .address = address_of(request)};
}

Task<> enter(Service& service, pipeline::Call& call, const Issued& issued, const std::string& to) {
  co_await send_to(call, to, {session_cookie(service, call.request(), issued.token)});
}

Task<> show_enrolment(Service& service, pipeline::Call& call, const LoginPlace& place, std::string_view token,
                      std::string_view secret, std::string_view name, std::string_view message) {
  auto proof = make_form_proof(service, call.request());
  const auto texts = Texts::of(call.request());
  const auto shown = crypto::base32(secret);
  const Hidden hidden{
      {"csrf", proof.token}, {"request", place.request}, {"enrolment", token}, {"secret", shown}, {"user", name}};
  co_await send_page(call, {.status = message.empty() ? 200 : 400,
                            .title = texts("page.codes"),
                            .body = enrolment_form(texts, place.action, hidden, secret, name, message),
                            .cookies = {std::move(proof.set_cookie)},
                            .form_target = {}});
}

Task<> answer_enrolment(Service& service, pipeline::Call& call, const Form& form, const LoginPlace& place) {
  const auto credentials = credentials_of(form, call.request());
  const std::string token(form["enrolment"]);
  const auto now = service.clock.now();
  const auto issued = co_await commit<Issued>(service, [&](store::Transaction& transaction) {
    return service.identity.finish_enrolment(transaction, credentials, token, now);
  });
  if (issued) co_return co_await enter(service, call, *issued, place.to);
  // What the app was given is shown again; what counts is in the store.
  const auto secret = crypto::base32_decode(form["secret"]);
  if (issued.error().code != Code::gone && secret)
    co_return co_await show_enrolment(service, call, place, token, *secret, form["user"], issued.error().text);
  co_await show_login(service, call, place, issued.error().text, form["user"], 400);
}

// ---- /login

Task<> get_login(Service& service, pipeline::Call& call) {
  const auto query = Form::parse(call.request().query);
  const auto to = local_path(query ? (*query)["to"] : std::string_view());
  co_await show_login(service, call, {"/login", to, to});
}

Task<> post_login(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_error_page(call, form.error());
  const auto to = local_path((*form)["request"]);
  const LoginPlace place{"/login", to, to};
  if (!proves_form(service, call.request(), (*form)["csrf"]))
    co_return co_await show_login(service, call, place, "the page was too old: log in again", (*form)["user"], 403);
  co_await answer_login(service, call, *form, place);
}

// ---- /logout

Task<> get_logout(Service& service, pipeline::Call& call) {
  const auto person = page_person(service, call.request());
  if (!person) co_return co_await send_to(call, "/login");
  auto proof = make_form_proof(service, call.request());
  const auto texts = Texts::of(call.request());
  co_await send_page(
      call, {.title = texts("page.logout"),
             .body = fmt::format("<p>{}</p>\n<form method=\"post\" action=\"/logout\">\n{}<button>{}</button></form>\n",
                                 texts("page.logout.who", {{"who", escape_markup(person->name)}}),
                                 hidden_fields({{"csrf", proof.token}}), texts("page.logout")),
             .cookies = {std::move(proof.set_cookie)},
             .form_target = {}});
}

Task<> post_logout(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_error_page(call, form.error());
  if (!proves_form(service, call.request(), (*form)["csrf"])) co_return co_await send_to(call, "/logout");
  if (const auto person = page_person(service, call.request())) {
    const auto done = co_await commit<void>(service, [&](store::Transaction& transaction) -> Result<> {
      const auto revoked = identity::sessions::revoke(transaction, person->session);
      return revoked || revoked.error().code == Code::not_found ? Result<>() : revoked;
    });
    if (!done) co_return co_await send_error_page(call, done.error());
    service.identity.forget();
  }
  co_await send_to(call, "/login", {session_cookie(service, call.request(), "")});
}

// ---- /setup/{token}

// `invited`: whose link it is; empty: the first administrator's, who chooses `name`, too.
Task<> show_setup(Service& service, pipeline::Call& call, std::string_view invited, std::string_view message,
                  std::string_view name) {
  auto proof = make_form_proof(service, call.request());
  const bool is_first = invited.empty();
  const auto texts = Texts::of(call.request());
  co_await send_page(
      call,
      {.status = message.empty() ? 200 : 400,
       .title = texts(is_first ? "page.setup.first" : "page.setup.invited"),
       .body = fmt::format(
           "{}<p>{}</p>\n<form method=\"post\">\n{}"
           "<label>{} <input type=\"text\" name=\"user\" value=\"{}\" autocomplete=\"username\" {} "
           "maxlength=\"64\" dir=\"ltr\"></label>\n"
           "<label>{} <input type=\"password\" name=\"password\" autocomplete=\"new-password\" required dir=\"ltr\">"
           "</label>\n"
           "<label>{} <input type=\"password\" name=\"again\" autocomplete=\"new-password\" required dir=\"ltr\">"
           "</label>\n<button>{}</button></form>\n",
           message_of(texts, message), texts(is_first ? "page.setup.first_text" : "page.setup.invited_text"),
           hidden_fields({{"csrf", proof.token}}), texts("page.name"), escape_markup(is_first ? name : invited),
           is_first ? "required" : "readonly",
           texts("page.setup.password", {{"n", fmt::to_string(identity::password_characters_min)}}),
           texts("page.setup.again"), texts("page.setup.begin")),
       .cookies = {std::move(proof.set_cookie)},
       .form_target = {}});
}

Result<std::string> check_setup(Service& service, std::string_view token) {
  std::string invited;
  MYDR24_TRY(service.identity.store().read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(invited, service.identity.check_setup_token(reader, token, service.clock.now()));
    return {};
  }));
  return invited;
}

// Nobody is logged in yet: whose account it is and from where it was taken is what the trail has.
Result<> note_taken(store::Transaction& transaction, const pipeline::Call& call, std::string_view name) {
  audit::Entry entry;
  entry.at = transaction.now();
  entry.action = audit::Action::execute;
  entry.interaction = "account.invitation-taken";
  entry.address = address_of(call.request());
  entry.rule = identity::user_id(name);
  MYDR24_TRY(audit::note_write(transaction, std::move(entry)));
  return {};
}

Task<> get_setup(Service& service, pipeline::Call& call) {
  const auto invited = check_setup(service, call.capture(0));
  if (!invited) co_return co_await send_error_page(call, invited.error());
  co_await show_setup(service, call, *invited, {}, {});
}

Task<> post_setup(Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(call);
  if (!form) co_return co_await send_error_page(call, form.error());
  const std::string token(call.capture(0));
  // Before the password is hashed: whoever has no link costs nothing.
  const auto invited = check_setup(service, token);
  if (!invited) co_return co_await send_error_page(call, invited.error());
  const std::string password((*form)["password"]);
  const auto name = invited->empty() ? identity::folded_name((*form)["user"]) : *invited;
  const auto refuse = [&](std::string_view message) { return show_setup(service, call, *invited, message, name); };
  if (!proves_form(service, call.request(), (*form)["csrf"]))
    co_return co_await refuse("the page was too old: try again");
  if (password != (*form)["again"]) co_return co_await refuse("the two passwords are not the same");
  if (const auto good = identity::check_new_password(password, name); !good)
    co_return co_await refuse(good.error().text);
  auto phc = co_await service.workers.run(RequestClass::routine, [&] { return crypto::hash_password(password); });
  if (!phc) co_return co_await refuse(phc.error().text);
  const auto done = co_await commit<void>(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_TRY(service.identity.finish_setup(transaction, token, name, *phc));
    return note_taken(transaction, call, name);
  });
  if (!done && done.error().code == Code::invalid) co_return co_await refuse(done.error().text);
  if (!done) co_return co_await send_error_page(call, done.error());
  service.identity.forget();
  co_await send_to(call, "/login");
}

}  // namespace

std::optional<access::Principal> page_person(Service& service, const net::Request& request) {
  if (!request.header("Authorization").empty()) return std::nullopt;
  auto principal = service.identity.authenticate(request, service.clock.now());
  if (!principal || principal->kind != access::PrincipalKind::person) return std::nullopt;
  return std::move(*principal);
}

Task<> show_login(Service& service, pipeline::Call& call, const LoginPlace& place, std::string_view message,
                  std::string_view name, int status) {
  auto proof = make_form_proof(service, call.request());
  const Hidden hidden{{"csrf", proof.token}, {"request", place.request}};
  const auto texts = Texts::of(call.request());
  co_await send_page(call, {.status = status,
                            .title = texts("page.login"),
                            .body = login_form(texts, place.action, hidden, message, name),
                            .cookies = {std::move(proof.set_cookie)},
                            .form_target = {}});
}

Task<> answer_login(Service& service, pipeline::Call& call, const Form& form, const LoginPlace& place) {
  if (form.has("enrolment")) co_return co_await answer_enrolment(service, call, form, place);
  const auto credentials = credentials_of(form, call.request());
  const auto now = service.clock.now();
  const auto checked = co_await service.workers.run(RequestClass::routine,
                                                    [&] { return service.identity.check_password(credentials, now); });
  if (!checked)
    co_return co_await show_login(service, call, place, checked.error().text, credentials.name,
                                  checked.error().code == Code::busy ? 429 : 400);
  const auto issued = co_await commit<Issued>(service, [&](store::Transaction& transaction) {
    return service.identity.log_in(transaction, *checked, credentials, now);
  });
  if (issued) co_return co_await enter(service, call, *issued, place.to);
  if (issued.error().where != "totp_enrolment")
    co_return co_await show_login(service, call, place, issued.error().text, credentials.name, 400);
  const auto enrolment = co_await commit<identity::Enrolment>(service, [&](store::Transaction& transaction) {
    return service.identity.begin_enrolment(transaction, *checked);
  });
  if (!enrolment) co_return co_await send_error_page(call, enrolment.error());
  co_await show_enrolment(service, call, place, enrolment->token, enrolment->secret, checked->user.name, {});
}

void add_login_routes(pipeline::Router& router, Service& service) {
  const auto add = [&](net::Method method, const char* path, const char* name,
                       Task<> (*handler)(Service&, pipeline::Call&)) {
    router.add_open({method, path, name, RequestClass::urgent,
                     [&service, handler](pipeline::Call& call) -> Task<> { co_await handler(service, call); }});
  };
  add(net::Method::get, "/login", "login-page", get_login);
  add(net::Method::post, "/login", "login", post_login);
  add(net::Method::get, "/logout", "logout-page", get_logout);
  add(net::Method::post, "/logout", "logout", post_logout);
  add(net::Method::get, "/setup/{token}", "setup-page", get_setup);
  add(net::Method::post, "/setup/{token}", "setup", post_setup);
  add_style_route(router);
}

}  // namespace mydr24::oauth_api
