#include <fmt/format.h>

#include "fhir/validation/detail/run.h"

namespace mydr24::validation {

using terminology::Membership;

Membership Run::membership(const Item& item, std::string_view value_set) const {
  const std::string_view type = item.type == nullptr ? std::string_view() : item.type->name;
  const auto of_coding = [&](json::Value coding, std::string_view code) {
    if (code.empty()) return Membership::unknown;
    return terminology_.member(value_set, coding["system"].text(), code);
  };
  if (type == "CodeableConcept") {
    auto all = Membership::not_member;
    for (const auto coding : item.value["coding"]) {
      const auto one = of_coding(coding, coding["code"].text());
      if (one == Membership::member) return one;
      if (one == Membership::unknown) all = one;
    }
    return all;
  }
  if (item.type != nullptr && item.type->kind == model::TypeKind::primitive) {
    return item.value.is_string() ? terminology_.member(value_set, "", item.value.text()) : Membership::unknown;
  }
  return of_coding(item.value, item.value["code"].text());
}

void Run::bound(const Item& item, std::string_view value_set, Strength strength) {
  if (strength == Strength::none || !request_.checks.bindings) return;
  if (strength == Strength::extensible && (!request_.warnings || quiet_ > 0)) return;
  if (membership(item, value_set) != Membership::not_member) return;
  const auto coded = [&](json::Value one) {
    const auto system = one["system"].text();
    return system.empty() ? fmt::format("'{}'", one["code"].text())
                          : fmt::format("'{}' of {}", one["code"].text(), system);
  };
  std::string what;
  if (item.type->name == "CodeableConcept") {
    for (const auto coding : item.value["coding"]) what += fmt::format("{}{}", what.empty() ? "" : ", ", coded(coding));
    if (what.empty() && strength == Strength::extensible) return;  // a text alone is allowed there
    if (what.empty()) what = "A text without a code";
  } else {
    what = item.value.is_string() ? fmt::format("'{}'", item.value.text()) : coded(item.value);
  }
  constexpr std::size_t bytes_max = 300;
  if (what.size() > bytes_max) what = what.substr(0, what.find(',')) + ", ...";
  if (strength == Strength::required) {
    return error("code-invalid", *item.step, fmt::format("{} is not in the value set {}.", what, value_set));
  }
  warn(
      "code-invalid", *item.step,
      fmt::format("{} is not in the value set {}, which should be used where it has a fitting code.", what, value_set));
}

}  // namespace mydr24::validation
