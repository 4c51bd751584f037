// What anybody can send to the addresses that providers and people call: forms, signatures, tokens, payloads. Nothing may
// crash; and nothing that was not signed may pass.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "alerting/notify/ack_token.h"
#include "alerting/notify/address.h"
#include "alerting/notify/detail/mail_format.h"
#include "alerting/notify/mailer.h"
#include "alerting/notify/pagerduty.h"
#include "alerting/notify/signature.h"
#include "alerting/notify/slack.h"
#include "alerting/notify/templates.h"
#include "alerting/notify/twilio.h"
#include "base/core/markup.h"
#include "base/crypto/base64.h"

namespace {

using namespace mydr24;

void require(bool holds) {
  if (!holds) std::abort();
}

void forms(std::string_view text) {
  const auto form = net::parse_query(text, notify::provider_fields_max);
  if (!form) return;
  const std::string signature = notify::twilio_signature("token", "https://x/y", *form);
  require(notify::verify_twilio(signature, "token", "https://x/y", *form));
  require(!notify::verify_twilio(text, "token", "https://x/y", *form) || text == signature);
  (void)notify::form_field(*form, "Body");
}

void replies(std::string_view text) {
  const notify::SmsReply reply = notify::parse_sms_reply(text);
  require(reply.code >= 0 && reply.code <= 999);
  require(notify::twiml_say(text).find("<Say>") != std::string::npos);
  for (const char c : escape_markup(text)) require(c != '<' && c != '>' && c != '"');
}

void tokens(std::string_view text) {
  static const notify::AckTokens ours("0123456789abcdef");
  require(!ours.verify(text, from_us(0)));  // nobody guesses a signature
  const auto line = text.substr(0, text.find('\n'));
  const auto claims = ours.verify(ours.issue("a", "a-1", line, from_us(1'000'000)), from_us(0));
  require(claims.has_value() || line.size() > 600);  // longer ones do not fit into a token
  if (claims) require(claims->contact == line);
  if (const auto bytes = crypto::base64_url_decode(text)) require(crypto::base64_url(*bytes) == text);
}

void payloads(std::string_view text) {
  (void)notify::parse_slack_action(text);
  (void)notify::parse_pagerduty(text);
  require(!notify::verify_pagerduty(text, "secret", text));
  require(!notify::verify_slack(text, text, "secret", from_us(0), text));
  require(!notify::verify_signature(text, "secret", from_us(0), text));
}

void texts(std::string_view text) {
  for (std::size_t i = 0; i < notify::kind_count; ++i)
    (void)notify::check_address({static_cast<notify::Kind>(i), std::string(text), {}});
  const notify::Templates templates;
  const notify::Fields fields{.severity = "urgent", .title = std::string(text), .site = "x"};
  require(notify::sms_size(templates.sms.render(fields, notify::sms_size_max, notify::sms_size)) <=
          notify::sms_size_max);
  if (const auto parsed = notify::Template::parse(text)) (void)parsed->render(fields);
  const std::string header = notify::header_text(text);
  require(header.find('\n') == header.npos || header.find("\r\n =?") != header.npos);
  const notify::Mail mail{.from = std::string(text),
                          .to = std::string(text),
                          .subject = "s",
                          .text = std::string(text),
                          .message_id = std::string(text)};
  const std::string whole = notify::mail_text(mail, from_us(0), "B");
  require(whole.find("\n\n") == whole.npos);  // every line end is CRLF
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  forms(text);
  replies(text);
  tokens(text);
  payloads(text);
  texts(text);
  return 0;
}
