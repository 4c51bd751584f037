#include "fhir/ucum/ucum.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>
#include <vector>

#include "fhir/ucum/expression.h"
#include "fhir/ucum/units.h"

namespace mydr24::ucum {
namespace {

constexpr std::size_t arbitrary_max = 4;  // different arbitrary units in one expression

// What a unit comes to: a factor and powers of base units.
struct Measure {
  struct Power {
    const Unit* unit = nullptr;
    int exponent = 0;
    bool operator==(const Power&) const = default;
  };

  double factor = 1;
  std::array<int, 7> exponents{};                // of C K cd g m rad s
  std::array<Power, arbitrary_max> arbitrary{};  // sorted by code; unused ones at the end
  bool too_many = false;

  bool same_dimension(const Measure& other) const {
    return exponents == other.exponents && arbitrary == other.arbitrary;
  }

  void multiply(const Measure& other, int exponent) {
    if (other.factor != 1) factor *= exponent == 1 ? other.factor : std::pow(other.factor, exponent);
    for (std::size_t i = 0; i < exponents.size(); ++i) exponents[i] += exponent * other.exponents[i];
    for (const Power& power : other.arbitrary) {
      if (power.unit != nullptr) add(power.unit, exponent * power.exponent);
    }
  }

  void add(const Unit* unit, int exponent) {
    auto at = std::ranges::find_if(arbitrary, [&](const Power& p) { return p.unit == nullptr || p.unit >= unit; });
    if (at == arbitrary.end()) {
      too_many = true;
    } else if (at->unit == unit) {
      at->exponent += exponent;
      if (at->exponent != 0) return;
      std::move(std::next(at), arbitrary.end(), at);
      arbitrary.back() = {};
    } else {
      too_many = too_many || arbitrary.back().unit != nullptr;
      std::move_backward(at, std::prev(arbitrary.end()), arbitrary.end());
      *at = {unit, exponent};
    }
  }
};

constexpr std::array<std::string_view, 7> base_codes{"C", "K", "cd", "g", "m", "rad", "s"};

// What each unit of the table comes to, in its order; made once from the definitions.
class Measures {
 public:
  Measures() : measures_(unit_table().size()), is_made_(unit_table().size()) {
    for (const Unit& unit : unit_table()) make(unit);
  }
  const Measure& of(const Unit& unit) const { return measures_[place(unit)]; }

 private:
  static std::size_t place(const Unit& unit) { return static_cast<std::size_t>(&unit - unit_table().data()); }

  // Definitions go at most a dozen units deep, and never round in a circle.
  const Measure& make(const Unit& unit) {
    Measure& measure = measures_[place(unit)];
    if (is_made_[place(unit)]) return measure;
    is_made_[place(unit)] = true;
    Measure made;
    made.factor = unit.value;
    if (unit.definition.empty()) {
      const auto base = std::ranges::find(base_codes, unit.code);
      made.exponents[static_cast<std::size_t>(base - base_codes.begin())] = 1;
    } else {
      (void)Reader(unit.definition).run([&](const Component& component) { apply(component, made); });
    }
    // An arbitrary unit is a thing of its own, unless it is another name of one ("[IU]").
    if (unit.is_arbitrary() && made.arbitrary.front().unit == nullptr) {
      made = {};
      made.add(&unit, 1);
    }
    measure = made;
    return measure;
  }

  void apply(const Component& component, Measure& out) {
    Measure part;
    part.factor = component.number;
    if (component.unit != nullptr) part = make(*component.unit);
    if (component.prefix != nullptr) part.factor *= component.prefix->factor;
    out.multiply(part, component.exponent);
  }

  std::vector<Measure> measures_;
  std::vector<bool> is_made_;
};

const Measures& measures() {
  static const Measures all;
  return all;
}

// An expression understood: what it comes to, and, when it is one special unit alone, its function.
struct Understood {
  Measure measure;
  Unit::Function function = Unit::Function::linear;
  double prefix = 1;  // of the special unit
};

Result<Understood> understand(std::string_view text) {
  if (text.size() > unit_bytes_max) return fail(Code::invalid, "the unit is too long");
  Understood result;
  std::size_t count = 0;
  const Unit* special = nullptr;
  MYDR24_TRY(Reader(text).run([&](const Component& component) {
    ++count;
    if (component.unit == nullptr) {
      result.measure.factor *= component.exponent < 0 ? 1 / component.number : component.number;
      return;
    }
    const bool is_special = component.unit->function != Unit::Function::linear;
    const double prefix = component.prefix != nullptr ? component.prefix->factor : 1;
    if (prefix != 1) result.measure.factor *= component.exponent == 1 ? prefix : std::pow(prefix, component.exponent);
    result.measure.multiply(measures().of(*component.unit), component.exponent);
    if (is_special && component.exponent == 1) {
      special = component.unit;
      result.prefix = prefix;
    }
  }));
  if (result.measure.too_many) return fail(Code::invalid, fmt::format("'{}' has too many arbitrary units", text));
  if (!std::isfinite(result.measure.factor) || result.measure.factor == 0) {
    return fail(Code::invalid, fmt::format("'{}' is out of range", text));
  }
  if (special != nullptr && count == 1) {
    result.function = special->function;
    result.measure.factor /= result.prefix;
  }
  return result;
}

// A number of the unit in base units. Source of the functions: UCUM, section 3 and tables of special units.
double to_base(const Understood& unit, double value) {
  const double factor = unit.measure.factor;
  value *= unit.prefix;
  switch (unit.function) {
    case Unit::Function::linear:
      return value * factor;
    case Unit::Function::celsius:
      return value + 273.15;
    case Unit::Function::fahrenheit:
      return (value + 459.67) * factor;
    case Unit::Function::reaumur:
      return value * factor + 273.15;
    case Unit::Function::tangent:
      return std::atan(value / 100);
    case Unit::Function::power_of_10:
      return std::pow(10, -value) * factor;
    case Unit::Function::power_of_100:
      return std::pow(100, -value) * factor;
    case Unit::Function::power_of_1000:
      return std::pow(1000, -value) * factor;
    case Unit::Function::power_of_50000:
      return std::pow(50000, -value) * factor;
    case Unit::Function::exponential:
      return std::exp(value) * factor;
    case Unit::Function::decades:
      return std::pow(10, value) * factor;
    case Unit::Function::half_decades:
      return std::pow(10, value / 2) * factor;
    case Unit::Function::octaves:
      return std::exp2(value) * factor;
    case Unit::Function::square:
      return value * value * factor;
  }
  return value;
}

double from_base(const Understood& unit, double value) {
  const double ratio = value / unit.measure.factor;
  switch (unit.function) {
    case Unit::Function::linear:
      return ratio / unit.prefix;
    case Unit::Function::celsius:
      return (value - 273.15) / unit.prefix;
    case Unit::Function::fahrenheit:
      return ratio - 459.67;
    case Unit::Function::reaumur:
      return (value - 273.15) / unit.measure.factor;
    case Unit::Function::tangent:
      return std::tan(value) * 100;
    case Unit::Function::power_of_10:
      return -std::log10(ratio);
    case Unit::Function::power_of_100:
      return -std::log10(ratio) / 2;
    case Unit::Function::power_of_1000:
      return -std::log10(ratio) / 3;
    case Unit::Function::power_of_50000:
      return -std::log(ratio) / std::log(50000.0);
    case Unit::Function::exponential:
      return std::log(ratio) / unit.prefix;
    case Unit::Function::decades:
      return std::log10(ratio) / unit.prefix;
    case Unit::Function::half_decades:
      return std::log10(ratio) * 2 / unit.prefix;
    case Unit::Function::octaves:
      return std::log2(ratio);
    case Unit::Function::square:
      return std::sqrt(ratio);
  }
  return value;
}

void append_power(std::string& out, std::string_view code, int exponent) {
  if (exponent == 0) return;
  if (!out.empty()) out += '.';
  out += code;
  if (exponent != 1) fmt::format_to(std::back_inserter(out), "{}", exponent);
}

std::string base_text(const Measure& measure) {
  std::string out;
  for (std::size_t i = 0; i < base_codes.size(); ++i) append_power(out, base_codes[i], measure.exponents[i]);
  for (const Measure::Power& power : measure.arbitrary) {
    if (power.unit != nullptr) append_power(out, power.unit->code, power.exponent);
  }
  return out.empty() ? "1" : out;
}

Error out_of_range(double value, std::string_view unit) {
  return fail(Code::invalid, fmt::format("{} '{}' is out of range", value, unit));
}

// Codes with their exponents, in the order in which they first appear.
struct Product {
  struct Factor {
    std::string code;
    int exponent;
    bool is_number;
  };
  std::vector<Factor> factors;

  Result<> multiply(std::string_view text, int sign) {
    if (text.size() > unit_bytes_max) return fail(Code::invalid, "the unit is too long");
    bool is_special = false;
    MYDR24_TRY(Reader(text).run([&](const Component& component) {
      is_special = is_special || (component.unit != nullptr && component.unit->function != Unit::Function::linear);
      if (component.code == "1") return;
      const bool is_number = component.unit == nullptr;
      const auto found = std::ranges::find_if(
          factors, [&](const Factor& one) { return !is_number && !one.is_number && one.code == component.code; });
      if (found != factors.end()) {
        found->exponent += sign * component.exponent;
      } else {
        factors.push_back({std::string(component.code), sign * component.exponent, is_number});
      }
    }));
    if (is_special) return fail(Code::unprocessable, fmt::format("'{}' is not on a ratio scale", text));
    return {};
  }

  std::string text() const {
    std::string out;
    for (const Factor& one : factors) {
      if (one.exponent <= 0) continue;
      if (!out.empty()) out += '.';
      out += one.code;
      if (one.exponent > 1) out += std::to_string(one.exponent);
    }
    for (const Factor& one : factors) {
      if (one.exponent >= 0) continue;
      out += '/';
      out += one.code;
      if (one.exponent < -1) out += std::to_string(-one.exponent);
    }
    return out.empty() ? "1" : out;
  }
};

Result<std::string> combine(std::string_view a, std::string_view b, int sign) {
  Product product;
  MYDR24_TRY(product.multiply(a, 1));
  MYDR24_TRY(product.multiply(b, sign));
  return product.text();
}

}  // namespace

Result<> check(std::string_view unit) {
  MYDR24_TRY(understand(unit));
  return {};
}

Result<Canonical> canonical(double value, std::string_view unit) {
  MYDR24_ASSIGN(const Understood understood, understand(unit));
  Canonical result{to_base(understood, value), base_text(understood.measure)};
  if (!std::isfinite(result.value)) return out_of_range(value, unit);
  return result;
}

Result<double> convert(double value, std::string_view from, std::string_view to) {
  MYDR24_ASSIGN(const Understood source, understand(from));
  MYDR24_ASSIGN(const Understood target, understand(to));
  if (!source.measure.same_dimension(target.measure)) {
    return fail(Code::unprocessable, fmt::format("'{}' and '{}' do not measure the same thing", from, to));
  }
  const bool are_linear = source.function == Unit::Function::linear && target.function == source.function;
  const double result =
      are_linear ? value * (source.measure.factor / target.measure.factor) : from_base(target, to_base(source, value));
  if (!std::isfinite(result)) return out_of_range(value, from);
  return result;
}

Result<std::string> multiply(std::string_view a, std::string_view b) { return combine(a, b, 1); }

Result<std::string> divide(std::string_view a, std::string_view b) { return combine(a, b, -1); }

Result<std::string> display(std::string_view unit) {
  if (unit.size() > unit_bytes_max) return fail(Code::invalid, "the unit is too long");
  std::string out;
  MYDR24_TRY(Reader(unit).run([&](const Component& component) {
    if (!out.empty() || component.divides) out += out.empty() ? "1 / " : (component.divides ? " / " : " * ");
    if (component.unit == nullptr) {
      out += component.code;
      return;
    }
    const std::string_view prefix = component.prefix != nullptr ? component.prefix->name : "";
    const int exponent = component.divides ? -component.exponent : component.exponent;
    // One component alone needs no parentheses, but cannot be known before the end: they are taken off below.
    if (exponent == 1) {
      out += fmt::format("({}{})", prefix, component.unit->name);
    } else {
      out += fmt::format("({}{} ^ {})", prefix, component.unit->name, exponent);
    }
  }));
  const bool is_alone =
      out.starts_with('(') && out.find('(', 1) == std::string::npos && out.find(')') + 1 == out.size();
  return is_alone ? out.substr(1, out.size() - 2) : out;
}

}  // namespace mydr24::ucum
