#pragma once

// The tokens of a GraphQL document. Private to api/graphql.
// Source: the GraphQL specification of October 2021, section 2.1.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/graphql/detail/syntax.h"

namespace mydr24::graphql {

enum class TokenKind : std::uint8_t { end, punctuator, name, number, string };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;  // of a string, decoded
  Position position;
};

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}
  Result<Token> next();

 private:
  bool at(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; }
  void skip(std::size_t bytes);
  void skip_ignored();
  Result<void> number(Token& token);
  Result<void> string(Token& token);
  Result<void> block_string(Token& token);
  Result<void> escape(Token& token);
  Result<std::uint32_t> hexadecimal(std::size_t digits);

  std::string_view source_;
  std::size_t at_ = 0;
  Position position_;
};

}  // namespace mydr24::graphql
