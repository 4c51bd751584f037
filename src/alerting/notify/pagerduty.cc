#include "alerting/notify/pagerduty.h"

#include <fmt/format.h>

#include "alerting/notify/detail/call.h"
#include "alerting/notify/twilio.h"
#include "base/core/date_time.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t event_id_bytes_max = 200;

class PagerDuty : public Channel {
 public:
  explicit PagerDuty(ChannelParts parts) : parts_(std::move(parts)) {}
  std::string_view medium() const override { return "pagerduty"; }
  bool takes_updates() const override { return true; }

  Task<SendOutcome> send(Message message) override {
    if (message.purpose == Purpose::notice) co_return SendOutcome{SendStatus::refused, 0, "an incident is no notice"};
    auto request =
        post_request(parts_.providers.pagerduty.base_url, "/v2/enqueue", "application/json", parts_.providers.time_max);
    if (!request) co_return SendOutcome{SendStatus::refused, 0, request.error().text};
    request->headers.emplace_back("Idempotency-Key", fmt::format("{}-{}", message.delivery_id, message.attempt));
    request->body = pagerduty_body(event_of(message));
    const auto answer = co_await parts_.client->send(std::move(*request));
    SendOutcome outcome = outcome_of(answer, "PagerDuty");
    if (outcome.status == SendStatus::delivered) {
      if (const auto document = json::Document::parse_view(answer->body))
        outcome.provider_id = std::string(document->root()["dedup_key"].text().substr(0, pagerduty_dedup_key_max));
    }
    co_return outcome;
  }

 private:
  PagerDutyEvent event_of(const Message& message) const {
    const Providers& providers = parts_.providers;
    PagerDutyEvent event{.routing_key = parts_.address.target,
                         .action = "trigger",
                         .dedup_key = message.alert_id,
                         .source = providers.site,
                         .at = message.raised_at};
    switch (message.purpose) {
      case Purpose::acknowledged:
        event.action = "acknowledge";
        return event;
      case Purpose::resolved:
        event.action = "resolve";
        return event;
      case Purpose::verification:
        event.dedup_key = "verification/" + message.delivery_id;
        event.summary = notice_of(message, providers);
        event.severity = "info";
        return event;
      case Purpose::notice:
      case Purpose::call:
        break;
    }
    event.summary =
        providers.templates.pagerduty.render(fields_of(message, providers), pagerduty_summary_max, characters);
    event.severity = pagerduty_severity(message.severity);
    event.link = ack_link(message, providers);
    event.details = {{"contact", message.contact}, {"step", fmt::to_string(message.step + 1)}};
    return event;
  }

  const ChannelParts parts_;
};

}  // namespace

std::string pagerduty_body(const PagerDutyEvent& event) {
  std::string body;
  json::Writer out(body);
  out.begin_object()
      .field("routing_key", event.routing_key)
      .field("event_action", event.action)
      .field("dedup_key", std::string_view(event.dedup_key).substr(0, pagerduty_dedup_key_max));
  if (event.action == "trigger") {
    out.key("payload").begin_object();
    out.field("summary", cut_characters(event.summary, pagerduty_summary_max))
        .field("source", event.source)
        .field("severity", event.severity)
        .field("timestamp", format_instant(event.at));
    if (!event.details.empty()) {
      out.key("custom_details").begin_object();
      for (const auto& [name, value] : event.details) out.field(name, value);
      out.end_object();
    }
    out.end_object().field("client", event.source);
    if (!event.link.empty()) {
      out.key("links").begin_array().begin_object();
      out.field("href", event.link).field("text", "Acknowledge").end_object().end_array();
    }
  }
  out.end_object();
  return body;
}

std::string_view pagerduty_severity(std::string_view severity) {
  if (severity == "emergency") return "critical";
  if (severity == "urgent") return "error";
  return severity == "advisory" ? "warning" : "info";
}

bool verify_pagerduty(std::string_view header, std::string_view secret, std::string_view body) {
  if (secret.empty()) return false;
  const std::string expected = "v1=" + crypto::hmac_sha256_hex(secret, body);
  while (!header.empty()) {
    const std::size_t comma = std::min(header.find(','), header.size());
    std::string_view one = header.substr(0, comma);
    header.remove_prefix(std::min(comma + 1, header.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (crypto::same_secret(one, expected)) return true;
  }
  return false;
}

Result<PagerDutyNews> parse_pagerduty(std::string_view body) {
  MYDR24_ASSIGN(const json::Document document,
                json::Document::parse_view(body, {.bytes_max = provider_body_bytes_max, .depth_max = 32}));
  const json::Value event = document.root()["event"];
  PagerDutyNews news{.id = std::string(event["id"].text().substr(0, event_id_bytes_max)),
                     .type = std::string(event["event_type"].text()),
                     .dedup_key = std::string(event["data"]["incident_key"].text()),
                     .by = std::string(event["agent"]["summary"].text().substr(0, 100))};
  if (news.type.empty()) return fail(Code::invalid, "no webhook of an event", "event.event_type");
  if (news.id.empty()) return fail(Code::invalid, "an event has a name of its own", "event.id");
  if (news.by.empty()) news.by = "PagerDuty";
  return news;
}

Result<std::unique_ptr<Channel>> make_pagerduty(ChannelParts parts) {
  return std::make_unique<PagerDuty>(std::move(parts));
}

}  // namespace mydr24::notify
