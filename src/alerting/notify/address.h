#pragma once

// Where a person or a system is reached: the kind of channel and its target.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::notify {

enum class Kind : std::uint8_t { webhook, console, email, sms, voice, chat, pagerduty };
inline constexpr std::size_t kind_count = 7;

std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

struct Address {
  Kind kind = Kind::console;
  // webhook: http or https URL; chat: URL of an incoming webhook, or a channel's id where the provider's settings have a
  // token; email: "name@host"; sms, voice: E.164 number, "+15551234567"; pagerduty: routing key; console: empty.
  std::string target;
  std::string secret;  // webhook: signs the body; empty: not signed. Other kinds: empty

  friend bool operator==(const Address&, const Address&) = default;
};

inline constexpr std::size_t target_bytes_max = 2048;

// Code::invalid: the target cannot be one of its kind; the text says what one looks like, `where` is "target" or "secret".
Result<> check_address(const Address& address);

}  // namespace mydr24::notify
