// Any JSON is judged without a fault, with every check and against published profiles.

#include <cstddef>
#include <cstdint>
#include <string>

#include "fhir/validation/validation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  static const auto validator = validation::Validator::base(terminology::Terminology::published());
  auto document = json::Document::parse(std::string(reinterpret_cast<const char*>(data), size));
  if (!document) return 0;
  validation::Request request;
  request.warnings = true;
  request.profiles = {"http://hl7.org/fhir/StructureDefinition/vitalsigns"};
  const auto issues = validator->validate(document->root(), request);
  // The input may be a definition as well.
  const auto root = document->root();
  const auto extended = validator->with({&root, 1}, terminology::Terminology::published());
  if (extended->profiles().size() < validator->profiles().size()) __builtin_trap();
  if (issues.size() > 2 * request.issues_max) __builtin_trap();
  return 0;
}
