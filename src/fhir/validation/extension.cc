// Extensions: their definition, where they may stand, and whether they are known at all.
// Source: FHIR R4, extensibility.html and defining-extensions.html.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {
namespace {

using model::Step;

// Extensions that stand for elements of another version of FHIR have no definition of their own.
// Source: FHIR R4, versions.html, "Extensions for converting between versions".
bool is_cross_version(std::string_view url) {
  constexpr std::string_view prefix = "http://hl7.org/fhir/";
  constexpr std::string_view middle = "/StructureDefinition/extension-";
  return url.starts_with(prefix) && url.size() > prefix.size() && url[prefix.size()] >= '1' &&
         url[prefix.size()] <= '9' && url.find(middle) != std::string_view::npos;
}

// Names that are reserved for examples (RFC 2606, and those of HL7's own examples).
bool is_example(std::string_view url) {
  constexpr auto hosts = std::to_array<std::string_view>({"example.org", "example.com", "acme.com", "acme.org"});
  const auto slashes = url.find("://");
  if (slashes == std::string_view::npos) return false;
  const auto host = url.substr(slashes + 3, url.find('/', slashes + 3) - slashes - 3);
  return std::ranges::any_of(hosts, [&](std::string_view one) { return host == one || host.ends_with(one); });
}

std::string_view name_of(const Step& step, std::string& buffer) {
  if (step.element == nullptr || step.element->choice.empty()) return step.name;
  buffer = fmt::format("{}[x]", step.element->choice);
  return buffer;
}

}  // namespace

void Run::extension(const Item& item, json::Value holder) {
  const bool has_nested = item.value["extension"].exists();
  const bool has_value = std::ranges::any_of(
      item.value, [](json::Value one) { return one.key().starts_with("value") || one.key().starts_with("_value"); });
  if (has_nested == has_value && request_.checks.invariants) {
    error("invariant", *item.step, "Must have either extensions or value[x], not both (ext-1).");
  }
  const auto url = item.value["url"].text();
  if (url.empty() || url.find(':') == std::string_view::npos || !request_.checks.profiles) return;
  const Profile* definition = catalogue_.find(url);
  if (definition == nullptr) {
    if (is_cross_version(url)) return;
    const std::string text = fmt::format("The extension {} is not known here.", url);
    if (request_.strict && !is_example(url)) return error("extension", *item.step, text);
    return warn("extension", *item.step, text);
  }
  if (definition->type != item.type) {
    return error("extension", *item.step,
                 fmt::format("{} is no extension: it is a profile of {}.", url, definition->type->name));
  }
  const bool as_modifier = item.step->element != nullptr && item.step->element->name == "modifierExtension";
  if (as_modifier != definition->is_modifier) {
    error("extension", *item.step,
          fmt::format("The extension {} is {}: it belongs into {}.", url,
                      definition->is_modifier ? "a modifier" : "no modifier",
                      definition->is_modifier ? "modifierExtension" : "extension"));
  }
  if (!in_context(*definition, item, holder)) {
    std::string allowed;
    for (const auto& context : definition->contexts) {
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", context.expression);
    }
    // Published guides break this one themselves (capabilitystatement-expectation on SearchParameters of US Core).
    auto text = fmt::format("The extension {} may stand on {}, not here.", url, allowed);
    request_.strict ? error("extension", *item.step, std::move(text)) : warn("extension", *item.step, std::move(text));
  }
  profile(*definition, item);
}

bool Run::is_among(const path::Expression& places, json::Value holder) {
  const auto found = places.evaluate(frame_->resource, environment_);
  if (!found || holder.raw().empty()) return true;  // it cannot be judged: that is no fault of the resource
  return std::ranges::any_of(*found, [&](const path::Item& one) {
    return one.value.raw().data() == holder.raw().data() || one.extended.raw().data() == holder.raw().data();
  });
}

bool Run::in_context(const Profile& definition, const Item& item, json::Value holder) {
  if (definition.contexts.empty() || item.step->parent == nullptr) return true;
  const auto is_root = [](const Step& step) {
    return step.parent == nullptr || (step.element != nullptr && step.element->type == nullptr);
  };
  const Step& place = *item.step->parent;
  // Every name of the place: its type, and the path from each type around it.
  std::vector<std::string> names;
  std::string suffix, buffer;
  for (const Step* step = &place;; step = step->parent) {
    const bool root = is_root(*step);
    const auto type = root ? frame_->type->name : step->element != nullptr ? step->element->type->name : "";
    names.push_back(fmt::format("{}{}", type, suffix));
    if (root) break;
    suffix = fmt::format(".{}{}", name_of(*step, buffer), suffix);
  }
  const bool on_resource = is_root(place);
  const auto* type = on_resource ? frame_->type : place.element != nullptr ? place.element->type : nullptr;
  return std::ranges::any_of(definition.contexts, [&](const Context& context) {
    auto expression = context.expression;
    if (context.kind == "fhirpath") return context.places == nullptr || is_among(*context.places, holder);
    if (context.kind == "extension") {
      return holder["url"].text() == expression.substr(0, expression.find('#')) ||
             (expression.find('#') != std::string_view::npos && holder["url"].exists());
    }
    if (expression == "Element" || expression == "*" || expression.find("://") != std::string_view::npos) return true;
    if (expression == "Resource" || expression == "DomainResource") return on_resource;
    if (expression == "BackboneElement") return type != nullptr && type->kind == model::TypeKind::backbone;
    expression = expression.substr(0, expression.find(':'));
    // A resource of R4 that is its own metadata type: CanonicalResource and MetadataResource are names of R5.
    if (expression == "CanonicalResource" || expression == "MetadataResource") return on_resource;
    return std::ranges::find(names, expression) != names.end();
  });
}

}  // namespace mydr24::validation
