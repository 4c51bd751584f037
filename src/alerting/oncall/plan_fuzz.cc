// Parts of an on-call plan as anybody who may change it can post them: taken or refused with the place that is wrong; a
// plan that was made can be made again of its own documents.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "alerting/oncall/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  if (size < 1) return 0;
  constexpr std::array<std::string_view, 11> kinds{"contact",   "team",   "schedule",    "override",
                                                   "temporary", "policy", "maintenance", "monitor",
                                                   "feed",      "notice", "defaults"};
  const auto kind = kinds[data[0] % kinds.size()];
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  oncall::Documents documents;
  documents["contact/anna"] = R"({"methods":[{"kind":"console"}]})";
  documents[std::string(kind) + "/x"] = text;
  const auto plan = oncall::Plan::make(documents);
  if (!plan) {
    if (plan.error().text.empty()) std::abort();
    return 0;
  }
  if (!oncall::Plan::make(plan->documents())) std::abort();
  return 0;
}
