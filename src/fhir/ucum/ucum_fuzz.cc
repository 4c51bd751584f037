// Any text as a unit: what is understood must convert to itself and be named; products of it must be readable.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fhir/ucum/ucum.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace ucum = mydr24::ucum;
  const std::string_view unit(reinterpret_cast<const char*>(data), size);
  if (!ucum::check(unit)) return 0;
  if (!ucum::display(unit)) std::abort();
  (void)ucum::canonical(1, unit);
  (void)ucum::convert(1, unit, unit);
  const auto square = ucum::multiply(unit, unit);
  if (square && square->size() <= ucum::unit_bytes_max) (void)ucum::check(*square);
  (void)ucum::divide(unit, unit);
  return 0;
}
