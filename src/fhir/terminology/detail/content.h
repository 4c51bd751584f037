#pragma once

// What stands behind a Terminology: what was loaded, besides what is published.

#include "fhir/terminology/detail/library.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology {

struct Terminology::Content {
  detail::Library library;
};

}  // namespace mydr24::terminology
