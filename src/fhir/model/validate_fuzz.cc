// Any JSON text through the validator: every issue has a code and stays below the limit.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fhir/model/validate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = json::Document::parse_view(text, {.bytes_max = 1U << 16, .depth_max = 64});
  if (!document) return 0;
  const auto issues = model::validate(document->root(), {.issues_max = 10});
  if (issues.size() > 10) std::abort();
  for (const auto& issue : issues) {
    if (issue.code.empty() || issue.diagnostics.empty()) std::abort();
  }
  if (model::operation_outcome(issues).empty()) std::abort();
  return 0;
}
