// Any text through extraction, folding, words, the query parser, its filters and custom parameters: entries are sorted,
// what one parameter finds alone it finds among all, a refusal says why, what was understood can be asked,
// and nothing crashes.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fhir/search/search.h"

namespace {

using namespace mydr24;

void require(bool holds) {
  if (!holds) std::abort();
}

void check_resource(std::string_view text) {
  const auto document = json::Document::parse_view(text, {.bytes_max = 1U << 16, .depth_max = 64});
  if (!document) return;
  const auto resource = document->root();
  const auto entries = search::extract(resource);
  require(std::ranges::is_sorted(entries));
  for (const auto& parameter : search::parameters_of(resource["resourceType"].text())) {
    const auto own = search::extract(resource, parameter);
    const auto count = std::ranges::count_if(entries, [&](const search::IndexEntry& entry) {
      return entry.parameter == parameter.number && !entry.contained;
    });
    require(entries.size() == search::index_entries_max || own.size() == static_cast<std::size_t>(count));
    search::sort_key(resource, {.parameter = &parameter});
  }
  if (const auto custom = search::custom_parameter(resource)) {
    require(search::with_parameters(nullptr, std::span(&*custom, 1)).has_value());
  }
}

void check_query(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return;
  const std::pair<std::string, std::string> parameter(text.substr(0, equals), text.substr(equals + 1));
  static const auto document = json::Document::parse(
      R"({"resourceType":"Observation","id":"o","status":"final","code":{"text":"a","coding":[{"system":"s","code":"c"}]},
      "subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-03-01","valueQuantity":{"value":5,"unit":"mg"}})");
  for (const auto* type : {"Patient", "Observation", "Location"}) {
    const auto query = search::parse_query(type, std::span(&parameter, 1), false);
    require(query || !query.error().issues.empty());
    if (!query) continue;
    for (const auto& condition : query->conditions) {
      search::index_decides(condition);
      search::matches(condition, document->root(), {.chain = {}, .has = {}});
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  require(search::fold(text).size() <= 200);
  for (const auto& word : search::words(text)) require(!word.empty() && word.size() <= 64);
  check_resource(text);
  check_query(text);
  return 0;
}
