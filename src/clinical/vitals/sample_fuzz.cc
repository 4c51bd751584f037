// Samples and rule sets from anybody: refused or taken, never a crash; what is taken is JSON.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json/document.h"
#include "clinical/vitals/rules.h"
#include "clinical/vitals/sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto sample = vitals::observation_of(text, {.now = from_us(0), .patient = "p"});
  if (sample && !json::Document::parse_view(sample->text)) std::abort();
  const auto set = vitals::parse_rules(text);
  if (set && (set->rules.empty() || set->rules.size() > vitals::rules_max)) std::abort();
  return 0;
}
