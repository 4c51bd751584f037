#include "fhir/search/compartment.h"

#include <fmt/format.h>

namespace mydr24::search {
namespace {

void add(Condition& any, std::string_view type, std::string_view code, std::string value, const Catalogue* catalogue) {
  const auto* parameter = find_parameter(type, code, catalogue);
  if (parameter == nullptr) return;
  Condition part;
  part.parameter = parameter;
  part.any_of.push_back({.value = std::move(value)});
  any.parts.push_back(std::move(part));
}

}  // namespace

std::optional<Condition> in_compartment(std::string_view focus, std::string_view id, std::string_view type,
                                        const Catalogue* catalogue) {
  Condition inside;
  inside.form = Condition::Form::any;
  for (const auto code : compartment_parameters(focus, type)) {
    if (code == "{def}") {
      add(inside, type, "_id", std::string(id), catalogue);
    } else {
      add(inside, type, code, fmt::format("{}/{}", focus, id), catalogue);
    }
  }
  if (inside.parts.empty()) return std::nullopt;
  return inside;
}

std::optional<Condition> in_record(std::string_view focus, std::string_view id, std::string_view type,
                                   const Catalogue* catalogue) {
  if (type != focus) return in_compartment(focus, id, type, catalogue);
  Condition itself;
  itself.form = Condition::Form::any;
  add(itself, type, "_id", std::string(id), catalogue);
  return itself;
}

}  // namespace mydr24::search
