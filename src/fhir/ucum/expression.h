#pragma once

// The grammar of UCUM: an expression as a list of components. Private to fhir/ucum.
// Source: The Unified Code for Units of Measure, section 2.

#include <cstdint>
#include <string_view>

#include "base/core/result.h"
#include "fhir/ucum/units.h"

namespace mydr24::ucum {

// One factor of an expression, with every slash before it in the sign of its exponent.
struct Component {
  const Unit* unit = nullptr;      // nullptr: a number
  const Prefix* prefix = nullptr;  // may be nullptr
  std::string_view code;           // as written: prefix and unit, or the number
  double number = 1;
  int exponent = 1;
  bool divides = false;  // written after a slash
};

inline constexpr int exponent_max = 99;
inline constexpr int nesting_max = 16;  // of parentheses

// Calls `visit(const Component&)` for each component in order. The expression must have at least one.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  template <class Visit>
  Result<> run(const Visit& visit) {
    if (text_.empty()) return error("the unit is empty");
    MYDR24_TRY(term(visit, false, 0));
    if (at_ != text_.size()) return error("unexpected character");
    return {};
  }

 private:
  template <class Visit>
  Result<> term(const Visit& visit, bool divides, int nesting) {
    bool slash = take('/');
    for (;;) {
      MYDR24_TRY(component(visit, divides != slash, nesting));
      if (take('/')) {
        slash = true;
      } else if (take('.')) {
        slash = false;
      } else {
        return {};
      }
    }
  }

  template <class Visit>
  Result<> component(const Visit& visit, bool divides, int nesting) {
    if (take('(')) {
      if (nesting == nesting_max) return error("too many parentheses");
      MYDR24_TRY(term(visit, divides, nesting + 1));
      if (!take(')')) return error("a parenthesis is not closed");
      return {};
    }
    Component component;
    MYDR24_TRY(read(component));
    component.divides = divides;
    if (divides) component.exponent = -component.exponent;
    visit(component);
    return {};
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Result<> read(Component& out);
  Result<> symbol(Component& out);
  Result<> exponent(Component& out);
  Result<> annotation();
  Error error(std::string_view what) const;

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace mydr24::ucum
