#include "fhir/path/encoding.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::path {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view hex_alphabet = "0123456789abcdef";

std::uint32_t byte(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

std::string to_base64(std::string_view text, std::string_view alphabet) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const std::uint32_t bits = (byte(text, at) << 16U) | (byte(text, at + 1) << 8U) | byte(text, at + 2);
    const std::size_t left = text.size() - at;
    out += alphabet[bits >> 18U];
    out += alphabet[(bits >> 12U) & 63U];
    out += left > 1 ? alphabet[(bits >> 6U) & 63U] : '=';
    out += left > 2 ? alphabet[bits & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text, std::string_view alphabet) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>((bits >> count) & 0xffU);
  }
  if (count == 6) return std::nullopt;
  return out;
}

std::string to_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += hex_alphabet[byte(text, i) >> 4U];
    out += hex_alphabet[byte(text, i) & 15U];
  }
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    for (const char c : text.substr(i, 2)) {
      const auto digit = hex_alphabet.find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
      if (digit == std::string_view::npos) return std::nullopt;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    out += static_cast<char>(value);
  }
  return out;
}

// The writer replaces what is no UTF-8.
bool is_utf8(std::string_view text) {
  std::string quoted;
  json::append_quoted(quoted, text);
  const auto document = json::Document::parse(std::move(quoted));
  return document && document->root().text() == text;
}

struct Entity {
  std::string_view name;
  char character;
};
constexpr std::array<Entity, 6> entities{
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}, {"&apos;", '\''}}};

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto entity = std::ranges::find(entities, c, &Entity::character);
    if (entity != entities.end()) {
      out += entity->name;
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescape_html(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto entity = std::ranges::find_if(entities, [&](const Entity& one) { return text.starts_with(one.name); });
    const bool is_entity = entity != entities.end();
    out += is_entity ? entity->character : text.front();
    text.remove_prefix(is_entity ? entity->name.size() : 1);
  }
  return out;
}

}  // namespace

std::optional<std::string> encode(std::string_view format, std::string_view text) {
  if (format == "base64") return to_base64(text, base64_alphabet);
  if (format == "urlbase64") return to_base64(text, url_alphabet);
  if (format == "hex") return to_hex(text);
  return std::nullopt;
}

std::optional<std::string> decode(std::string_view format, std::string_view text) {
  std::optional<std::string> result;
  if (format == "base64") result = from_base64(text, base64_alphabet);
  if (format == "urlbase64") result = from_base64(text, url_alphabet);
  if (format == "hex") result = from_hex(text);
  return result && is_utf8(*result) ? result : std::nullopt;
}

std::optional<std::string> escape(std::string_view target, std::string_view text) {
  if (target == "html") return escape_html(text);
  if (target != "json") return std::nullopt;
  std::string quoted;
  json::append_quoted(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

std::optional<std::string> unescape(std::string_view target, std::string_view text) {
  if (target == "html") return unescape_html(text);
  if (target != "json") return std::nullopt;
  const auto document = json::Document::parse('"' + std::string(text) + '"');
  if (!document) return std::string(text);  // it held no escapes of JSON
  return std::string(document->root().text());
}

}  // namespace mydr24::path
