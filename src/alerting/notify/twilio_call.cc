#include "alerting/notify/detail/twilio_call.h"

#include <fmt/format.h>

#include "base/crypto/base64.h"
#include "base/json/document.h"
#include "base/net/uri.h"

namespace mydr24::notify {

Task<SendOutcome> twilio_call(const ChannelParts& parts, std::string_view resource, std::string form,
                              const Message& message) {
  const TwilioSettings& twilio = parts.providers.twilio;
  if (!parts.providers.link_base.empty() && !message.delivery_id.empty())
    add_field(form, "StatusCallback",
              fmt::format("{}/notify/twilio/status?delivery={}", parts.providers.link_base,
                          net::percent_encode(message.delivery_id)));
  auto request = post_request(twilio.base_url,
                              fmt::format("/2010-04-01/Accounts/{}/{}", net::percent_encode(twilio.account), resource),
                              "application/x-www-form-urlencoded", parts.providers.time_max);
  if (!request) co_return SendOutcome{SendStatus::refused, 0, request.error().text};
  request->headers.emplace_back("Authorization", "Basic " + crypto::base64(twilio.account + ":" + twilio.token));
  request->headers.emplace_back("Idempotency-Key", fmt::format("{}-{}", message.delivery_id, message.attempt));
  request->body = std::move(form);

  const auto answer = co_await parts.client->send(std::move(*request));
  SendOutcome outcome = outcome_of(answer, "the telephone gateway");
  if (!answer) co_return outcome;
  const auto document = json::Document::parse_view(answer->body);
  if (!document) co_return outcome;
  outcome.provider_id = std::string(document->root()["sid"].text().substr(0, 64));
  if (outcome.status != SendStatus::delivered) {
    const auto code = document->root()["code"].text().substr(0, 16);
    if (!code.empty()) outcome.text += fmt::format(" (code {})", code);
  }
  co_return outcome;
}

}  // namespace mydr24::notify
