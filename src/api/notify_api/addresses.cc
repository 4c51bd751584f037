// GET /api/v1/addresses and POST /api/v1/addresses/{verify,confirm,disable,enable}.

#include <fmt/format.h>

#include <charconv>

#include "alerting/notify/twilio.h"
#include "api/notify_api/answer.h"
#include "api/notify_api/verified.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify_api {
namespace {

constexpr std::size_t why_bytes_max = 200;
constexpr std::size_t code_bytes_max = 16;

struct Asked {
  notify::Address address;
  std::string code;
  std::string why;
};

Result<Asked> parse_asked(std::string_view body) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(body));
  Asked asked;
  bool has_kind = false;
  for (const auto member : document.root()) {
    const std::string key(member.key());
    if (!member.is_string()) return fail(Code::invalid, "every member is a string", key);
    if (key == "kind") {
      const auto kind = notify::parse_kind(member.text());
      if (!kind) return fail(Code::invalid, "kind is webhook, console, email, sms, voice, chat or pagerduty", "kind");
      asked.address.kind = *kind;
      has_kind = true;
    } else if (key == "target") {
      asked.address.target = member.text();
    } else if (key == "secret") {
      asked.address.secret = member.text();
    } else if (key == "code") {
      asked.code = member.text().substr(0, code_bytes_max);
    } else if (key == "why") {
      asked.why = member.text().substr(0, why_bytes_max);
    } else {
      return fail(Code::invalid, "there are kind, target, secret, code and why", key);
    }
  }
  if (!has_kind) return fail(Code::invalid, "which address? {\"kind\": \"sms\", \"target\": \"+15551234567\"}", "kind");
  MYDR24_TRY(notify::check_address(asked.address));
  return asked;
}

Task<Result<Asked>> read_asked(pipeline::Call& call) {
  // A page of another site can send a form or plain text to this address without asking first, but not JSON.
  if (!call.request().header("Content-Type").starts_with("application/json"))
    co_return fail(Code::invalid, "send Content-Type: application/json", "Content-Type");
  const auto body = co_await read_body(call);
  if (!body) co_return body.error();
  co_return parse_asked(*body);
}

void write_known(json::Writer& out, const notify::KnownAddress& known) {
  const auto& standing = known.standing;
  out.begin_object()
      .field("kind", to_string(known.address.kind))
      .field("target", notify::shown_target(known.address))
      .field("verified", standing.verified())
      .field("disabled", standing.disabled_at.has_value())
      .field("stopped", standing.stopped);
  if (standing.verified_at) out.field("verified_at", format_instant(*standing.verified_at));
  if (standing.disabled_at) out.field("disabled_at", format_instant(*standing.disabled_at));
  if (standing.disabled_at) out.field("disabled_why", standing.disabled_why);
  out.end_object();
}

Result<std::string> list(const Service& service) {
  std::vector<notify::KnownAddress> known;
  MYDR24_TRY(service.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(known, notify::AddressBook::list(reader, "", notify::addresses_per_page_max));
    return {};
  }));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("schema", "mydr24.addresses.v1").key("addresses").begin_array();
  for (const auto& one : known) write_known(out, one);
  out.end_array().end_object();
  return text;
}

// The code goes out over a channel made for this one message, on the thread of the request.
Task<Result<std::string>> verify(const Service& service, Asked asked) {
  const auto executor = co_await asio::this_coro::executor;
  auto channel = notify::make_channel(executor.context(), asked.address, service.providers, service.hub, service.clock);
  if (!channel) co_return channel.error();
  std::string code;
  Instant begun;
  const auto kept = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(code, service.addresses.begin_verification(transaction, asked.address));
    begun = transaction.now();
    return {};
  });
  if (!kept) co_return kept.error();
  notify::Message message{.delivery_id = make_uuid7(begun),
                          .severity = "advisory",
                          .raised_at = begun,
                          .purpose = notify::Purpose::verification,
                          .code = code};
  const auto outcome = co_await (*channel)->send(std::move(message));
  if (outcome.status != notify::SendStatus::delivered)
    co_return fail(outcome.status == notify::SendStatus::refused ? Code::unprocessable : Code::busy,
                   fmt::format("the code could not be sent: {}", outcome.text));
  std::string text;
  json::Writer(text)
      .begin_object()
      .field("sent", true)
      .field("valid_until", format_instant(begun + notify::verification_valid))
      .end_object();
  co_return text;
}

// The methods of contacts that are this address count from now on; nothing when there are none.
Result<oncall::PlanPointer> verify_in_plan(const Service& service, store::Transaction& transaction,
                                           const notify::Address& address) {
  oncall::Change change{.parts = {}, .by = "verification"};
  for (const auto& [key, document] : service.book.directory().plan()->documents()) {
    if (!key.starts_with("contact/")) continue;
    if (auto verified = with_verified(document, address)) change.parts[key] = std::move(*verified);
  }
  if (change.parts.empty()) return oncall::PlanPointer();
  MYDR24_ASSIGN(oncall::PlanPointer plan, service.book.directory().change(transaction, change));
  MYDR24_TRY(service.book.plan_changed(transaction, *plan));
  return plan;
}

Task<Result<std::string>> confirm(const Service& service, Asked asked) {
  notify::Confirmation confirmation;
  oncall::PlanPointer plan;
  const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(confirmation, service.addresses.confirm(transaction, asked.address, asked.code));
    if (!confirmation.verified) return {};
    MYDR24_ASSIGN(plan, verify_in_plan(service, transaction, asked.address));
    return {};
  });
  if (done && plan) service.book.directory().publish(plan);
  if (!done) co_return done.error();
  if (!confirmation.verified)
    co_return fail(Code::refused, fmt::format("this is not the code; {} tries left", confirmation.tries_left), "code");
  co_return std::string(R"({"verified":true})");
}

Task<Result<std::string>> switch_address(const Service& service, Asked asked, bool on) {
  const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
    if (on) return service.addresses.enable(transaction, asked.address);
    return service.addresses.disable(transaction, asked.address, asked.why.empty() ? "by the desk" : asked.why);
  });
  if (!done) co_return done.error();
  co_return std::string(on ? R"({"disabled":false})" : R"({"disabled":true})");
}

Task<> respond(pipeline::Call& call, const Result<std::string>& result) {
  if (result) co_return co_await send_text(call, 200, "application/json", *result);
  co_await call.respond(result.error());
}

using Change = Task<Result<std::string>> (*)(const Service&, Asked);

void add_change(pipeline::Router& router, Service& service, std::string_view name, Change change) {
  router.add({net::Method::post, fmt::format("/api/v1/addresses/{}", name), fmt::format("address-{}", name),
              RequestClass::urgent, [&service, change](pipeline::Call& call) -> Task<> {
                auto asked = co_await read_asked(call);
                if (!asked) co_return co_await call.respond(asked.error());
                co_await respond(call, co_await change(service, std::move(*asked)));
              }});
}

}  // namespace

void add_address_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::get, "/api/v1/addresses", "addresses", RequestClass::routine,
              [&service](pipeline::Call& call) -> Task<> { co_await respond(call, list(service)); }});
  add_change(router, service, "verify", verify);
  add_change(router, service, "confirm", confirm);
  add_change(router, service, "enable",
             [](const Service& from, Asked asked) { return switch_address(from, std::move(asked), true); });
  add_change(router, service, "disable",
             [](const Service& from, Asked asked) { return switch_address(from, std::move(asked), false); });
}

}  // namespace mydr24::notify_api
