#pragma once

// A StructureDefinition as a tree: what it demands beyond R4 itself, element by element. A tree is made from the base
// profile's tree with the differential applied to it; where the base is not known the snapshot is taken instead.
// What says no more than R4 does is left out, so that checking a profile walks only where the profile speaks.
// Source: FHIR R4, profiling.html and elementdefinition.html.

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/model/definitions.h"
#include "fhir/validation/detail/rules.h"

namespace mydr24::validation {

inline constexpr std::size_t profile_elements_max = 20'000;  // of one StructureDefinition
inline constexpr std::size_t profile_path_max = 64;          // parts of an element's id
inline constexpr std::size_t profile_bases_max = 32;         // profiles of profiles

inline constexpr std::string_view structure_definition_url = "http://hl7.org/fhir/StructureDefinition/";

struct TypeRule {
  std::string_view code;
  std::vector<std::string_view> profiles;
  std::vector<std::string_view> targets;
};

enum class DiscriminatorKind : std::uint8_t { value, exists, type, profile };

struct Discriminator {
  DiscriminatorKind kind = DiscriminatorKind::value;
  std::string_view path;
};

enum class SlicingRules : std::uint8_t { open, closed, open_at_end };

enum class Strength : std::uint8_t { none, extensible, required };

// What one element of a profile demands. Copied as a whole into derived profiles.
struct Node {
  static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

  std::string name;                   // "component"; "value[x]" of a choice
  std::string slice;                  // its slice name, when it is one
  const model::Type* type = nullptr;  // when there is only one
  std::uint32_t min = 0;
  std::uint32_t max = unbounded;
  std::vector<TypeRule> types;  // empty: those of R4
  json::Value fixed, pattern;
  Strength strength = Strength::none;
  std::string_view value_set;
  std::vector<std::shared_ptr<const Rule>> rules;
  std::vector<std::unique_ptr<Node>> children;

  bool sliced = false;
  bool ordered = false;
  SlicingRules slicing_rules = SlicingRules::open;
  std::vector<Discriminator> discriminators;
  std::vector<std::unique_ptr<Node>> slices;

  Node() = default;
  std::unique_ptr<Node> copy() const;
  Node* child(std::string_view child_name) const;  // nullptr: the profile says nothing about it
  Node* slice_of(std::string_view slice_name) const;
};

struct Context {
  std::string_view kind;  // element, extension, fhirpath
  std::string_view expression;
  std::shared_ptr<const path::Expression> places;  // of fhirpath; null: it cannot be judged here
};

struct Profile {
  std::string_view url, version, base;
  const model::Type* type = nullptr;
  std::vector<Context> contexts;  // of an extension
  bool is_modifier = false;       // of an extension
  bool lacks_base = false;        // its base is not known: only what it demands itself is checked
  std::unique_ptr<Node> root;
};

// The known profiles. Those of a catalogue that was made with another are looked for first here, then there.
class Catalogue {
 public:
  explicit Catalogue(std::shared_ptr<const Catalogue> parent = nullptr) : parent_(std::move(parent)) {}

  // Takes the StructureDefinition; its text is kept. The last of one url counts.
  void add(json::Value structure_definition);
  void add(std::shared_ptr<const json::Document> document, json::Value structure_definition);
  // Makes every tree and compiles every rule, and leaves out what cannot be understood.
  void settle(std::vector<std::string>* problems);

  // Whether a profile can be made of it, with the others that are here.
  Result<> understands(json::Value structure_definition) const;

  // By canonical, a version is overlooked. nullptr when it is not known or not understood.
  const Profile* find(std::string_view canonical) const;
  bool has(std::string_view canonical) const;
  void list(std::vector<std::string>& urls) const;

 private:
  struct Entry {
    std::shared_ptr<const json::Document> document;
    json::Value definition;
    std::once_flag once;
    Result<Profile> profile = fail(Code::internal, "not made");
  };
  const Entry* entry(std::string_view canonical) const;
  json::Value definition_of(std::string_view canonical) const;  // missing when it is not known
  const Result<Profile>& made(const Entry& entry) const;
  Result<Profile> make(json::Value definition) const;

  std::shared_ptr<const Catalogue> parent_;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> entries_;
};

}  // namespace mydr24::validation
