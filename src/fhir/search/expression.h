#pragma once

// The subset of FHIRPath that search expressions need, compiled against the definitions: dotted names, choice elements,
// `(X as T)`, `.as(T)`, `.ofType(T)`, `.where(resolve() is T)`. Everything else is not understood, and says so.

#include <optional>
#include <string_view>
#include <vector>

#include "fhir/model/definitions.h"

namespace mydr24::search {

// One way from a resource to values: JSON property names, and the type at its end.
struct Path {
  std::vector<std::string_view> names;
  const model::Type* type = nullptr;
  std::string_view target;  // of `.where(resolve() is X)`: X, else empty
};

// The alternatives of a union, as written.
std::vector<std::string_view> split_union(std::string_view expression);

// The paths that one alternative means for a resource of that type: several where it passes a choice element. Nothing
// when it is not understood.
std::optional<std::vector<Path>> compile(std::string_view alternative, const model::Type& type);

}  // namespace mydr24::search
