// What R4 demands of single resource types in words. Source: FHIR R4, the pages of the types.

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Step;

const model::SearchParameterDefinition* published_parameter(std::string_view url) {
  static const auto by_url = [] {
    std::unordered_map<std::string_view, const model::SearchParameterDefinition*> all;
    for (const auto& one : model::search_parameters()) all.emplace(one.url, &one);
    return all;
  }();
  const auto found = by_url.find(url.substr(0, url.find('|')));
  return found == by_url.end() ? nullptr : found->second;
}

std::size_t count_concepts(json::Value concepts) {
  std::size_t count = 0;
  for (const auto one : concepts) count += 1 + count_concepts(one["concept"]);
  return count;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

}  // namespace

bool is_absolute_uri(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  return std::ranges::all_of(text.substr(0, colon), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
  });
}

void Run::resource_rules(const Item& item) {
  const auto name = item.type->name;
  if (name == "Bundle") return bundle(item);
  if (name == "SearchParameter") search_parameter(item);
  if (name == "CapabilityStatement") capability_statement(item);
  if (name == "ValueSet") value_set(item);
  if (name == "CodeSystem") code_system(item);
  if (name == "StructureDefinition") structure_definition(item);
  if (item.value["url"].is_string() && item.type->find("publisher") != nullptr) canonical_resource(item);
}

// Source: references.html, "Canonical URLs".
void Run::canonical_resource(const Item& item) {
  const auto url = item.value["url"].text();
  const Step below{item.step, "url", item.type->find("url")};
  if (!is_absolute_uri(url)) {
    error("invalid", below, fmt::format("A canonical URL must be absolute, not '{}'.", url));
  } else if (url.starts_with("urn:uuid:") && !is_uuid(url.substr(9))) {
    error("invalid", below, fmt::format("'{}' is no UUID in lower case.", url));
  }
}

void Run::search_parameter(const Item& item) {
  const auto type = item.value["type"].text();
  if (type == "composite" && item.value["component"].size() < 2) {
    error("business-rule", *item.step, "A SearchParameter of type composite needs two components or more.");
  }
  const auto expression = item.value["expression"];
  if (expression.is_string()) {
    if (const auto compiled = path::Expression::compile(expression.text()); !compiled) {
      const Step below{item.step, "expression", item.type->find("expression")};
      error("invalid", below, fmt::format("The expression is no FHIRPath: {}.", compiled.error().text));
    }
  }
  const auto derived = item.value["derivedFrom"].text();
  const auto* base = published_parameter(derived);
  if (base == nullptr) return;
  if (base->kind != type) {
    error("business-rule", *item.step,
          fmt::format("The type {} is not that of {}, which is {}.", type, derived, base->kind));
  }
  for (const auto one : item.value["base"]) {
    if (full()) return;
    const bool known = std::ranges::any_of(model::search_parameters(), [&](const auto& parameter) {
      return parameter.url == base->url && parameter.base == one.text();
    });
    if (!known) error("business-rule", *item.step, fmt::format("{} does not search {}.", derived, one.text()));
  }
}

void Run::capability_statement(const Item& item) {
  const Step rest_step{item.step, "rest"};
  for (const auto rest : item.value["rest"]) {
    const Step resource_step{&rest_step, "resource"};
    for (const auto resource : rest["resource"]) {
      Step below{&resource_step, "searchParam"};
      for (const auto parameter : resource["searchParam"]) {
        ++below.index;
        const auto* definition = published_parameter(parameter["definition"].text());
        if (definition == nullptr || definition->kind == parameter["type"].text()) continue;
        // HL7's own example of a knowledge repository has this wrong: not worth a refusal.
        const std::string text = fmt::format("The search parameter {} is of type {}, not {}.", definition->url,
                                             definition->kind, parameter["type"].text());
        request_.strict ? error("invalid", below, text) : warn("invalid", below, text);
      }
    }
  }
}

void Run::value_set(const Item& item) {
  const Step compose{item.step, "compose"};
  for (const auto* part : {"include", "exclude"}) {
    Step below{&compose, part};
    for (const auto rule : item.value["compose"][part]) {
      ++below.index;
      const auto system = rule["system"];
      if (system.is_string() && !is_absolute_uri(system.text())) {
        error("invalid", below, fmt::format("The system must be an absolute URI, not '{}'.", system.text()));
      }
    }
  }
}

void Run::code_system(const Item& item) {
  const auto content = item.value["content"].text(), count = item.value["count"].text();
  if (item.value["supplements"].exists() && content != "supplement") {
    error("business-rule", *item.step, "The content of a CodeSystem that supplements another is 'supplement'.");
  }
  if (content != "complete" || count.empty()) return;
  const auto concepts = count_concepts(item.value["concept"]);
  if (count != std::to_string(concepts)) {
    const Step below{item.step, "count", item.type->find("count")};
    error("invalid", below,
          fmt::format("The CodeSystem is complete and has {} concepts, but its count is {}.", concepts, count));
  }
}

// A profile must be one: its elements exist and its types agree.
void Run::structure_definition(const Item& item) {
  if (item.value["derivation"].text() != "constraint" || item.value["kind"].text() == "logical") return;
  const auto understood = catalogue_.understands(item.value);
  if (understood || understood.error().code != Code::invalid) return;
  error("business-rule", *item.step, fmt::format("The profile is not understood: {}.", understood.error().text));
}

}  // namespace mydr24::validation
