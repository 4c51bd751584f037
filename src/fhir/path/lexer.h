#pragma once

// Words of a FHIRPath expression. Private to fhir/path. Source: FHIRPath 2.0.0, section 4 and the grammar.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace mydr24::path {

enum class TokenKind : std::uint8_t {
  end,
  identifier,  // text
  quoted,      // `text`
  string,      // 'text'
  number,      // text
  date,        // text without '@'
  date_time,
  time,
  special,   // $this: text without '$'
  external,  // %name, %`name`, %'name': text
  symbol,    // text
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string_view text;  // as written, without its marks
  bool has_escape = false;
  std::size_t offset = 0;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Result<Token> next();

 private:
  Result<> skip_gap();
  Result<Token> quoted(TokenKind kind, char quote);
  Result<Token> moment();
  Token word(TokenKind kind);
  Token number();
  Error error(std::size_t offset, std::string_view what) const;

  std::string_view text_;
  std::size_t at_ = 0;
};

// The text that a quoted token means. A backslash before any other character than those of the grammar is dropped.
std::string unescape(std::string_view text);

}  // namespace mydr24::path
