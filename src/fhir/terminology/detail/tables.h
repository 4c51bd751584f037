#pragma once

// The form in which terminology is kept, compiled in or loaded: flat rows that name their texts by place in one pool, and
// indexes sorted by hash. Nothing is unpacked and nothing points, so that the published tables are constants.
//
// Rows that own rows of another array say where theirs begin; they end where the next row's begin, and every array ends
// with one row more than it has, to close the last.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mydr24::terminology::detail {

struct Text {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

// Where a row is found by the hash of its url or code. Sorted by hash, then by row.
struct Key {
  std::uint32_t hash = 0;
  std::uint32_t row = 0;
};

enum class Content : std::uint32_t { complete, example, fragment, not_present, supplement };

struct System {
  Text url, version, name, title, value_set;
  Content content = Content::not_present;
  std::uint32_t is_case_sensitive = 1;
  std::uint32_t first_concept = 0;  // of `concepts`, and of `concept_keys`
};

enum ConceptFlag : std::uint32_t { flag_abstract = 1, flag_inactive = 2 };

struct ConceptRow {
  Text code, display, definition;
  std::uint32_t flags = 0;
  std::uint32_t first_parent = 0;
  std::uint32_t first_child = 0;
  std::uint32_t first_property = 0;
  std::uint32_t first_designation = 0;
};

enum class PropertyType : std::uint32_t { code, coding, string, integer, boolean, date_time, decimal };

struct PropertyRow {
  Text code, value;
  PropertyType type = PropertyType::code;
};

struct DesignationRow {
  Text language, use_system, use_code, value;
};

struct ValueSet {
  Text url, version, name, title, status;
  std::uint32_t excludes_inactive = 0;
  std::uint32_t first_rule = 0;
};

// expanded: the concepts of an expansion that came with the resource, for when the rules cannot be followed.
enum class RuleKind : std::uint32_t { include, exclude, expanded };

struct Rule {
  Text system, version;
  std::uint32_t system_hash = 0;
  std::uint32_t system_row = 0;  // of the system in the same tables, plus one; 0: to be looked for
  RuleKind kind = RuleKind::include;
  std::uint32_t first_listed = 0;  // of `listed`, and of `listed_keys`
  std::uint32_t first_filter = 0;
  std::uint32_t first_value_set = 0;  // of `nested`
};

struct Listed {
  Text code, display;
};

enum class FilterOp : std::uint32_t {
  equal,
  is_a,
  descendent_of,
  is_not_a,
  regex,
  in,
  not_in,
  generalizes,
  exists,
  unknown
};

struct Filter {
  Text property, value;
  FilterOp op = FilterOp::unknown;
};

struct Map {
  Text url, version, source, target;
  std::uint32_t first_group = 0;
};

enum class Unmapped : std::uint32_t { none, provided, fixed, other_map };

struct Group {
  Text source, target, target_version;
  Unmapped unmapped = Unmapped::none;
  Text unmapped_code, unmapped_display, unmapped_url;
  std::uint32_t first_element = 0;  // of `elements`, and of `element_keys`
};

struct Element {
  Text code;
  std::uint32_t first_target = 0;
};

struct Target {
  Text code, display, equivalence;
};

struct Tables {
  std::string_view pool;
  std::span<const System> systems;
  std::span<const ConceptRow> concepts;
  std::span<const Key> concept_keys;        // of each system by code, in the system's range
  std::span<const std::uint32_t> parents;   // rows of `concepts`
  std::span<const std::uint32_t> children;  // rows of `concepts`
  std::span<const PropertyRow> properties;
  std::span<const DesignationRow> designations;
  std::span<const ValueSet> value_sets;
  std::span<const Rule> rules;
  std::span<const Listed> listed;
  std::span<const Key> listed_keys;  // of each rule by code, in the rule's range
  std::span<const Filter> filters;
  std::span<const Text> nested;  // canonicals of value sets
  std::span<const Map> maps;
  std::span<const Group> groups;
  std::span<const Element> elements;
  std::span<const Key> element_keys;
  std::span<const Target> targets;
  std::span<const Key> system_keys;     // by url
  std::span<const Key> value_set_keys;  // by url
  std::span<const Key> implicit_keys;   // rows of `systems` by CodeSystem.valueSet

  std::string_view text(Text text) const { return {pool.data() + text.at, text.size}; }
};

// What R4 publishes: made by the generator.
const Tables& published_tables();

// The index hash of a text. Eight bytes at a time; the same on the machine that builds and the one that runs.
constexpr std::uint64_t hash_seed = 0x9e3779b97f4a7c15;
constexpr std::uint64_t hash_multiplier = 0xd6e8feb86659fd93;

inline std::uint32_t hash_words(std::string_view text, std::uint64_t case_bits) {
  std::uint64_t hash = hash_seed ^ text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    hash = (hash ^ (word | case_bits)) * hash_multiplier;
    hash ^= hash >> 32U;
  }
  std::uint64_t word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  hash = (hash ^ (word | case_bits)) * hash_multiplier;
  return static_cast<std::uint32_t>(hash >> 32U);
}

inline std::uint32_t hash_url(std::string_view url) { return hash_words(url, 0); }
// Equal for codes that differ in the case of ASCII letters only (and for a few others: the text decides).
inline std::uint32_t hash_code(std::string_view code) { return hash_words(code, 0x2020202020202020); }

// The first key with that hash, or the end. Written without branches that depend on the data.
inline const Key* find_key(std::span<const Key> keys, std::uint32_t hash) {
  const Key* at = keys.data();
  std::size_t left = keys.size();
  while (left > 0) {
    const std::size_t half = left / 2;
    const bool beyond = at[half].hash < hash;
    at = beyond ? at + half + 1 : at;
    left = beyond ? left - half - 1 : half;
  }
  return at;
}

// The rows of `rows` that `owner` begins and the next owner ends.
template <class Row, class Owner>
std::span<const Row> rows_of(std::span<const Row> rows, const Owner& owner, std::uint32_t Owner::* first) {
  const std::uint32_t begin = owner.*first, end = (&owner)[1].*first;
  return rows.subspan(begin, end - begin);
}

}  // namespace mydr24::terminology::detail
