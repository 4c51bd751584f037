#include "fhir/search/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace mydr24::search {
namespace {

constexpr std::string_view of_resource = "%resource.";

// The kind of the published parameter with that canonical: what a composite's part says it is.
std::optional<Kind> kind_of_definition(std::string_view url) {
  for (const auto& definition : model::search_parameters()) {
    if (definition.url == url) return kind_of(definition.kind, definition.code);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Kind> kind_of(std::string_view kind, std::string_view code) {
  if (code == "_id") return Kind::id;
  if (code == "_lastUpdated") return Kind::last_updated;
  if (code == "_content" || code == "_text") return Kind::text;
  if (kind == "string") return Kind::string;
  if (kind == "token") return Kind::token;
  if (kind == "reference") return Kind::reference;
  if (kind == "date") return Kind::date;
  if (kind == "number") return Kind::number;
  if (kind == "quantity") return Kind::quantity;
  if (kind == "uri") return Kind::uri;
  if (kind == "composite") return Kind::composite;
  if (kind == "special" && code == "near") return Kind::position;
  return std::nullopt;
}

Catalogue::Catalogue() {
  add_node();
  for (const model::Type* type : model::resource_types()) {
    TypeCatalogue& entry = types_[type->name];
    entry.type = type;
    entry.root = add_node();
    const auto definitions =
        std::ranges::equal_range(model::search_parameters(), type->name, {}, &model::SearchParameterDefinition::base);
    for (const auto& definition : definitions) add_published(definition, entry);
  }
  finish();
}

const Catalogue& Catalogue::of(const Catalogue* catalogue) {
  static const CataloguePtr published = published_catalogue();
  return catalogue == nullptr ? *published : *catalogue;
}

void Catalogue::add_published(const model::SearchParameterDefinition& published, TypeCatalogue& type) {
  const auto kind = kind_of(published.kind, published.code);
  // _query names a query that a server defines; there are none here.
  if (!kind || published.code == "_query") return;
  add({.code = published.code,
       .kind = *kind,
       .expression = published.expression,
       .url = published.url,
       .targets = published.targets,
       .components = {published.components.begin(), published.components.end()}},
      type);
}

bool Catalogue::add(const Definition& definition, TypeCatalogue& type) {
  const auto number = add_parameter(definition, type.type->name);
  const bool of_record = definition.kind == Kind::id || definition.kind == Kind::last_updated;
  if (definition.kind == Kind::text) (definition.code == "_content" ? type.content : type.narrative) = number;
  bool any = of_record || definition.kind == Kind::text;
  for (const auto alternative : any ? std::vector<std::string_view>() : split_union(definition.expression)) {
    const bool covered = add_alternative(alternative, definition, number, type);
    if (!covered) not_covered_.push_back(fmt::format("{}.{}: {}", type.type->name, definition.code, alternative));
    any = any || covered;
  }
  // A parameter that can find nothing is not offered.
  if (any) by_code_[type.type->name].push_back(parameters_[number]);
  return any;
}

std::uint16_t Catalogue::add_parameter(const Definition& definition, std::string_view type) {
  const auto number = static_cast<std::uint16_t>(parameters_.size());
  parameters_.push_back({.number = number,
                         .type = type,
                         .code = definition.code,
                         .kind = definition.kind,
                         .targets = definition.targets,
                         .components = {},
                         .expression = definition.expression,
                         .url = definition.url,
                         .generation = definition.generation});
  ways_.emplace_back();
  identifiers_.push_back(false);
  plain_codes_.push_back(false);
  if (definition.kind != Kind::composite) return number;
  auto& list = component_lists_.emplace_back();
  for (const auto& component : definition.components) {
    const auto& code = texts_.emplace_back(fmt::format("{}${}", definition.code, list.size() + 1));
    list.push_back(add_parameter({.code = code,
                                  .kind = kind_of_definition(component.definition).value_or(Kind::token),
                                  .expression = component.expression,
                                  .url = component.definition,
                                  .targets = {},
                                  .components = {},
                                  .generation = definition.generation},
                                 type));
  }
  parameters_[number].components = list;
  return number;
}

bool Catalogue::add_alternative(std::string_view alternative, const Definition& definition, std::uint16_t number,
                                TypeCatalogue& type) {
  const auto paths = compile(alternative, *type.type);
  bool covered = false;
  for (const Path& path : paths.value_or(std::vector<Path>())) {
    const auto form = form_of(definition.kind, path.type);
    if (!form) continue;
    if (*form == Form::composite) {
      covered = add_composite(path, definition, number, type) || covered;
      continue;
    }
    identifiers_[number] = identifiers_[number] || *form == Form::identifier;
    plain_codes_[number] = plain_codes_[number] || *form == Form::plain;
    Leaf leaf{.parameter = number, .kind = definition.kind, .form = *form, .target = path.target};
    if (definition.kind == Kind::date) note_way(path, number, *type.type);
    if (*form == Form::resource && definition.targets.size() == 1) leaf.target = definition.targets.front();
    covered = add_path(path, leaf, type.root) || covered;
  }
  // Every way may end in a type that has no index form: that is for the evaluation to find out.
  return covered || add_presence(alternative, number, type) ||
         (definition.kind != Kind::composite && !paths && add_evaluated(alternative, definition.kind, number, type));
}

bool Catalogue::add_composite(const Path& path, const Definition& definition, std::uint16_t number,
                              TypeCatalogue& type) {
  std::vector<CompositePart> parts;
  for (std::size_t i = 0; i < definition.components.size(); ++i) {
    Parameter& component = parameters_[parameters_[number].components[i]];
    CompositePart part{.parameter = component.number, .kind = component.kind};
    const auto expression = definition.components[i].expression;
    bool covered = add_part(expression, path.type, *type.type, part);
    // R4 swaps the definitions of the two parts of DocumentReference.relationship: their values say what they are.
    for (const Kind kind : {Kind::token, Kind::reference}) {
      if (covered) break;
      part.kind = kind;
      covered = add_part(expression, path.type, *type.type, part);
    }
    if (!covered) return false;
    component.kind = part.kind;
    parts.push_back(part);
  }
  if (parts.empty()) return false;
  const Leaf leaf{.parameter = number,
                  .kind = Kind::composite,
                  .form = Form::composite,
                  .composite = static_cast<std::uint16_t>(composites_.size())};
  composites_.push_back(std::move(parts));
  return add_path(path, leaf, type.root);
}

bool Catalogue::add_part(std::string_view expression, const model::Type* element, const model::Type& resource,
                         CompositePart& part) {
  bool covered = false;
  for (auto alternative : split_union(expression)) {
    const bool from_resource = alternative.starts_with(of_resource);
    if (from_resource) alternative.remove_prefix(of_resource.size());
    const auto paths = compile(alternative, from_resource ? resource : *element);
    std::uint32_t& root = from_resource ? part.resource_root : part.element_root;
    for (const Path& path : paths.value_or(std::vector<Path>())) {
      const auto form = form_of(part.kind, path.type);
      if (!form || *form == Form::composite) continue;
      if (root == 0) root = add_node();
      const Leaf leaf{.parameter = part.parameter, .kind = part.kind, .form = *form, .target = path.target};
      covered = add_path(path, leaf, root) || covered;
    }
  }
  return covered;
}

bool Catalogue::add_presence(std::string_view alternative, std::uint16_t number, TypeCatalogue& type) {
  const auto element = tested_element(alternative);
  const auto paths = element ? compile(*element, *type.type) : std::nullopt;
  if (!paths) return false;
  Presence presence{.parameter = number, .properties = {}};
  for (const Path& path : *paths) {
    if (path.steps.size() != 1) return false;
    presence.properties.push_back(path.steps.front().name);
  }
  type.presences.push_back(std::move(presence));
  return true;
}

bool Catalogue::add_evaluated(std::string_view alternative, Kind kind, std::uint16_t number, TypeCatalogue& type) {
  auto expression = path::Expression::compile(alternative, type.type);
  if (!expression) return false;
  evaluated_.push_back(fmt::format("{}.{}: {}", type.type->name, parameters_[number].code, alternative));
  ways_[number] = {.element = "?", .is_single = false};
  type.evaluated.push_back({number, kind, std::make_shared<const path::Expression>(std::move(*expression))});
  return true;
}

std::uint32_t Catalogue::add_node() {
  nodes_.emplace_back();
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void Catalogue::note_way(const Path& path, std::uint16_t number, const model::Type& type) {
  std::string name;
  bool repeats = false;
  const model::Type* at = &type;
  for (const Step& step : path.steps) {
    const model::Element* const element = at == nullptr ? nullptr : at->find(step.name);
    repeats = repeats || element == nullptr || (element->repeats && !step.first);
    if (element == nullptr) break;
    name += fmt::format(".{}", element->choice.empty() ? element->name : element->choice);
    at = element->type;
  }
  Way& way = ways_[number];
  way.is_single = !repeats && (way.element.empty() || (way.is_single && way.element == name));
  way.element = std::move(name);
}

bool Catalogue::add_path(const Path& path, Leaf leaf, std::uint32_t root) {
  std::uint32_t at = root;
  for (const Step& step : path.steps) {
    auto& edges = nodes_[at].edges;
    const auto edge = std::ranges::find(edges, step, &Node::Edge::step);
    if (edge != edges.end()) {
      at = edge->node;
      continue;
    }
    const auto below = static_cast<std::uint32_t>(nodes_.size());
    edges.push_back({step, below});
    nodes_.emplace_back();
    at = below;
  }
  nodes_[at].leaves.push_back(leaf);
  return true;
}

void Catalogue::finish() {
  const auto name = [](const Node::Edge& edge) { return edge.step.name; };
  for (Node& node : nodes_) std::ranges::sort(node.edges, {}, name);
  for (auto& [type, list] : by_code_) std::ranges::sort(list, {}, &Parameter::code);
}

std::span<const Parameter> Catalogue::parameters_of(std::string_view type) const {
  const auto found = by_code_.find(type);
  return found == by_code_.end() ? std::span<const Parameter>() : found->second;
}

const Parameter* Catalogue::find(std::string_view type, std::string_view code) const {
  const auto list = parameters_of(type);
  const auto found = std::ranges::lower_bound(list, code, {}, &Parameter::code);
  return found == list.end() || found->code != code ? nullptr : &parameters_[found->number];
}

const TypeCatalogue* Catalogue::type(std::string_view name) const {
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : &found->second;
}

CataloguePtr Catalogue::with_own_bases(const CataloguePtr& catalogue, std::vector<std::string> bases) {
  const CataloguePtr base = catalogue == nullptr ? published_catalogue() : catalogue;
  const auto next = std::make_shared<Catalogue>(*base);
  next->base_ = base;
  next->own_bases_ = std::move(bases);
  return next;
}

std::string_view Catalogue::local(std::string_view reference) const {
  for (const std::string& base : own_bases_) {
    if (reference.size() > base.size() + 1 && reference.starts_with(base) && reference[base.size()] == '/') {
      return reference.substr(base.size() + 1);
    }
  }
  return reference;
}

CataloguePtr with_own_bases(const CataloguePtr& catalogue, std::vector<std::string> bases) {
  return Catalogue::with_own_bases(catalogue, std::move(bases));
}

std::span<const std::string> own_bases(const Catalogue* catalogue) { return Catalogue::of(catalogue).own_bases(); }

std::string_view local_reference(std::string_view reference, const Catalogue* catalogue) {
  return Catalogue::of(catalogue).local(reference);
}

CataloguePtr published_catalogue() {
  static const CataloguePtr published = std::make_shared<const Catalogue>();
  return published;
}

std::span<const Parameter> parameters(const Catalogue* catalogue) { return Catalogue::of(catalogue).parameters(); }

std::span<const Parameter> parameters_of(std::string_view type, const Catalogue* catalogue) {
  return Catalogue::of(catalogue).parameters_of(type);
}

bool is_single(const Parameter& parameter, const Catalogue* catalogue) {
  return Catalogue::of(catalogue).is_single(parameter);
}

const Parameter* find_parameter(std::string_view type, std::string_view code, const Catalogue* catalogue) {
  return Catalogue::of(catalogue).find(type, code);
}

}  // namespace mydr24::search
