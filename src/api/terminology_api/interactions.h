#pragma once

// One function for each operation, and what they share.

#include <string>
#include <string_view>

#include "api/terminology_api/input.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology_api {

Result<std::string> expand(const terminology::Terminology& terminology, const Input& input);
Result<std::string> validate_in_value_set(const terminology::Terminology& terminology, const Input& input);
Result<std::string> validate_in_code_system(const terminology::Terminology& terminology, const Input& input);
Result<std::string> lookup(const terminology::Terminology& terminology, const Input& input);
Result<std::string> subsumes(const terminology::Terminology& terminology, const Input& input);
Result<std::string> translate(const terminology::Terminology& terminology, const Input& input);

// The value set that is meant: a resource in hand (the instance, or the parameter valueSet), or a canonical.
struct ValueSetInput {
  json::Value resource;
  std::string canonical;
};
Result<ValueSetInput> value_set_of(const Input& input);

// The designation of that language ("de-CH" takes "de" too), or `otherwise`.
std::string display_in(const terminology::Description& description, std::string_view language,
                       std::string_view otherwise);

}  // namespace mydr24::terminology_api
