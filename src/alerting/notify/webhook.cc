#include "alerting/notify/webhook.h"

#include <fmt/format.h>

#include "alerting/notify/signature.h"
#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::notify {
namespace {

class Webhook : public Channel {
 public:
  Webhook(WebhookSettings settings, net::Url url, std::unique_ptr<net::Client> client, const Clock& clock)
      : settings_(std::move(settings)), url_(std::move(url)), client_(std::move(client)), clock_(clock) {}

  std::string_view medium() const override { return "webhook"; }

  Task<SendOutcome> send(Message message) override {
    net::ClientRequest request;
    request.method = net::Method::post;
    request.url = url_;
    request.body = webhook_body(message, settings_);
    request.headers = {{"Content-Type", "application/json"},
                       {"Idempotency-Key", message.delivery_id},
                       {"X-MyDR24-Delivery", message.delivery_id},
                       {"X-MyDR24-Attempt", fmt::to_string(message.attempt)}};
    if (message.retry()) request.headers.emplace_back("X-MyDR24-Retry", "true");
    if (!settings_.secret.empty())
      request.headers.emplace_back("X-MyDR24-Signature", sign(settings_.secret, clock_.now(), request.body));
    request.time_max = settings_.time_max;
    request.answer_bytes_max = settings_.answer_bytes_max;

    const Result<net::ClientResponse> answer = co_await client_->send(std::move(request));
    if (!answer) {
      const bool for_good = answer.error().code == Code::refused;
      co_return SendOutcome{for_good ? SendStatus::refused : SendStatus::failed, 0, answer.error().text};
    }
    const int status = answer->status;
    if (status >= 200 && status < 300) co_return SendOutcome{SendStatus::delivered, status, {}};
    if (status == 410) co_return SendOutcome{SendStatus::refused, status, "the receiver is gone for good (410)"};
    co_return SendOutcome{SendStatus::failed, status, fmt::format("the receiver answered {}", status)};
  }

 private:
  const WebhookSettings settings_;
  const net::Url url_;
  const std::unique_ptr<net::Client> client_;
  const Clock& clock_;
};

}  // namespace

std::string webhook_body(const Message& message, const WebhookSettings& settings) {
  std::string out;
  json::Writer writer(out);
  if (message.purpose == Purpose::verification) {
    writer.begin_object().field("schema", "mydr24.verification.v1").field("code", message.code).end_object();
    return out;
  }
  if (message.purpose == Purpose::notice) {
    writer.begin_object().field("schema", "mydr24.notice.v1").field("id", message.delivery_id);
    writer.field("text", message.title);
    if (!message.alert_id.empty()) writer.field("alert", message.alert_id);
    if (!message.document.empty()) writer.key("document").raw(message.document);
    writer.end_object();
    return out;
  }
  writer.begin_object().field("schema", "mydr24.alert.v1").key("alert").begin_object();
  writer.field("id", message.alert_id)
      .field("severity", message.severity)
      .field("title", message.title)
      .field("raised_at", format_instant(message.raised_at))
      .field("step", message.step)
      .field("repeat", message.repeat);
  if (settings.include_patient) {
    if (!message.patient.empty()) writer.field("patient", message.patient);
    if (!message.reason.empty()) writer.field("reason", message.reason);
  }
  writer.end_object().key("delivery").begin_object();
  writer.field("id", message.delivery_id).field("attempt", message.attempt).field("retry", message.retry());
  writer.end_object().field("contact", message.contact);
  if (!settings.link_base.empty()) writer.field("link", settings.link_base + "/alerts/" + message.alert_id);
  if (!settings.link_base.empty() && !message.ack_token.empty())
    writer.field("acknowledge", settings.link_base + "/ack/" + message.ack_token);
  writer.end_object();
  return out;
}

Result<std::unique_ptr<Channel>> make_webhook(WebhookSettings settings, std::unique_ptr<net::Client> client,
                                              const Clock& clock) {
  MYDR24_ASSIGN(net::Url url, net::parse_url(settings.url));
  return std::make_unique<Webhook>(std::move(settings), std::move(url), std::move(client), clock);
}

}  // namespace mydr24::notify
