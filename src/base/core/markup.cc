#include "base/core/markup.h"

namespace mydr24 {
namespace {

// Empty: it may stand as it is in both.
std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    default:
      return {};
  }
}

void append_escaped(std::string& out, std::string_view text, char special, std::string_view special_entity) {
  for (const char c : text) {
    if (const auto entity = c == special ? special_entity : entity_of(c); !entity.empty()) {
      out += entity;
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  append_escaped(out, text, '\'', "&#39;");
  return out;
}

void append_xml(std::string& out, std::string_view text) { append_escaped(out, text, '\r', "&#13;"); }

}  // namespace mydr24
