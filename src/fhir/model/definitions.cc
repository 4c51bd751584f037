#include "fhir/model/definitions.h"

#include <algorithm>

#include "fhir/model/definition_tables.h"

namespace mydr24::model {

const Element* Type::find(std::string_view element) const {
  // A binary search by hand: this is the innermost step of validation.
  const Element* first = elements.data();
  std::size_t count = elements.size();
  while (count > 0) {
    const std::size_t half = count / 2;
    const int order = first[half].name.compare(element);
    if (order == 0) return first + half;
    if (order < 0) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return nullptr;
}

bool ValueSet::has(std::string_view code) const { return std::ranges::binary_search(codes, code); }

const Type* find_type(std::string_view name) {
  const auto types = tables::named_types();
  const auto found = std::ranges::lower_bound(types, name, {}, &Type::name);
  return found != types.end() && found->name == name ? &*found : nullptr;
}

const Type* find_resource(std::string_view name) {
  const Type* type = find_type(name);
  return type != nullptr && type->kind == TypeKind::resource ? type : nullptr;
}

std::span<const Type* const> resource_types() { return tables::resources(); }

std::span<const SearchParameterDefinition> search_parameters() { return tables::parameters(); }

std::span<const Constraint> constraints() { return tables::constraints(); }

std::string_view published_profiles() { return tables::profiles(); }

const ValueSet* find_value_set(std::string_view url) {
  for (const ValueSet& one : tables::value_sets()) {
    if (one.url == url || one.url.substr(0, one.url.find('|')) == url) return &one;
  }
  return nullptr;
}

}  // namespace mydr24::model
