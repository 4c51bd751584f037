#include "alerting/routing/matcher.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace mydr24::routing {
namespace {

constexpr std::int64_t regex_memory_max = 1 << 20;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<Matcher::Op> take_op(std::string_view& text) {
  using Op = Matcher::Op;
  constexpr std::array<std::pair<std::string_view, Op>, 4> ops{
      {{"=~", Op::matches}, {"!~", Op::not_matches}, {"!=", Op::not_equal}, {"=", Op::equal}}};
  for (const auto& [sign, op] : ops)
    if (text.starts_with(sign)) {
      text.remove_prefix(sign.size());
      return op;
    }
  return std::nullopt;
}

// The classic grammar: what stands between commas is NAME OP VALUE; the value may be in quotes, in which \\ \" and \n
// are escapes.
Result<Matcher> classic_matcher(std::string_view text) {
  const auto bad = [&] { return fail(Code::invalid, fmt::format("bad matcher format: {}", text)); };
  std::string_view rest = trimmed(text);
  std::size_t length = 0;
  while (length < rest.size() && (is_label_name(rest.substr(0, length + 1), Names::classic) || rest[length] == ':'))
    ++length;
  if (length == 0) return bad();
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  rest = trimmed(rest);
  const auto op = take_op(rest);
  if (!op) return bad();
  rest = trimmed(rest);
  bool closed = true;
  if (rest.starts_with('"')) {
    rest.remove_prefix(1);
    closed = false;
  }
  const bool in_quotes = !closed;
  std::string value;
  if (!is_utf8(rest)) return fail(Code::invalid, "matcher value is not valid UTF-8");
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      const char next = rest[++i];
      if (next == 'n')
        value += '\n';
      else if (next == '"' || next == '\\')
        value += next;
      else
        (value += '\\') += next;
    } else if (rest[i] == '\\') {
      value += '\\';
    } else if (rest[i] == '"') {
      if (!in_quotes || i + 1 != rest.size())
        return fail(Code::invalid, fmt::format("matcher value contains unescaped double quote: {}", rest));
      closed = true;
    } else {
      value += rest[i];
    }
  }
  if (!closed) return fail(Code::invalid, fmt::format("matcher value contains unescaped double quote: \"{}", rest));
  return Matcher::make(name, *op, value);
}

Result<Matchers> parse_classic(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('{')) text.remove_prefix(1);
  if (text.ends_with('}')) text.remove_suffix(1);
  Matchers matchers;
  bool in_quotes = false;
  bool escaped = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (in_quotes || text[i] != ',')) {
      if (text[i] == '"' && !escaped) in_quotes = !in_quotes;
      escaped = text[i] == '\\' && !escaped;
      continue;
    }
    const std::string_view part = text.substr(begin, i - begin);
    begin = i + 1;
    if (i == text.size() && trimmed(part).empty()) break;  // nothing at all, or a comma at the end
    if (matchers.size() == matchers_max) return fail(Code::invalid, "too many matchers");
    MYDR24_ASSIGN(Matcher matcher, classic_matcher(part));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

// The UTF-8 grammar: names and values are quoted, or run until white space or one of the reserved characters.
class Utf8Parser {
 public:
  explicit Utf8Parser(std::string_view text) : text_(text) {}

  Result<Matchers> parse() {
    skip();
    const bool braces = take('{');
    Matchers matchers;
    skip();
    while (!at_end() && peek() != '}') {
      if (matchers.size() == matchers_max) return fail(Code::invalid, "too many matchers");
      MYDR24_ASSIGN(const std::string name, token("a label name"));
      if (name.empty()) return problem("a label name that is not empty");
      skip();
      std::string_view rest = text_.substr(at_);
      const auto op = take_op(rest);
      if (!op) return problem("an operator such as '=', '!=', '=~' or '!~'");
      at_ = text_.size() - rest.size();
      skip();
      MYDR24_ASSIGN(const std::string value, token("a label value"));
      MYDR24_ASSIGN(Matcher matcher, Matcher::make(name, *op, value));
      matchers.push_back(std::move(matcher));
      skip();
      if (!at_end() && peek() != '}' && !take(',')) return problem("a comma or close brace");
      skip();
    }
    if (braces && !take('}')) return problem("a close brace");
    skip();
    if (!at_end()) return problem("the end of input");
    return matchers;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }
  void skip() {
    while (!at_end() && is_space(peek())) ++at_;
  }
  Error problem(std::string_view expected) const {
    return fail(Code::invalid, at_end() ? fmt::format("end of input: expected {}", expected)
                                        : fmt::format("{}: {}: expected {}", at_, text_.substr(at_), expected));
  }

  Result<std::string> token(std::string_view expected) {
    if (at_end()) return problem(expected);
    if (peek() == '"') return quoted_token();
    const std::size_t begin = at_;
    while (!at_end() && !is_space(peek()) && std::string_view("{}!=~,\\\"'`").find(peek()) == std::string_view::npos)
      ++at_;
    if (at_ == begin) return problem(expected);
    const std::string_view found = text_.substr(begin, at_ - begin);
    if (!is_utf8(found)) return fail(Code::invalid, fmt::format("{}: not valid UTF-8", begin));
    return std::string(found);
  }

  Result<std::string> quoted_token() {
    const std::size_t begin = at_++;
    std::string value;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') {
        if (!is_utf8(value)) return fail(Code::invalid, fmt::format("{}: not valid UTF-8", begin));
        return value;
      }
      if (c != '\\') {
        value += c;
        continue;
      }
      if (at_end()) break;
      const char next = text_[at_++];
      constexpr std::string_view letters = "abfnrtv\\\"'";
      constexpr std::string_view meant = "\a\b\f\n\r\t\v\\\"'";
      if (const auto which = letters.find(next); which != letters.npos) {
        value += meant[which];
        continue;
      }
      unsigned char byte = 0;
      const std::string_view digits = text_.substr(at_, 2);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (next != 'x' || digits.size() < 2 || error != std::errc() || end != digits.data() + 2)
        return fail(Code::invalid, fmt::format("{}: \\{} is no escape", at_ - 2, next));
      value += static_cast<char>(byte);
      at_ += 2;
    }
    return fail(Code::invalid, fmt::format("{}: missing end \"", begin));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view to_string(Matcher::Op op) {
  constexpr std::array<std::string_view, 4> names{"=", "!=", "=~", "!~"};
  return names[static_cast<std::size_t>(op)];
}

Result<Matcher> Matcher::make(std::string_view name, Op op, std::string_view value) {
  Matcher matcher;
  matcher.name_ = name;
  matcher.op_ = op;
  matcher.value_ = value;
  if (!matcher.is_regex()) return matcher;
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(regex_memory_max);
  auto regex = std::make_shared<const re2::RE2>(std::string(value), options);
  if (!regex->ok()) return fail(Code::invalid, fmt::format("{}: {}", value, regex->error()));
  matcher.regex_ = std::move(regex);
  return matcher;
}

bool Matcher::matches(std::string_view value) const {
  switch (op_) {
    case Op::equal:
      return value == value_;
    case Op::not_equal:
      return value != value_;
    case Op::matches:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    case Op::not_matches:
      return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

std::string Matcher::text() const {
  std::string out = is_label_name(name_, Names::classic) ? name_ : go_quoted(name_);
  (out += to_string(op_)) += '"';
  for (const char c : value_) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
  return out + '"';
}

bool Matcher::operator==(const Matcher& other) const {
  return name_ == other.name_ && op_ == other.op_ && value_ == other.value_;
}

bool matches(const Matchers& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers, [&](const Matcher& matcher) { return matcher.matches(labels); });
}

std::string to_text(const Matchers& matchers) {
  std::string out = "{";
  for (const Matcher& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += matcher.text();
  }
  return out + "}";
}

void sort(Matchers& matchers) {
  std::ranges::sort(matchers, [](const Matcher& a, const Matcher& b) {
    return std::tuple(std::string_view(a.name()), std::string_view(a.value()), a.op()) <
           std::tuple(std::string_view(b.name()), std::string_view(b.value()), b.op());
  });
}

Result<Matchers> parse_matchers(std::string_view text, Names names) {
  if (text.size() > matcher_bytes_max) return fail(Code::invalid, "a matcher has at most 64 KiB");
  auto classic = [&] { return parse_classic(text); };
  if (names == Names::classic) return classic();
  auto parsed = Utf8Parser(text).parse();
  if (parsed) return parsed;
  auto second = classic();
  return second ? second : parsed;
}

}  // namespace mydr24::routing
