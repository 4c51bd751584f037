#include "fhir/path/type_name.h"

#include <algorithm>
#include <array>

namespace mydr24::path {
namespace {

struct SystemType {
  std::string_view name;
  ItemKind kind;
};
constexpr std::array<SystemType, 8> system_types{{{"Boolean", ItemKind::boolean},
                                                  {"Integer", ItemKind::integer},
                                                  {"Decimal", ItemKind::decimal},
                                                  {"String", ItemKind::string},
                                                  {"Date", ItemKind::date},
                                                  {"DateTime", ItemKind::date_time},
                                                  {"Time", ItemKind::time},
                                                  {"Quantity", ItemKind::quantity}}};

struct Inheritance {
  std::string_view type;
  std::string_view base;
};
constexpr std::array<Inheritance, 18> inheritances{{{"Age", "Quantity"},
                                                    {"Count", "Quantity"},
                                                    {"Distance", "Quantity"},
                                                    {"Dosage", "BackboneElement"},
                                                    {"Duration", "Quantity"},
                                                    {"ElementDefinition", "BackboneElement"},
                                                    {"MoneyQuantity", "Quantity"},
                                                    {"SimpleQuantity", "Quantity"},
                                                    {"Timing", "BackboneElement"},
                                                    {"canonical", "uri"},
                                                    {"code", "string"},
                                                    {"id", "string"},
                                                    {"markdown", "string"},
                                                    {"oid", "uri"},
                                                    {"positiveInt", "integer"},
                                                    {"unsignedInt", "integer"},
                                                    {"url", "uri"},
                                                    {"uuid", "uri"}}};
constexpr std::array<std::string_view, 6> abstract_types{"BackboneElement", "DomainResource", "Element",
                                                         "MoneyQuantity",   "Resource",       "SimpleQuantity"};

const SystemType* find_system_type(std::string_view name) {
  const auto found = std::ranges::find(system_types, name, &SystemType::name);
  return found != system_types.end() ? &*found : nullptr;
}

std::string_view fhir_type_name(std::string_view name) {
  if (const model::Type* type = model::find_type(name)) return type->name;
  const auto found = std::ranges::find(abstract_types, name);
  return found != abstract_types.end() ? *found : std::string_view();
}

bool has_fhir_space(const TypeName& type) {
  return type.space == TypeName::Space::fhir || type.space == TypeName::Space::either;
}
bool has_system_space(const TypeName& type) {
  return type.space == TypeName::Space::system || type.space == TypeName::Space::either;
}

}  // namespace

std::optional<TypeName> find_type_name(std::string_view space, std::string_view name) {
  TypeName result;
  const SystemType* system_type = space != "FHIR" ? find_system_type(name) : nullptr;
  if (system_type != nullptr) result.kind = system_type->kind;
  if (space == "System") {
    result.space = TypeName::Space::system;
    return result;  // one that System does not have is the type of nothing
  }
  if (!space.empty() && space != "FHIR") return std::nullopt;
  result.name = fhir_type_name(name);
  if (result.name.empty() && system_type == nullptr) return std::nullopt;
  result.space = result.name.empty()      ? TypeName::Space::system
                 : system_type == nullptr ? TypeName::Space::fhir
                                          : TypeName::Space::either;
  return result;
}

bool is_a(const model::Type& type, std::string_view name) {
  if (type.name == name) return true;
  const bool is_resource = type.kind == model::TypeKind::resource;
  if (name == "Resource") return is_resource;
  if (name == "DomainResource") {
    return is_resource && type.name != "Bundle" && type.name != "Binary" && type.name != "Parameters";
  }
  if (name == "Element") return !is_resource;
  if (name == "BackboneElement" && type.kind == model::TypeKind::backbone) return true;
  const auto found = std::ranges::lower_bound(inheritances, type.name, {}, &Inheritance::type);
  return found != inheritances.end() && found->type == type.name && found->base == name;
}

bool has_type(const Cell& cell, const TypeName& type) {
  if (!cell.is_element()) return has_system_space(type) && cell.kind == type.kind;
  return has_fhir_space(type) && cell.type != nullptr && is_a(*cell.type, type.name);
}

bool has_exact_type(const Cell& cell, const TypeName& type) {
  if (cell.is_element() && cell.type != nullptr && cell.type->kind == model::TypeKind::primitive) {
    return has_fhir_space(type) && cell.type->name == type.name;
  }
  return has_type(cell, type);
}

bool is_quantity_type(const model::Type* type) { return type != nullptr && is_a(*type, "Quantity"); }

std::string_view type_name_of(const Cell& cell) {
  if (!cell.is_element()) return std::ranges::find(system_types, cell.kind, &SystemType::kind)->name;
  if (cell.type == nullptr) return "Element";
  return cell.type->kind == model::TypeKind::backbone ? std::string_view("BackboneElement") : cell.type->name;
}

}  // namespace mydr24::path
