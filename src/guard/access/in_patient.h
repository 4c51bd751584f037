#pragma once

// Being in the compartment of a Patient, as a search condition.

#include <optional>
#include <span>
#include <string_view>

#include "fhir/search/search.h"

namespace mydr24::access {

// Of one of these patients (ids). Nothing when resources of the type are in no compartment of a Patient.
std::optional<search::Condition> in_patients(std::span<const std::string_view> patients, std::string_view type);

}  // namespace mydr24::access
