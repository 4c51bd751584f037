#pragma once

// What the generated source file holds. Only definitions.cc looks here.

#include <span>

#include "fhir/model/definitions.h"

namespace mydr24::model::tables {

std::span<const Type> named_types();  // resources and data types, sorted by name
std::span<const Type> all_types();    // the same, then the backbone types, sorted by name
std::span<const Type* const> resources();
std::span<const SearchParameterDefinition> parameters();
std::span<const ValueSet> value_sets();  // sorted by url
std::span<const Constraint> constraints();
std::string_view profiles();

}  // namespace mydr24::model::tables
