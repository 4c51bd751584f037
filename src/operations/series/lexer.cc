// The words of PromQL, and durations.

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <charconv>
#include <limits>

#include "alerting/routing/labels.h"
#include "operations/series/detail/lexer.h"
#include "operations/series/syntax.h"

namespace mydr24::series {
namespace {

constexpr std::size_t tokens_max = 8'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':'; }
bool goes_on_name(char c) { return begins_name(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0U | code >> 6U));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | code >> 12U));
    out.push_back(static_cast<char>(0x80U | (code >> 6U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  } else {
    out.push_back(static_cast<char>(0xF0U | code >> 18U));
    out.push_back(static_cast<char>(0x80U | (code >> 12U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code >> 6U & 0x3FU)));
    out.push_back(static_cast<char>(0x80U | (code & 0x3FU)));
  }
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (true) {
      skip_space();
      if (tokens_.size() > tokens_max) return error_at(at_ + 1, "the expression is too long");
      Token token{.kind = Token::Kind::end, .text = {}, .number = 0, .column = at_ + 1};
      if (at_ == text_.size()) {
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      MYDR24_TRY(take(token));
      tokens_.push_back(std::move(token));
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skip_space() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  Result<> take(Token& token) {
    const char c = peek();
    if (begins_name(c)) {
      const std::size_t begin = at_;
      while (goes_on_name(peek())) ++at_;
      token.kind = Token::Kind::name;
      token.text = text_.substr(begin, at_ - begin);
      return {};
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return take_number(token);
    if (c == '"' || c == '\'' || c == '`') return take_text(token, c);
    return take_sign(token);
  }

  Result<> take_number(Token& token) {
    const std::size_t begin = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      std::uint64_t value = 0;
      const auto [end, fault] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value, 16);
      if (fault != std::errc()) return error_at(token.column, "a hexadecimal number is expected after 0x");
      at_ = static_cast<std::size_t>(end - text_.data());
      token.number = static_cast<double>(value);
    } else {
      while (is_digit(peek())) ++at_;
      if (std::isalpha(static_cast<unsigned char>(peek())) != 0 && peek() != 'e' && peek() != 'E')
        return take_duration(token, begin);
      const auto [end, fault] = std::from_chars(text_.data() + begin, text_.data() + text_.size(), token.number);
      if (fault == std::errc::result_out_of_range)
        token.number = std::numeric_limits<double>::infinity();
      else if (fault != std::errc())
        return error_at(token.column, "bad number");
      at_ = static_cast<std::size_t>(end - text_.data());
    }
    if (goes_on_name(peek())) return error_at(token.column, "bad number or duration");
    token.kind = Token::Kind::number;
    token.text = text_.substr(begin, at_ - begin);
    return {};
  }

  Result<> take_duration(Token& token, std::size_t begin) {
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0) ++at_;
    token.text = text_.substr(begin, at_ - begin);
    const auto length = parse_duration(token.text);
    if (!length) return error_at(token.column, fmt::format("{} is no duration", routing::go_quoted(token.text)));
    token.kind = Token::Kind::duration;
    token.number = static_cast<double>(*length) / 1000;
    return {};
  }

  Result<> take_text(Token& token, char quote) {
    token.kind = Token::Kind::text;
    ++at_;
    while (peek() != quote) {
      if (at_ >= text_.size() || (peek() == '\n' && quote != '`'))
        return error_at(token.column, "the quoted text does not end");
      if (peek() == '\\' && quote != '`') {
        ++at_;
        MYDR24_TRY(take_escape(token));
      } else {
        token.text.push_back(text_[at_++]);
      }
    }
    ++at_;
    if (!routing::is_utf8(token.text)) return error_at(token.column, "the quoted text is no UTF-8");
    return {};
  }

  // As in Go's string literals.
  Result<> take_escape(Token& token) {
    constexpr std::string_view names = "abfnrtv\\'\"";
    constexpr std::string_view values = "\a\b\f\n\r\t\v\\'\"";
    const char c = peek();
    ++at_;
    if (const auto which = names.find(c); c != '\0' && which != std::string_view::npos) {
      token.text.push_back(values[which]);
      return {};
    }
    std::size_t digits = 0;
    int base = 16;
    if (c == 'x') digits = 2;
    if (c == 'u') digits = 4;
    if (c == 'U') digits = 8;
    if (c >= '0' && c <= '7') {
      digits = 3;
      base = 8;
      --at_;
    }
    std::uint32_t code = 0;
    const std::string_view number = text_.substr(std::min(at_, text_.size()), digits);
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), code, base);
    if (digits == 0 || number.size() != digits || fault != std::errc() || end != number.data() + digits)
      return error_at(at_, "unknown escape in the quoted text");
    at_ += digits;
    if (c == 'u' || c == 'U') {
      if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return error_at(at_, "that is no character");
      append_utf8(token.text, code);
    } else {
      token.text.push_back(static_cast<char>(code));
    }
    return {};
  }

  Result<> take_sign(Token& token) {
    constexpr std::array<std::string_view, 23> signs{"=~", "!~", "==", "!=", ">=", "<=", ">", "<", "=", "+", "-", "*",
                                                     "/",  "%",  "^",  "(",  ")",  "{",  "}", "[", "]", ",", ":"};
    for (const std::string_view sign : signs) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      token.kind = Token::Kind::sign;
      token.text = sign;
      at_ += sign.size();
      return {};
    }
    return error_at(at_ + 1, fmt::format("unexpected character {}", routing::go_quoted(text_.substr(at_, 1))));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Error error_at(std::size_t column, std::string_view text) {
  return fail(Code::invalid, fmt::format("column {}: {}", column, text));
}

Error fault_at(std::size_t column, std::string_view text) {
  return fail(Code::unprocessable, fmt::format("column {}: {}", column, text));
}

Result<std::vector<Token>> scan(std::string_view expression) {
  if (expression.size() > expression_bytes_max)
    return fail(Code::invalid, fmt::format("an expression has at most {} bytes", expression_bytes_max));
  return Scanner(expression).run();
}

// Units descend and none comes twice, as in Prometheus.
std::optional<Milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    Milliseconds length;
  };
  constexpr std::array<Unit, 7> units{{{"y", 365LL * 86'400'000},
                                       {"w", 7LL * 86'400'000},
                                       {"d", 86'400'000},
                                       {"h", 3'600'000},
                                       {"m", 60'000},
                                       {"s", 1'000},
                                       {"ms", 1}}};
  constexpr Milliseconds longest = 100 * units[0].length;
  if (text.empty()) return std::nullopt;
  Milliseconds all = 0;
  std::size_t next = 0;
  while (!text.empty()) {
    Milliseconds count = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (fault != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t letters = 0;
    while (letters < text.size() && std::isalpha(static_cast<unsigned char>(text[letters])) != 0) ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next < units.size() && units[next].name != name) ++next;
    if (next == units.size() || count > longest / units[next].length) return std::nullopt;
    all += count * units[next++].length;
    text.remove_prefix(letters);
    if (all > longest) return std::nullopt;
  }
  return all;
}

}  // namespace mydr24::series
