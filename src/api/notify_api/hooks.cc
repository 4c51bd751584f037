// Buttons pressed in a Slack-compatible chat, and PagerDuty's webhook.

#include <fmt/format.h>

#include "alerting/notify/pagerduty.h"
#include "alerting/notify/slack.h"
#include "alerting/notify/twilio.h"
#include "api/notify_api/answer.h"

namespace mydr24::notify_api {
namespace {

Result<notify::SlackAction> read_action(const Service& service, const net::Request& request, std::string_view body) {
  if (!notify::verify_slack(request.header("X-Slack-Signature"), request.header("X-Slack-Request-Timestamp"),
                            service.providers.slack.signing_secret, service.clock.now(), body))
    return fail(Code::refused, "the signature is wrong or too old");
  const auto form = net::parse_query(body, notify::provider_fields_max);
  if (!form) return fail(Code::invalid, "the body is no form");
  return notify::parse_slack_action(notify::form_field(*form, "payload"));
}

Task<> slack(const Service& service, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) co_return co_await call.respond(body.error());
  const auto pressed = read_action(service, call.request(), *body);
  if (!pressed) co_return co_await call.respond(pressed.error());
  const Action action = pressed->action == "ack" ? Action::acknowledge : Action::close;
  const auto answered = co_await answer_by_token(service, pressed->token, action, pressed->user, "chat");
  if (!answered) co_return co_await call.respond(answered.error());
  co_await send_text(call, 200, "text/plain; charset=utf-8", sentence(*answered, action));
}

// What the webhook asks of an alert; Code::not_found when it is none of ours.
Result<> take_news(const Service& service, store::Transaction& transaction, const notify::PagerDutyNews& news) {
  const bool is_ack = news.type == "incident.acknowledged";
  if (!is_ack && news.type != "incident.resolved") return {};
  const auto answered =
      answer(service, transaction, news.dedup_key, is_ack ? Action::acknowledge : Action::close, news.by, "pagerduty");
  // PagerDuty tells of every incident of its service: others are not ours.
  if (!answered && answered.error().code != Code::not_found) return answered.error();
  return {};
}

Task<> pagerduty(const Service& service, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) co_return co_await call.respond(body.error());
  if (!notify::verify_pagerduty(call.request().header("X-PagerDuty-Signature"),
                                service.providers.pagerduty.webhook_secret, *body))
    co_return co_await call.respond(fail(Code::refused, "the signature is wrong"));
  const auto news = notify::parse_pagerduty(*body);
  if (!news) co_return co_await call.respond(news.error());
  const auto done =
      co_await write(service, [&](store::Transaction& transaction) { return take_news(service, transaction, *news); });
  if (!done) co_return co_await call.respond(done.error());
  co_await call.respond(net::Response{.status = 204});
}

}  // namespace

void add_hook_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/notify/slack/action", "slack-action", RequestClass::emergency,
              [&service](pipeline::Call& call) -> Task<> { co_await slack(service, call); }});
  router.add({net::Method::post, "/notify/pagerduty", "pagerduty-webhook", RequestClass::emergency,
              [&service](pipeline::Call& call) -> Task<> { co_await pagerduty(service, call); }});
}

}  // namespace mydr24::notify_api
