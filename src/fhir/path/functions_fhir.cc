// The functions that FHIR adds. Source: FHIR R4, fhirpath.html, section 2.9.1.3.

#include <fmt/format.h>

#include <algorithm>

#include "fhir/path/evaluator.h"
#include "fhir/path/html.h"

namespace mydr24::path {

// Modifier extensions that are not named make it false.
bool Evaluator::check_modifiers(const Node& node, const Scope& scope, Sequence& out) {
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  std::vector<std::string_view> known;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    std::string_view url;
    bool none = false;
    if (!text_argument(node, i, scope, url, none)) return false;
    if (!none) known.push_back(url);
  }
  bool ok = true;
  for (const Cell& cell : input) {
    for (const json::Value one : cell.value["modifierExtension"]) {
      if (!step(node)) return false;
      if (std::ranges::find(known, one["url"].text()) == known.end()) ok = false;
    }
  }
  return push(node, out, boolean_cell(ok));
}

bool Evaluator::fhir_function(const Node& node, const Scope& scope, Sequence& out) {
  if (node.function == Function::check_modifiers) return check_modifiers(node, scope, out);
  Sequence input;
  if (!input_of(node, scope, input)) return false;
  std::string_view text;
  bool none = false;
  const bool takes_text = node.function == Function::extension || node.function == Function::memberof ||
                          node.function == Function::conforms_to;
  if (takes_text && !text_argument(node, 0, scope, text, none)) return false;
  if (none) return true;
  switch (node.function) {
    case Function::extension:
      for (const Cell& cell : input) {
        if (!extensions(node, cell, text, out)) return false;
      }
      return true;
    case Function::resolve:
      for (const Cell& cell : input) {
        if (!resolve(node, cell, out)) return false;
      }
      return true;
    case Function::get_value: {
      Cell value;
      return input.size() != 1 || !system_value(input[0], value) || push(node, out, value);
    }
    case Function::html_checks:
      if (input.size() != 1) return true;
      return push(node, out, boolean_cell(is_safe_html(input[0].value.text())));
    case Function::memberof: {
      if (input.empty()) return true;
      if (input.size() > 1) return fail_at(node, "memberOf() takes a single item");
      const auto result = environment_.member_of ? environment_.member_of(item_from(input[0]), text) : std::nullopt;
      return !result || push(node, out, boolean_cell(*result));
    }
    case Function::conforms_to: {
      if (input.empty()) return true;
      if (input.size() > 1 || !input[0].is_element()) return fail_at(node, "conformsTo() takes a single element");
      return conforms_to(node, input[0], text, out);
    }
    default:
      return fail_at(node, fmt::format("{}() needs what this server does not have", node.name), Code::unsupported);
  }
}

// The base profile of each type is known without asking.
bool Evaluator::conforms_to(const Node& node, const Cell& cell, std::string_view profile, Sequence& out) {
  if (environment_.conforms_to) {
    if (const auto result = environment_.conforms_to(cell.value, profile))
      return push(node, out, boolean_cell(*result));
  }
  constexpr std::string_view base = "http://hl7.org/fhir/StructureDefinition/";
  const auto type = profile.starts_with(base) ? find_type_name("FHIR", profile.substr(base.size())) : std::nullopt;
  if (!type || cell.type == nullptr) return fail_at(node, fmt::format("the profile '{}' is not known", profile));
  return push(node, out, boolean_cell(is_a(*cell.type, type->name)));
}

}  // namespace mydr24::path
