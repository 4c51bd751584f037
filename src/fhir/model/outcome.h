#pragma once

// Issues with element paths, and the OperationOutcome that carries them.
// Source: FHIR R4, OperationOutcome; http://hl7.org/fhir/issue-type.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace mydr24::model {

enum class Severity { fatal, error, warning, information };

struct Issue {
  Severity severity = Severity::error;
  std::string code;         // an issue-type code: structure, required, value, invariant, not-found, ...
  std::string diagnostics;  // what was wrong and what to do
  std::string expression;   // element path as FHIRPath: "Patient.name[0].given[1]"; empty when the whole input is meant
};

// The OperationOutcome resource as compact JSON. No issue: one of severity information, code informational, "All OK".
std::string operation_outcome(std::span<const Issue> issues);
std::string operation_outcome(const Error& error);

// The issue-type code and the HTTP status that stand for an Error's code.
std::string_view issue_code(Code code);
int http_status(Code code);

}  // namespace mydr24::model
