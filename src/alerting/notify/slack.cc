#include "alerting/notify/slack.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "alerting/notify/twilio.h"
#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::notify {
namespace {

constexpr std::int64_t age_max_s = 300;
constexpr std::size_t name_bytes_max = 100;

// Slack's own escapes: only these three.
std::string escape_chat(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

std::string_view color(std::string_view severity) {
  if (severity == "emergency") return "#c00000";
  if (severity == "urgent") return "#e08000";
  if (severity == "advisory") return "#3070c0";
  return "#208040";
}

void text_block(json::Writer& out, std::string_view text) {
  out.begin_object().field("type", "section").key("text");
  out.begin_object().field("type", "mrkdwn").field("text", escape_chat(text)).end_object().end_object();
}

void button(json::Writer& out, std::string_view label, std::string_view action, std::string_view value,
            std::string_view url) {
  out.begin_object().field("type", "button").key("text");
  out.begin_object().field("type", "plain_text").field("text", label).end_object();
  out.field("action_id", action);
  if (!value.empty()) out.field("value", value);
  if (!url.empty()) out.field("url", url);
  out.end_object();
}

void buttons(json::Writer& out, const ChatText& chat) {
  out.begin_object().field("type", "actions").key("elements").begin_array();
  if (!chat.ack_token.empty()) {
    button(out, "Acknowledge", "ack", chat.ack_token, "");
    button(out, "Close", "close", chat.ack_token, "");
  }
  if (!chat.link.empty()) button(out, "Open", "open", "", chat.link);
  out.end_array().end_object();
}

}  // namespace

bool verify_slack(std::string_view signature, std::string_view timestamp, std::string_view secret, Instant now,
                  std::string_view body) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  if (secret.empty() || error != std::errc{} || end != timestamp.data() + timestamp.size()) return false;
  const std::int64_t now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (seconds < now_s - age_max_s || seconds > now_s + age_max_s) return false;
  return crypto::same_secret(signature,
                             "v0=" + crypto::hmac_sha256_hex(secret, fmt::format("v0:{}:{}", timestamp, body)));
}

Result<SlackAction> parse_slack_action(std::string_view payload) {
  MYDR24_ASSIGN(const json::Document document,
                json::Document::parse_view(payload, {.bytes_max = provider_body_bytes_max, .depth_max = 32}));
  const json::Value first = document.root()["actions"].at(0);
  SlackAction action{.action = std::string(first["action_id"].text()),
                     .token = std::string(first["value"].text()),
                     .user = std::string(document.root()["user"]["name"].text().substr(0, name_bytes_max)),
                     .user_id = std::string(document.root()["user"]["id"].text().substr(0, name_bytes_max))};
  if (action.user.empty()) action.user = action.user_id;
  if (action.action != "ack" && action.action != "close")
    return fail(Code::invalid, "the action is neither ack nor close", "actions[0].action_id");
  if (action.user.empty()) return fail(Code::invalid, "it does not say who pressed the button", "user");
  return action;
}

std::string chat_body(const ChatText& chat) {
  std::string body;
  json::Writer out(body);
  out.begin_object();
  if (!chat.channel.empty()) out.field("channel", chat.channel);
  if (!chat.ts.empty()) out.field("ts", chat.ts);
  // Shown in notifications and where blocks are not understood.
  out.field("text", escape_chat(chat.text)).key("attachments").begin_array();
  out.begin_object().field("color", color(chat.severity)).key("blocks").begin_array();
  text_block(out, chat.text);
  if (!chat.context.empty()) text_block(out, chat.context);
  if (!chat.ack_token.empty() || !chat.link.empty()) buttons(out, chat);
  out.end_array().end_object().end_array().end_object();
  return body;
}

}  // namespace mydr24::notify
