// GET and POST /ack/{token}: the page behind an acknowledgement link. The page says what the message said, and nothing of
// the patient: whoever holds the link has not logged in.

#include <fmt/format.h>

#include "alerting/notify/templates.h"
#include "api/notify_api/answer.h"
#include "base/core/date_time.h"
#include "base/core/markup.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"
#include "fhir/model/outcome.h"

namespace mydr24::notify_api {
namespace {

constexpr std::string_view style =
    "body{font:18px sans-serif;max-width:32em;margin:2em auto;padding:0 1em}"
    "button{font:inherit;padding:.7em 1.4em;background:#c00000;color:#fff;border:0;border-radius:4px}";

// No style but ours, which its digest names.
const std::string& policy() {
  static const std::string made = fmt::format(
      "default-src 'none'; style-src 'sha256-{}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      crypto::base64(crypto::bytes_of(crypto::sha256(style))));
  return made;
}

std::string page(std::string_view heading, std::string_view inside) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<style>{2}</style></head>\n"
      "<body><h1>{0}</h1>\n{1}</body></html>\n",
      heading, inside, style);
}

std::string describe(const alerts::Alert& alert) {
  return fmt::format("<p><strong>{}</strong>: {}</p>\n<p>Raised {}</p>\n", to_string(alert.severity),
                     escape_markup(alert.title), format_instant(alert.raised_at));
}

Task<> send_page(pipeline::Call& call, int status, std::string body) {
  net::Response response{.status = status, .content_type = "text/html; charset=utf-8"};
  response.headers = {{"Cache-Control", "no-store"},
                      {"Content-Security-Policy", policy()},
                      {"Referrer-Policy", "no-referrer"},  // the address is the right to acknowledge
                      {"X-Robots-Tag", "noindex"}};
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

Task<> send_error(pipeline::Call& call, const Error& error) {
  co_await send_page(call, model::http_status(error.code),
                     page("Not possible", fmt::format("<p>{}</p>\n", escape_markup(error.text))));
}

struct Shown {
  alerts::Alert alert;
  std::optional<notify::TokenUse> used;
};

Result<Shown> look_up(const Service& service, const notify::Claims& claims) {
  Shown shown;
  MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(auto alert, alerts::Book::find(reader, claims.alert_id));
    if (!alert) return fail(Code::not_found, "there is no such alert any more");
    shown.alert = std::move(*alert);
    MYDR24_ASSIGN(shown.used, notify::token_uses::find(reader, claims, "ack"));
    return {};
  }));
  return shown;
}

Task<> show(const Service& service, pipeline::Call& call) {
  const auto claims = service.tokens.verify(call.capture(0), service.clock.now());
  if (!claims) co_return co_await send_error(call, claims.error());
  const auto shown = look_up(service, *claims);
  if (!shown) co_return co_await send_error(call, shown.error());
  const alerts::Alert& alert = shown->alert;
  std::string inside = describe(alert);
  if (alert.acknowledged_at || shown->used) {
    const bool is_used = shown->used.has_value();
    const Answered before{alert, false, is_used ? shown->used->by : alert.acknowledged_by,
                          is_used ? shown->used->at : *alert.acknowledged_at};
    inside += fmt::format("<p>{}</p>\n", escape_markup(sentence(before, Action::acknowledge)));
  } else {
    inside += fmt::format("<p>You were called as {}.</p>\n<form method=\"post\"><button>Acknowledge</button></form>\n",
                          escape_markup(claims->contact));
  }
  co_await send_page(call, 200, page("Alert", inside));
}

Task<> press(const Service& service, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) co_return co_await send_error(call, body.error());
  const auto claims = service.tokens.verify(call.capture(0), service.clock.now());
  if (!claims) co_return co_await send_error(call, claims.error());
  Answered answered;
  const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(answered, answer_by_token(service, transaction, *claims, Action::acknowledge, "", "link"));
    return {};
  });
  if (!done) co_return co_await send_error(call, done.error());
  const std::string said = sentence(answered, Action::acknowledge);
  co_await send_page(call, 200,
                     page(answered.done ? "Acknowledged" : "Alert",
                          describe(answered.alert) + fmt::format("<p>{}</p>\n", escape_markup(said))));
}

}  // namespace

void add_link_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::get, "/ack/{token}", "ack-page", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await show(service, call); }});
  router.add_open({net::Method::post, "/ack/{token}", "ack-link", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await press(service, call); }});
}

}  // namespace mydr24::notify_api
