#include "base/crypto/base64.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>

namespace mydr24::crypto {
namespace {

constexpr std::string_view base32_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// Padded text to bytes; `size` is how many there are without the padding.
std::optional<std::string> decode(const std::string& padded, std::size_t size) {
  std::string bytes(padded.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), octets(padded), static_cast<int>(padded.size())) <
      0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), octets(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string base64_url(std::string_view bytes) {
  std::string text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t size = text.size() / 4 * 3;
  for (std::string_view rest = text; rest.ends_with('=') && size > 0; rest.remove_suffix(1)) --size;
  auto bytes = decode(std::string(text), size);
  // No blanks, no left-over bits.
  if (!bytes || base64(*bytes) != text) return std::nullopt;
  return bytes;
}

std::optional<std::string> base64_url_decode(std::string_view text) {
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.resize((padded.size() + 3) / 4 * 4, '=');
  auto bytes = decode(padded, text.size() * 3 / 4);
  if (!bytes || base64_url(*bytes) != text) return std::nullopt;
  return bytes;
}

std::string base32(std::string_view bytes) {
  std::string text;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char byte : bytes) {
    held = held << 8U | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 5; bits -= 5) text += base32_letters[held >> (bits - 5) & 31U];
  }
  if (bits > 0) text += base32_letters[held << (5 - bits) & 31U];
  return text;
}

std::optional<std::string> base32_decode(std::string_view text) {
  std::string bytes;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char letter : text) {
    const auto value = base32_letters.find(letter);
    if (value == base32_letters.npos) return std::nullopt;
    held = held << 5U | static_cast<std::uint32_t>(value);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(held >> bits & 255U);
  }
  if (base32(bytes) != text) return std::nullopt;
  return bytes;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4U];
    text += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

}  // namespace mydr24::crypto
