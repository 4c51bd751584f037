#pragma once

// Matchers as Alertmanager writes them: name, one of = != =~ !~, value. Two grammars: classic (0.25) and UTF-8 (0.27),
// where names and values may be any text, quoted where needed. Regular expressions are RE2 and match the whole value.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/routing/labels.h"
#include "base/core/result.h"

namespace re2 {
class RE2;
}

namespace mydr24::routing {

class Matcher {
 public:
  enum class Op : std::uint8_t { equal, not_equal, matches, not_matches };

  // Code::invalid when the value is no regular expression, or one that takes too much memory to run.
  static Result<Matcher> make(std::string_view name, Op op, std::string_view value);

  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  Op op() const { return op_; }
  bool is_regex() const { return op_ == Op::matches || op_ == Op::not_matches; }
  bool is_equal() const { return op_ == Op::equal || op_ == Op::matches; }

  bool matches(std::string_view value) const;
  bool matches(const Labels& labels) const { return matches(labels[name_]); }
  // name="value"
  std::string text() const;
  bool operator==(const Matcher& other) const;

 private:
  std::string name_;
  Op op_ = Op::equal;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;
};

std::string_view to_string(Matcher::Op op);

using Matchers = std::vector<Matcher>;

// All of them; true when there is none.
bool matches(const Matchers& matchers, const Labels& labels);
// {a="b",c=~"d"}; {} when there is none.
std::string to_text(const Matchers& matchers);
// By name, value, operator: the order in which the text of a route names them.
void sort(Matchers& matchers);

inline constexpr std::size_t matchers_max = 64;  // in one text
inline constexpr std::size_t matcher_bytes_max = 64U << 10;

// One or several, separated by commas, with or without braces. Names::utf8 reads the UTF-8 grammar and, where that
// fails, the classic one; Names::classic only the latter. Code::invalid says what and where.
Result<Matchers> parse_matchers(std::string_view text, Names names);

}  // namespace mydr24::routing
