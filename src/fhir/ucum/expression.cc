#include "fhir/ucum/expression.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::ucum {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Entry>
const Entry* find(std::span<const Entry> table, std::string_view code) {
  const auto found = std::ranges::lower_bound(table, code, {}, &Entry::code);
  return found != table.end() && found->code == code ? &*found : nullptr;
}

}  // namespace

Error Reader::error(std::string_view what) const {
  return fail(Code::invalid, fmt::format("'{}' is no UCUM unit: {} at character {}", text_, what, at_ + 1));
}

Result<> Reader::read(Component& out) {
  if (at_ == text_.size()) return error("a unit is expected");
  if (text_[at_] == '{') {
    out.code = "1";
    return annotation();
  }
  const std::string_view rest = text_.substr(at_);
  if (is_digit(rest.front()) && !rest.starts_with("10*") && !rest.starts_with("10^")) {
    const std::size_t begin = at_;
    out.number = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) out.number = out.number * 10 + (text_[at_] - '0');
    out.code = text_.substr(begin, at_ - begin);
  } else {
    MYDR24_TRY(symbol(out));
    MYDR24_TRY(exponent(out));
  }
  return at_ < text_.size() && text_[at_] == '{' ? annotation() : Result<>();
}

Result<> Reader::symbol(Component& out) {
  constexpr std::string_view ends = "./(){}+-";
  const std::size_t begin = at_;
  if (is_digit(text_[at_])) {
    at_ += 3;  // 10* and 10^
  } else {
    while (at_ < text_.size() && !is_digit(text_[at_]) && ends.find(text_[at_]) == std::string_view::npos) {
      const std::size_t close = text_[at_] == '[' ? text_.find(']', at_) : at_;
      if (close == std::string_view::npos) return error("a bracket is not closed");
      at_ = close + 1;
    }
  }
  out.code = text_.substr(begin, at_ - begin);
  out.unit = find(unit_table(), out.code);
  if (out.unit != nullptr) return {};
  for (std::size_t size = 1; size <= 2 && size < out.code.size(); ++size) {
    const Unit* unit = find(unit_table(), out.code.substr(size));
    if (unit == nullptr || !unit->is_metric()) continue;
    out.prefix = find(prefix_table(), out.code.substr(0, size));
    if (out.prefix == nullptr) continue;
    out.unit = unit;
    return {};
  }
  at_ = begin;
  return error("an unknown unit");
}

Result<> Reader::exponent(Component& out) {
  const bool negative = at_ < text_.size() && text_[at_] == '-';
  const bool is_signed = negative || (at_ < text_.size() && text_[at_] == '+');
  if (is_signed) ++at_;
  if (at_ == text_.size() || !is_digit(text_[at_])) return is_signed ? error("an exponent is expected") : Result<>();
  int value = 0;
  for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
    value = value * 10 + (text_[at_] - '0');
    if (value > exponent_max) return error("too large an exponent");
  }
  out.exponent = negative ? -value : value;
  return {};
}

Result<> Reader::annotation() {
  for (++at_; at_ < text_.size() && text_[at_] != '}'; ++at_) {
    if (text_[at_] < '!' || text_[at_] > '~' || text_[at_] == '{') {
      return error("an annotation holds only ASCII characters");
    }
  }
  if (at_ == text_.size()) return error("an annotation is not closed");
  ++at_;
  return {};
}

}  // namespace mydr24::ucum
