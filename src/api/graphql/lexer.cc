#include "api/graphql/detail/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace mydr24::graphql {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

void append_utf8(std::string& out, std::uint32_t point) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0U | point >> 6U);
    byte(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    byte(0xE0U | point >> 12U);
    byte(0x80U | (point >> 6U & 0x3FU));
    byte(0x80U | (point & 0x3FU));
  } else {
    byte(0xF0U | point >> 18U);
    byte(0x80U | (point >> 12U & 0x3FU));
    byte(0x80U | (point >> 6U & 0x3FU));
    byte(0x80U | (point & 0x3FU));
  }
}

// The text of a block string: without the indentation that its lines share, and blank lines at both ends.
std::string dedented(std::string_view raw) {
  std::vector<std::string_view> lines;
  while (true) {
    const auto end = raw.find_first_of("\r\n");
    lines.push_back(raw.substr(0, end));
    if (end == std::string_view::npos) break;
    raw.remove_prefix(end + (raw.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  const auto indent_of = [](std::string_view line) {
    return static_cast<std::size_t>(std::ranges::find_if_not(line, is_blank) - line.begin());
  };
  std::size_t shared = std::string_view::npos;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (const auto indent = indent_of(lines[i]); indent < lines[i].size()) shared = std::min(shared, indent);
  }
  for (std::size_t i = 1; i < lines.size(); ++i) lines[i].remove_prefix(std::min(shared, lines[i].size()));
  const auto is_blank_line = [&](std::string_view line) { return indent_of(line) == line.size(); };
  const auto first = std::ranges::find_if_not(lines, is_blank_line);
  auto last = lines.end();
  while (last != first && is_blank_line(*(last - 1))) --last;
  std::string out;
  for (auto line = first; line != last; ++line) {
    if (line != first) out += '\n';
    out += *line;
  }
  return out;
}

}  // namespace

Error fail_at(Position position, std::string text, Code code) {
  return fail(code, std::move(text), fmt::format("line {}, column {}", position.line, position.column));
}

void Lexer::skip(std::size_t bytes) {
  for (; bytes > 0 && at_ < source_.size(); --bytes, ++at_) {
    if (source_[at_] == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      ++position_.column;
    }
  }
}

// White space, line ends, commas, comments and a byte order mark.
void Lexer::skip_ignored() {
  while (at_ < source_.size()) {
    const char c = source_[at_];
    if (c == '#') {
      while (at_ < source_.size() && source_[at_] != '\n' && source_[at_] != '\r') skip(1);
    } else if (is_blank(c) || c == '\n' || c == '\r' || c == ',') {
      skip(1);
    } else if (at("\xEF\xBB\xBF")) {
      skip(3);
    } else {
      return;
    }
  }
}

Result<Token> Lexer::next() {
  skip_ignored();
  Token token{.position = position_};
  if (at_ == source_.size()) return token;
  const char c = peek();
  if (is_name_start(c)) {
    token.kind = TokenKind::name;
    while (is_name_start(peek()) || is_digit(peek())) {
      token.text += peek();
      skip(1);
    }
    return token;
  }
  if (c == '-' || is_digit(c)) {
    MYDR24_TRY(number(token));
    return token;
  }
  if (c == '"') {
    MYDR24_TRY(at("\"\"\"") ? block_string(token) : string(token));
    return token;
  }
  token.kind = TokenKind::punctuator;
  token.text = at("...") ? "..." : std::string(1, c);
  if (token.text.size() == 1 && std::string_view("!$&():=@[]{|}").find(c) == std::string_view::npos) {
    return fail_at(position_, "this character may not stand here");
  }
  skip(token.text.size());
  return token;
}

Result<void> Lexer::number(Token& token) {
  token.kind = TokenKind::number;
  const std::size_t begin = at_;
  const auto digits = [this] {
    const std::size_t before = at_;
    while (is_digit(peek())) skip(1);
    return at_ - before;
  };
  if (peek() == '-') skip(1);
  const bool zero = peek() == '0';
  const std::size_t whole = digits();
  bool good = whole > 0 && !(zero && whole > 1);
  if (peek() == '.') {
    skip(1);
    good = digits() > 0 && good;
  }
  if (peek() == 'e' || peek() == 'E') {
    skip(1);
    if (peek() == '+' || peek() == '-') skip(1);
    good = digits() > 0 && good;
  }
  if (!good || is_name_start(peek()) || peek() == '.') return fail_at(token.position, "this is no number");
  token.text = source_.substr(begin, at_ - begin);
  return {};
}

Result<void> Lexer::string(Token& token) {
  token.kind = TokenKind::string;
  skip(1);
  while (true) {
    const char c = peek();
    if (at_ == source_.size() || c == '\n' || c == '\r') return fail_at(token.position, "the string has no end");
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return fail_at(position_, "a control character in a string");
    if (c == '"') break;
    if (c == '\\') {
      MYDR24_TRY(escape(token));
    } else {
      token.text += c;
      skip(1);
    }
  }
  skip(1);
  return {};
}

Result<void> Lexer::block_string(Token& token) {
  token.kind = TokenKind::string;
  skip(3);
  std::string raw;
  while (!at("\"\"\"")) {
    if (at_ == source_.size()) return fail_at(token.position, "the string has no end");
    if (at("\\\"\"\"")) {
      raw += "\"\"\"";
      skip(4);
    } else {
      raw += peek();
      skip(1);
    }
  }
  skip(3);
  token.text = dedented(raw);
  return {};
}

Result<std::uint32_t> Lexer::hexadecimal(std::size_t digits) {
  std::uint32_t value = 0;
  for (; digits > 0; --digits) {
    const char c = peek();
    std::uint32_t digit = 0;
    if (is_digit(c)) {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint32_t>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<std::uint32_t>(c - 'A') + 10;
    } else {
      return fail_at(position_, "a hexadecimal digit must stand here");
    }
    value = value << 4U | digit;
    skip(1);
  }
  return value;
}

Result<void> Lexer::escape(Token& token) {
  const Position position = position_;
  skip(1);
  const char c = peek();
  skip(1);
  constexpr std::string_view codes = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  if (const auto found = codes.find(c); found != std::string_view::npos) {
    token.text += meanings[found];
    return {};
  }
  if (c != 'u') return fail_at(position, "unknown escape in a string");
  MYDR24_ASSIGN(std::uint32_t point, hexadecimal(4));
  if (point >= 0xD800 && point < 0xDC00 && at("\\u")) {
    skip(2);
    MYDR24_ASSIGN(const std::uint32_t low, hexadecimal(4));
    if (low < 0xDC00 || low > 0xDFFF) return fail_at(position, "half a character in a string");
    point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
  }
  if (point >= 0xD800 && point <= 0xDFFF) return fail_at(position, "half a character in a string");
  append_utf8(token.text, point);
  return {};
}

}  // namespace mydr24::graphql
