#include "fhir/search/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mydr24::search {
namespace {

// What this version indexes, wherever R4 defines it.
constexpr auto codes = std::to_array<std::string_view>(
    {"birthdate", "code", "date", "family", "gender", "given", "identifier", "name", "patient", "status", "subject"});

std::optional<Kind> kind_of(std::string_view kind) {
  if (kind == "string") return Kind::string;
  if (kind == "token") return Kind::token;
  if (kind == "reference") return Kind::reference;
  if (kind == "date") return Kind::date;
  return std::nullopt;
}

std::optional<Form> string_form(const model::Type& type) {
  if (type.name == "HumanName") return Form::human_name;
  if (type.name == "Address") return Form::address;
  if (type.primitive == model::Primitive::string || type.primitive == model::Primitive::markdown) return Form::text;
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
  using enum model::Primitive;
  if (type.name == "Reference") return Form::reference;
  if (type.primitive == uri || type.primitive == url || type.primitive == canonical) return Form::address_of_resource;
  return std::nullopt;
}

std::optional<Form> date_form(const model::Type& type) {
  using enum model::Primitive;
  if (type.name == "Period") return Form::period;
  if (type.name == "Timing") return Form::timing;
  if (type.primitive == date || type.primitive == date_time || type.primitive == instant) return Form::date;
  return std::nullopt;
}

std::optional<Form> form_of(Kind kind, const model::Type& type) {
  switch (kind) {
    case Kind::string:
      return string_form(type);
    case Kind::token:
      return token_form(type);
    case Kind::reference:
      return reference_form(type);
    case Kind::date:
      return date_form(type);
    default:
      return std::nullopt;
  }
}

}  // namespace

const Catalogue& Catalogue::get() {
  static const Catalogue catalogue;
  return catalogue;
}

Catalogue::Catalogue() {
  const auto definitions = model::search_parameters();
  for (const model::Type* type : model::resource_types()) {
    const auto of_type = std::ranges::equal_range(definitions, type->name, {}, &model::SearchParameterDefinition::base);
    add_type(*type, {of_type.begin(), of_type.end()});
  }
}

void Catalogue::add_type(const model::Type& type, std::span<const model::SearchParameterDefinition> definitions) {
  Range range{parameters_.size(), 0, static_cast<std::uint32_t>(nodes_.size())};
  nodes_.emplace_back();
  const auto add = [&](std::string_view code, Kind kind, std::span<const std::string_view> targets) {
    parameters_.push_back({static_cast<std::uint16_t>(parameters_.size()), type.name, code, kind, targets, {}, {}, {}});
  };
  add("_id", Kind::id, {});
  add("_lastUpdated", Kind::last_updated, {});
  for (const auto& definition : definitions) {
    const auto kind = kind_of(definition.kind);
    if (!kind || !std::ranges::binary_search(codes, definition.code)) continue;
    add(definition.code, *kind, definition.targets);
    add_definition(type, definition, range.root);
  }
  range.count = parameters_.size() - range.begin;
  types_.emplace(type.name, range);
}

void Catalogue::add_definition(const model::Type& type, const model::SearchParameterDefinition& definition,
                               std::uint32_t root) {
  const Parameter& parameter = parameters_.back();
  for (const auto alternative : split_union(definition.expression)) {
    const auto paths = compile(alternative, type);
    bool covered = false;
    for (const Path& path : paths.value_or(std::vector<Path>())) {
      covered = add_path(path, Leaf{parameter.number, parameter.kind, Form::plain, path.target}, root) || covered;
    }
    if (!covered) not_covered_.push_back(fmt::format("{}.{}: {}", type.name, definition.code, alternative));
  }
}

bool Catalogue::add_path(const Path& path, Leaf leaf, std::uint32_t root) {
  const auto form = path.type == nullptr ? std::nullopt : form_of(leaf.kind, *path.type);
  if (!form) return false;
  leaf.form = *form;
  std::uint32_t at = root;
  for (const auto name : path.names) {
    auto& edges = nodes_[at].edges;
    const auto edge = std::ranges::find(edges, name, &Node::Edge::name);
    if (edge != edges.end()) {
      at = edge->node;
      continue;
    }
    const auto below = static_cast<std::uint32_t>(nodes_.size());
    edges.push_back({name, below});
    nodes_.emplace_back();
    at = below;
  }
  nodes_[at].leaves.push_back(leaf);
  return true;
}

std::span<const Parameter> Catalogue::parameters_of(std::string_view type) const {
  const auto found = types_.find(type);
  if (found == types_.end()) return {};
  return std::span(parameters_).subspan(found->second.begin, found->second.count);
}

const Node* Catalogue::root(std::string_view type) const {
  const auto found = types_.find(type);
  return found == types_.end() ? nullptr : &nodes_[found->second.root];
}

std::span<const Parameter> parameters(const Catalogue*) { return Catalogue::get().parameters(); }

std::span<const Parameter> parameters_of(std::string_view type, const Catalogue*) {
  return Catalogue::get().parameters_of(type);
}

const Parameter* find_parameter(std::string_view type, std::string_view code, const Catalogue*) {
  for (const Parameter& parameter : parameters_of(type)) {
    if (parameter.code == code) return &parameter;
  }
  return nullptr;
}

}  // namespace mydr24::search
