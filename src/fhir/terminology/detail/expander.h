#pragma once

// Lists the concepts of a value set, in the order of its rules, each once.

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/core/result.h"
#include "fhir/terminology/detail/library.h"

namespace mydr24::terminology::detail {

struct Item {
  std::string_view system, version, code, display;
  std::uint32_t flags = 0;  // ConceptFlag
};

class Expander {
 public:
  static constexpr std::size_t visits_max = 4'000'000;  // concepts looked at for one expansion
  using Visit = std::function<bool(const Item&)>;       // false: no more

  explicit Expander(const Library& library, std::size_t at_most = visits_max)
      : library_(library), visits_max_(at_most) {}

  // Code::not_found: a code system or value set is not here; too_costly: there is no end of concepts, or too many to
  // look at; unprocessable: value sets nested too deeply; invalid: a value set that includes nothing.
  Result<> each(const SetRef& set, const Visit& visit);
  bool is_complete() const { return is_complete_; }

 private:
  // Everything that listing needs is here: for the rules, or else in an expansion that came along.
  Result<> can_list(const SetRef& set, std::size_t depth);
  Result<> can_follow_rules(const SetRef& set, std::size_t depth);
  Result<> can_list_system(std::string_view url, std::string_view version) const;

  void list(const SetRef& set, const Visit& visit);
  void list_rule(const SetRef& set, const Rule& rule, const Visit& visit);
  void list_enumerated(const Tables& tables, const Rule& rule, const Visit& visit);
  void list_system(const Tables& tables, const Rule& rule, const Visit& visit);
  void list_implicit(const SetRef& set, const Visit& visit);
  bool is_wanted(const SetRef& set, const Rule& rule, const Item& item) const;
  // Counts the look at a concept and passes it on; false when listing is to end.
  bool offer(const Visit& visit, const Item& item);
  void note_content(const SystemRef& system);

  const Library& library_;
  std::size_t visits_max_;
  std::size_t visits_ = 0;
  std::size_t checks_ = 0;
  bool is_complete_ = true;
};

}  // namespace mydr24::terminology::detail
