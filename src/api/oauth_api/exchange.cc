#include "api/oauth_api/detail/exchange.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::oauth_api {
namespace {

constexpr std::size_t fields_max = 64;

int status_of(const Error& error) {
  if (error.code == Code::busy || error.code == Code::full) return 503;
  if (error.code == Code::internal) return 500;
  if (error.code == Code::not_found || error.code == Code::gone) return 404;
  if (error.code == Code::too_large) return 413;
  if (error.where == "invalid_client" || error.where == "invalid_token") return 401;
  return error.where == "insufficient_scope" ? 403 : 400;
}

std::string_view code_of(const Error& error) {
  if (error.code == Code::busy || error.code == Code::full) return "temporarily_unavailable";
  if (error.code == Code::internal) return "server_error";
  // Words of RFC 6749, 6750 and 7591: others of our own, as the name of a field, mean the request.
  const bool is_code = error.where.contains('_') &&
                       (error.where.starts_with("invalid_") || error.where.starts_with("unauthorized_") ||
                        error.where.starts_with("unsupported_") || error.where.starts_with("insufficient_"));
  return is_code ? std::string_view(error.where) : "invalid_request";
}

}  // namespace

Result<Form> Form::parse(std::string_view text) {
  auto fields = net::parse_query(text, fields_max);
  if (!fields) return fail(Code::invalid, "the parameters are malformed", "invalid_request");
  Form form;
  for (auto& [name, value] : *fields) {
    if (form.has(name))
      return fail(Code::invalid, fmt::format("the parameter {} is there twice", name.substr(0, 100)),
                  "invalid_request");
    form.fields_.emplace_back(std::move(name), std::move(value));
  }
  return form;
}

std::string_view Form::operator[](std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &std::pair<std::string, std::string>::first);
  return found == fields_.end() ? std::string_view() : std::string_view(found->second);
}

bool Form::has(std::string_view name) const {
  return std::ranges::find(fields_, name, &std::pair<std::string, std::string>::first) != fields_.end();
}

std::string Form::print(std::initializer_list<std::string_view> left_out) const {
  std::string text;
  for (const auto& [name, value] : fields_) {
    if (std::ranges::find(left_out, name) != left_out.end()) continue;
    if (!text.empty()) text += '&';
    text += net::percent_encode(name) + "=" + net::percent_encode(value);
  }
  return text;
}

namespace {

// For the audit: whom the form names, and no secret.
std::string who_asks(const Form& form) {
  std::string text;
  for (const std::string_view name : {"user", "client_id"}) {
    if (!form.has(name)) continue;
    if (!text.empty()) text += '&';
    text += fmt::format("{}={}", name, net::percent_encode(form[name]));
  }
  return text;
}

}  // namespace

Task<Result<Form>> read_form(pipeline::Call& call) {
  if (!call.request().header("Content-Type").starts_with("application/x-www-form-urlencoded"))
    co_return fail(Code::invalid, "send Content-Type: application/x-www-form-urlencoded", "invalid_request");
  const auto body = co_await call.exchange().read_body(form_bytes_max);
  if (!body) co_return body.error();
  auto form = Form::parse(*body);
  if (form) call.note_query(who_asks(*form));
  co_return form;
}

Task<> send_json(pipeline::Call& call, std::string body, int status) {
  net::Response response{.status = status, .content_type = "application/json"};
  // RFC 6749, section 5.1. No cookie is looked at where tokens are given: a page of any origin may read it.
  response.headers = {{"Cache-Control", "no-store"}, {"Pragma", "no-cache"}, {"Access-Control-Allow-Origin", "*"}};
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

Task<> send_oauth_error(pipeline::Call& call, const Error& error) {
  net::Response response{.status = status_of(error), .content_type = "application/json"};
  response.headers = {{"Cache-Control", "no-store"}, {"Pragma", "no-cache"}, {"Access-Control-Allow-Origin", "*"}};
  if (response.status == 401)
    response.headers.emplace_back("WWW-Authenticate", error.where == "invalid_client"
                                                          ? "Basic realm=\"mydr24\""
                                                          : "Bearer realm=\"mydr24\", error=\"invalid_token\"");
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  json::Writer out(response.body);
  out.begin_object().field("error", code_of(error)).field("error_description", error.text).end_object();
  co_await call.respond(std::move(response));
}

Task<> send_to(pipeline::Call& call, std::string location, std::vector<std::string> cookies) {
  net::Response response{.status = 303, .content_type = {}};
  response.headers = {
      {"Location", std::move(location)}, {"Cache-Control", "no-store"}, {"Referrer-Policy", "no-referrer"}};
  for (auto& cookie : cookies) response.headers.emplace_back("Set-Cookie", std::move(cookie));
  co_await call.respond(std::move(response));
}

std::string address_of(const net::Request& request) {
  return std::string(request.remote.substr(0, request.remote.rfind(':')));
}

std::string_view cookie_value(const net::Request& request, std::string_view name) {
  for (std::string_view rest = request.header("Cookie"); !rest.empty();) {
    auto pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

Task<std::optional<access::Principal>> require_known(Service& service, pipeline::Call& call) {
  auto principal = service.identity.authenticate(call.request(), service.clock.now());
  if (principal && principal->is_known()) co_return std::move(*principal);
  co_await send_oauth_error(
      call, principal ? oauth_error("invalid_token", "log in, or send an access token") : principal.error());
  co_return std::nullopt;
}

void add_preflight_route(pipeline::Router& router, const char* path, const char* name) {
  router.add_open({net::Method::options, path, name, RequestClass::routine,
                   [](pipeline::Call& call) -> Task<> {
                     net::Response response{.status = 204, .content_type = {}};
                     response.headers = {{"Access-Control-Allow-Origin", "*"},
                                         {"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
                                         {"Access-Control-Allow-Headers", "Authorization, Content-Type"},
                                         {"Access-Control-Max-Age", "600"}};
                     co_await call.respond(std::move(response));
                   },
                   admission::Cost::quick});
}

void add_routes(pipeline::Router& router, Service& service) {
  add_metadata_routes(router, service);
  add_authorize_routes(router, service);
  add_token_routes(router, service);
  add_inspection_routes(router, service);
  add_login_routes(router, service);
  add_session_routes(router, service);
}

}  // namespace mydr24::oauth_api
