// What a Twilio-compatible gateway posts to us: SMS that people send, keys they press, and what became of what we sent.

#include "alerting/notify/twilio.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/alerts/reports.h"
#include "api/notify_api/answer.h"
#include "base/core/date_time.h"

namespace mydr24::notify_api {
namespace {

using notify::SmsReply;

constexpr std::string_view xml_type = "text/xml; charset=utf-8";

// The form, once its signature was found right. Code::refused, Code::invalid.
Task<Result<net::QueryParameters>> read_form(const Service& service, pipeline::Call& call) {
  const auto body = co_await read_body(call);
  if (!body) co_return body.error();
  auto form = net::parse_query(*body, notify::provider_fields_max);
  if (!form) co_return fail(Code::invalid, "the body is no form");
  if (!notify::verify_twilio(call.request().header("X-Twilio-Signature"), service.providers.twilio.token,
                             called_url(service, call), *form))
    co_return fail(Code::refused, "the signature is wrong: is notify.link_base the address that the gateway calls?");
  co_return std::move(*form);
}

// The gateway's own name of what it tells us of. Without it a captured request could be sent again.
Result<std::string> name_of(const net::QueryParameters& form, std::string_view field) {
  const std::string_view name = notify::form_field(form, field);
  if (name.empty())
    return fail(Code::invalid, fmt::format("{} is missing: it tells a message from a copy of it", field));
  return std::string(name);
}

// One answer for a code that may stand for several alerts.
Result<std::string> answer_code(const Service& service, store::Transaction& transaction, std::string_view number,
                                notify::CodeUse use, Action action) {
  bool& used = action == Action::acknowledge ? use.acknowledged : use.closed;
  std::size_t done = 0;
  std::string last;
  for (const std::string& alert : use.alerts) {
    const auto current = alerts::Book::find(transaction, alert);
    if (!current) return current.error();
    if (!*current) continue;
    // A code answers once: an alert that was raised again since has sent a newer one.
    const bool reopened =
        used && !(action == Action::acknowledge ? (*current)->acknowledged_at.has_value() : (*current)->is_resolved());
    if (reopened) {
      last = fmt::format("{} was used before; the alert was raised again. Answer its newest message.", use.code);
      continue;
    }
    MYDR24_ASSIGN(const auto answered, answer(service, transaction, alert, action, use.contact, "sms"));
    done += answered.done ? 1 : 0;
    last = sentence(answered, action) + " " + answered.alert.title;
  }
  if (!used) {
    used = true;
    MYDR24_TRY(notify::AddressBook::mark_code(transaction, number, use));
  }
  if (use.alerts.size() > 1)
    return fmt::format("{} {} of {} alerts.", action == Action::acknowledge ? "Acknowledged" : "Closed", done,
                       use.alerts.size());
  if (last.empty()) return std::string("There is no such alert any more.");
  return last;
}

constexpr std::string_view help =
    "Not understood. Reply with the number of the message and a to acknowledge or c to close, as 1a.";

// What to reply; empty: nothing.
Result<std::string> react_to_sms(const Service& service, store::Transaction& transaction, const std::string& number,
                                 std::string_view text) {
  const notify::Address address{notify::Kind::sms, number, {}};
  MYDR24_ASSIGN(const bool is_known, notify::AddressBook::knows(transaction, address));
  if (!is_known) return std::string();
  const SmsReply reply = notify::parse_sms_reply(text);
  if (reply.kind == SmsReply::Kind::stop) {
    MYDR24_TRY(service.addresses.set_stopped(transaction, number, true));
    return std::string("No more SMS will be sent to this number. Calls and mail go on. START turns SMS on again.");
  }
  MYDR24_ASSIGN(const notify::Standing standing, notify::AddressBook::standing(transaction, address));
  if (standing.disabled_at) return std::string();
  if (reply.kind == SmsReply::Kind::start) {
    MYDR24_TRY(service.addresses.set_stopped(transaction, number, false));
    return std::string("SMS are sent to this number again.");
  }
  std::optional<notify::CodeUse> use;
  if (reply.kind != SmsReply::Kind::unknown) {
    MYDR24_ASSIGN(use, notify::AddressBook::find_code(transaction, number, reply.code));
  }
  MYDR24_ASSIGN(const int useless, notify::AddressBook::count_useless(transaction, number, use.has_value()));
  if (!use) return useless > notify::useless_answers_max ? std::string() : std::string(help);
  return answer_code(service, transaction, number, *use,
                     reply.kind == SmsReply::Kind::close ? Action::close : Action::acknowledge);
}

Task<> sms(const Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(service, call);
  if (!form) co_return co_await call.respond(form.error());
  const auto name = name_of(*form, "MessageSid");
  if (!name) co_return co_await call.respond(name.error());
  const std::string from(notify::form_field(*form, "From"));
  const std::string text(notify::form_field(*form, "Body"));
  const auto reply = co_await once(service, "sms/" + *name, [&](store::Transaction& transaction) {
    return react_to_sms(service, transaction, from, text);
  });
  if (!reply) co_return co_await call.respond(reply.error());
  co_await send_text(call, 200, xml_type, notify::twiml_sms(*reply));
}

// What is said again.
std::string call_text(const Service& service, const alerts::Alert& alert, const notify::Claims& claims) {
  return service.providers.templates.voice.render({.severity = std::string(to_string(alert.severity)),
                                                   .title = alert.title,
                                                   .raised_at = format_instant(alert.raised_at),
                                                   .contact = claims.contact,
                                                   .step = alert.step,
                                                   .alert = alert.id,
                                                   .site = service.providers.site});
}

Task<Result<std::string>> react_to_key(const Service& service, const pipeline::Call& call,
                                       const net::QueryParameters& form) {
  const std::string_view key = notify::form_field(form, "Digits");
  const auto claims = service.tokens.verify(call.capture(0), service.clock.now());
  if (!claims) co_return claims.error();
  if (key == "4" || key == "6") {
    const Action action = key == "4" ? Action::acknowledge : Action::close;
    const auto name = name_of(form, "CallSid");
    if (!name) co_return name.error();
    const auto said = co_await once(
        service, fmt::format("call/{}/{}/{}", *name, claims->delivery_id, key),
        [&](store::Transaction& transaction) -> Result<std::string> {
          MYDR24_ASSIGN(const auto answered, answer_by_token(service, transaction, *claims, action, "", "voice"));
          return sentence(answered, action);
        });
    if (!said) co_return said.error();
    co_return notify::twiml_say(*said + " Goodbye.");
  }
  std::optional<alerts::Alert> alert;
  const auto read = service.store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(alert, alerts::Book::find(reader, claims->alert_id));
    return {};
  });
  if (!read) co_return read.error();
  if (!alert) co_return fail(Code::not_found, "there is no such alert any more");
  co_return notify::twiml_call(call_text(service, *alert, *claims), called_url(service, call));
}

Task<> voice(const Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(service, call);
  if (!form) co_return co_await call.respond(form.error());
  const auto twiml = co_await react_to_key(service, call, *form);
  if (twiml) co_return co_await send_text(call, 200, xml_type, *twiml);
  // The person on the telephone hears why.
  const bool is_final =
      twiml.error().code == Code::refused || twiml.error().code == Code::gone || twiml.error().code == Code::not_found;
  if (!is_final) co_return co_await call.respond(twiml.error());
  co_await send_text(call, 200, xml_type, notify::twiml_say("This call can not be answered any more. Goodbye."));
}

// What the gateway says of an SMS or a call when that is no success; empty otherwise.
std::string bad_news(const net::QueryParameters& form) {
  for (const std::string_view name : {"MessageStatus", "CallStatus"}) {
    const std::string_view status = notify::form_field(form, name);
    for (const std::string_view bad : {"failed", "undelivered", "busy", "no-answer", "canceled"})
      if (status == bad) return fmt::format("the telephone network: {}", bad);
  }
  return {};
}

Task<> status(const Service& service, pipeline::Call& call) {
  const auto form = co_await read_form(service, call);
  if (!form) co_return co_await call.respond(form.error());
  const auto query = net::parse_query(call.request().query);
  const std::string delivery(query ? notify::form_field(*query, "delivery") : std::string_view());
  if (const std::string why = bad_news(*form); !why.empty()) {
    // An SMS that told of several alerts names all their deliveries.
    const auto done = co_await write(service, [&](store::Transaction& transaction) -> Result<> {
      for (std::string_view rest = delivery; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        MYDR24_TRY(
            alerts::report_undelivered(transaction, *service.book.directory().plan(), rest.substr(0, comma), why));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
      return {};
    });
    if (!done) co_return co_await call.respond(done.error());
  }
  co_await call.respond(net::Response{.status = 204});
}

}  // namespace

void add_twilio_routes(pipeline::Router& router, Service& service) {
  router.add_open({net::Method::post, "/notify/twilio/sms", "twilio-sms", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await sms(service, call); }});
  router.add_open({net::Method::post, "/notify/twilio/voice/{token}", "twilio-voice", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await voice(service, call); }});
  router.add_open({net::Method::post, "/notify/twilio/status", "twilio-status", RequestClass::emergency,
                   [&service](pipeline::Call& call) -> Task<> { co_await status(service, call); }});
}

}  // namespace mydr24::notify_api
