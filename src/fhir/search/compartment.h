#pragma once

// Being in a compartment as a condition of a search (FHIR R4, CompartmentDefinition).

#include <optional>
#include <string_view>

#include "fhir/search/search.h"

namespace mydr24::search {

// Any of the parameters that lead from a resource of that type into the compartment of `focus`/`id`: "Patient", "p1". Nothing:
// none does.
std::optional<Condition> in_compartment(std::string_view focus, std::string_view id, std::string_view type,
                                        const Catalogue* catalogue);

// The record of `focus`/`id`: of its own type the resource itself, of others what is in its compartment.
std::optional<Condition> in_record(std::string_view focus, std::string_view id, std::string_view type,
                                   const Catalogue* catalogue);

}  // namespace mydr24::search
