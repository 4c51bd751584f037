#include "base/core/id.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/core/random.h"

namespace mydr24 {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

std::string make_uuid7(Instant now) {
  std::array<unsigned char, 16> bytes;
  take_random(bytes.data() + 6, 10);
  const auto milliseconds = static_cast<std::uint64_t>(to_us(now) / 1000);
  for (int i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(milliseconds >> (40 - 8 * i));
  bytes[6] = static_cast<unsigned char>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<unsigned char>(0x80 | (bytes[8] & 0x3f));

  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += hex_digits[bytes[i] >> 4];
    text += hex_digits[bytes[i] & 0x0f];
  }
  return text;
}

std::string make_secret() {
  std::array<unsigned char, 16> bytes;
  fill_random(bytes.data(), bytes.size());
  std::string text;
  for (const auto byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 0x0f];
  }
  return text;
}

bool is_fhir_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

}  // namespace mydr24
