#pragma once

// The indexed parameters and, for each resource type, one trie of element names that leads to all of them: a resource
// is walked once, whatever the number of its parameters. Compiled from the published FHIRPath expressions on first use.

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/expression.h"
#include "fhir/search/search.h"

namespace mydr24::search {

// How the value at the end of a path becomes entries.
enum class Form : std::uint8_t {
  text,
  human_name,
  address,  // string
  plain,
  coding,
  codeable_concept,
  identifier,
  contact_point,  // token
  reference,
  address_of_resource,  // reference
  date,
  period,
  timing,  // date
};

// A value that is found under a parameter.
struct Leaf {
  std::uint16_t parameter = 0;
  Kind kind = Kind::token;
  Form form = Form::plain;
  std::string_view target;  // of `.where(resolve() is X)`: X, else empty
};

struct Node {
  struct Edge {
    std::string_view name;  // of a JSON property
    std::uint32_t node = 0;
  };
  std::vector<Edge> edges;
  std::vector<Leaf> leaves;
};

class Catalogue {
 public:
  static const Catalogue& get();

  std::span<const Parameter> parameters() const { return parameters_; }
  std::span<const Parameter> parameters_of(std::string_view type) const;
  // Nothing to index: nullptr.
  const Node* root(std::string_view type) const;
  const Node& node(std::uint32_t number) const { return nodes_[number]; }

  // "Type.code: alternative", of chosen parameters whose published expression this server does not understand.
  std::span<const std::string> not_covered() const { return not_covered_; }

 private:
  struct Range {
    std::size_t begin = 0, count = 0;
    std::uint32_t root = 0;
  };

  Catalogue();
  void add_type(const model::Type& type, std::span<const model::SearchParameterDefinition> definitions);
  void add_definition(const model::Type& type, const model::SearchParameterDefinition& definition, std::uint32_t root);
  bool add_path(const Path& path, Leaf leaf, std::uint32_t root);

  std::vector<Parameter> parameters_;
  std::vector<Node> nodes_;
  std::map<std::string_view, Range> types_;
  std::vector<std::string> not_covered_;
};

}  // namespace mydr24::search
