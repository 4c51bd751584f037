#pragma once

// What a Slack-compatible chat is sent and sends back. The channel itself: chat.cc.

#include <string>
#include <string_view>

#include "alerting/notify/channel.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/net/uri.h"

namespace mydr24::notify {

// The signature of a request from the chat: "v0=" and the HMAC-SHA-256 of "v0:<timestamp>:<body>" in hexadecimal; at most
// five minutes old.
bool verify_slack(std::string_view signature, std::string_view timestamp, std::string_view secret, Instant now,
                  std::string_view body);

// A button pressed.
struct SlackAction {
  std::string action;  // "ack", "close"
  std::string token;   // see ack_token.h
  std::string user;    // who pressed it, as the chat names them
  std::string user_id;
};
// The `payload` field of the form. Code::invalid: no button of ours.
Result<SlackAction> parse_slack_action(std::string_view payload);

// A message with a coloured bar: {"text":...,"attachments":[{"color":...,"blocks":[...]}]} without its braces' closing
// members `channel` and `ts`, which chat.postMessage and chat.update need: those given are added when not empty.
struct ChatText {
  std::string text;       // already rendered; escaped here
  std::string severity;   // its colour
  std::string context;    // a smaller line below; may be empty
  std::string link;       // a button that opens it; empty: none
  std::string ack_token;  // buttons that acknowledge and close; empty: none
  std::string channel;
  std::string ts;
};
std::string chat_body(const ChatText& chat);

}  // namespace mydr24::notify
