#include "alerting/routing/labels.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::routing {
namespace {

constexpr Fingerprint fnv_offset = 14695981039346656037ULL;
constexpr Fingerprint fnv_prime = 1099511628211ULL;

struct Lead {
  unsigned char mask;
  unsigned char value;
  std::size_t bytes;
  char32_t least;  // below it the form is too long for its code
};
constexpr Lead leads[]{{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};

}  // namespace

Labels::Labels(std::vector<Label> labels) {
  labels_.reserve(labels.size());
  for (const auto& [name, value] : labels) set(name, value);
}

std::string_view Labels::operator[](std::string_view name) const {
  const auto found = std::ranges::lower_bound(labels_, name, {}, &Label::first);
  return found != labels_.end() && found->first == name ? std::string_view(found->second) : std::string_view();
}

void Labels::set(std::string_view name, std::string_view value) {
  const auto found = std::ranges::lower_bound(labels_, name, {}, &Label::first);
  const bool there = found != labels_.end() && found->first == name;
  if (value.empty()) {
    if (there) labels_.erase(found);
  } else if (there) {
    found->second = value;
  } else {
    labels_.insert(found, Label(name, value));
  }
}

Fingerprint fingerprint(const Labels& labels) {
  Fingerprint sum = fnv_offset;
  const auto add = [&sum](std::string_view text) {
    for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * fnv_prime;
    sum = (sum ^ 0xFFU) * fnv_prime;
  };
  for (const auto& [name, value] : labels) {
    add(name);
    add(value);
  }
  return sum;
}

std::string to_text(Fingerprint fingerprint) { return fmt::format("{:016x}", fingerprint); }

std::string to_text(const Labels& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    if (text.size() > 1) text += ", ";
    text += is_label_name(name, Names::classic) ? name : go_quoted(name);
    text += '=';
    text += go_quoted(value);
  }
  return text + "}";
}

void write(json::Writer& writer, const Labels& labels) {
  writer.begin_object();
  for (const auto& [name, value] : labels) writer.field(name, std::string_view(value));
  writer.end_object();
}

bool is_label_name(std::string_view name, Names names) {
  if (name.empty()) return false;
  if (names == Names::utf8) return is_utf8(name);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return letter(name[0]) && std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::string go_quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto next = utf8_at(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (next.bytes == 0) {
      out += fmt::format("\\x{:02x}", byte);
      text.remove_prefix(1);
      continue;
    }
    constexpr std::string_view special = "\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view letters = "abfnrtv\\\"";
    if (const auto at = next.bytes == 1 ? special.find(text[0]) : special.npos; at != special.npos) {
      out += '\\';
      out += letters[at];
    } else if (next.code < 0x20 || next.code == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += text.substr(0, next.bytes);
    }
    text.remove_prefix(next.bytes);
  }
  return out + '"';
}

Utf8Character utf8_at(std::string_view text) {
  if (text.empty()) return {};
  const auto first = static_cast<unsigned char>(text[0]);
  for (const Lead& lead : leads) {
    if ((first & lead.mask) != lead.value) continue;
    if (text.size() < lead.bytes) return {};
    char32_t code = first & static_cast<unsigned char>(~lead.mask);
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((byte & 0xC0) != 0x80) return {};
      code = code << 6 | (byte & 0x3FU);
    }
    if (code < lead.least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
    return {code, lead.bytes};
  }
  return {};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = utf8_at(text);
    if (next.bytes == 0) return false;
    text.remove_prefix(next.bytes);
  }
  return true;
}

}  // namespace mydr24::routing
