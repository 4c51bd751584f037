#pragma once

// The types that `is`, `as` and ofType() name, and the inheritance between FHIR's. Private to fhir/path.
// Source: FHIR R4, types.html and datatypes.html; FHIRPath 2.0.0, section 10.

#include <cstdint>
#include <optional>
#include <string_view>

#include "fhir/path/cell.h"

namespace mydr24::path {

struct TypeName {
  enum class Space : std::uint8_t { unknown, fhir, system, either };
  Space space = Space::unknown;
  ItemKind kind = ItemKind::element;  // of a System type; element when it has no such type
  std::string_view name;              // of a FHIR type: lives as long as the process
};

// Nothing when there is no such type. `space` is "FHIR", "System" or empty.
std::optional<TypeName> find_type_name(std::string_view space, std::string_view name);

// Whether `type` is `name` or inherits from it.
bool is_a(const model::Type& type, std::string_view name);
// is: the item's type or one it inherits from. exactly: as `is`, but a primitive's own type only (as, ofType).
bool has_type(const Cell& cell, const TypeName& type);
bool has_exact_type(const Cell& cell, const TypeName& type);

bool is_quantity_type(const model::Type* type);
// "Patient", "boolean", "BackboneElement", "Integer".
std::string_view type_name_of(const Cell& cell);

}  // namespace mydr24::path
