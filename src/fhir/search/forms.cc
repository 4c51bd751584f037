#include <algorithm>
#include <array>

#include "fhir/search/catalogue.h"

namespace mydr24::search {
namespace {

using model::Primitive;

bool is_address(Primitive primitive) {
  using enum Primitive;
  return primitive == uri || primitive == url || primitive == canonical || primitive == oid || primitive == uuid;
}

bool is_quantity(std::string_view name) {
  constexpr auto names = std::to_array<std::string_view>(
      {"Age", "Count", "Distance", "Duration", "MoneyQuantity", "Quantity", "SimpleQuantity"});
  return std::ranges::find(names, name) != names.end();
}

std::optional<Form> string_form(const model::Type& type) {
  if (type.name == "HumanName") return Form::human_name;
  if (type.name == "Address") return Form::address;
  if (type.name == "CodeableConcept" || type.name == "Coding") return Form::concept_text;
  if (type.primitive != Primitive::none && type.primitive != Primitive::xhtml) return Form::text;
  return std::nullopt;
}

std::optional<Form> token_form(const model::Type& type) {
  if (type.name == "Coding") return Form::coding;
  if (type.name == "CodeableConcept") return Form::codeable_concept;
  if (type.name == "Identifier") return Form::identifier;
  if (type.name == "ContactPoint") return Form::contact_point;
  if (type.kind == model::TypeKind::primitive) return Form::plain;
  return std::nullopt;
}

std::optional<Form> reference_form(const model::Type& type) {
  if (type.name == "Reference") return Form::reference;
  if (is_address(type.primitive)) return Form::address_of_resource;
  return std::nullopt;
}

std::optional<Form> date_form(const model::Type& type) {
  using enum Primitive;
  if (type.name == "Period") return Form::period;
  if (type.name == "Timing") return Form::timing;
  if (type.primitive == date || type.primitive == date_time || type.primitive == instant) return Form::date;
  return std::nullopt;
}

std::optional<Form> number_form(const model::Type& type) {
  using enum Primitive;
  if (type.name == "Range") return Form::range;
  constexpr auto numbers = std::to_array<Primitive>({integer, unsigned_int, positive_int, decimal});
  if (std::ranges::find(numbers, type.primitive) != numbers.end()) return Form::number;
  return std::nullopt;
}

std::optional<Form> quantity_form(const model::Type& type) {
  if (is_quantity(type.name)) return Form::quantity;
  if (type.name == "Money") return Form::money;
  if (type.name == "Range") return Form::range;
  if (type.name == "SampledData") return Form::sampled_data;
  return std::nullopt;
}

}  // namespace

std::optional<Form> form_of(Kind kind, const model::Type* type) {
  if (type == nullptr) return kind == Kind::reference ? std::optional(Form::resource) : std::nullopt;
  switch (kind) {
    case Kind::string:
      return string_form(*type);
    case Kind::token:
      return token_form(*type);
    case Kind::reference:
      return reference_form(*type);
    case Kind::date:
      return date_form(*type);
    case Kind::number:
      return number_form(*type);
    case Kind::quantity:
      return quantity_form(*type);
    case Kind::uri:
      return is_address(type->primitive) ? std::optional(Form::uri) : std::nullopt;
    case Kind::position:
      return type->find("latitude") != nullptr ? std::optional(Form::position) : std::nullopt;
    case Kind::composite:
      return type->elements.empty() ? std::nullopt : std::optional(Form::composite);
    case Kind::id:
    case Kind::last_updated:
    case Kind::text:
      break;
  }
  return std::nullopt;
}

}  // namespace mydr24::search
