#pragma once

// The words of PromQL. Private to operations/series.

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::series {

struct Token {
  enum class Kind : std::uint8_t { end, name, number, duration, text, sign };
  Kind kind = Kind::end;
  std::string text;  // decoded, where it was quoted; a sign as it stands: ( ) { } [ ] , + =~ ...
  double number = 0;
  std::size_t column = 1;
};

Result<std::vector<Token>> scan(std::string_view expression);
Error error_at(std::size_t column, std::string_view text);
// The expression is right, but not on these series.
Error fault_at(std::size_t column, std::string_view text);

}  // namespace mydr24::series
