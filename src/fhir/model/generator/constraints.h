#pragma once

// Which published constraints go into the tables, and those of R4 whose expression is not what the rule says.

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/document.h"

namespace mydr24::generator {

struct Constraint {
  std::string key, human, expression;
  bool is_error = true;

  auto operator<=>(const Constraint&) const = default;
};

// Nothing for those that fhir/validation knows natively and those without an expression.
std::optional<Constraint> constraint_of(json::Value constraint, std::string_view path);

}  // namespace mydr24::generator
