#include "alerting/notify/twilio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "alerting/notify/address_book.h"
#include "alerting/notify/detail/call.h"
#include "base/core/markup.h"
#include "base/crypto/base64.h"
#include "base/crypto/digest.h"

namespace mydr24::notify {
namespace {

constexpr std::string_view xml_head = R"(<?xml version="1.0" encoding="UTF-8"?>)";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Letters in lower case and digits; everything else is taken for decoration.
std::string essence(std::string_view text) {
  std::string kept;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z')
      kept += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || is_digit(c))
      kept += c;
    else if (static_cast<unsigned char>(c) >= 0x80)
      return {};
  }
  return kept;
}

SmsReply::Kind meaning(std::string_view word) {
  struct Word {
    std::string_view text;
    SmsReply::Kind kind;
  };
  using enum SmsReply::Kind;
  constexpr std::array<Word, 12> words{{{"a", acknowledge},
                                        {"aa", acknowledge},
                                        {"ack", acknowledge},
                                        {"acknowledge", acknowledge},
                                        {"c", close},
                                        {"cc", close},
                                        {"close", close},
                                        {"stop", stop},
                                        {"stopall", stop},
                                        {"unsubscribe", stop},
                                        {"start", start},
                                        {"unstop", start}}};
  const auto found = std::ranges::find(words, word, &Word::text);
  return found == words.end() ? unknown : found->kind;
}

}  // namespace

std::string twilio_signature(std::string_view token, std::string_view url, const net::QueryParameters& form) {
  net::QueryParameters sorted = form;
  std::ranges::sort(sorted);
  std::string text(url);
  for (const auto& [name, value] : sorted) (text += name) += value;
  return crypto::base64(crypto::hmac_sha1(token, text));
}

bool verify_twilio(std::string_view header, std::string_view token, std::string_view url,
                   const net::QueryParameters& form) {
  return !token.empty() && crypto::same_secret(header, twilio_signature(token, url, form));
}

std::string_view form_field(const net::QueryParameters& form, std::string_view name) {
  const auto found = std::ranges::find(form, name, &net::QueryParameters::value_type::first);
  return found == form.end() ? std::string_view() : std::string_view(found->second);
}

std::string twiml_sms(std::string_view reply) {
  if (reply.empty()) return fmt::format("{}<Response/>", xml_head);
  return fmt::format("{}<Response><Message>{}</Message></Response>", xml_head, escape_markup(reply));
}

std::string twiml_call(std::string_view text, std::string_view action) {
  const std::string said = escape_markup(text);
  if (action.empty()) return twiml_say(text);
  constexpr std::string_view keys = "Press 4 to acknowledge. Press 6 to close. Press 1 to hear this again.";
  return fmt::format(
      R"({}<Response><Gather numDigits="1" timeout="10" method="POST" action="{}"><Say>{}</Say><Say>{}</Say></Gather>)"
      R"(<Say>{}</Say><Say>No key was pressed. You will be called again.</Say></Response>)",
      xml_head, escape_markup(action), said, keys, said);
}

std::string twiml_say(std::string_view text) {
  return fmt::format("{}<Response><Say>{}</Say></Response>", xml_head, escape_markup(text));
}

SmsReply parse_sms_reply(std::string_view text) {
  const std::string plain = essence(text.substr(0, 160));
  const std::size_t digits_begin = std::min(plain.find_first_of("0123456789"), plain.size());
  const std::size_t digits_end = std::min(plain.find_first_not_of("0123456789", digits_begin), plain.size());
  const std::string_view digits = std::string_view(plain).substr(digits_begin, digits_end - digits_begin);
  const std::string word = plain.substr(0, digits_begin) + plain.substr(digits_end);
  // The number stands before or after the word, not inside it.
  if (!digits.empty() && digits_begin > 0 && digits_end < plain.size()) return {};

  SmsReply reply{meaning(word), 0};
  if (reply.kind == SmsReply::Kind::unknown) return {};
  if (!digits.empty()) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), reply.code);
    if (error != std::errc{} || reply.code < 1 || reply.code > sms_code_max) return {};
    if (reply.kind == SmsReply::Kind::stop || reply.kind == SmsReply::Kind::start) return {};
  }
  return reply;
}

}  // namespace mydr24::notify
