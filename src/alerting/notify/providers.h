#pragma once

// The outside world as the settings describe it, and the channel of an address made from both.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "alerting/notify/address.h"
#include "alerting/notify/channel.h"
#include "alerting/notify/console_hub.h"
#include "alerting/notify/templates.h"
#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/net/reach.h"

namespace mydr24::notify {

class AckTokens;
class AddressBook;
class Mailer;

// The REST API of Twilio, or a gateway that speaks it.
struct TwilioSettings {
  std::string base_url = "https://api.twilio.com";
  std::string account;     // empty: no SMS and no voice
  std::string token;       // password of the API, and key of X-Twilio-Signature
  std::string sms_from;    // our number, E.164
  std::string voice_from;  // empty: sms_from
};

struct SlackSettings {
  std::string base_url = "https://slack.com";
  std::string token;           // for chat.postMessage and chat.update; empty: incoming webhooks only
  std::string signing_secret;  // of buttons pressed; empty: messages have no button
};

struct PagerDutySettings {
  std::string base_url = "https://events.pagerduty.com";
  std::string webhook_secret;  // of webhooks that come back; empty: they are refused
};

struct Providers {
  // Addresses disabled, codes of SMS, messages to update. Null: nothing is kept (tests); must outlive the channels.
  AddressBook* addresses = nullptr;
  // Makes the token of every call that has none. Null: calls cannot be acknowledged by link, key or button.
  const AckTokens* tokens = nullptr;
  std::chrono::seconds token_valid = std::chrono::hours(24);
  std::shared_ptr<Mailer> mailer;  // null: no mail
  std::string mail_from;           // "MyDR24 <alerts@hospital.example>" or the bare address
  TwilioSettings twilio;
  SlackSettings slack;
  PagerDutySettings pagerduty;
  // How people and providers reach this server: "https://desk.example.org"; empty: no links, no callbacks.
  std::string link_base;
  std::string site = "MyDR24";                // who calls, in subjects and texts
  bool include_patient = false;               // webhooks only: they carry the patient reference and the reason
  std::chrono::milliseconds time_max{5'000};  // one attempt
  Templates templates;
  // Where webhooks and incoming webhooks of chats may lead, but for those that the operator named in the settings.
  net::Reach reach;
  std::vector<std::string> trusted_targets;
};

// The channel of an address, for that io_context; it refuses addresses that were disabled. Code::invalid: the address
// is none of its kind, or its provider is not configured: the text names the setting. All given must outlive it.
Result<std::unique_ptr<Channel>> make_channel(asio::io_context& context, const Address& address,
                                              const Providers& providers, ConsoleHub& hub, const Clock& clock);

// A channel that refuses every message and says why: in place of one that cannot be made, so that its contact's other
// methods are used and nothing else suffers.
std::unique_ptr<Channel> make_refusing_channel(Kind kind, std::string why);

// What an HTTP status of a provider means for the next attempt: 2xx delivered; 408, 425, 429 and 5xx failed; other 4xx
// refused; anything else failed.
SendStatus status_of_answer(int http_status);

}  // namespace mydr24::notify
