#include "alerting/notify/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mydr24::notify {
namespace {

constexpr std::array<std::string_view, kind_count> names{"webhook", "console", "email",    "sms",
                                                         "voice",   "chat",    "pagerduty"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Nothing that ends a line or a word: targets go into headers, commands and forms of other protocols.
bool is_printable(char c) { return c > 0x20 && c < 0x7f; }

bool is_url(std::string_view text) {
  return (text.starts_with("https://") || text.starts_with("http://")) && std::ranges::all_of(text, is_printable);
}

// RFC 5321 4.1.2, without quoted local parts and address literals.
bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == text.npos || at == 0 || at > 64 || text.size() - at - 1 > 255) return false;
  constexpr std::string_view specials = ".!#$%&'*+/=?^_`{|}~-";
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  if (!std::ranges::all_of(local, [&](char c) { return is_letter_or_digit(c) || specials.contains(c); })) return false;
  if (domain.empty() || domain.front() == '.' || domain.front() == '-' || domain.back() == '.' || domain.back() == '-')
    return false;
  return !domain.contains("..") &&
         std::ranges::all_of(domain, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; });
}

// ITU-T E.164: "+", a country code that does not begin with 0, at most 15 digits together.
bool is_number(std::string_view text) {
  return text.size() >= 5 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
         std::ranges::all_of(text.substr(1), is_digit);
}

bool is_channel_id(std::string_view text) {
  return !text.empty() && text.size() <= 80 &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '#' || c == '-' || c == '_'; });
}

bool is_routing_key(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

std::string_view to_string(Kind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<Kind> parse_kind(std::string_view text) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Kind>(found - names.begin());
}

Result<> check_address(const Address& address) {
  const std::string& target = address.target;
  const auto refuse = [&](std::string_view what) {
    return fail(Code::invalid, fmt::format("\"{}\" is no {}", target.substr(0, 100), what), "target");
  };
  if (target.size() > target_bytes_max)
    return fail(Code::invalid, fmt::format("the target is longer than {} bytes", target_bytes_max), "target");
  switch (address.kind) {
    case Kind::webhook:
      if (!is_url(target)) return refuse("http or https address");
      break;
    case Kind::console:
      if (!target.empty())
        return fail(Code::invalid, "a console channel has no target: remove it, or make the channel a webhook",
                    "target");
      break;
    case Kind::email:
      if (!is_mail_address(target)) return refuse("mail address; write it as name@example.org");
      break;
    case Kind::sms:
    case Kind::voice:
      if (!is_number(target)) return refuse("telephone number; write it with the country's code, as +15551234567");
      break;
    case Kind::chat:
      if (!is_url(target) && !is_channel_id(target))
        return refuse("http or https address of an incoming webhook, nor a channel's id");
      break;
    case Kind::pagerduty:
      if (!is_routing_key(target)) return refuse("routing key");
      break;
  }
  if (!address.secret.empty() && address.kind != Kind::webhook)
    return fail(Code::invalid, "only a webhook has a secret of its own", "secret");
  return {};
}

}  // namespace mydr24::notify
