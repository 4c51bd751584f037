#pragma once

// Code systems, value sets and concept maps: those of FHIR R4 (with the HL7 v2 and v3 tables) compiled in, and those
// that a deployment loads or stores, behind one interface. Pure look-ups on immutable tables: a Terminology with more
// content is a new one that shares the old.
// Source: FHIR R4, terminology-service.html, valueset.html, codesystem.html, conceptmap.html.
//
// Systems whose content is not here (SNOMED CT, LOINC, RxNorm unless loaded) are `unknown`, never guessed.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"

namespace mydr24::terminology {

inline constexpr std::size_t expansion_max = 10'000;  // concepts of one expansion; more is Code::too_large
inline constexpr std::size_t nesting_max = 16;        // value sets that include value sets

struct Coding {
  std::string system;
  std::string code;
  std::string display;
  std::string version;
};

enum class Membership : std::uint8_t { member, not_member, unknown };

struct Concept {
  std::string_view code;
  std::string_view display;
  std::string_view definition;
  bool is_abstract = false;
};

struct ExpandedConcept : Coding {
  bool is_abstract = false;  // only groups others
  bool is_inactive = false;
};

struct Expansion {
  std::size_t total = 0;                  // before paging
  std::vector<ExpandedConcept> concepts;  // of the page asked for
  bool is_complete = true;                // false: a code system of which only a part is here took part
};

struct ExpandOptions {
  std::string filter;  // words that displays or codes must contain, folded
  std::size_t offset = 0;
  std::size_t count = 1'000;
  bool active_only = false;
  bool selectable_only = false;  // without abstract concepts
};

struct Translation {
  std::string equivalence;  // "equivalent", "wider", ...
  Coding target;
  std::string map;  // url of the ConceptMap
};

// Why a code is or is not valid.
struct Validity {
  Membership result = Membership::unknown;
  std::string display;           // the right display when known
  std::string message;           // what is wrong and what would be right; empty when all is well
  bool display_differs = false;  // the code is right, its display is not one that the system gives
};

// All that a system says about a concept.
struct Description {
  struct Property {
    std::string code, type, value;  // type as in value[x]: "code", "string", "boolean", "Coding", ...
  };
  struct Designation {
    std::string language, use_system, use_code, value;
  };
  std::string system_name, system_version, code, display, definition;
  bool is_abstract = false, is_inactive = false;
  std::vector<std::string> parents, children;
  std::vector<Property> properties;  // parents and children are not among them
  std::vector<Designation> designations;
};

struct ValueSetHead {
  std::string url, version, name, title, status;
};

enum class Subsumption : std::uint8_t { equivalent, subsumes, subsumed_by, not_subsumed };

class Terminology {
 public:
  // What R4 publishes.
  static std::shared_ptr<const Terminology> published();

  // This and the CodeSystem, ValueSet and ConceptMap resources among `resources` (others are left out); a later
  // resource with the same url and version replaces the one before. The texts are copied.
  std::shared_ptr<const Terminology> with(std::span<const json::Value> resources) const;
  // Without those that have this url, unless published.
  std::shared_ptr<const Terminology> without(std::string_view url) const;

  bool has_code_system(std::string_view url) const;
  bool has_value_set(std::string_view url) const;  // canonical, "url" or "url|version"

  // What is here, sorted: canonicals with their version where they have one. Not those that a grammar or the name alone
  // defines.
  std::vector<std::string> code_systems() const;
  std::vector<std::string> value_sets() const;

  // Code::not_found: no such value set or system. An absent system in `code` means any system of the value set.
  Result<Expansion> expand(std::string_view value_set, const ExpandOptions& options) const;
  Result<Expansion> expand(json::Value value_set, const ExpandOptions& options) const;  // of a resource in hand
  // Concepts that only group others are not valid, unless `abstract_too`.
  Result<Validity> validate_code(std::string_view value_set, const Coding& coding, bool abstract_too = false) const;
  Result<Validity> validate_code(json::Value value_set, const Coding& coding, bool abstract_too = false) const;
  Result<Validity> validate_code_in_system(const Coding& coding, bool abstract_too = false) const;
  // The cheap question of validation and of `:in`: no texts are made. O(log n) for enumerated sets.
  Membership member(std::string_view value_set, std::string_view system, std::string_view code) const;

  // Views into this Terminology, or into `code` where the system is a grammar (UCUM, BCP 47, ...), which has no texts.
  // Code::not_found: no such system here, or no such code in it.
  Result<Concept> lookup(std::string_view system, std::string_view code) const;
  Result<Description> describe(const Coding& coding) const;
  Result<ValueSetHead> value_set_head(std::string_view value_set) const;
  // Ancestors first level only, and children.
  Result<std::vector<std::string_view>> parents(std::string_view system, std::string_view code) const;
  Result<std::vector<std::string_view>> children(std::string_view system, std::string_view code) const;
  Result<Subsumption> subsumes(std::string_view system, std::string_view a, std::string_view b) const;
  // The code and all below it (or above it); at most expansion_max.
  Result<std::vector<std::string>> below(std::string_view system, std::string_view code) const;
  Result<std::vector<std::string>> above(std::string_view system, std::string_view code) const;

  // By map url, or by every map from `source` to `target` value sets or systems (either may be empty).
  Result<std::vector<Translation>> translate(std::string_view map, const Coding& coding, std::string_view source,
                                             std::string_view target) const;

  // Against the direction of the maps: the codes that a map translates to `coding`; `source` is then what the map calls
  // its target. Equivalences are turned round: what was wider is narrower. Rules for unmapped codes cannot be reversed.
  Result<std::vector<Translation>> translate_back(std::string_view map, const Coding& coding, std::string_view source,
                                                  std::string_view target) const;

  Terminology(const Terminology&) = delete;
  Terminology& operator=(const Terminology&) = delete;
  ~Terminology();

 private:
  struct Content;
  explicit Terminology(std::shared_ptr<const Content> content);
  std::shared_ptr<const Content> content_;
};

}  // namespace mydr24::terminology
