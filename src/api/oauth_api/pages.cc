#include "api/oauth_api/detail/pages.h"

#include <fmt/format.h>

#include "base/core/markup.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "base/crypto/totp.h"
#include "base/net/uri.h"
#include "fhir/model/outcome.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::string_view style = R"css(
:root { color-scheme: light dark; }
body { font: 18px/1.5 system-ui, sans-serif; max-width: 32em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; }
label { display: block; margin: .8em 0; }
input:not([type=hidden]) { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .4em; }
button { font: inherit; padding: .6em 1.4em; margin-block: .5em; margin-inline: 0 .5em; }
.message { border-inline-start: 4px solid #c00000; padding-inline-start: .8em; }
code { overflow-wrap: anywhere; }
)css";

std::string form_cookie_name(Service& service, const net::Request& request) {
  return std::string(service.identity.cookie_name(request.secure)) + "-form";
}

std::string attributes(std::string_view cookie_name) {
  return fmt::format("; Path=/; HttpOnly; SameSite=Lax{}", cookie_name.starts_with("__Host-") ? "; Secure" : "");
}

std::string proof_of(Service& service, std::string_view cookie, std::string_view session) {
  return crypto::base64_url(
      crypto::hmac_sha256(service.identity.keys().form_key(), fmt::format("form\n{}\n{}", cookie, session)));
}

}  // namespace

std::string message_of(const Texts& texts, std::string_view message) {
  return message.empty()
             ? std::string()
             : fmt::format("<p class=\"message\" role=\"alert\">{}</p>\n", escape_markup(texts.error(message)));
}

FormProof make_form_proof(Service& service, const net::Request& request) {
  const auto name = form_cookie_name(service, request);
  std::string value(cookie_value(request, name));
  FormProof proof;
  if (value.size() != crypto::token_characters) {
    value = crypto::random_token();
    proof.set_cookie = fmt::format("{}={}{}", name, value, attributes(name));
  }
  proof.token = proof_of(service, value, service.identity.cookie_of(request));
  return proof;
}

bool proves_form(Service& service, const net::Request& request, std::string_view token) {
  const auto value = cookie_value(request, form_cookie_name(service, request));
  return value.size() == crypto::token_characters &&
         crypto::same_secret(token, proof_of(service, value, service.identity.cookie_of(request)));
}

std::string session_cookie(Service& service, const net::Request& request, std::string_view value) {
  const auto name = service.identity.cookie_name(request.secure);
  return fmt::format("{}={}{}{}", name, value, attributes(name), value.empty() ? "; Max-Age=0" : "");
}

Task<> send_page(pipeline::Call& call, Page page) {
  net::Response response{.status = page.status, .content_type = "text/html; charset=utf-8"};
  response.headers = {
      {"Cache-Control", "no-store"},
      {"Content-Security-Policy",
       fmt::format(
           "default-src 'none'; style-src 'self'; form-action 'self'{}{}; frame-ancestors 'none'; base-uri 'none'",
           page.form_target.empty() ? "" : " ", page.form_target)},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "same-origin"}};  // with none, a form of ours would say that its origin is "null"
  for (auto& cookie : page.cookies)
    if (!cookie.empty()) response.headers.emplace_back("Set-Cookie", std::move(cookie));
  const auto texts = Texts::of(call.request());
  response.headers.emplace_back("Content-Language", std::string(texts.language()));
  response.body = fmt::format(
      "<!doctype html>\n<html lang=\"{2}\" dir=\"{3}\"><head><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<link rel=\"stylesheet\" "
      "href=\"/oauth/style.css\"></head>\n<body><main><h1>{0}</h1>\n{1}</main></body></html>\n",
      escape_markup(page.title), page.body, texts.language(), texts.direction());
  co_await call.respond(std::move(response));
}

Task<> send_error_page(pipeline::Call& call, const Error& error) {
  const int status = error.code == Code::refused ? 400 : model::http_status(error.code);
  const auto texts = Texts::of(call.request());
  co_await send_page(call, {.status = status,
                            .title = texts("page.not_possible"),
                            .body = fmt::format("<p>{}</p>\n", escape_markup(texts.error(error.text))),
                            .cookies = {},
                            .form_target = {}});
}

std::string hidden_fields(const Hidden& hidden) {
  std::string out;
  for (const auto& [name, value] : hidden)
    out += fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", name, escape_markup(value));
  return out;
}

std::string login_form(const Texts& texts, std::string_view action, const Hidden& hidden, std::string_view message,
                       std::string_view name) {
  return fmt::format(
      "{}<form method=\"post\" action=\"{}\">\n{}"
      "<label>{} <input type=\"text\" name=\"user\" value=\"{}\" autocomplete=\"username\" required dir=\"ltr\" "
      "maxlength=\"64\"></label>\n"
      "<label>{} <input type=\"password\" name=\"password\" autocomplete=\"current-password\" required dir=\"ltr\">"
      "</label>\n"
      "<label>{} <input type=\"text\" name=\"code\" inputmode=\"numeric\" "
      "autocomplete=\"one-time-code\" maxlength=\"6\" dir=\"ltr\"></label>\n"
      "<button>{}</button></form>\n",
      message_of(texts, message), action, hidden_fields(hidden), texts("page.name"), escape_markup(name),
      texts("page.password"), texts("page.login.code"), texts("page.login"));
}

std::string enrolment_form(const Texts& texts, std::string_view action, const Hidden& hidden, std::string_view secret,
                           std::string_view account, std::string_view message) {
  const auto uri = crypto::totp_uri(secret, "MyDR24", net::percent_encode(account));
  return fmt::format(
      "{}<p>{}</p>\n<p dir=\"ltr\"><code>{}</code></p>\n<p><a href=\"{}\">{}</a></p>\n"
      "<form method=\"post\" action=\"{}\">\n{}"
      "<label>{} <input type=\"text\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" "
      "required maxlength=\"6\" dir=\"ltr\"></label>\n<button>{}</button></form>\n",
      message_of(texts, message), texts("page.codes.text"), crypto::base32(secret), escape_markup(uri),
      texts("page.codes.open"), action, hidden_fields(hidden), texts("page.codes.code"), texts("page.codes.confirm"));
}

void add_style_route(pipeline::Router& router) {
  auto shared = std::make_shared<const std::string>(style);
  router.add_open({net::Method::get, "/oauth/style.css", "page", RequestClass::routine,
                   [shared](pipeline::Call& call) -> Task<> {
                     net::Response response;
                     response.content_type = "text/css; charset=utf-8";
                     response.headers = {{"Cache-Control", "public, max-age=3600"}};
                     response.shared_body = shared;
                     co_await call.respond(std::move(response));
                   },
                   admission::Cost::quick});
}

}  // namespace mydr24::oauth_api
