#include "fhir/terminology/detail/builder.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace mydr24::terminology::detail {
namespace {

std::uint32_t count(const auto& rows) { return static_cast<std::uint32_t>(rows.size()); }

Content content_of(std::string_view text) {
  if (text == "complete") return Content::complete;
  if (text == "example") return Content::example;
  if (text == "fragment") return Content::fragment;
  if (text == "supplement") return Content::supplement;
  return Content::not_present;
}

FilterOp op_of(std::string_view text) {
  constexpr auto ops = std::to_array<std::pair<std::string_view, FilterOp>>({
      {"=", FilterOp::equal},
      {"is-a", FilterOp::is_a},
      {"descendent-of", FilterOp::descendent_of},
      {"is-not-a", FilterOp::is_not_a},
      {"regex", FilterOp::regex},
      {"in", FilterOp::in},
      {"not-in", FilterOp::not_in},
      {"generalizes", FilterOp::generalizes},
      {"exists", FilterOp::exists},
  });
  for (const auto& [name, op] : ops) {
    if (name == text) return op;
  }
  return FilterOp::unknown;
}

// The value[x] of a property of a concept, and its type.
std::pair<json::Value, PropertyType> value_of(json::Value property) {
  constexpr auto types = std::to_array<std::pair<std::string_view, PropertyType>>({
      {"valueCode", PropertyType::code},
      {"valueCoding", PropertyType::coding},
      {"valueString", PropertyType::string},
      {"valueInteger", PropertyType::integer},
      {"valueBoolean", PropertyType::boolean},
      {"valueDateTime", PropertyType::date_time},
      {"valueDecimal", PropertyType::decimal},
  });
  for (const auto& [name, type] : types) {
    if (const auto value = property[name]) return {type == PropertyType::coding ? value["code"] : value, type};
  }
  return {};
}

std::uint32_t flags_of(std::string_view property, std::string_view value) {
  const bool yes = value == "true";
  if (property == "notSelectable" || property == "abstract") return yes ? flag_abstract : 0U;
  if (property == "inactive") return yes ? flag_inactive : 0U;
  if (property == "status") return value == "retired" || value == "inactive" ? flag_inactive : 0U;
  return 0;
}

void sort_keys(std::vector<Key>& keys, std::size_t first = 0) {
  std::sort(keys.begin() + static_cast<std::ptrdiff_t>(first), keys.end(),
            [](Key a, Key b) { return std::pair(a.hash, a.row) < std::pair(b.hash, b.row); });
}

}  // namespace

Text Builder::keep(std::string_view text) {
  if (text.empty()) return {};
  if (const auto found = kept_.find(text); found != kept_.end()) return *found;
  const Text added{count(block_->pool), static_cast<std::uint32_t>(text.size())};
  block_->pool += text;
  kept_.insert(added);
  return added;
}

bool Builder::add(json::Value resource) {
  const auto type = resource["resourceType"].text();
  if (type == "CodeSystem") {
    add_system(resource);
  } else if (type == "ValueSet") {
    add_value_set(resource);
  } else if (type == "ConceptMap") {
    add_map(resource);
  } else {
    return false;
  }
  return true;
}

// ---- CodeSystem

void Builder::add_system(json::Value resource) {
  System system{.url = keep(resource["url"]),
                .version = keep(resource["version"]),
                .name = keep(resource["name"]),
                .title = keep(resource["title"]),
                .value_set = keep(resource["valueSet"]),
                .content = content_of(resource["content"].text()),
                .is_case_sensitive = resource["caseSensitive"].text() != "false",
                .first_concept = count(block_->concepts)};
  const auto row = count(block_->systems);
  block_->system_keys.push_back({hash_url(resource["url"].text()), row});
  if (const auto set = resource["valueSet"].text(); !set.empty()) {
    block_->implicit_keys.push_back({hash_url(set.substr(0, set.find('|'))), row});
  }
  block_->systems.push_back(system);

  Hierarchy hierarchy;
  for (const auto property : resource["property"]) {
    const auto uri = property["uri"].text();
    if (uri == "http://hl7.org/fhir/concept-properties#parent") hierarchy.parent_property = property["code"].text();
    if (uri == "http://hl7.org/fhir/concept-properties#child") hierarchy.child_property = property["code"].text();
  }
  add_concepts(resource["concept"], 0, hierarchy);
  sort_keys(block_->concept_keys, system.first_concept);
  link(system.first_concept, hierarchy);
}

void Builder::add_concepts(json::Value concepts, std::uint32_t parent, Hierarchy& hierarchy) {
  for (const auto definition : concepts) {
    const auto row = count(block_->concepts);
    ConceptRow added{.code = keep(definition["code"]),
                     .display = keep(definition["display"]),
                     .definition = keep(definition["definition"]),
                     .first_property = count(block_->properties),
                     .first_designation = count(block_->designations)};
    block_->concepts.push_back(added);
    block_->concept_keys.push_back({hash_code(definition["code"].text()), row});
    hierarchy.nested_parent.push_back(parent);
    add_properties(definition, row, hierarchy);
    for (const auto designation : definition["designation"]) {
      block_->designations.push_back({keep(designation["language"]), keep(designation["use"]["system"]),
                                      keep(designation["use"]["code"]), keep(designation["value"])});
    }
    add_concepts(definition["concept"], row + 1, hierarchy);
  }
}

void Builder::add_properties(json::Value definition, std::uint32_t row, Hierarchy& hierarchy) {
  for (const auto property : definition["property"]) {
    const auto code = property["code"].text();
    const auto [value, type] = value_of(property);
    block_->properties.push_back({keep(code), keep(value), type});
    block_->concepts[row].flags |= flags_of(code, value.text());
    if (type != PropertyType::code) continue;
    if (code == hierarchy.parent_property) hierarchy.relations.push_back({row, value.text(), true});
    if (code == hierarchy.child_property) hierarchy.relations.push_back({row, value.text(), false});
  }
}

// Parents and children of the concepts from `first` on: by nesting, and by the properties that name them.
void Builder::link(std::uint32_t first, const Hierarchy& hierarchy) {
  Block& block = *block_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  // child, parent
  for (std::uint32_t i = 0; i < hierarchy.nested_parent.size(); ++i) {
    if (const auto parent = hierarchy.nested_parent[i]; parent != 0) edges.emplace_back(first + i, parent - 1);
  }
  const std::span keys = std::span<const Key>(block.concept_keys).subspan(first);
  for (const auto& relation : hierarchy.relations) {
    const auto hash = hash_code(relation.other);
    for (const Key* key = find_key(keys, hash); key != keys.data() + keys.size() && key->hash == hash; ++key) {
      const Text code = block.concepts[key->row].code;
      if (std::string_view(block.pool).substr(code.at, code.size) != relation.other) continue;
      edges.emplace_back(relation.other_is_parent ? relation.concept_row : key->row,
                         relation.other_is_parent ? key->row : relation.concept_row);
    }
  }
  const auto fill = [&](std::vector<std::uint32_t>& out, std::uint32_t ConceptRow::* first_of) {
    std::sort(edges.begin(), edges.end());
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
    auto edge = edges.begin();
    for (std::uint32_t row = first; row < count(block.concepts); ++row) {
      block.concepts[row].*first_of = count(out);
      for (; edge != edges.end() && edge->first == row; ++edge) out.push_back(edge->second);
    }
  };
  fill(block.parents, &ConceptRow::first_parent);
  for (auto& [from, to] : edges) std::swap(from, to);
  fill(block.children, &ConceptRow::first_child);
}

// ---- ValueSet

void Builder::add_value_set(json::Value resource) {
  const auto compose = resource["compose"];
  block_->value_set_keys.push_back({hash_url(resource["url"].text()), count(block_->value_sets)});
  block_->value_sets.push_back({.url = keep(resource["url"]),
                                .version = keep(resource["version"]),
                                .name = keep(resource["name"]),
                                .title = keep(resource["title"]),
                                .status = keep(resource["status"]),
                                .excludes_inactive = compose["inactive"].text() == "false",
                                .first_rule = count(block_->rules)});
  for (const auto rule : compose["include"]) add_rule(rule, RuleKind::include);
  for (const auto rule : compose["exclude"]) add_rule(rule, RuleKind::exclude);
  add_expansion(resource["expansion"]["contains"]);
}

void Builder::add_rule(json::Value rule, RuleKind kind) {
  // Two rules of R4 write the version behind the system, where only value sets may.
  auto system = rule["system"].text();
  auto version = rule["version"].text();
  if (const auto bar = system.rfind('|'); bar != std::string_view::npos && version.empty()) {
    version = system.substr(bar + 1);
    system = system.substr(0, bar);
  }
  const auto first_listed = count(block_->listed);
  block_->rules.push_back({.system = keep(system),
                           .version = keep(version),
                           .system_hash = hash_url(system),
                           .kind = kind,
                           .first_listed = first_listed,
                           .first_filter = count(block_->filters),
                           .first_value_set = count(block_->nested)});
  for (const auto listed : rule["concept"]) add_listed(listed["code"].text(), listed["display"]);
  for (const auto filter : rule["filter"]) {
    block_->filters.push_back({keep(filter["property"]), keep(filter["value"]), op_of(filter["op"].text())});
  }
  for (const auto nested : rule["valueSet"]) block_->nested.push_back(keep(nested));
  close_rule(first_listed);
}

void Builder::add_listed(std::string_view code, json::Value display) {
  block_->listed_keys.push_back({hash_code(code), count(block_->listed)});
  block_->listed.push_back({keep(code), keep(display)});
}

void Builder::close_rule(std::uint32_t first_listed) { sort_keys(block_->listed_keys, first_listed); }

// An expansion becomes one list for each run of concepts of one system.
void Builder::add_expansion(json::Value contains) {
  std::vector<json::Value> flat;
  const auto flatten = [&flat](auto& self, json::Value items) -> void {
    for (const auto item : items) {
      if (item["code"].exists() && !item["abstract"].is_true()) flat.push_back(item);
      self(self, item["contains"]);
    }
  };
  flatten(flatten, contains);
  for (std::size_t i = 0; i < flat.size();) {
    const auto system = flat[i]["system"].text();
    const auto first_listed = count(block_->listed);
    block_->rules.push_back({.system = keep(system),
                             .version = {},
                             .system_hash = hash_url(system),
                             .kind = RuleKind::expanded,
                             .first_listed = first_listed,
                             .first_filter = count(block_->filters),
                             .first_value_set = count(block_->nested)});
    for (; i < flat.size() && flat[i]["system"].text() == system; ++i) {
      add_listed(flat[i]["code"].text(), flat[i]["display"]);
    }
    close_rule(first_listed);
  }
}

// ---- ConceptMap

void Builder::add_map(json::Value resource) {
  const auto either = [&](std::string_view a, std::string_view b) {
    return resource[a].exists() ? resource[a].text() : resource[b].text();
  };
  block_->maps.push_back({.url = keep(resource["url"]),
                          .version = keep(resource["version"]),
                          .source = keep(either("sourceUri", "sourceCanonical")),
                          .target = keep(either("targetUri", "targetCanonical")),
                          .first_group = count(block_->groups)});
  for (const auto group : resource["group"]) add_group(group, group["source"].text(), group["target"].text());
}

void Builder::add_group(json::Value group, std::string_view source, std::string_view target) {
  const auto unmapped = group["unmapped"];
  const auto mode = unmapped["mode"].text();
  block_->groups.push_back({.source = keep(source),
                            .target = keep(target),
                            .target_version = keep(group["targetVersion"]),
                            .unmapped = mode == "provided"    ? Unmapped::provided
                                        : mode == "fixed"     ? Unmapped::fixed
                                        : mode == "other-map" ? Unmapped::other_map
                                                              : Unmapped::none,
                            .unmapped_code = keep(unmapped["code"]),
                            .unmapped_display = keep(unmapped["display"]),
                            .unmapped_url = keep(unmapped["url"]),
                            .first_element = count(block_->elements)});
  const auto first = count(block_->elements);
  for (const auto element : group["element"]) {
    block_->element_keys.push_back({hash_code(element["code"].text()), count(block_->elements)});
    block_->elements.push_back({keep(element["code"]), count(block_->targets)});
    for (const auto to : element["target"]) {
      block_->targets.push_back({keep(to["code"]), keep(to["display"]), keep(to["equivalence"])});
    }
  }
  sort_keys(block_->element_keys, first);
}

// ---- The whole

// Rules whose system is among these and cannot be mistaken: one version only, and that is the one asked for.
void Builder::resolve_systems() {
  Block& block = *block_;
  const auto text = [&](Text what) { return std::string_view(block.pool).substr(what.at, what.size); };
  const std::span<const Key> keys = block.system_keys;
  for (auto& rule : block.rules) {
    if (rule.system.size == 0) continue;
    std::uint32_t found = 0;
    int versions = 0;
    for (const Key* key = find_key(keys, rule.system_hash);
         key != keys.data() + keys.size() && key->hash == rule.system_hash; ++key) {
      const System& system = block.systems[key->row];
      if (text(system.url) != text(rule.system)) continue;
      ++versions;
      if (rule.version.size == 0 || text(rule.version) == text(system.version)) found = key->row + 1;
    }
    if (versions == 1) rule.system_row = found;
  }
}

std::unique_ptr<const Block> Builder::finish() {
  Block& block = *block_;
  sort_keys(block.system_keys);
  sort_keys(block.value_set_keys);
  sort_keys(block.implicit_keys);
  resolve_systems();
  block.systems.push_back({.first_concept = count(block.concepts)});
  block.concepts.push_back({.first_parent = count(block.parents),
                            .first_child = count(block.children),
                            .first_property = count(block.properties),
                            .first_designation = count(block.designations)});
  block.value_sets.push_back({.first_rule = count(block.rules)});
  block.rules.push_back({.first_listed = count(block.listed),
                         .first_filter = count(block.filters),
                         .first_value_set = count(block.nested)});
  block.maps.push_back({.first_group = count(block.groups)});
  block.groups.push_back({.first_element = count(block.elements)});
  block.elements.push_back({.first_target = count(block.targets)});
  block.tables = {.pool = block.pool,
                  .systems = block.systems,
                  .concepts = block.concepts,
                  .concept_keys = block.concept_keys,
                  .parents = block.parents,
                  .children = block.children,
                  .properties = block.properties,
                  .designations = block.designations,
                  .value_sets = block.value_sets,
                  .rules = block.rules,
                  .listed = block.listed,
                  .listed_keys = block.listed_keys,
                  .filters = block.filters,
                  .nested = block.nested,
                  .maps = block.maps,
                  .groups = block.groups,
                  .elements = block.elements,
                  .element_keys = block.element_keys,
                  .targets = block.targets,
                  .system_keys = block.system_keys,
                  .value_set_keys = block.value_set_keys,
                  .implicit_keys = block.implicit_keys};
  kept_.clear();
  return std::move(block_);
}

}  // namespace mydr24::terminology::detail
