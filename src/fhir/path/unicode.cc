#include "fhir/path/unicode.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>

namespace mydr24::path {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::UnicodeString to_icu(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

}  // namespace

std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (!begins_character(text[at])) continue;
    if (index == 0) break;
    --index;
  }
  return at;
}

void append_code_point(std::string& out, char32_t code) {
  const auto tail = [&out](char32_t bits) { out += static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    tail(code);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | (code >> 12U));
    tail(code >> 6U);
    tail(code);
  } else {
    out += static_cast<char>(0xf0U | (code >> 18U));
    tail(code >> 12U);
    tail(code >> 6U);
    tail(code);
  }
}

bool append_code_unit(std::string& out, std::string_view text, std::size_t at) {
  if (text.size() - at < 5) return false;
  char32_t code = 0;
  for (const char c : text.substr(at + 1, 4)) {
    const auto digit = std::string_view("0123456789abcdef").find(c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c);
    if (digit == std::string_view::npos) return false;
    code = code * 16 + static_cast<char32_t>(digit);
  }
  if (code >= 0xdc00 && code < 0xe000) {
    // The high half waits at the end of `out` as the three bytes it would be.
    if (out.size() < 3 || static_cast<unsigned char>(out[out.size() - 3]) != 0xed ||
        static_cast<unsigned char>(out[out.size() - 2]) < 0xa0) {
      code = 0xfffd;
    } else {
      const auto high =
          (static_cast<char32_t>(out[out.size() - 2] & 0x0f) << 6U) | static_cast<char32_t>(out[out.size() - 1] & 0x3f);
      out.resize(out.size() - 3);
      code = 0x10000 + (high << 10U) + (code - 0xdc00);
    }
  }
  append_code_point(out, code);
  return true;
}

std::string upper(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    out = text;
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
  }
  to_icu(text).toUpper(icu::Locale::getRoot()).toUTF8String(out);
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    out = text;
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  }
  to_icu(text).toLower(icu::Locale::getRoot()).toUTF8String(out);
  return out;
}

std::string folded(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    out = lower(text);
  } else {
    to_icu(text).foldCase().toUTF8String(out);
  }
  std::string single;
  single.reserve(out.size());
  for (const char c : out) {
    const bool is_space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!is_space) {
      single += c;
    } else if (!single.ends_with(' ')) {
      single += ' ';
    }
  }
  return single;
}

}  // namespace mydr24::path
