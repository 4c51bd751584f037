// Any text as an expression on a fixed resource: neither compiling nor evaluating may crash or run away.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fhir/path/path.h"

namespace {

constexpr std::string_view patient = R"({"resourceType":"Patient","id":"p","active":true,"name":[{"use":"official",
  "family":"Chalmers","given":["Peter","James"],"_given":[null,{"id":"g"}]}],"birthDate":"1974-12-25",
  "deceasedDateTime":"2024-01-01T10:00:00+02:00","extension":[{"url":"u","valueQuantity":{"value":1.50,"code":"mg",
  "system":"http://unitsofmeasure.org"}}],"contained":[{"resourceType":"Organization","id":"c"}],
  "managingOrganization":{"reference":"#c"}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto document = mydr24::json::Document::parse_view(patient);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto compiled = mydr24::path::Expression::compile(text);
  (void)mydr24::path::Expression::compile(text, mydr24::model::find_type("Patient"));
  if (!compiled) return 0;
  mydr24::path::Environment environment;
  environment.resource = document->root();
  (void)compiled->evaluate(document->root(), environment);
  (void)compiled->holds(mydr24::path::item_of(document->root()), environment);
  return 0;
}
