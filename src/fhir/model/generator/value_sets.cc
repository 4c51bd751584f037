#include "fhir/model/generator/value_sets.h"

#include <algorithm>
#include <iterator>

namespace mydr24::generator {
namespace {

constexpr int depth_max = 8;  // of value sets that include one another

// A concept that only groups others is no code to use: in R4, `question` of item-type.
bool is_abstract(json::Value definition) {
  return std::ranges::any_of(definition["property"], [](json::Value property) {
    return property["code"].text() == "notSelectable" && property["valueBoolean"].is_true();
  });
}

template <class Concepts>
void add_definitions(json::Value definitions, const std::string& system, Concepts& concepts) {
  for (const auto definition : definitions) {
    if (!is_abstract(definition)) concepts.emplace(system, definition["code"].text());
    add_definitions(definition["concept"], system, concepts);
  }
}

}  // namespace

ValueSets::ValueSets(std::span<const json::Document> bundles) {
  for (const auto& bundle : bundles) {
    for (const auto entry : bundle.root()["entry"]) {
      const auto resource = entry["resource"];
      const auto type = resource["resourceType"].text();
      if (type == "ValueSet") value_sets_.emplace(resource["url"].text(), resource);
      if (type == "CodeSystem") code_systems_.emplace(resource["url"].text(), resource);
    }
  }
}

std::optional<std::vector<std::string>> ValueSets::codes(std::string_view canonical) const {
  const auto concepts = expand(canonical, 0);
  if (!concepts || concepts->empty()) return std::nullopt;
  std::set<std::string> sorted;
  for (const auto& [system, code] : *concepts) sorted.insert(code);
  return std::vector<std::string>(sorted.begin(), sorted.end());
}

std::optional<ValueSets::Concepts> ValueSets::expand(std::string_view canonical, int depth) const {
  const auto bar = canonical.find('|');
  const auto found = value_sets_.find(canonical.substr(0, bar));
  if (found == value_sets_.end() || depth > depth_max) return std::nullopt;
  const auto value_set = found->second;
  if (bar != std::string_view::npos && value_set["version"].text() != canonical.substr(bar + 1)) return std::nullopt;
  auto concepts = all_of(value_set["compose"]["include"], depth);
  const auto excluded = all_of(value_set["compose"]["exclude"], depth);
  if (!concepts || !excluded) return std::nullopt;
  for (const auto& one : *excluded) concepts->erase(one);
  return concepts;
}

std::optional<ValueSets::Concepts> ValueSets::all_of(json::Value rules, int depth) const {
  Concepts concepts;
  for (const auto rule : rules) {
    auto more = one_of(rule, depth);
    if (!more) return std::nullopt;
    concepts.merge(*more);
  }
  return concepts;
}

// What a rule's code system and value sets have in common.
std::optional<ValueSets::Concepts> ValueSets::one_of(json::Value rule, int depth) const {
  std::optional<Concepts> common;
  if (rule["system"].exists()) {
    common = of_system(rule);
    if (!common) return std::nullopt;
  }
  for (const auto url : rule["valueSet"]) {
    auto other = expand(url.text(), depth + 1);
    if (!other) return std::nullopt;
    if (common) std::erase_if(*common, [&](const auto& one) { return !other->contains(one); });
    if (!common) common = std::move(other);
  }
  return common;
}

std::optional<ValueSets::Concepts> ValueSets::of_system(json::Value rule) const {
  const std::string system(rule["system"].text());
  Concepts concepts;
  if (rule["filter"].exists()) return std::nullopt;
  if (rule["concept"].exists()) {
    for (const auto one : rule["concept"]) concepts.emplace(system, one["code"].text());
    return concepts;
  }
  const auto found = code_systems_.find(system);
  if (found == code_systems_.end() || found->second["content"].text() != "complete") return std::nullopt;
  if (const auto version = rule["version"]; version.exists() && version.text() != found->second["version"].text()) {
    return std::nullopt;
  }
  add_definitions(found->second["concept"], system, concepts);
  if (concepts.empty()) return std::nullopt;
  return concepts;
}

}  // namespace mydr24::generator
