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

// A chat's names can be changed by their owners; its ids cannot, so they are looked for first.
std::string presser(const oncall::Plan& plan, const notify::SlackAction& pressed) {
  std::string by = plan.person(pressed.user_id);
  return by == pressed.user_id ? pressed.user : by;
}

Task<> slack(const Service& service, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) co_return co_await call.respond(body.error());
  const auto pressed = read_action(service, call.request(), *body);
  if (!pressed) co_return co_await call.respond(pressed.error());
  const Action action = pressed->action == "ack" ? Action::acknowledge : Action::close;
  const auto claims = service.tokens.verify(pressed->token, service.clock.now());
  if (!claims) co_return co_await call.respond(claims.error());
  const std::string by = presser(*service.book.directory().plan(), *pressed);
  // Its signature holds the time, so that it names the request.
  const std::string name = "chat/" + std::string(call.request().header("X-Slack-Signature"));
  const auto said = co_await once(service, name, [&](store::Transaction& transaction) -> Result<std::string> {
    MYDR24_ASSIGN(const auto answered, answer_by_token(service, transaction, *claims, action, by, "chat"));
    return sentence(answered, action);
  });
  if (!said) co_return co_await call.respond(said.error());
  co_await send_text(call, 200, "text/plain; charset=utf-8", *said);
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
      co_await once(service, "pagerduty/" + news->id, [&](store::Transaction& transaction) -> Result<std::string> {
        MYDR24_TRY(take_news(service, transaction, *news));
        return std::string();
      });
  if (!done) co_return co_await call.respond(done.error());
  co_await call.respond(net::Response{.status = 204});
}

}  // namespace

void add_hook_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::post, "/notify/slack/action", "slack-action", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await slack(service, call); }});
  router.add_open({net::Method::post, "/notify/pagerduty", "pagerduty-webhook", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await pagerduty(service, call); }});
}

}  // namespace mydr24::notify_api
