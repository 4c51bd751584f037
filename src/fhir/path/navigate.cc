// The way through a document: members, children, extensions, references.

#include <fmt/format.h>

#include "fhir/path/evaluator.h"

namespace mydr24::path {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

const model::Type& extension_type() {
  static const model::Type& type = *model::find_type("Extension");
  return type;
}
const model::Type& string_type() {
  static const model::Type& type = *model::find_type("string");
  return type;
}

// The property "_name" of an object.
json::Value extended_of(json::Value object, std::string_view name) {
  for (const json::Value one : object) {
    const std::string_view key = one.key();
    if (key.size() == name.size() + 1 && key.front() == '_' && key.substr(1) == name) return one;
  }
  return {};
}

// "Patient" of "Patient/1", "http://host/fhir/Patient/1/_history/2"; nullptr when the text does not tell.
const model::Type* type_of_reference(std::string_view reference) {
  if (const auto history = reference.find("/_history/"); history != std::string_view::npos) {
    reference = reference.substr(0, history);
  }
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return nullptr;
  const std::string_view before = reference.substr(0, slash);
  return model::find_resource(before.substr(before.rfind('/') + 1));
}

bool is_local(json::Value resource, std::string_view type_and_id) {
  const auto slash = type_and_id.find('/');
  return slash != std::string_view::npos && resource["resourceType"].text() == type_and_id.substr(0, slash) &&
         resource["id"].text() == type_and_id.substr(slash + 1);
}

}  // namespace

Cell element_cell(json::Value value, json::Value extended, const model::Type* type) {
  Cell cell;
  cell.value = value;
  cell.extended = extended;
  cell.type = type;
  if (type == nullptr && value.is_object()) cell.type = model::find_resource(value["resourceType"].text());
  return cell;
}

bool Evaluator::add_property(const Node& node, json::Value value, json::Value extended, const model::Type* type,
                             Sequence& out) {
  if (!value.is_array() && !extended.is_array()) {
    if (value.is_null()) value = {};
    return (!value && !extended) || push(node, out, element_cell(value, extended, type));
  }
  if (!value.is_array()) value = {};
  if (!extended.is_array()) extended = {};
  auto one = value.begin();
  auto other = extended.begin();
  while (one != value.end() || other != extended.end()) {
    json::Value item;
    json::Value item_extended;
    if (one != value.end()) item = *one++;
    if (other != extended.end()) item_extended = *other++;
    if (item.is_null()) item = {};
    if (item_extended.is_null()) item_extended = {};
    if ((item || item_extended) && !push(node, out, element_cell(item, item_extended, type))) return false;
  }
  return true;
}

bool Evaluator::member(const Node& node, std::string_view name, const Cell& from, Sequence& out) {
  if (!from.is_element()) {
    if (from.unit == type_info_mark && from.kind == ItemKind::string) {
      const auto dot = from.text.find('.');
      if (name == "namespace") return push(node, out, string_cell(from.text.substr(0, dot)));
      if (name == "name") return push(node, out, string_cell(from.text.substr(dot + 1)));
    }
    if (from.kind == ItemKind::quantity && name == "value") {
      return push(node, out, text_cell(ItemKind::decimal, from.text));
    }
    if (from.kind == ItemKind::quantity && name == "unit") return push(node, out, string_cell(from.unit));
    return step(node);
  }
  if (!from.value.is_object()) {
    if (!from.extended) return step(node);
    if (name == "extension") return add_property(node, from.extended["extension"], {}, &extension_type(), out);
    if (name == "id") return add_property(node, from.extended["id"], {}, &string_type(), out);
    return step(node);
  }
  // One pass finds the element, its other half with '_', or the choice element that has the name as its beginning.
  json::Value value;
  json::Value extended;
  const model::Element* element = nullptr;
  for (const json::Value one : from.value) {
    std::string_view key = one.key();
    const bool is_extended = key.starts_with('_');
    if (is_extended) key.remove_prefix(1);
    if (key.size() < name.size() || !key.starts_with(name)) continue;
    if (key.size() > name.size() && !is_upper(key[name.size()])) continue;
    if (from.type != nullptr) {
      const model::Element* found = from.type->find(key);
      const std::string_view known_as = found == nullptr ? "" : (found->choice.empty() ? found->name : found->choice);
      if (known_as != name) continue;
      element = found;
    } else if (key.size() > name.size()) {
      continue;
    }
    (is_extended ? extended : value) = one;
  }
  if (!value && !extended) return step(node);
  return add_property(node, value, extended, element != nullptr ? element->type : nullptr, out);
}

bool Evaluator::children(const Node& node, const Cell& from, Sequence& out) {
  if (!from.is_element()) return step(node);
  if (!from.value.is_object()) {
    return !from.extended || (member(node, "id", from, out) && member(node, "extension", from, out));
  }
  for (const json::Value one : from.value) {
    std::string_view key = one.key();
    const bool is_extended = key.starts_with('_');
    if (is_extended) key.remove_prefix(1);
    const model::Element* element = from.type != nullptr ? from.type->find(key) : nullptr;
    if (key == "resourceType" && element == nullptr) continue;
    if (is_extended && from.value[key]) continue;  // comes with the value
    const model::Type* type = element != nullptr ? element->type : nullptr;
    const bool is_primitive = type == nullptr || type->kind == model::TypeKind::primitive;
    const json::Value extended = is_extended ? one : (is_primitive ? extended_of(from.value, key) : json::Value());
    if (!step(node, from.value.size())) return false;
    if (!add_property(node, is_extended ? json::Value() : one, extended, type, out)) return false;
  }
  return true;
}

bool Evaluator::descendants(const Node& node, std::span<const Cell> from, Sequence& out) {
  for (const Cell& cell : from) {
    if (!children(node, cell, out)) return false;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Cell cell = out[i];  // a copy: `out` grows
    if (!children(node, cell, out)) return false;
  }
  return true;
}

bool Evaluator::extensions(const Node& node, const Cell& from, std::string_view url, Sequence& out) {
  if (!from.is_element()) return true;
  const json::Value holder = from.value.is_object() ? from.value : from.extended;
  for (const json::Value one : holder["extension"]) {
    if (!step(node)) return false;
    if (one["url"].text() == url && !push(node, out, element_cell(one, {}, &extension_type()))) return false;
  }
  return true;
}

// Contained resources and entries of the Bundle.
json::Value Evaluator::resolve_inside(std::string_view reference) const {
  const json::Value root = environment_.root_resource ? environment_.root_resource : environment_.resource;
  if (reference.starts_with('#')) {
    if (reference.size() == 1) return root;
    for (const json::Value one : root["contained"]) {
      if (one["id"].text() == reference.substr(1)) return one;
    }
    return {};
  }
  if (root["resourceType"].text() != "Bundle") return {};
  for (const json::Value entry : root["entry"]) {
    if (entry["fullUrl"].text() == reference || is_local(entry["resource"], reference)) return entry["resource"];
  }
  return {};
}

bool Evaluator::resolve(const Node& node, const Cell& reference, Sequence& out) {
  if (!reference.is_element()) {
    if (reference.kind != ItemKind::string) return true;
  }
  const bool is_reference = reference.is_element() && reference.value.is_object();
  const json::Value held = is_reference ? reference.value["reference"] : reference.value;
  const std::string_view text = reference.is_element() ? held.text() : reference.text;
  const json::Value root = environment_.root_resource ? environment_.root_resource : environment_.resource;
  if (!step(node, 1 + root["contained"].size() + root["entry"].size())) return false;
  if (node.typed_reference && !text.starts_with('#')) {
    const model::Type* type = type_of_reference(text);
    if (type == nullptr && is_reference) type = model::find_resource(reference.value["type"].text());
    if (type != nullptr) {
      Cell cell;
      cell.type = type;
      return push(node, out, cell);
    }
  }
  if (text.empty()) return true;
  json::Value found = resolve_inside(text);
  if (!found && environment_.resolve) found = environment_.resolve(text);
  return !found || push(node, out, element_cell(found, {}, nullptr));
}

}  // namespace mydr24::path
