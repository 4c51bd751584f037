#pragma once

// The names of a search: parameter, modifier, chain and _has, and with their values the Conditions they mean.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/terms.h"

namespace mydr24::search {

// What one search may use up, whatever it is made of.
struct Budget {
  std::size_t written = 0;   // values a client wrote
  std::size_t expanded = 0;  // terms they stand for
  std::size_t nodes = 0;     // conditions
  std::size_t attempts = 0;  // types tried for chains
};

class ConditionParser {
 public:
  ConditionParser(const Catalogue& catalogue, const ParseOptions& options)
      : catalogue_(catalogue), options_(options), terms_(catalogue, options.resolver, options.base_url) {}

  // `name` may be a chain ("subject:Patient.name:exact") or begin with "_has:".
  Parsed<Condition> parse(std::string_view type, std::string_view name, std::string_view value);

  // One parameter of one type, with or without a modifier.
  Parsed<Condition> match(std::string_view type, std::string_view name, std::string_view value);
  // The resource that `reference` ("subject", "subject:Patient") leads to: parts(TARGET) is asked for each type that it
  // may have; those whose Problem is `unknown` do not count, if another one does.
  using Parts = std::function<Parsed<std::vector<Condition>>(std::string_view target)>;
  Parsed<Condition> chain(std::string_view type, std::string_view reference, const Parts& parts);

  // The codes of the references of a List: _list; or one that stands for conditions ("$current-problems").
  Parsed<Condition> list(std::string_view type, std::string_view id);

  const Catalogue& catalogue() const { return catalogue_; }
  // Why a name is not known, and what is.
  Problem unknown(std::string_view type, std::string_view name) const;

 private:
  Parsed<Condition> parse(std::string_view type, std::string_view name, std::string_view value, std::size_t depth);
  Parsed<Condition> has(std::string_view type, std::string_view name, std::string_view value, std::size_t depth);
  Parsed<Condition> functional_list(std::string_view type, std::string_view name);
  Parsed<void> spend(const Condition& condition);

  const Catalogue& catalogue_;
  const ParseOptions& options_;
  TermParser terms_;
  Budget budget_;
};

// The modifier of a parameter by its name; `target` becomes the resource type that may stand in its place.
Parsed<Modifier> modifier_of(const Catalogue& catalogue, const Parameter& parameter, std::string_view name,
                             std::string_view& target);

// A parameter that is only missing or there.
Condition missing(const Parameter& parameter, bool is_missing);
Condition combined(Condition::Form form, std::vector<Condition> parts);

}  // namespace mydr24::search
