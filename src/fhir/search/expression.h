#pragma once

// The subset of FHIRPath that search expressions need, compiled against the definitions into plain ways through the
// JSON: dotted names, choice elements, `(X as T)`, `.as(T)`, `.ofType(T)`, `.where(resolve() is T)`,
// `.where(name='text')`, `[0]`. Everything else is not understood, and says so.

#include <optional>
#include <string_view>
#include <vector>

#include "fhir/model/definitions.h"

namespace mydr24::search {

// One JSON property, and which of its values count.
struct Step {
  std::string_view name;
  std::string_view where;   // of `.where(NAME='TEXT')`: only objects with that property, else empty
  std::string_view equals;  // ... and that text
  bool first = false;       // of `[0]`
  bool operator==(const Step&) const = default;
};

// One way from an element to values, and the type at its end: nullptr for any resource.
struct Path {
  std::vector<Step> steps;
  const model::Type* type = nullptr;
  std::string_view target;  // of `.where(resolve() is X)`: X, else empty
};

// The alternatives of a union, as written.
std::vector<std::string_view> split_union(std::string_view expression);

// The paths that one alternative means from an element of that type: several where it passes a choice element. Nothing
// when it is not understood.
std::optional<std::vector<Path>> compile(std::string_view alternative, const model::Type& type);

// `X.exists() and X != false` tells whether X is there, as of a flag or a time. The X; nothing when the alternative is
// no such test.
std::optional<std::string_view> tested_element(std::string_view alternative);

}  // namespace mydr24::search
