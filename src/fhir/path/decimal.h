#pragma once

// Exact decimal numbers: an integer of at most 38 digits and a power of ten. Sums, differences and products are exact
// as long as they fit, and lose their last decimals when they do not; a quotient has at most 20 decimals, the last one
// rounded. Nothing when the whole part alone does not fit. Private to fhir/path.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mydr24::path {

__extension__ using Wide = __int128;

struct Decimal {
  Wide digits = 0;
  int scale = 0;  // the value is digits / 10^scale; 0 to scale_max

  static constexpr int scale_max = 37;
};

// [+-]digits[.digits][(e|E)[+-]digits]; further decimals than fit are rounded.
std::optional<Decimal> parse_decimal(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::string to_text(const Decimal& value);
double to_double(const Decimal& value);
// To 15 significant digits, the accuracy of a double; nothing for infinities and what does not fit.
std::optional<Decimal> from_double(double value);

std::optional<Decimal> add(Decimal a, Decimal b);
std::optional<Decimal> subtract(const Decimal& a, Decimal b);
std::optional<Decimal> multiply(Decimal a, Decimal b);
std::optional<Decimal> divide(const Decimal& a, const Decimal& b);  // nothing for a zero divisor
std::optional<Decimal> remainder(Decimal a, Decimal b);             // the sign is that of `a`
int compare(const Decimal& a, const Decimal& b);                    // below, equal to, above 0

enum class Rounding : std::uint8_t { half_away, to_zero, down, up };
// Exactly `scale` decimals, zeros appended where there were fewer; nothing when that does not fit.
std::optional<Decimal> with_scale(Decimal value, int scale, Rounding rounding);
// Without zeros at the end of the decimals.
Decimal trimmed(Decimal value);
// The whole part; nothing beyond 64 bits.
std::optional<std::int64_t> whole(const Decimal& value, Rounding rounding);

}  // namespace mydr24::path
