// Slack-compatible chat. An address that is a URL is an incoming webhook: each message is a new one. One that is a
// channel's id goes through chat.postMessage, and later news of the same alert changes that message (chat.update).

#include <fmt/format.h>

#include "alerting/notify/address_book.h"
#include "alerting/notify/detail/call.h"
#include "alerting/notify/slack.h"
#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t chat_characters_max = 1000;
constexpr std::string_view json_type = "application/json; charset=utf-8";

class Chat : public Channel {
 public:
  explicit Chat(ChannelParts parts) : parts_(std::move(parts)) {}
  std::string_view medium() const override { return "chat"; }
  bool takes_updates() const override { return true; }

  Task<SendOutcome> send(Message message) override {
    ChatText chat = text_of(message);
    if (is_webhook()) co_return outcome_of(co_await post(parts_.address.target, "", chat_body(chat)), "the chat");

    chat.channel = parts_.address.target;
    std::string_view method = "/api/chat.postMessage";
    if (const auto known = earlier(message)) {
      chat.channel = known->channel;
      chat.ts = known->ts;
      // A repeated call must be seen: a new message rings, a changed one does not.
      if (message.purpose == Purpose::call || message.purpose == Purpose::notice) {
        chat.ts.clear();
      } else {
        method = "/api/chat.update";
      }
    }
    const auto answer = co_await post(parts_.providers.slack.base_url, method, chat_body(chat));
    SendOutcome outcome = outcome_of(answer, "the chat");
    if (outcome.status != SendStatus::delivered) co_return outcome;
    co_return co_await read_answer(message, answer->body, std::move(outcome));
  }

 private:
  bool is_webhook() const { return parts_.address.target.starts_with("http"); }

  ChatText text_of(const Message& message) const {
    const Providers& providers = parts_.providers;
    if (message.purpose == Purpose::verification)
      return {.text = notice_of(message, providers), .severity = "verification"};
    if (message.purpose == Purpose::notice) return {.text = notice_of(message, providers), .severity = "notice"};
    ChatText chat{.text =
                      providers.templates.chat.render(fields_of(message, providers), chat_characters_max, characters)};
    if (message.purpose != Purpose::call) {
      chat.severity = message.purpose == Purpose::resolved ? "resolved" : message.severity;
      chat.context = notice_of(message, providers);
      return chat;
    }
    chat.severity = message.severity;
    chat.context = fmt::format("Raised {}, called: {}", format_instant(message.raised_at), message.contact);
    chat.link = ack_link(message, providers);
    // A button is of use only when the chat's answer can be believed.
    if (!providers.slack.signing_secret.empty()) chat.ack_token = message.ack_token;
    return chat;
  }

  std::optional<ChatMessage> earlier(const Message& message) const {
    if (parts_.providers.addresses == nullptr || message.alert_id.empty()) return std::nullopt;
    auto found = parts_.providers.addresses->chat_message(message.alert_id, parts_.address);
    return found ? *found : std::nullopt;
  }

  Task<Result<net::ClientResponse>> post(std::string_view base, std::string_view path, std::string body) {
    auto request = post_request(base, path, json_type, parts_.providers.time_max);
    if (!request) co_return request.error();
    if (!is_webhook()) request->headers.emplace_back("Authorization", "Bearer " + parts_.providers.slack.token);
    request->body = std::move(body);
    co_return co_await parts_.client->send(std::move(*request));
  }

  // {"ok":true,"channel":"C1","ts":"1.2"}; what went wrong is told with a 200 too: {"ok":false,"error":"ratelimited"}.
  Task<SendOutcome> read_answer(const Message& message, const std::string& body, SendOutcome outcome) {
    const auto document = json::Document::parse_view(body);
    if (!document || !document->root()["ok"].is_true()) {
      const std::string error(document ? document->root()["error"].text().substr(0, 60) : "no JSON");
      const bool later = error == "ratelimited" || error == "internal_error" || error == "fatal_error" ||
                         error == "service_unavailable" || error == "no JSON";
      co_return SendOutcome{later ? SendStatus::failed : SendStatus::refused, outcome.http_status,
                            fmt::format("the chat answered: {}", error)};
    }
    outcome.provider_id = std::string(document->root()["ts"].text());
    if (message.purpose == Purpose::resolved && parts_.providers.addresses != nullptr)
      (void)co_await parts_.providers.addresses->forget_chat_message(message.alert_id, parts_.address);
    if (message.purpose == Purpose::call && parts_.providers.addresses != nullptr && !outcome.provider_id.empty()) {
      // Not kept: later news stands in a message of its own.
      (void)co_await parts_.providers.addresses->keep_chat_message(
          message.alert_id, parts_.address, {std::string(document->root()["channel"].text()), outcome.provider_id});
    }
    co_return outcome;
  }

  const ChannelParts parts_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_chat(ChannelParts parts) {
  if (!parts.address.target.starts_with("http") && parts.providers.slack.token.empty())
    return fail(Code::invalid,
                "a chat channel's id needs notify.slack_token_file; or give an incoming webhook's address");
  return std::make_unique<Chat>(std::move(parts));
}

}  // namespace mydr24::notify
