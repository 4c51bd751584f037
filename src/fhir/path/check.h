#pragma once

// What can be told about a program before there is data: elements that no type in question has. Private to fhir/path.

#include "base/core/result.h"
#include "fhir/model/definitions.h"
#include "fhir/path/syntax.h"

namespace mydr24::path {

// Code::invalid with line and column. `context` is the type of $this.
Result<> check(const Syntax& syntax, const model::Type& context);

}  // namespace mydr24::path
