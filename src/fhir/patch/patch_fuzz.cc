// Any JSON text as a patch of a patient: it is refused with words, or makes JSON.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/patch/patch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  constexpr std::string_view patient =
      R"({"resourceType":"Patient","id":"p","birthDate":"1970","_birthDate":{"id":"b"},"deceasedBoolean":true,)"
      R"("name":[{"use":"old","given":["A",null],"_given":[null,{"id":"x"}]},{"use":"usual"}],)"
      R"("contained":[{"resourceType":"Organization","id":"c"}],"managingOrganization":{"reference":"#c"}})";
  static const auto resource = json::Document::parse_view(patient);
  const auto parameters =
      json::Document::parse_view({reinterpret_cast<const char*>(data), size}, {.bytes_max = 1U << 14});
  if (!parameters) return 0;
  const auto patched = patch::apply_path_patch(*resource, parameters->root());
  if (!patched) {
    if (patched.error().text.empty() || patched.error().where.empty()) std::abort();
  } else if (!json::Document::parse(*patched)) {
    std::abort();
  }
  return 0;
}
