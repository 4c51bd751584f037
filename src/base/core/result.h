#pragma once

// Errors are values. Result<T> is a T or an Error; the Error's code says what the caller can do about it, its text
// says what was wrong, where, and what to do. Exceptions are kept for start-up and for faults nobody can act on.

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace mydr24 {

enum class Code {
  invalid,        // the input is wrong: correct it (HTTP 400)
  unprocessable,  // well-formed, but breaks a rule of its kind (422)
  not_found,      // no such thing (404)
  gone,           // it was there and has been deleted (410)
  conflict,       // it clashes with what is there (409)
  stale,          // a precondition failed: read again, then repeat (412)
  ambiguous,      // several things match where one was meant (412)
  too_large,      // a named limit is exceeded (413)
  too_costly,     // it would take more time or memory than one request may (422)
  refused,        // not allowed (403)
  busy,           // try again later (503)
  full,           // no room on the disk: somebody must free some (507)
  unsupported,    // not done by this server (405, 406, 415, 501: the caller's place decides)
  internal,       // our fault (500)
};

std::string_view to_string(Code code);

// `where` is an element path, a file and line, or a setting's name: empty when the whole input is meant.
struct Error {
  Code code = Code::internal;
  std::string text;
  std::string where;
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using Base = std::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(std::unexpected(std::move(error))) {}
};

inline Error fail(Code code, std::string text, std::string where = {}) {
  return Error{code, std::move(text), std::move(where)};
}

}  // namespace mydr24

// Evaluates `expression` (a Result); on error returns the Error from the enclosing function.
#define MYDR24_TRY(expression)                                                                \
  do {                                                                                        \
    if (auto try_result_ = (expression); !try_result_) return std::move(try_result_).error(); \
  } while (false)

#define MYDR24_CONCAT_(a, b) a##b
#define MYDR24_CONCAT(a, b) MYDR24_CONCAT_(a, b)

// MYDR24_ASSIGN(auto x, f()): x takes the value of the Result, or the Error is returned.
#define MYDR24_ASSIGN(target, expression) MYDR24_ASSIGN_(MYDR24_CONCAT(assign_, __LINE__), target, expression)
// NOLINTBEGIN(bugprone-macro-parentheses): `temporary` is declared here and `target` may be a declaration: neither can
// stand in parentheses.
#define MYDR24_ASSIGN_(temporary, target, expression)  \
  auto temporary = (expression);                       \
  if (!temporary) return std::move(temporary).error(); \
  target = std::move(*temporary)
// NOLINTEND(bugprone-macro-parentheses)
