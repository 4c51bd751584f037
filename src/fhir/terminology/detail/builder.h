#pragma once

// Makes Tables of CodeSystem, ValueSet and ConceptMap resources: of the published ones when the program is built, of
// loaded ones when it runs.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/terminology/detail/tables.h"

namespace mydr24::terminology::detail {

// The rows behind the spans of a Tables.
struct Block {
  std::string pool;
  std::vector<System> systems;
  std::vector<ConceptRow> concepts;
  std::vector<Key> concept_keys;
  std::vector<std::uint32_t> parents, children;
  std::vector<PropertyRow> properties;
  std::vector<DesignationRow> designations;
  std::vector<ValueSet> value_sets;
  std::vector<Rule> rules;
  std::vector<Listed> listed;
  std::vector<Key> listed_keys;
  std::vector<Filter> filters;
  std::vector<Text> nested;
  std::vector<Map> maps;
  std::vector<Group> groups;
  std::vector<Element> elements;
  std::vector<Key> element_keys;
  std::vector<Target> targets;
  std::vector<Key> system_keys, value_set_keys, implicit_keys;
  Tables tables;  // views into the above; whoever makes a Block keeps it where it is
};

class Builder {
 public:
  Builder() : block_(std::make_unique<Block>()), kept_(64, PoolHash{&block_->pool}, PoolEqual{&block_->pool}) {}

  // A CodeSystem, ValueSet or ConceptMap; others are left out (false). Concepts nested deeper than any parsed document
  // cannot occur.
  bool add(json::Value resource);
  // Closes the arrays and sorts the indexes. The Builder is used up.
  std::unique_ptr<const Block> finish();

 private:
  struct Relation {
    std::uint32_t concept_row;
    std::string_view other;
    bool other_is_parent;
  };
  struct Hierarchy {
    std::string_view parent_property = "parent", child_property = "child";
    std::vector<std::uint32_t> nested_parent;  // row + 1, of each concept of the system
    std::vector<Relation> relations;
  };

  Text keep(std::string_view text);
  Text keep(json::Value value) { return keep(value.text()); }
  void add_system(json::Value resource);
  void add_concepts(json::Value concepts, std::uint32_t parent, Hierarchy& hierarchy);
  void add_properties(json::Value definition, std::uint32_t row, Hierarchy& hierarchy);
  void link(std::uint32_t first, const Hierarchy& hierarchy);
  void add_value_set(json::Value resource);
  void add_rule(json::Value rule, RuleKind kind);
  void add_expansion(json::Value contains);
  void add_listed(std::string_view code, json::Value display);
  void close_rule(std::uint32_t first_listed);
  void resolve_systems();
  void add_map(json::Value resource);
  void add_group(json::Value group, std::string_view source, std::string_view target);

  std::unique_ptr<Block> block_;
  // The texts of the pool, each once: looked for by content, kept by place.
  struct PoolHash {
    using is_transparent = void;
    const std::string* pool;
    std::size_t operator()(std::string_view text) const { return hash_words(text, 0); }
    std::size_t operator()(Text text) const { return (*this)(std::string_view(*pool).substr(text.at, text.size)); }
  };
  struct PoolEqual {
    using is_transparent = void;
    const std::string* pool;
    bool operator()(Text a, Text b) const { return a.at == b.at && a.size == b.size; }
    bool operator()(std::string_view a, Text b) const { return a == std::string_view(*pool).substr(b.at, b.size); }
    bool operator()(Text a, std::string_view b) const { return (*this)(b, a); }
  };
  std::unordered_set<Text, PoolHash, PoolEqual> kept_;
};

}  // namespace mydr24::terminology::detail
