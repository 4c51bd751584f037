#include "fhir/model/generator/constraints.h"

#include <algorithm>
#include <array>

namespace mydr24::generator {
namespace {

// On every element or every resource: native in fhir/validation.
constexpr auto native =
    std::to_array<std::string_view>({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6"});

struct Correction {
  std::string_view path, key;
  std::string_view expression;  // empty: the constraint is left out
};
constexpr auto corrections = std::to_array<Correction>({
    // The package has R5's rule about elements that R4 does not have.
    {"EvidenceVariable.characteristic", "evv-1", ""},
    // "Boolean" is a System type, which an element never is.
    {"Questionnaire.item.enableWhen", "que-7", "operator = 'exists' implies (answer is boolean)"},
    // category is a CodeableConcept, which never equals a string.
    {"Condition", "con-3",
     "clinicalStatus.exists() or verificationStatus.coding.where(system="
     "'http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() or "
     "category.coding.where(code='problem-list-item').empty()"},
});

}  // namespace

std::optional<Constraint> constraint_of(json::Value constraint, std::string_view path) {
  Constraint one{std::string(constraint["key"].text()), std::string(constraint["human"].text()),
                 std::string(constraint["expression"].text()), constraint["severity"].text() == "error"};
  if (std::ranges::find(native, one.key) != native.end()) return std::nullopt;
  for (const auto& correction : corrections) {
    if (correction.path == path && correction.key == one.key) one.expression = correction.expression;
  }
  if (one.expression.empty()) return std::nullopt;
  return one;
}

}  // namespace mydr24::generator
