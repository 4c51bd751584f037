// What other systems send: POST /v2/enqueue (PagerDuty Events v2), POST /api/v1/events/alertmanager (webhook v4), POST
// /api/v1/events/generic (summary, details, action, dedup, severity; from the query, a form or JSON).

#include <fmt/format.h>

#include <map>

#include "api/alert_api/alert_api.h"
#include "api/alert_api/detail/answers.h"
#include "base/core/id.h"
#include "base/json/writer.h"
#include "base/net/uri.h"

namespace mydr24::alert_api {
namespace {

using groups::Alert;
using groups::Event;
using groups::EventOutcome;
using routing::Label;

constexpr std::size_t pagerduty_bytes_max = 512U << 10;
constexpr std::size_t generic_bytes_max = 64U << 10;
constexpr std::size_t invalid_shown_max = 20;
constexpr std::size_t summary_max = 1024;
constexpr std::size_t details_max = 8U << 10;
// An Alertmanager tells of a firing alert again after its repeat interval, often hours.
constexpr std::chrono::hours webhook_lasts{24};

std::string cut(std::string_view text, std::size_t most) {
  while (most > 0 && most < text.size() && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most));
}

// Whose keys: a name that does not give the key of the integration away.
std::string integration_of(std::string_view kind, std::string_view key) {
  const auto hash = routing::to_text(routing::fingerprint(routing::Labels({{"key", std::string(key)}})));
  return fmt::format("{}-{}", kind, hash.substr(0, 8));
}

Answer pagerduty_answer(int status, std::string_view word, std::string_view text, std::string_view key) {
  Answer answer{status, {}};
  json::Writer writer(answer.body);
  writer.begin_object().field("status", word).field("message", text);
  if (status == 202)
    writer.field("dedup_key", key);
  else
    writer.key("errors").begin_array().string(key).end_array();
  writer.end_object();
  return answer;
}

Answer pagerduty_refusal(std::string_view error) {
  return pagerduty_answer(400, "invalid event", "Event object is invalid", error);
}

std::expected<Event, std::string> read_pagerduty(json::Value root) {
  Event event;
  const std::string_view action = root["event_action"].text();
  if (action == "trigger")
    event.action = Event::Action::trigger;
  else if (action == "acknowledge")
    event.action = Event::Action::acknowledge;
  else if (action == "resolve")
    event.action = Event::Action::resolve;
  else
    return std::unexpected("'event_action' is trigger, acknowledge or resolve");
  if (root["routing_key"].text().empty()) return std::unexpected("'routing_key' is missing or blank");
  event.integration = integration_of("pagerduty", root["routing_key"].text());
  event.by = event.integration;
  event.dedup_key = root["dedup_key"].text();
  if (event.dedup_key.size() > groups::dedup_key_max) return std::unexpected("'dedup_key' has at most 255 characters");
  if (event.dedup_key.empty() && event.action != Event::Action::trigger)
    return std::unexpected("'dedup_key' is missing or blank");
  if (event.dedup_key.empty()) event.dedup_key = make_secret();
  if (event.action != Event::Action::trigger) return event;
  const json::Value payload = root["payload"];
  for (const std::string_view name : {"summary", "source", "severity"})
    if (payload[name].text().empty()) return std::unexpected(fmt::format("'payload.{}' is missing or blank", name));
  const std::string_view severity = payload["severity"].text();
  constexpr std::string_view severities[]{"critical", "error", "warning", "info"};
  if (std::ranges::find(severities, severity) == std::end(severities))
    return std::unexpected("'payload.severity' is critical, error, warning or info");
  const std::string_view name = payload["class"].text();
  std::vector<Label> labels{{"alertname", name.empty() ? "PagerDutyEvent" : cut(name, 200)},
                            {"integration", event.integration},
                            {"dedup_key", event.dedup_key},
                            {"severity", std::string(severity)}};
  for (const std::string_view label : {"source", "component", "group"})
    labels.emplace_back(label, cut(payload[label].text(), 200));
  event.labels = routing::Labels(std::move(labels));
  std::vector<Label> annotations{{"summary", cut(payload["summary"].text(), summary_max)}};
  if (payload["custom_details"].exists())
    annotations.emplace_back("details", cut(json::compact(payload["custom_details"]), details_max));
  event.annotations = routing::Labels(std::move(annotations));
  return event;
}

Task<Answer> pagerduty(Service& service, pipeline::Call& call) {
  const auto body = co_await call.exchange().read_body(pagerduty_bytes_max);
  if (!body && body.error().code == Code::too_large)
    co_return pagerduty_answer(413, "invalid event", "Event object is invalid", "at most 512 KB");
  if (!body) co_return failed(body.error());
  const auto document = json::Document::parse_view(*body);
  if (!document || !document->root().is_object()) co_return pagerduty_refusal("the body is no JSON object");
  auto event = read_pagerduty(document->root());
  if (!event) co_return pagerduty_refusal(event.error());
  const std::string key = event->dedup_key;
  const auto done = co_await service.groups.take(std::move(*event));
  if (!done) co_return failed(done.error());
  co_return pagerduty_answer(202, "success", "Event processed", key);
}

Task<Answer> webhook(Service& service, pipeline::Call& call) {
  if (!is_json(call)) co_return wrong_type(call);
  const auto body = co_await call.exchange().read_body(service.body_bytes_max);
  if (!body) co_return failed(body.error());
  const auto document = json::Document::parse_view(*body);
  if (!document) co_return failed(document.error());
  if (document->root()["version"].text() != "4")
    co_return failed(fail(Code::invalid, "this is no webhook of Alertmanager, version 4"));
  std::vector<Alert> alerts;
  std::vector<std::string> invalid;
  for (const auto item : document->root()["alerts"]) {
    auto alert = routing::read_posted(item, service.clock.now(), webhook_lasts, service.groups.settings().names);
    // The others are taken all the same: who sent them does not try again after a 4xx.
    if (!alert) {
      if (invalid.size() < invalid_shown_max) invalid.push_back(std::move(alert).error().text);
      continue;
    }
    if (service.seen) service.seen(*alert);
    alerts.push_back(std::move(*alert));
  }
  const auto taken = co_await service.groups.take(std::move(alerts));
  if (!taken) co_return failed(taken.error());
  if (invalid.empty()) co_return Answer{};
  co_return failed(fail(Code::invalid, fmt::format("{}; the other alerts were taken", fmt::join(invalid, "; "))));
}

using Parameters = std::map<std::string, std::string, std::less<>>;

Result<Parameters> read_parameters(pipeline::Call& call, const std::string& body) {
  Parameters parameters;
  if (is_json(call) && !body.empty()) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(body));
    for (const auto member : document.root()) parameters.emplace(member.key(), member.text());
  } else if (!body.empty()) {
    const auto form = net::parse_query(body);
    if (!form) return fail(Code::invalid, "the form is malformed");
    for (const auto& [name, value] : *form) parameters.emplace(name, value);
  }
  const auto query = net::parse_query(call.request().query);
  if (!query) return fail(Code::invalid, "the query string is malformed");
  for (const auto& [name, value] : *query) parameters.emplace(name, value);
  for (const auto& [name, value] : parameters)
    if (!routing::is_utf8(value)) return fail(Code::invalid, fmt::format("{} is not valid UTF-8", name), name);
  return parameters;
}

Result<Event> generic_event(const Parameters& given) {
  const auto value = [&](std::string_view name) {
    const auto found = given.find(name);
    return found == given.end() ? std::string() : found->second;
  };
  Event event;
  event.integration = integration_of("generic", value("token"));
  event.by = event.integration;
  const std::string summary = cut(value("summary"), summary_max);
  event.dedup_key = value("dedup").empty() ? cut(summary, groups::dedup_key_max) : value("dedup");
  if (event.dedup_key.empty()) return fail(Code::invalid, "summary or dedup is needed", "summary");
  const std::string action = value("action");
  if (action == "close")
    event.action = Event::Action::resolve;
  else if (action == "ack")
    event.action = Event::Action::acknowledge;
  else if (!action.empty())
    return fail(Code::invalid, "action is close or ack, or is left out", "action");
  event.labels = routing::Labels({{"alertname", "GenericEvent"},
                                  {"integration", event.integration},
                                  {"dedup_key", event.dedup_key},
                                  {"severity", cut(value("severity"), 20)}});
  event.annotations = routing::Labels({{"summary", summary}, {"details", cut(value("details"), details_max)}});
  return event;
}

Task<Answer> generic(Service& service, pipeline::Call& call) {
  const auto body = co_await call.exchange().read_body(generic_bytes_max);
  if (!body) co_return failed(body.error());
  const auto parameters = read_parameters(call, *body);
  if (!parameters) co_return failed(parameters.error());
  auto event = generic_event(*parameters);
  if (!event) co_return failed(event.error());
  const std::string key = event->dedup_key;
  const auto done = co_await service.groups.take(std::move(*event));
  if (!done) co_return failed(done.error());
  if (call.request().header("Accept").find("application/json") == std::string_view::npos) co_return Answer{204, {}};
  Answer answer;
  json::Writer(answer.body)
      .begin_object()
      .field("DedupKey", std::string_view(key))
      .field("IsNew", done->is_new)
      .field("IsOpen", done->is_open)
      .end_object();
  co_return answer;
}

}  // namespace

void add_event_routes(pipeline::Router& router, Service& service) {
  router.add({net::Method::post, "/v2/enqueue", "pagerduty-event", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await pagerduty(service, call)); }});
  router.add({net::Method::post, "/api/v1/events/alertmanager", "webhook-event", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await webhook(service, call)); }});
  router.add({net::Method::post, "/api/v1/events/generic", "generic-event", RequestClass::urgent,
              [&service](pipeline::Call& call) -> Task<> { co_await send(call, co_await generic(service, call)); }});
}

}  // namespace mydr24::alert_api
