#pragma once

// What the server goes by beside the records: search parameters, code systems and value sets, profiles. A snapshot is
// immutable and shared; a change makes a new one, and requests under way finish with the one they began with.

#include <memory>
#include <vector>

#include "fhir/search/search.h"
#include "fhir/terminology/terminology.h"
#include "fhir/validation/validation.h"

namespace mydr24::records {

struct Definitions {
  search::CataloguePtr catalogue;  // null: what R4 publishes
  // By which index rows may still stand, while they are made anew: a write takes away the rows of all of them.
  std::vector<search::CataloguePtr> outdated;
  std::shared_ptr<const terminology::Terminology> terminology;  // null: none
  std::shared_ptr<const validation::Validator> validator;       // null: only the structure is checked
  validation::Checks checks;                                    // of every write
};

}  // namespace mydr24::records
