#pragma once

// Where a url leads: the published tables and the loaded ones. What is loaded goes before what is published; of several
// versions of one url the highest is meant when none is named.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/json/document.h"
#include "fhir/terminology/detail/builder.h"
#include "fhir/terminology/detail/grammar.h"
#include "fhir/terminology/detail/tables.h"

namespace mydr24::terminology::detail {

struct SystemRef {
  const Tables* tables = nullptr;
  const System* row = nullptr;
  explicit operator bool() const { return row != nullptr; }
};

// A value set: one with rules (`row`), or one that the name alone defines: a whole system, or what is a `ancestor` in it.
struct SetRef {
  const Tables* tables = nullptr;
  const ValueSet* row = nullptr;
  std::string_view system, version, ancestor;
  explicit operator bool() const { return row != nullptr || !system.empty(); }
};

struct MapRef {
  const Tables* tables = nullptr;
  const Map* row = nullptr;
};

// "url|version" in its parts.
struct Canonical {
  explicit Canonical(std::string_view text);
  std::string_view url, version;
};

class Library {
 public:
  SystemRef find_system(std::string_view url, std::uint32_t hash, std::string_view version) const;
  SystemRef find_system(std::string_view url, std::string_view version = {}) const {
    return find_system(url, hash_url(url), version);
  }
  // The system of a rule of these tables.
  SystemRef system_of(const Tables& tables, const Rule& rule) const {
    if (rule.system_row != 0 && !may_be_loaded(rule.system_hash))
      return {&tables, &tables.systems[rule.system_row - 1]};
    return find_system(tables.text(rule.system), rule.system_hash, tables.text(rule.version));
  }
  SetRef find_set(std::string_view canonical) const;
  // Loaded ones first.
  std::vector<MapRef> maps() const;
  std::vector<SystemRef> systems() const;
  std::vector<SetRef> sets() const;

  void load(json::Value resource);
  void unload(std::string_view url);
  // Sorts, and replaces what was loaded before under the same url and version. Called once after the last load or unload.
  void settle();

 private:
  // A block of one resource. The hash is that of the url it is looked for by, the texts are in the block.
  struct Loaded {
    std::uint32_t hash = 0;
    std::string_view url, version;
    std::uint64_t order = 0;  // later loads are higher
    std::shared_ptr<const Block> block;
  };
  using Shelf = std::vector<Loaded>;

  bool may_be_loaded(std::uint32_t system_hash) const {
    if (systems_.empty()) return false;
    const auto at = std::ranges::lower_bound(systems_, system_hash, {}, &Loaded::hash);
    return at != systems_.end() && at->hash == system_hash;
  }
  SetRef find_explicit(const Canonical& canonical, std::uint32_t hash) const;
  SetRef find_implicit(const Canonical& canonical, std::uint32_t hash) const;

  Shelf systems_, value_sets_, implicit_, maps_;
  std::uint64_t loads_ = 0;
};

// The concept's row in the tables; nullptr when the system has no such code.
const ConceptRow* find_concept(const SystemRef& system, std::string_view code);
// All concepts of the system.
std::span<const ConceptRow> concepts_of(const SystemRef& system);
// Rows of `parents` or `children` of a concept.
std::span<const std::uint32_t> parents_of(const Tables& tables, const ConceptRow& row);
std::span<const std::uint32_t> children_of(const Tables& tables, const ConceptRow& row);
// The concept or one of those above it is `ancestor`, a row of the same tables.
bool is_a(const Tables& tables, const ConceptRow& row, const ConceptRow& ancestor);

// Equal but for the case of ASCII letters.
bool same_folded(std::string_view a, std::string_view b);

}  // namespace mydr24::terminology::detail
