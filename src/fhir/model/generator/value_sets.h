#pragma once

// Expands published ValueSets into lists of codes, from the CodeSystems published beside them. An element of type code
// carries no system, so the list is of codes alone.

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/document.h"

namespace mydr24::generator {

class ValueSets {
 public:
  // `bundles` hold ValueSets and CodeSystems; they outlive this and are not moved.
  explicit ValueSets(std::span<const json::Document> bundles);

  // The codes of a value set ("URL" or "URL|VERSION"), sorted. None when they cannot be listed: the value set or a code
  // system is not in the bundles, not in that version or not complete, or codes are chosen by a filter.
  std::optional<std::vector<std::string>> codes(std::string_view canonical) const;

 private:
  using Concepts = std::set<std::pair<std::string, std::string>>;  // system and code

  std::optional<Concepts> expand(std::string_view canonical, int depth) const;
  std::optional<Concepts> all_of(json::Value rules, int depth) const;
  std::optional<Concepts> one_of(json::Value rule, int depth) const;
  std::optional<Concepts> of_system(json::Value rule) const;

  std::map<std::string, json::Value, std::less<>> value_sets_, code_systems_;  // by url
};

}  // namespace mydr24::generator
