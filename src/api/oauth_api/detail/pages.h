#pragma once

// The pages on which people log in and agree: HTML without script, under a strict content security policy. Private to
// api/oauth_api.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/oauth_api/detail/exchange.h"
#include "api/oauth_api/detail/texts.h"

namespace mydr24::oauth_api {

// A form's hidden fields, all escaped.
using Hidden = std::vector<std::pair<std::string_view, std::string_view>>;

// The proof that a form was given to this browser: a random cookie, and its HMAC (bound to the session too) in the
// form.
struct FormProof {
  std::string token;       // for the hidden field "csrf"
  std::string set_cookie;  // empty: the browser has it
};
FormProof make_form_proof(Service& service, const net::Request& request);
bool proves_form(Service& service, const net::Request& request, std::string_view token);

// Set-Cookie of our session; an empty value takes it away.
std::string session_cookie(Service& service, const net::Request& request, std::string_view value);

struct Page {
  int status = 200;
  std::string title;
  std::string body;  // HTML
  std::vector<std::string> cookies;
  std::string form_target;  // an origin or scheme beside our own that a form's answer may lead to; may be empty
};
// In the language of Texts::of() its request.
Task<> send_page(pipeline::Call& call, Page page);
Task<> send_error_page(pipeline::Call& call, const Error& error);

// The inside of pages. `action`: where the form is sent.
std::string login_form(const Texts& texts, std::string_view action, const Hidden& hidden, std::string_view message,
                       std::string_view name);
std::string enrolment_form(const Texts& texts, std::string_view action, const Hidden& hidden, std::string_view secret,
                           std::string_view account, std::string_view message);
std::string hidden_fields(const Hidden& hidden);
// Empty for an empty message.
std::string message_of(const Texts& texts, std::string_view message);

void add_style_route(pipeline::Router& router);

}  // namespace mydr24::oauth_api
