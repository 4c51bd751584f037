#pragma once

// What Twilio, or a gateway that speaks its REST API (2010-04-01), sends and is answered: signatures, TwiML, and what
// people mean by the SMS they answer with. The channels themselves: sms.cc and voice.cc.

#include <optional>
#include <string>
#include <string_view>

#include "base/net/uri.h"

namespace mydr24::notify {

// base64(HMAC-SHA1(token, url + every field's name and value, sorted by name)). `url` as the provider called it, with its
// query; `form` the fields of the body.
std::string twilio_signature(std::string_view token, std::string_view url, const net::QueryParameters& form);
// X-Twilio-Signature, compared in constant time.
bool verify_twilio(std::string_view header, std::string_view token, std::string_view url,
                   const net::QueryParameters& form);

// The first field of that name; empty when there is none.
std::string_view form_field(const net::QueryParameters& form, std::string_view name);

inline constexpr std::size_t provider_body_bytes_max = 64U << 10;
inline constexpr std::size_t provider_fields_max = 100;

// TwiML. Texts are escaped here.
std::string twiml_sms(std::string_view reply);  // empty: no answer
// Says `text`, then takes one key press, which is posted to `action`; without a key it says it once more and ends.
std::string twiml_call(std::string_view text, std::string_view action);
std::string twiml_say(std::string_view text);

// What an SMS asks for.
struct SmsReply {
  enum class Kind { acknowledge, close, stop, start, unknown };
  Kind kind = Kind::unknown;
  int code = 0;  // 0: the newest
};
// "a", "ack", "1a", "1 a", "'1a'", "a1", "ack198", "100aa"; c, close, cc likewise; stop, start; any case.
SmsReply parse_sms_reply(std::string_view text);

}  // namespace mydr24::notify
