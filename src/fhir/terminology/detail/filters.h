#pragma once

// The filters of one rule of a value set, made ready to be asked about many concepts.
// Source: FHIR R4, http://hl7.org/fhir/filter-operator; codesystem-concept-properties.html.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "fhir/terminology/detail/library.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology::detail {

inline constexpr std::size_t pattern_bytes_max = 1024;

class Pattern;

class Filters {
 public:
  // `system` is the table that the rule's system has, or nothing; `grammar` likewise.
  Filters(const Tables& of_rule, std::span<const Filter> filters, const SystemRef& system, const Grammar* grammar);
  ~Filters();
  Filters(const Filters&) = delete;
  Filters& operator=(const Filters&) = delete;

  // `row` is nullptr for a code of a grammar.
  Membership pass(std::string_view code, const ConceptRow* row) const;

 private:
  struct Ready {
    std::string_view property, value;
    FilterOp op = FilterOp::unknown;
    const ConceptRow* concept_row = nullptr;  // that the value names
    std::unique_ptr<Pattern> pattern;
    std::vector<std::string_view> values;  // of `in` and `not-in`
  };

  Membership pass_one(const Ready& filter, std::string_view code, const ConceptRow* row) const;
  Membership pass_hierarchy(const Ready& filter, const ConceptRow* row) const;
  Membership pass_text(const Ready& filter, std::string_view text) const;
  Membership pass_property(const Ready& filter, const ConceptRow& row) const;

  SystemRef system_;
  const Grammar* grammar_;
  std::vector<Ready> filters_;
};

}  // namespace mydr24::terminology::detail
