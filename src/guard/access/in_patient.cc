#include "guard/access/in_patient.h"

#include <fmt/format.h>

namespace mydr24::access {

std::optional<search::Condition> in_patients(std::span<const std::string_view> patients, std::string_view type) {
  using search::Condition;
  std::vector<Condition> parts;
  for (const auto code : search::compartment_parameters("Patient", type)) {
    const bool self = code == "{def}";
    const auto* parameter = search::find_parameter(type, self ? "_id" : code);
    if (parameter == nullptr) continue;
    Condition part;
    part.parameter = parameter;
    for (const auto patient : patients)
      part.any_of.push_back({.value = self ? std::string(patient) : fmt::format("Patient/{}", patient)});
    parts.push_back(std::move(part));
  }
  if (parts.empty()) return std::nullopt;
  if (parts.size() == 1) return std::move(parts.front());
  Condition any;
  any.form = Condition::Form::any;
  any.parts = std::move(parts);
  return any;
}

}  // namespace mydr24::access
