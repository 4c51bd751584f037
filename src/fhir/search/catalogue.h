#pragma once

// The parameters and, for each resource type, one trie of element names that leads to all of them: a resource is walked
// once, whatever the number of its parameters. Compiled from the published FHIRPath expressions on first use. What the
// trie cannot say is left to a FHIRPath evaluation for each resource.
//
// Invariant: immutable once it is behind a CataloguePtr.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/path/path.h"
#include "fhir/search/expression.h"
#include "fhir/search/search.h"

namespace mydr24::search {

// How the value at the end of a path becomes entries.
enum class Form : std::uint8_t {
  text,
  human_name,
  address,
  concept_text,  // string
  plain,
  coding,
  codeable_concept,
  identifier,
  contact_point,  // token
  reference,
  address_of_resource,
  resource,  // reference
  date,
  period,
  timing,  // date
  number,  // number
  quantity,
  money,
  sampled_data,  // quantity
  range,         // number, quantity
  uri,
  position,
  composite,
};
// How a value of that type is found by a parameter of that kind; nothing when it cannot be. No type: any resource.
std::optional<Form> form_of(Kind kind, const model::Type* type);

// As a SearchParameter says it; nothing for a special one that is not known.
std::optional<Kind> kind_of(std::string_view kind, std::string_view code);

// A value that is found under a parameter.
struct Leaf {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  Form form = Form::plain;
  std::uint16_t composite = 0;  // of Form::composite: which
  std::string_view target;      // of `.where(resolve() is X)`: X, else empty
};

struct Node {
  struct Edge {
    Step step;
    std::uint32_t node = 0;
  };
  std::vector<Edge> edges;  // sorted by name
  std::vector<Leaf> leaves;
};

// One part of a composite: the roots of its tries from the composite's element and from the resource (`%resource.x`).
struct CompositePart {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  std::uint32_t element_root = 0;
  std::uint32_t resource_root = 0;
};

// What is found without the trie.
struct Presence {  // "true" when one of the properties is there and not false, else "false"
  std::uint16_t parameter = 0;
  std::vector<std::string_view> properties;
};
struct Evaluated {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  std::shared_ptr<const path::Expression> expression;
};

// All of one resource type.
struct TypeCatalogue {
  const model::Type* type = nullptr;
  std::uint32_t root = 0;  // 0: nothing to find
  std::vector<Presence> presences;
  std::vector<Evaluated> evaluated;
  std::optional<std::uint16_t> content, narrative;  // numbers of _content and _text
};

class Catalogue {
 public:
  // The published one.
  Catalogue();
  // `catalogue`, or the published one when it is null.
  static const Catalogue& of(const Catalogue* catalogue);
  // Code::invalid names the element at fault.
  static Result<CataloguePtr> with(const CataloguePtr& catalogue, std::span<const CustomParameter> added);

  std::span<const Parameter> parameters() const { return parameters_; }
  std::span<const Parameter> parameters_of(std::string_view type) const;
  const Parameter* find(std::string_view type, std::string_view code) const;
  const TypeCatalogue* type(std::string_view name) const;
  const Node& node(std::uint32_t number) const { return nodes_[number]; }
  std::span<const CompositePart> composite(std::size_t number) const { return composites_[number]; }
  // Whether the parameter is found in Identifiers, which is what :of-type is for.
  bool finds_identifiers(const Parameter& parameter) const { return identifiers_[parameter.number]; }
  // Whether it finds codes that are written without their system: elements of type code.
  bool finds_plain_codes(const Parameter& parameter) const { return plain_codes_[parameter.number]; }

  // The absolute URLs of the FHIR API under which this server is reached: what is below them is here. No slash at the end.
  std::span<const std::string> own_bases() const { return own_bases_; }
  static CataloguePtr with_own_bases(const CataloguePtr& catalogue, std::vector<std::string> bases);
  // "Patient/1" of "http://here/fhir/R4/Patient/1"; what is elsewhere, or local already, as it is.
  std::string_view local(std::string_view reference) const;

  // Whether a resource has at most one entry of it: of a date whose ways are one element, or one choice of elements.
  bool is_single(const Parameter& parameter) const { return ways_[parameter.number].is_single; }

  // "Type.code: alternative", of published expressions: those that are evaluated, and those that can find nothing.
  std::span<const std::string> evaluated() const { return evaluated_; }
  std::span<const std::string> not_covered() const { return not_covered_; }

 private:
  // What a Parameter is made from.
  struct Definition {
    std::string_view code;
    Kind kind = Kind::token;
    std::string_view expression, url;
    std::span<const std::string_view> targets;
    std::vector<model::SearchComponent> components;
    std::uint32_t generation = 0;
  };

  void add_published(const model::SearchParameterDefinition& published, TypeCatalogue& type);
  Result<> add_custom(const CustomParameter& custom);
  // False when nothing can be found by it.
  bool add(const Definition& definition, TypeCatalogue& type);
  std::uint16_t add_parameter(const Definition& definition, std::string_view type);
  bool add_alternative(std::string_view alternative, const Definition& definition, std::uint16_t number,
                       TypeCatalogue& type);
  bool add_composite(const Path& path, const Definition& definition, std::uint16_t number, TypeCatalogue& type);
  bool add_part(std::string_view expression, const model::Type* element, const model::Type& resource,
                CompositePart& part);
  bool add_presence(std::string_view alternative, std::uint16_t number, TypeCatalogue& type);
  bool add_evaluated(std::string_view alternative, Kind kind, std::uint16_t number, TypeCatalogue& type);
  void note_way(const Path& path, std::uint16_t number, const model::Type& type);
  bool add_path(const Path& path, Leaf leaf, std::uint32_t root);
  std::uint32_t add_node();
  void finish();

  std::shared_ptr<const Catalogue> base_;  // owns texts and lists that are referred to here
  std::vector<std::string> own_bases_;
  std::deque<CustomParameter> custom_;
  std::deque<std::vector<std::string_view>> target_lists_;
  std::deque<std::vector<std::uint16_t>> component_lists_;
  std::deque<std::string> texts_;
  std::vector<Parameter> parameters_;  // by number; components of composites included
  std::vector<Node> nodes_;            // number 0 leads nowhere
  std::vector<std::vector<CompositePart>> composites_;
  // The element that a date is in; a choice is one.
  struct Way {
    std::string element;
    bool is_single = false;
  };
  std::vector<Way> ways_;  // by number of the parameter
  std::vector<bool> plain_codes_;
  std::vector<bool> identifiers_;                               // by number of the parameter
  std::map<std::string_view, TypeCatalogue> types_;             // by name
  std::map<std::string_view, std::vector<Parameter>> by_code_;  // of each type, sorted by code
  std::vector<std::string> evaluated_;
  std::vector<std::string> not_covered_;
};

}  // namespace mydr24::search
