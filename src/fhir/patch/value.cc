#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "fhir/model/primitive_format.h"
#include "fhir/patch/detail/value.h"

namespace mydr24::patch {
namespace {

using model::Element;
using model::Primitive;
using model::Type;
using model::TypeKind;

constexpr std::string_view value_prefix = "value";
constexpr std::size_t shown_bytes_max = 64;

std::string_view shown(std::string_view text) { return text.substr(0, shown_bytes_max); }

std::string_view type_name(const Element& element) {
  return element.type == nullptr ? std::string_view("Resource") : element.type->name;
}

// "HumanName" of valueHumanName, "String" of valueString.
std::string_view suffix_of(json::Value value) { return value.key().substr(value_prefix.size()); }

bool is_quantity(std::string_view type) {
  constexpr std::array<std::string_view, 5> quantities{"Quantity", "Age", "Distance", "Duration", "Count"};
  return std::ranges::find(quantities, type) != quantities.end();
}

Error wrong_type(const Element& element, std::string_view given) {
  return fail(Code::unprocessable,
              fmt::format("'{}' takes a value of type {}, not {}", element.name, type_name(element), shown(given)));
}

Result<Entry> primitive_for(const Element& element, json::Value part, json::Value value) {
  Entry entry;
  if (const auto companion = part["_" + std::string(value.key())]) entry.companion = companion.raw();
  entry.value = value.raw();
  // A string where a number or boolean must be, when it is written like one: clients that know no types send strings.
  const auto wants = element.type->primitive;
  const bool literal = wants == Primitive::boolean || wants == Primitive::integer || wants == Primitive::unsigned_int ||
                       wants == Primitive::positive_int || wants == Primitive::decimal;
  if (literal && value.is_string()) {
    const auto document = json::Document::parse(std::string(value.text()));
    if (document && !model::primitive_problem(wants, document->root())) entry.value = value.text();
  }
  const auto written = json::Document::parse_view(entry.value);
  if (!written) return fail(Code::invalid, written.error().text);
  if (const char* problem = model::primitive_problem(wants, written->root())) {
    return fail(Code::unprocessable, fmt::format("the value of '{}' {}", element.name, problem));
  }
  return entry;
}

Result<Entry> object_of_parts(const Element& element, json::Value parts) {
  if (element.type == nullptr || element.type->kind == TypeKind::primitive) return wrong_type(element, "parts");
  std::vector<Change> changes;
  for (const json::Value part : parts) {
    MYDR24_ASSIGN(const Element* inner, element_for(*element.type, part["name"].text(), part));
    MYDR24_ASSIGN(Entry entry, entry_for(*inner, part));
    auto known = std::ranges::find(changes, inner, &Change::element);
    if (known == changes.end()) {
      changes.push_back({inner, {}});
      known = changes.end() - 1;
    } else if (!inner->repeats) {
      return fail(Code::unprocessable, fmt::format("'{}' may be given only once", inner->name));
    }
    known->entries.push_back(std::move(entry));
  }
  return Entry{changed({}, changes), {}};
}

}  // namespace

json::Value value_of(json::Value part) {
  for (const json::Value member : part) {
    if (member.key().size() > value_prefix.size() && member.key().starts_with(value_prefix)) return member;
  }
  return {};
}

Result<const Element*> element_for(const Type& type, std::string_view name, json::Value part) {
  if (const Element* element = type.find(name)) return element;
  const auto is_choice = [name](const Element& one) { return one.choice == name; };
  if (name.empty() || std::ranges::none_of(type.elements, is_choice)) {
    return fail(Code::unprocessable, fmt::format("{} has no element '{}'", type.name, shown(name)));
  }
  const auto value = value_of(part);
  const Element* element = value ? type.find(std::string(name) + std::string(suffix_of(value))) : nullptr;
  if (element == nullptr) {
    return fail(Code::unprocessable, fmt::format("'{}' takes no {}", name, value ? shown(value.key()) : "such value"));
  }
  return element;
}

Result<Entry> entry_for(const Element& element, json::Value part) {
  if (const auto resource = part["resource"]) {
    if (element.type != nullptr) return wrong_type(element, "a resource");
    return Entry{std::string(resource.raw()), {}};
  }
  if (const auto parts = part["part"]; parts.is_array()) return object_of_parts(element, parts);
  const auto value = value_of(part);
  if (!value) return fail(Code::invalid, fmt::format("a value for '{}' must be there", element.name));
  if (element.type == nullptr) return wrong_type(element, suffix_of(value));
  const bool is_primitive = !value.is_object();
  if ((element.type->kind == TypeKind::primitive) != is_primitive) return wrong_type(element, suffix_of(value));
  if (is_primitive) return primitive_for(element, part, value);
  if (suffix_of(value) != element.type->name && !(is_quantity(suffix_of(value)) && is_quantity(element.type->name))) {
    return wrong_type(element, suffix_of(value));
  }
  return Entry{std::string(value.raw()), {}};
}

}  // namespace mydr24::patch
