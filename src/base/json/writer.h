#pragma once

// Writes compact JSON text into a string that the caller owns. Commas and quotes are the writer's work; the
// caller keeps begin and end in pairs.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace mydr24::json {

// Appends `text` as a JSON string with its quotes. Escapes only what RFC 8259, section 7, demands: the quote,
// the backslash and control characters. Each byte that is no part of valid UTF-8 is written as U+FFFD.
void append_quoted(std::string& out, std::string_view text);

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& string(std::string_view text);
  Writer& number(std::int64_t value);
  Writer& number(double value);  // shortest form that reads back the same; not finite becomes null
  Writer& boolean(bool value);
  Writer& null();
  // A JSON value that is already text.
  Writer& raw(std::string_view json);

  // A member in one call.
  Writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }
  Writer& field(std::string_view name, const char* text) { return key(name).string(text); }
  Writer& field(std::string_view name, std::same_as<bool> auto value) { return key(name).boolean(value); }
  Writer& field(std::string_view name, std::integral auto value)
    requires(!std::same_as<decltype(value), bool>)
  {
    return key(name).number(static_cast<std::int64_t>(value));
  }
  Writer& field(std::string_view name, std::floating_point auto value) {
    return key(name).number(static_cast<double>(value));
  }

 private:
  void separate();
  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace mydr24::json
