#include "alerting/notify/providers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/notify/ack_token.h"
#include "alerting/notify/address_book.h"
#include "alerting/notify/detail/call.h"
#include "alerting/notify/webhook.h"
#include "base/core/date_time.h"
#include "base/net/uri.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t connections_per_channel_max = 8;
constexpr std::chrono::seconds retry_after_max{3600};

std::chrono::seconds retry_after(std::string_view header) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  if (error != std::errc{} || end != header.data() + header.size() || seconds < 0) return {};
  return std::min(std::chrono::seconds(seconds), retry_after_max);
}

// What every channel to the outside has in common: an address that was disabled, also after the channel was made, is
// refused, and a call gets the token to acknowledge it with.
class Guarded : public Channel {
 public:
  Guarded(std::unique_ptr<Channel> channel, Address address, const Providers& providers, const Clock& clock)
      : channel_(std::move(channel)), address_(std::move(address)), providers_(providers), clock_(clock) {}

  std::string_view medium() const override { return channel_->medium(); }
  bool takes_updates() const override { return channel_->takes_updates(); }

  Task<SendOutcome> send(Message message) override {
    if (providers_.addresses != nullptr) {
      const auto standing = providers_.addresses->standing(address_);
      // A book that cannot be read stops no call.
      if (standing && !standing->may_send()) co_return SendOutcome{SendStatus::refused, 0, standing->why_not()};
    }
    if (providers_.tokens != nullptr && message.purpose == Purpose::call && message.recorded &&
        message.ack_token.empty())
      message.ack_token = providers_.tokens->issue(message.alert_id, message.delivery_id, message.contact,
                                                   clock_.now() + providers_.token_valid);
    co_return co_await channel_->send(std::move(message));
  }

 private:
  const std::unique_ptr<Channel> channel_;
  const Address address_;
  const Providers& providers_;
  const Clock& clock_;
};

class Refusing : public Channel {
 public:
  Refusing(Kind kind, std::string why) : kind_(kind), why_(std::move(why)) {}
  std::string_view medium() const override { return to_string(kind_); }
  Task<SendOutcome> send(Message) override { co_return SendOutcome{SendStatus::refused, 0, why_}; }

 private:
  const Kind kind_;
  const std::string why_;
};

// A URL that came over the API: whoever may enter one reaches no further than the internet, unless the settings say so.
bool is_entered_url(const Address& address, const Providers& providers) {
  const bool is_url = address.kind == Kind::webhook || (address.kind == Kind::chat && address.target.contains("://"));
  return is_url && std::ranges::find(providers.trusted_targets, address.target) == providers.trusted_targets.end();
}

Result<std::unique_ptr<Channel>> make_bare(ChannelParts parts) {
  switch (parts.address.kind) {
    case Kind::email:
      return make_mail(std::move(parts));
    case Kind::sms:
      return make_sms(std::move(parts));
    case Kind::voice:
      return make_voice(std::move(parts));
    case Kind::chat:
      return make_chat(std::move(parts));
    case Kind::pagerduty:
      return make_pagerduty(std::move(parts));
    case Kind::webhook:
    case Kind::console:
      break;
  }
  return make_webhook({.url = parts.address.target,
                       .secret = parts.address.secret,
                       .include_patient = parts.providers.include_patient,
                       .link_base = parts.providers.link_base,
                       .time_max = parts.providers.time_max},
                      std::move(parts.client), parts.clock);
}

}  // namespace

Result<std::unique_ptr<Channel>> make_channel(asio::io_context& context, const Address& address,
                                              const Providers& providers, ConsoleHub& hub, const Clock& clock) {
  MYDR24_TRY(check_address(address));
  if (address.kind == Kind::console) return make_console_channel(hub);
  // A client of its own: connections that hang here are not taken from another channel to the same host.
  net::ClientSettings calls{.connections_max_per_host = connections_per_channel_max};
  if (is_entered_url(address, providers)) calls.reach = providers.reach;
  auto client = net::make_client(context, std::move(calls));
  MYDR24_ASSIGN(auto channel, make_bare({address, providers, std::move(client), clock}));
  return std::make_unique<Guarded>(std::move(channel), address, providers, clock);
}

std::unique_ptr<Channel> make_refusing_channel(Kind kind, std::string why) {
  return std::make_unique<Refusing>(kind, std::move(why));
}

SendStatus status_of_answer(int http_status) {
  if (http_status >= 200 && http_status < 300) return SendStatus::delivered;
  const bool later = http_status == 408 || http_status == 425 || http_status == 429;
  return http_status >= 400 && http_status < 500 && !later ? SendStatus::refused : SendStatus::failed;
}

Result<net::ClientRequest> post_request(std::string_view base_url, std::string_view path, std::string_view content_type,
                                        std::chrono::milliseconds time_max) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  net::ClientRequest request;
  MYDR24_ASSIGN(request.url, net::parse_url(std::string(base_url) + std::string(path)));
  request.method = net::Method::post;
  request.headers.emplace_back("Content-Type", content_type);
  request.time_max = time_max;
  request.answer_bytes_max = provider_answer_bytes_max;
  return request;
}

SendOutcome outcome_of(const Result<net::ClientResponse>& answer, std::string_view who) {
  if (!answer) {
    const bool for_good = answer.error().code == Code::refused;  // it must not be called
    return {.status = for_good ? SendStatus::refused : SendStatus::failed,
            .text = fmt::format("{}: {}", who, answer.error().text)};
  }
  SendOutcome outcome{.status = status_of_answer(answer->status), .http_status = answer->status};
  if (outcome.status == SendStatus::delivered) return outcome;
  outcome.text = fmt::format("{} answered {}", who, answer->status);
  outcome.retry_after = retry_after(answer->header("Retry-After"));
  return outcome;
}

std::string ack_link(const Message& message, const Providers& providers) {
  if (providers.link_base.empty() || message.ack_token.empty()) return {};
  return providers.link_base + "/ack/" + message.ack_token;
}

Fields fields_of(const Message& message, const Providers& providers) {
  return {.severity = message.severity,
          .title = message.title,
          .raised_at = format_instant(message.raised_at),
          .contact = message.contact,
          .step = message.step,
          .attempt = message.attempt,
          .alert = message.alert_id,
          .link = ack_link(message, providers),
          .reply = {},
          .site = providers.site};
}

std::string notice_of(const Message& message, const Providers& providers) {
  switch (message.purpose) {
    case Purpose::call:
      return {};
    case Purpose::acknowledged:
      return fmt::format("Acknowledged by {}", message.by);
    case Purpose::resolved:
      return "Resolved";
    case Purpose::verification:
      return fmt::format("{}: the code of this address is {}. If you did not ask for it, do nothing.", providers.site,
                         message.code);
    case Purpose::notice:
      return fmt::format("{}: {}", providers.site, message.title);
  }
  return {};
}

void add_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form += '&';
  form += net::percent_encode(name) + "=" + net::percent_encode(value);
}

}  // namespace mydr24::notify
