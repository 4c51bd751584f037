#pragma once

// Whether a code belongs: to a system, to a rule, to a value set. Three answers, because a code system may not be here.
// Excluding what is unknown is unknown; one rule that says yes is enough. Nothing is expanded and nothing allocated for
// rules that list codes or take a whole system.

#include <cstddef>
#include <string_view>

#include "fhir/terminology/detail/library.h"
#include "fhir/terminology/terminology.h"

namespace mydr24::terminology::detail {

// What a system says about a code.
struct InSystem {
  Membership result = Membership::unknown;
  SystemRef system;
  const ConceptRow* row = nullptr;   // of a concept in a table
  const Grammar* grammar = nullptr;  // that decided
};

class Judge {
 public:
  // Rules and value sets looked into for one question; past it the answer is unknown.
  static constexpr std::size_t steps_max = 10'000;

  // Abstract concepts are no members when only what may be selected counts, unless a rule lists them.
  Judge(const Library& library, bool selectable_only) : library_(library), selectable_only_(selectable_only) {}

  // `url` is that of a grammar when there is no system.
  InSystem in_system(const SystemRef& system, std::string_view url, std::string_view code) const;
  InSystem in_system(std::string_view url, std::string_view version, std::string_view code) const {
    return in_system(library_.find_system(url, version), url, code);
  }
  // An empty system means any that the value set has.
  Membership in_set(const SetRef& set, std::string_view system, std::string_view code);
  Membership in_rule(const Tables& tables, const Rule& rule, std::string_view system, std::string_view code);

  // The system in which the last in_set() found the code that it found: the one asked for, or the rule's.
  std::string_view system_found() const { return system_found_; }

 private:
  Membership in_rules(const SetRef& set, RuleKind kind, std::string_view system, std::string_view code);
  Membership in_excludes(const SetRef& set, std::string_view system, std::string_view code);
  Membership in_implicit(const SetRef& set, std::string_view system, std::string_view code);
  Membership by_system(const Tables& tables, const Rule& rule, std::string_view code);
  bool is_inactive(std::string_view system, std::string_view code) const;

  const Library& library_;
  bool selectable_only_;
  std::size_t steps_ = 0;
  std::size_t depth_ = 0;
  std::string_view system_found_;
};

// The row of a rule's list that has that code; nullptr when none has. Case counts unless `folded`.
const Listed* find_listed(const Tables& tables, const Rule& rule, std::string_view code, bool folded);

}  // namespace mydr24::terminology::detail
