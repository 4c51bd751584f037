// Calls through a Twilio-compatible REST API: POST /2010-04-01/Accounts/{account}/Calls.json. What is said goes along as
// TwiML, so that a call can be made even when the gateway cannot reach us; only the key pressed needs the way back.

#include <fmt/format.h>

#include "alerting/notify/detail/call.h"
#include "alerting/notify/detail/twilio_call.h"
#include "alerting/notify/twilio.h"

namespace mydr24::notify {
namespace {

constexpr std::size_t voice_characters_max = 600;
constexpr int ring_s = 25;

class Voice : public Channel {
 public:
  explicit Voice(ChannelParts parts) : parts_(std::move(parts)) {}
  std::string_view medium() const override { return "voice"; }

  Task<SendOutcome> send(Message message) override {
    if (message.purpose == Purpose::acknowledged || message.purpose == Purpose::resolved)
      co_return SendOutcome{SendStatus::delivered, 0, {}};
    if (message.purpose == Purpose::notice)
      co_return SendOutcome{SendStatus::refused, 0, "nobody is rung up to be told"};
    const Providers& providers = parts_.providers;
    std::string form;
    add_field(form, "To", parts_.address.target);
    add_field(form, "From",
              providers.twilio.voice_from.empty() ? providers.twilio.sms_from : providers.twilio.voice_from);
    add_field(form, "Timeout", fmt::to_string(ring_s));
    add_field(form, "Twiml", twiml(message));
    co_return co_await twilio_call(parts_, "Calls.json", std::move(form), message);
  }

 private:
  std::string twiml(const Message& message) const {
    const Providers& providers = parts_.providers;
    if (message.purpose == Purpose::verification) {
      // Digit by digit, or it is read as one number.
      std::string digits;
      for (const char c : message.code) (digits += c) += ". ";
      return twiml_say(
          fmt::format("This is {}. The code of this number is: {} Once more: {}", providers.site, digits, digits));
    }
    const std::string text =
        providers.templates.voice.render(fields_of(message, providers), voice_characters_max, characters);
    if (providers.link_base.empty() || message.ack_token.empty()) return twiml_say(text);
    return twiml_call(text, fmt::format("{}/notify/twilio/voice/{}", providers.link_base, message.ack_token));
  }

  const ChannelParts parts_;
};

}  // namespace

Result<std::unique_ptr<Channel>> make_voice(ChannelParts parts) {
  const TwilioSettings& twilio = parts.providers.twilio;
  if (twilio.account.empty() || twilio.token.empty() || (twilio.voice_from.empty() && twilio.sms_from.empty()))
    return fail(Code::invalid,
                "there is no telephone gateway: set notify.twilio_account, twilio_token_file and twilio_voice_from");
  return std::make_unique<Voice>(std::move(parts));
}

}  // namespace mydr24::notify
