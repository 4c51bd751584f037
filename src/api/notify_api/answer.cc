#include "api/notify_api/answer.h"

#include <fmt/format.h>

#include "alerting/notify/heard.h"
#include "alerting/notify/twilio.h"
#include "base/core/date_time.h"

namespace mydr24::notify_api {

std::string sentence(const Answered& answered, Action action) {
  const std::string_view word = action == Action::acknowledge ? "acknowledged" : "closed";
  const std::string who = answered.by.empty() ? std::string() : fmt::format(" by {}", answered.by);
  if (answered.done) return action == Action::acknowledge ? fmt::format("Acknowledged{}.", who) : "Closed.";
  std::string said = fmt::format("Already {}{} at {}.", word, who, format_instant(answered.at));
  // That answer does not count any more, and nobody should go back to sleep over it.
  if (action == Action::acknowledge && answered.alert.state == alerts::State::open &&
      !answered.alert.is_answered_by(answered.by))
    said += " The alert was raised again since: answer its newest message.";
  return said;
}

Result<Answered> answer(const Service& service, store::Transaction& transaction, std::string_view alert_id,
                        Action action, std::string_view by, std::string_view via) {
  MYDR24_ASSIGN(auto alert, alerts::Book::find(transaction, alert_id));
  if (!alert) return fail(Code::not_found, "there is no such alert any more");
  if (action == Action::acknowledge) {
    if (alert->acknowledged_at) return Answered{*alert, false, alert->acknowledged_by, *alert->acknowledged_at};
    MYDR24_ASSIGN(auto after, service.book.acknowledge(transaction, alert_id, by, "", via));
    return Answered{std::move(after), true, service.book.directory().plan()->person(by), transaction.now()};
  }
  if (alert->is_resolved()) return Answered{*alert, false, "", alert->resolved_at.value_or(transaction.now())};
  MYDR24_ASSIGN(auto after, service.book.resolve(transaction, alert_id, fmt::format("closed by {} ({})", by, via), by));
  return Answered{std::move(after), true, std::string(by), transaction.now()};
}

Result<Answered> answer_by_token(const Service& service, store::Transaction& transaction, const notify::Claims& claims,
                                 Action action, std::string_view by, std::string_view via) {
  if (by.empty()) by = claims.contact;
  const std::string_view name = action == Action::acknowledge ? "ack" : "close";
  MYDR24_ASSIGN(const auto used, notify::token_uses::find(transaction, claims, name));
  if (used) {
    MYDR24_ASSIGN(auto alert, alerts::Book::find(transaction, claims.alert_id));
    if (!alert) return fail(Code::not_found, "there is no such alert any more");
    return Answered{std::move(*alert), false, used->by, used->at};
  }
  MYDR24_ASSIGN(Answered answered, answer(service, transaction, claims.alert_id, action, by, via));
  if (answered.done) MYDR24_TRY(notify::token_uses::record(transaction, claims, name, answered.by));
  return answered;
}

Task<Result<std::string>> once(const Service& service, std::string message, Reply work) {
  std::string reply;
  const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(auto before, notify::heard(transaction, message));
    if (before) {
      reply = std::move(*before);
      return {};
    }
    MYDR24_ASSIGN(reply, work(transaction));
    return notify::remember_heard(transaction, message, reply);
  });
  if (!done) co_return done.error();
  co_return reply;
}

Task<Result<>> write(const Service& service, store::Work work) {
  co_return co_await async_call<Result<>>(
      [&](auto finish) { service.store.submit(RequestClass::emergency, std::move(work), std::move(finish)); });
}

Task<Result<std::string>> read_body(pipeline::Call& call) {
  co_return co_await call.exchange().read_body(notify::provider_body_bytes_max);
}

std::string called_url(const Service& service, const pipeline::Call& call) {
  const std::string& base = service.providers.link_base.empty() ? call.base_url() : service.providers.link_base;
  return base + std::string(call.request().target);
}

Task<> send_text(pipeline::Call& call, int status, std::string_view content_type, std::string body) {
  net::Response response{.status = status, .content_type = std::string(content_type)};
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  co_await call.respond(std::move(response));
}

void add_routes(pipeline::Router& router, Service& service) {
  add_link_routes(router, service);
  add_twilio_routes(router, service);
  add_hook_routes(router, service);
  add_address_routes(router, service);
}

}  // namespace mydr24::notify_api
