#include "fhir/path/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/path/syntax.h"
#include "fhir/path/unicode.h"

namespace mydr24::path {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

}  // namespace

Error Lexer::error(std::size_t offset, std::string_view what) const {
  return fail(Code::invalid, fmt::format("{}: {}", place_of(text_, offset), what));
}

Result<> Lexer::skip_gap() {
  for (;;) {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
    if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    } else if (text_.substr(at_).starts_with("/*")) {
      const auto end = text_.find("*/", at_ + 2);
      if (end == std::string_view::npos) return error(at_, "the comment does not end");
      at_ = end + 2;
    } else {
      return {};
    }
  }
}

Result<Token> Lexer::next() {
  MYDR24_TRY(skip_gap());
  if (at_ == text_.size()) return Token{TokenKind::end, {}, false, at_};
  const char c = text_[at_];
  if (is_letter(c)) return word(TokenKind::identifier);
  if (is_digit(c)) return number();
  if (c == '\'') return quoted(TokenKind::string, '\'');
  if (c == '`') return quoted(TokenKind::quoted, '`');
  if (c == '@') return moment();
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (c == '$' && is_letter(after)) {
    ++at_;
    return word(TokenKind::special);
  }
  if (c == '%' && (is_letter(after) || after == '`' || after == '\'')) {
    ++at_;
    return is_letter(after) ? word(TokenKind::external) : quoted(TokenKind::external, after);
  }
  static constexpr std::array<std::string_view, 4> pairs{"<=", ">=", "!=", "!~"};
  const std::string_view two = text_.substr(at_, 2);
  const bool is_pair = std::ranges::find(pairs, two) != pairs.end();
  constexpr std::string_view singles = ".,()[]{}+-*/&|<>=~";
  if (!is_pair && singles.find(c) == std::string_view::npos) return error(at_, "unexpected character");
  const Token token{TokenKind::symbol, is_pair ? two : two.substr(0, 1), false, at_};
  at_ += token.text.size();
  return token;
}

Token Lexer::word(TokenKind kind) {
  const std::size_t begin = at_;
  while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
  return {kind, text_.substr(begin, at_ - begin), false, begin};
}

Token Lexer::number() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  // "1.toString()": the dot belongs to the number only before a digit.
  if (at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
    ++at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  }
  return {TokenKind::number, text_.substr(begin, at_ - begin), false, begin};
}

Result<Token> Lexer::quoted(TokenKind kind, char quote) {
  const std::size_t begin = at_++;
  Token token{kind, {}, false, begin};
  while (at_ < text_.size() && text_[at_] != quote) {
    if (text_[at_] == '\\') {
      token.has_escape = true;
      ++at_;
    }
    ++at_;
  }
  if (at_ >= text_.size()) return error(begin, "the quoted text does not end");
  token.text = text_.substr(begin + 1, at_ - begin - 1);
  ++at_;
  return token;
}

Result<Token> Lexer::moment() {
  const std::size_t begin = at_++;
  const std::size_t start = at_;
  const auto digits = [this] {
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  };
  const auto followed_by_digit = [this](char mark) {
    return at_ + 1 < text_.size() && text_[at_] == mark && is_digit(text_[at_ + 1]);
  };
  TokenKind kind = TokenKind::date;
  digits();
  while (followed_by_digit('-')) {
    ++at_;
    digits();
  }
  if (at_ < text_.size() && text_[at_] == 'T') {
    kind = at_ == start ? TokenKind::time : TokenKind::date_time;
    ++at_;
    digits();
    int parts = 0;
    while (followed_by_digit(':')) {
      ++at_;
      digits();
      ++parts;
    }
    if (parts == 2 && followed_by_digit('.')) {
      ++at_;
      digits();
    }
    const bool has_time = is_digit(text_[at_ - 1]);
    if (has_time && at_ < text_.size() && text_[at_] == 'Z') {
      ++at_;
    } else if (has_time && (followed_by_digit('+') || followed_by_digit('-')) && text_.size() - at_ >= 6 &&
               text_[at_ + 3] == ':') {
      at_ += 6;
    }
  }
  return Token{kind, text_.substr(start, at_ - start), false, begin};
}

std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    constexpr std::string_view marks = "frnt";
    constexpr std::string_view means = "\f\r\n\t";
    const auto known = marks.find(c);
    if (known != std::string_view::npos) {
      out += means[known];
    } else if (c == 'u' && append_code_unit(out, text, i)) {
      i += 4;
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace mydr24::path
