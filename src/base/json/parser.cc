#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/json/document.h"
#include "base/json/scan.h"

namespace mydr24::json {
namespace {

constexpr std::uint32_t nothing_open = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t no_unit = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t bytes_ceiling = std::numeric_limits<std::uint32_t>::max() - 1;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

// The value of the four hexadecimal digits at `at`; no_unit when they are not there.
std::uint32_t hex_unit(const char* at, const char* end) {
  if (end - at < 4) return no_unit;
  std::uint32_t unit = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    std::uint32_t digit;
    if (is_digit(c)) {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (const char lower = static_cast<char>(c | 0x20); lower >= 'a' && lower <= 'f') {
      digit = static_cast<std::uint32_t>(lower - 'a') + 10;
    } else {
      return no_unit;
    }
    unit = unit << 4U | digit;
  }
  return unit;
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&out](std::uint32_t bits) { out += static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0U | point >> 6U);
    tail(point);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0U | point >> 12U);
    tail(point >> 6U);
    tail(point);
  } else {
    out += static_cast<char>(0xf0U | point >> 18U);
    tail(point >> 12U);
    tail(point >> 6U);
    tail(point);
  }
}

}  // namespace

// One pass over the text, without recursion. Every step takes the place it begins at and returns the place
// after what it has read, or null with `error_` set: the place stays in a register.
class Parser {
 public:
  Parser(Document& document, const Limits& limits)
      : document_(document),
        nodes_(document.nodes_),
        limits_(limits),
        begin_(document.view_.data()),
        end_(begin_ + document.view_.size()) {}

  Result<void> run();

 private:
  using Node = Document::Node;

  // A string that has been read: as Node keeps it.
  struct Text {
    std::uint32_t size = 0;
    bool escaped = false;
  };

  const char* child(const char* at);
  const char* name(const char* at, Node& node);
  const char* value(const char* at, Node& node);
  const char* open(const char* at, Node& node, Kind kind);
  const char* close(const char* at);
  const char* string(const char* at, Text& text);
  const char* escaped_string(const char* begin, const char* at, Text& text);
  const char* run_of_text(const char* at);
  const char* escape(const char* at);
  const char* unicode_escape(const char* at);
  const char* number(const char* at);
  const char* literal(const char* at, std::string_view word);
  const char* leaf(Node& node, Kind kind, const char* end);

  std::uint32_t place(const char* at) const { return static_cast<std::uint32_t>(at - begin_); }
  const char* refuse(const char* at, std::string_view what);
  const char* expected(const char* at, std::string_view what);
  const char* bad_byte_in_string(const char* at);

  Document& document_;
  std::vector<Node>& nodes_;
  const Limits& limits_;
  const char* begin_;
  const char* end_;
  std::uint32_t open_ = nothing_open;  // the innermost open container; its `next` is the one around it until it closes
  std::uint32_t depth_ = 0;
  Error error_;
};

Result<void> Parser::run() {
  if (document_.view_.starts_with("\xef\xbb\xbf")) {
    refuse(begin_, "a byte order mark is not allowed before JSON");
    return std::move(error_);
  }
  Node root;
  const char* at = value(skip_space(begin_, end_), root);
  while (at != nullptr && open_ != nothing_open) at = child(at);
  if (at != nullptr) {
    at = skip_space(at, end_);
    if (at != end_) at = expected(at, "the end of the text");
  }
  if (at == nullptr) return std::move(error_);
  return {};
}

// The next child of the innermost container with the comma before it, or the container's end.
const char* Parser::child(const char* at) {
  at = skip_space(at, end_);
  Node& parent = nodes_[open_];
  const bool in_object = parent.kind == Kind::object;
  const char bracket = in_object ? '}' : ']';
  if (at != end_ && *at == bracket) return close(at);
  if (parent.size != 0) {
    if (at == end_ || *at != ',') return expected(at, in_object ? "',' or '}'" : "',' or ']'");
    at = skip_space(at + 1, end_);
  }
  ++parent.size;
  Node node;
  if (in_object) {
    at = name(at, node);
    if (at == nullptr) return nullptr;
  }
  return value(at, node);
}

// A member's name and its colon, up to the value.
const char* Parser::name(const char* at, Node& node) {
  if (at == end_ || *at != '"') return expected(at, "a member's name in '\"'");
  node.is_member = true;
  node.key_begin = place(at);
  Text text;
  at = string(at + 1, text);
  if (at == nullptr) return nullptr;
  node.key_size = text.size;
  node.key_escaped = text.escaped;
  if (at == end_ || *at != ':') {
    at = skip_space(at, end_);
    if (at == end_ || *at != ':') return expected(at, "':' after the member's name");
  }
  return skip_space(at + 1, end_);
}

const char* Parser::value(const char* at, Node& node) {
  if (at == end_) return expected(at, "a value");
  if (nodes_.size() >= limits_.values_max) {
    return refuse(at, fmt::format("more than {} values", limits_.values_max));
  }
  node.begin = place(at);
  switch (*at) {
    case '"': {
      Text text;
      at = string(at + 1, text);
      node.size = text.size;
      node.escaped = text.escaped;
      return leaf(node, Kind::string, at);
    }
    case '{':
      return open(at, node, Kind::object);
    case '[':
      return open(at, node, Kind::array);
    case 't':
      return leaf(node, Kind::boolean, literal(at, "true"));
    case 'f':
      return leaf(node, Kind::boolean, literal(at, "false"));
    case 'n':
      return leaf(node, Kind::null, literal(at, "null"));
    default:
      if (*at == '-' || is_digit(*at)) return leaf(node, Kind::number, number(at));
      return expected(at, "a value");
  }
}

const char* Parser::leaf(Node& node, Kind kind, const char* end) {
  if (end == nullptr) return nullptr;
  node.kind = kind;
  node.end = place(end);
  node.next = static_cast<std::uint32_t>(nodes_.size()) + 1;
  nodes_.push_back(node);
  return end;
}

const char* Parser::open(const char* at, Node& node, Kind kind) {
  if (depth_ >= limits_.depth_max) {
    return refuse(at, fmt::format("nested more than {} levels deep", limits_.depth_max));
  }
  ++depth_;
  node.kind = kind;
  node.next = open_;
  open_ = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(node);
  return at + 1;
}

const char* Parser::close(const char* at) {
  Node& node = nodes_[open_];
  node.end = place(at + 1);
  open_ = std::exchange(node.next, static_cast<std::uint32_t>(nodes_.size()));
  --depth_;
  return at + 1;
}

// From after the opening quote to after the closing one.
const char* Parser::string(const char* at, Text& text) {
  const char* const begin = at;
  at = run_of_text(at);
  if (at == nullptr) return nullptr;
  if (*at == '\\') return escaped_string(begin, at, text);
  text = {static_cast<std::uint32_t>(at - begin), false};
  return at + 1;
}

// `at` is the first backslash of the string that begins at `begin`.
const char* Parser::escaped_string(const char* begin, const char* at, Text& text) {
  std::string& decoded = document_.decoded_;
  const auto start = static_cast<std::uint32_t>(decoded.size());
  decoded.append(begin, at);
  while (*at == '\\') {
    const char* const run = escape(at);
    if (run == nullptr) return nullptr;
    at = run_of_text(run);
    if (at == nullptr) return nullptr;
    decoded.append(run, at);
  }
  text = {static_cast<std::uint32_t>(document_.slices_.size()), true};
  document_.slices_.push_back({start, static_cast<std::uint32_t>(decoded.size()) - start});
  return at + 1;
}

// Up to the next quote or backslash: valid UTF-8 without control characters.
const char* Parser::run_of_text(const char* at) {
  while (true) {
    at = skip_plain(at, end_);
    if (at == end_) return expected(at, "'\"' at the end of the string");
    if (*at == '"' || *at == '\\') return at;
    const std::size_t length = static_cast<unsigned char>(*at) < 0x80 ? 0 : utf8_length(at, end_);
    if (length == 0) return bad_byte_in_string(at);
    at += length;
  }
}

// Decodes the escape that begins with the backslash at `at`.
const char* Parser::escape(const char* at) {
  std::string& decoded = document_.decoded_;
  switch (end_ - at < 2 ? '\0' : at[1]) {
    case '"':
      decoded += '"';
      return at + 2;
    case '\\':
      decoded += '\\';
      return at + 2;
    case '/':
      decoded += '/';
      return at + 2;
    case 'b':
      decoded += '\b';
      return at + 2;
    case 'f':
      decoded += '\f';
      return at + 2;
    case 'n':
      decoded += '\n';
      return at + 2;
    case 'r':
      decoded += '\r';
      return at + 2;
    case 't':
      decoded += '\t';
      return at + 2;
    case 'u':
      return unicode_escape(at);
    default:
      return expected(at + 1, "one of \" \\ / b f n r t u after a backslash");
  }
}

const char* Parser::unicode_escape(const char* at) {
  constexpr std::string_view half_a_pair = "half of a surrogate pair: \\uD800 to \\uDBFF, then \\uDC00 to \\uDFFF";
  const std::uint32_t unit = hex_unit(at + 2, end_);
  if (unit == no_unit) return expected(at + 2, "four hexadecimal digits after \\u");
  if (unit < 0xd800 || unit > 0xdfff) {
    append_utf8(document_.decoded_, unit);
    return at + 6;
  }
  const bool followed = unit < 0xdc00 && end_ - at >= 8 && at[6] == '\\' && at[7] == 'u';
  const std::uint32_t second = followed ? hex_unit(at + 8, end_) : no_unit;
  if (second < 0xdc00 || second > 0xdfff) return refuse(at, half_a_pair);
  append_utf8(document_.decoded_, 0x10000 + ((unit - 0xd800) << 10U) + (second - 0xdc00));
  return at + 12;
}

const char* Parser::number(const char* at) {
  if (*at == '-') ++at;
  if (at == end_ || !is_digit(*at)) return expected(at, "a digit");
  if (*at == '0' && end_ - at >= 2 && is_digit(at[1])) {
    return refuse(at, "a number must not begin with 0 and another digit");
  }
  at = skip_digits(at, end_);
  if (at != end_ && *at == '.') {
    ++at;
    if (at == end_ || !is_digit(*at)) return expected(at, "a digit after '.'");
    at = skip_digits(at, end_);
  }
  if (at != end_ && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end_ && (*at == '+' || *at == '-')) ++at;
    if (at == end_ || !is_digit(*at)) return expected(at, "a digit of the exponent");
    at = skip_digits(at, end_);
  }
  return at;
}

const char* Parser::literal(const char* at, std::string_view word) {
  const std::string_view rest(at, static_cast<std::size_t>(end_ - at));
  if (!rest.starts_with(word)) return expected(at, fmt::format("a value ({}?)", word));
  return at + word.size();
}

const char* Parser::bad_byte_in_string(const char* at) {
  const unsigned byte = static_cast<unsigned char>(*at);
  if (byte < 0x20) return refuse(at, fmt::format("a control character in a string must be written \\u{:04x}", byte));
  return refuse(at, fmt::format("byte 0x{:02X} is not valid UTF-8 here", byte));
}

const char* Parser::expected(const char* at, std::string_view what) {
  if (at == end_) return refuse(at, fmt::format("expected {}, found the end of the text", what));
  const unsigned byte = static_cast<unsigned char>(*at);
  if (byte > 0x20 && byte < 0x7f) return refuse(at, fmt::format("expected {}, found '{}'", what, *at));
  return refuse(at, fmt::format("expected {}, found byte 0x{:02X}", what, byte));
}

// Lines end with a line feed; columns count characters, from 1.
const char* Parser::refuse(const char* at, std::string_view what) {
  const auto line = 1 + std::count(begin_, at, '\n');
  const char* const newline = std::find(std::reverse_iterator(at), std::reverse_iterator(begin_), '\n').base();
  const auto column =
      1 + std::count_if(newline, at, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; });
  error_ = fail(Code::invalid, fmt::format("line {}, column {}: {}", line, column, what));
  return nullptr;
}

Result<Document> Document::parse(std::string text, const Limits& limits) {
  auto owned = std::make_unique<const std::string>(std::move(text));
  MYDR24_ASSIGN(Document document, parse_view(*owned, limits));
  document.owned_ = std::move(owned);
  return document;
}

Result<Document> Document::parse_view(std::string_view text, const Limits& limits) {
  const std::size_t bytes_max = std::min(limits.bytes_max, bytes_ceiling);
  if (text.size() > bytes_max) {
    return fail(Code::too_large, fmt::format("{} bytes of JSON, at most {} are accepted", text.size(), bytes_max));
  }
  // The published FHIR R4 examples have 33 without their narrative and white space, 60 as they are.
  constexpr std::size_t bytes_per_value = 24;
  Document document;
  document.view_ = text;
  document.nodes_.reserve(std::min<std::size_t>(text.size() / bytes_per_value + 1, limits.values_max));
  MYDR24_TRY(Parser(document, limits).run());
  return document;
}

}  // namespace mydr24::json
