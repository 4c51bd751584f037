#include "fhir/path/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mydr24::path {
namespace {

constexpr int quotient_decimals_max = 20;
constexpr int digits_max = Decimal::scale_max + 1;

constexpr auto powers = [] {
  std::array<Wide, Decimal::scale_max + 2> table{};
  Wide power = 1;
  for (auto& entry : table) {
    entry = power;
    if (&entry != &table.back()) power *= 10;
  }
  return table;
}();

Wide power_of_ten(int exponent) { return powers[static_cast<std::size_t>(exponent)]; }

bool fits(Wide digits) { return digits <= power_of_ten(digits_max) && digits >= -power_of_ten(digits_max); }

Wide rounded_quotient(Wide digits, Wide divisor, Rounding rounding) {
  Wide quotient = digits / divisor;
  const Wide rest = digits % divisor;
  if (rest == 0) return quotient;
  const Wide size = rest < 0 ? -rest : rest;
  switch (rounding) {
    case Rounding::to_zero:
      break;
    case Rounding::half_away:
      if (size >= divisor - size) quotient += digits < 0 ? -1 : 1;
      break;
    case Rounding::down:
      if (digits < 0) --quotient;
      break;
    case Rounding::up:
      if (digits > 0) ++quotient;
      break;
  }
  return quotient;
}

void drop_decimal(Decimal& value) {
  value.digits = rounded_quotient(value.digits, 10, Rounding::half_away);
  --value.scale;
}

bool scale_up(Decimal& value, int scale) {
  Wide product;
  if (scale > Decimal::scale_max || __builtin_mul_overflow(value.digits, power_of_ten(scale - value.scale), &product) ||
      !fits(product)) {
    return false;
  }
  value.digits = product;
  value.scale = scale;
  return true;
}

// Gives both the same scale, at the cost of the last decimals when they do not fit.
bool align(Decimal& a, Decimal& b) {
  while (a.scale != b.scale) {
    Decimal& shorter = a.scale < b.scale ? a : b;
    Decimal& longer = a.scale < b.scale ? b : a;
    if (scale_up(shorter, longer.scale)) return true;
    drop_decimal(longer);
  }
  return true;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  Decimal value;
  bool in_fraction = false;
  bool has_digit = false;
  bool is_full = false;
  std::size_t at = 0;
  for (; at < text.size() && (text[at] == '.' || (text[at] >= '0' && text[at] <= '9')); ++at) {
    if (text[at] == '.') {
      if (in_fraction || !has_digit) return std::nullopt;
      in_fraction = true;
      has_digit = false;
      continue;
    }
    has_digit = true;
    if (is_full) continue;
    const int digit = text[at] - '0';
    if ((in_fraction && value.scale == Decimal::scale_max) || value.digits >= power_of_ten(digits_max - 1)) {
      if (!in_fraction) return std::nullopt;
      if (digit >= 5) ++value.digits;
      is_full = true;
      continue;
    }
    value.digits = value.digits * 10 + digit;
    if (in_fraction) ++value.scale;
  }
  if (!has_digit) return std::nullopt;
  if (negative) value.digits = -value.digits;
  if (at == text.size()) return value;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  const auto exponent = parse_integer(text.substr(at + 1));
  if (!exponent) return std::nullopt;
  if (value.digits == 0) return value;
  if (*exponent > 2 * Decimal::scale_max || *exponent < -2 * Decimal::scale_max) return std::nullopt;
  int scale = value.scale - static_cast<int>(*exponent);
  value.scale = 0;
  if (scale < 0) {
    if (scale < -Decimal::scale_max || !scale_up(value, -scale)) return std::nullopt;
    scale = 0;
  }
  value.scale = scale;
  while (value.scale > Decimal::scale_max) drop_decimal(value);
  return value;
}

std::string to_text(const Decimal& value) {
  const bool negative = value.digits < 0;
  std::string digits = fmt::format("{}", negative ? -value.digits : value.digits);
  const auto scale = static_cast<std::size_t>(value.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, ".");
  if (negative) digits.insert(0, "-");
  return digits;
}

double to_double(const Decimal& value) {
  return static_cast<double>(static_cast<long double>(value.digits) /
                             static_cast<long double>(power_of_ten(value.scale)));
}

std::optional<Decimal> from_double(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  const auto result = parse_decimal(fmt::format("{:.14e}", value));
  return result ? std::optional(trimmed(*result)) : std::nullopt;
}

std::optional<Decimal> add(Decimal a, Decimal b) {
  align(a, b);
  Decimal sum;
  sum.scale = a.scale;
  if (!__builtin_add_overflow(a.digits, b.digits, &sum.digits) && fits(sum.digits)) return sum;
  if (a.scale == 0) return std::nullopt;
  drop_decimal(a);
  drop_decimal(b);
  return add(a, b);
}

std::optional<Decimal> subtract(const Decimal& a, Decimal b) {
  b.digits = -b.digits;
  return add(a, b);
}

std::optional<Decimal> multiply(Decimal a, Decimal b) {
  for (;;) {
    Decimal product;
    product.scale = a.scale + b.scale;
    if (product.scale <= Decimal::scale_max && !__builtin_mul_overflow(a.digits, b.digits, &product.digits) &&
        fits(product.digits)) {
      return product;
    }
    if (product.scale == 0) return std::nullopt;
    drop_decimal(a.scale >= b.scale ? a : b);
  }
}

std::optional<Decimal> divide(const Decimal& a, const Decimal& b) {
  if (b.digits == 0) return std::nullopt;
  const bool negative = (a.digits < 0) != (b.digits < 0);
  const Wide divisor = b.digits < 0 ? -b.digits : b.digits;
  const Wide dividend = a.digits < 0 ? -a.digits : a.digits;
  Wide quotient = dividend / divisor;
  Wide rest = dividend % divisor;
  int scale = a.scale - b.scale;
  while (scale < 0 || (rest != 0 && scale < quotient_decimals_max)) {
    Wide next_rest;
    Wide next;
    if (__builtin_mul_overflow(rest, 10, &next_rest) || __builtin_mul_overflow(quotient, 10, &next) ||
        __builtin_add_overflow(next, next_rest / divisor, &next) || !fits(next)) {
      if (scale < 0) return std::nullopt;
      break;
    }
    quotient = next;
    rest = next_rest % divisor;
    ++scale;
  }
  if (rest >= divisor - rest) ++quotient;
  Decimal result;
  result.digits = negative ? -quotient : quotient;
  result.scale = scale;
  while (result.scale > Decimal::scale_max) drop_decimal(result);
  return trimmed(result);
}

std::optional<Decimal> remainder(Decimal a, Decimal b) {
  if (b.digits == 0) return std::nullopt;
  align(a, b);
  if (b.digits == 0) return std::nullopt;
  return trimmed(Decimal{a.digits % b.digits, a.scale});
}

int compare(const Decimal& a, const Decimal& b) {
  Decimal left = trimmed(a);
  Decimal right = trimmed(b);
  if (left.scale < right.scale ? scale_up(left, right.scale) : scale_up(right, left.scale)) {
    return left.digits < right.digits ? -1 : (left.digits > right.digits ? 1 : 0);
  }
  // What does not fit at the other's scale differs by far.
  const double difference = to_double(a) - to_double(b);
  return difference < 0 ? -1 : (difference > 0 ? 1 : 0);
}

std::optional<Decimal> with_scale(Decimal value, int scale, Rounding rounding) {
  if (scale >= value.scale) return scale_up(value, scale) ? std::optional(value) : std::nullopt;
  value.digits = rounded_quotient(value.digits, power_of_ten(value.scale - scale), rounding);
  value.scale = scale;
  return value;
}

Decimal trimmed(Decimal value) {
  while (value.scale > 0 && value.digits % 10 == 0) {
    value.digits /= 10;
    --value.scale;
  }
  return value;
}

std::optional<std::int64_t> whole(const Decimal& value, Rounding rounding) {
  const Wide digits = rounded_quotient(value.digits, power_of_ten(value.scale), rounding);
  if (digits > INT64_MAX || digits < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(digits);
}

}  // namespace mydr24::path
