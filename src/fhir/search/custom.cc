// Search parameters that a deployment adds: read from SearchParameter resources, built into a new Catalogue.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "fhir/search/catalogue.h"

namespace mydr24::search {
namespace {

constexpr std::size_t bases_max = 200;
constexpr std::size_t components_max = 8;
constexpr std::size_t code_bytes_max = 64;

Error wrong(std::string_view element, std::string text) {
  return fail(Code::invalid, std::move(text), fmt::format("SearchParameter.{}", element));
}

bool is_code(std::string_view code) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !code.empty() && code.size() <= code_bytes_max && std::ranges::all_of(code, fits);
}

// Names that mean something else to a search.
bool is_reserved(std::string_view code) { return code.starts_with('_'); }

bool is_abstract(std::string_view base) { return base == "Resource" || base == "DomainResource"; }

// The alternatives that begin with the base, with a name every resource answers to, or with no type.
std::string of_base(std::string_view expression, std::string_view base) {
  std::string kept;
  for (const auto alternative : split_union(expression)) {
    const auto begin = std::min(alternative.find_first_not_of('('), alternative.size());
    const auto name = alternative.substr(begin, alternative.find_first_of(".() ", begin) - begin);
    if (name != base && !is_abstract(name) && model::find_resource(name) != nullptr) continue;
    if (!kept.empty()) kept += " | ";
    kept += alternative;
  }
  return kept;
}

std::vector<std::string> resource_types_of(std::string_view base) {
  std::vector<std::string> types;
  for (const model::Type* type : model::resource_types()) {
    const bool domain = base == "DomainResource" && type->find("modifierExtension") != nullptr;
    if (base == type->name || base == "Resource" || domain) types.emplace_back(type->name);
  }
  return types;
}

}  // namespace

Result<CustomParameter> custom_parameter(json::Value resource) {
  if (resource["resourceType"].text() != "SearchParameter") {
    return fail(Code::invalid, "this is not a SearchParameter", "resourceType");
  }
  CustomParameter custom{.url = std::string(resource["url"].text()),
                         .code = std::string(resource["code"].text()),
                         .kind = std::string(resource["type"].text()),
                         .expression = std::string(resource["expression"].text()),
                         .bases = {},
                         .targets = {},
                         .components = {}};
  if (custom.url.empty()) return wrong("url", "a search parameter needs a canonical url");
  if (!is_code(custom.code) || is_reserved(custom.code)) {
    return wrong("code", fmt::format("'{}' cannot be a parameter's name: use letters, digits and hyphens, at most {}",
                                     custom.code.substr(0, code_bytes_max), code_bytes_max));
  }
  const auto kind = kind_of(custom.kind, custom.code);
  if (!kind || *kind == Kind::position) {
    return wrong("type", fmt::format("this server does not index parameters of type '{}'", custom.kind));
  }
  if (custom.expression.empty()) return wrong("expression", "without an expression nothing can be found");
  if (custom.expression.size() > path::expression_bytes_max) return wrong("expression", "the expression is too long");
  for (const auto base : resource["base"]) custom.bases.emplace_back(base.text());
  for (const auto target : resource["target"]) custom.targets.emplace_back(target.text());
  for (const auto component : resource["component"]) {
    custom.components.emplace_back(component["definition"].text(), component["expression"].text());
  }
  if (custom.bases.empty() || custom.bases.size() > bases_max) return wrong("base", "name the resource types");
  for (std::size_t i = 0; i < custom.bases.size(); ++i) {
    const auto& base = custom.bases[i];
    if (!is_abstract(base) && model::find_resource(base) == nullptr) {
      return wrong(fmt::format("base[{}]", i), fmt::format("'{}' is not a resource type of FHIR R4", base));
    }
  }
  if ((*kind == Kind::composite) != !custom.components.empty() || custom.components.size() > components_max) {
    return wrong("component", fmt::format("a composite, and nothing else, has components, at most {}", components_max));
  }
  // What else may be wrong shows when it is built in.
  MYDR24_TRY(with_parameters(nullptr, std::span(&custom, 1)));
  return custom;
}

Result<> Catalogue::add_custom(const CustomParameter& added) {
  const CustomParameter& custom = custom_.emplace_back(added);
  auto& targets = target_lists_.emplace_back();
  for (const auto& target : custom.targets) targets.push_back(target);
  Definition definition{.code = custom.code,
                        .kind = kind_of(custom.kind, custom.code).value_or(Kind::token),
                        .expression = {},
                        .url = custom.url,
                        .targets = targets,
                        .components = {},
                        .generation = custom.generation};
  for (const auto& [url, expression] : custom.components) definition.components.push_back({url, expression});
  for (const auto& base : custom.bases) {
    for (const auto& type : resource_types_of(base)) {
      const auto entry = types_.find(type);
      const auto& list = by_code_[entry->first];
      if (std::ranges::find(list, custom.code, &Parameter::code) != list.end()) {
        return wrong("code", fmt::format("{} has a parameter '{}' already", type, custom.code));
      }
      if (parameters_.size() + definition.components.size() + 1 > std::numeric_limits<std::uint16_t>::max()) {
        return fail(Code::too_large, "this server has too many search parameters", "SearchParameter");
      }
      definition.expression = texts_.emplace_back(of_base(custom.expression, type));
      if (!add(definition, entry->second)) {
        return wrong(definition.components.empty() ? "expression" : "component",
                     fmt::format("'{}' finds nothing in {} that a parameter of type {} could be searched by",
                                 custom.expression.substr(0, 200), type, custom.kind));
      }
    }
  }
  return {};
}

Result<CataloguePtr> Catalogue::with(const CataloguePtr& catalogue, std::span<const CustomParameter> added) {
  const CataloguePtr base = catalogue == nullptr ? published_catalogue() : catalogue;
  const auto next = std::make_shared<Catalogue>(*base);
  next->base_ = base;
  next->evaluated_.clear();
  next->not_covered_.clear();
  for (const CustomParameter& custom : added) MYDR24_TRY(next->add_custom(custom));
  next->finish();
  return CataloguePtr(next);
}

Result<CataloguePtr> with_parameters(const CataloguePtr& catalogue, std::span<const CustomParameter> added) {
  return Catalogue::with(catalogue, added);
}

}  // namespace mydr24::search
