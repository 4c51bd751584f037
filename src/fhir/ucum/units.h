#pragma once

// The facts of UCUM: units with their definitions, and prefixes. Private to fhir/ucum.

#include <cstdint>
#include <span>
#include <string_view>

namespace mydr24::ucum {

struct Unit {
  // arbitrary: defined by a procedure; measures the same as nothing else. metric: takes prefixes.
  enum class Kind : std::uint8_t { plain, metric, arbitrary, arbitrary_metric };
  // How a number of this unit becomes one of value * definition. All but linear are UCUM's special units.
  enum class Function : std::uint8_t {
    linear,
    celsius,
    fahrenheit,
    reaumur,
    tangent,  // 100 tan
    power_of_10,
    power_of_100,
    power_of_1000,
    power_of_50000,
    exponential,
    decades,
    half_decades,
    octaves,
    square,
  };

  std::string_view code;
  std::string_view name;
  double value;
  std::string_view definition;  // empty: a base unit
  Kind kind = Kind::plain;
  Function function = Function::linear;

  bool is_metric() const { return kind == Kind::metric || kind == Kind::arbitrary_metric; }
  bool is_arbitrary() const { return kind == Kind::arbitrary || kind == Kind::arbitrary_metric; }
};

struct Prefix {
  std::string_view code;
  std::string_view name;
  double factor;
};

std::span<const Unit> unit_table();      // sorted by code
std::span<const Prefix> prefix_table();  // sorted by code

}  // namespace mydr24::ucum
