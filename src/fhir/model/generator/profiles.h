#pragma once

// The published profiles and extension definitions, reduced to what validation needs.

#include <initializer_list>
#include <string>

#include "base/json/document.h"

namespace mydr24::generator {

// C++ source that defines model::tables::profiles().
std::string profiles_source(std::initializer_list<const json::Document*> bundles);

}  // namespace mydr24::generator
