// What is posted as a list of alerts: an array falls into the texts of its items, each one JSON of its own, or is
// refused.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/alert_api/detail/answers.h"
#include "base/json/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto items = alert_api::split_array(text);
  const auto document = json::Document::parse_view(text);
  if (!document || !document->root().is_array()) return 0;
  if (!items || items->size() != document->root().size()) std::abort();
  for (std::size_t i = 0; i < items->size(); ++i)
    if (!json::Document::parse_view((*items)[i])) std::abort();
  return 0;
}
