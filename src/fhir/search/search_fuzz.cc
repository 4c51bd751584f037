// Any text through extraction, folding and the query parser: entries are sorted, folding is bounded, nothing crashes.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/search/search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mydr24;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (search::fold(text).size() > 200) std::abort();
  if (const auto document = json::Document::parse_view(text, {.bytes_max = 1U << 16, .depth_max = 64})) {
    if (!std::ranges::is_sorted(search::extract(document->root()))) std::abort();
  }
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return 0;
  const std::pair<std::string, std::string> parameter(text.substr(0, equals), text.substr(equals + 1));
  for (const auto* type : {"Patient", "Observation"}) {
    const auto query = search::parse_query(type, std::span(&parameter, 1), false);
    if (!query && query.error().issues.empty()) std::abort();
  }
  return 0;
}
