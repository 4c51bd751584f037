#pragma once

// What one principal may see and do of each resource type: roles, scopes, launch context, sensitive labels and an emergency
// override, brought together once as search conditions. The same conditions narrow a search and judge a resource that was
// read, so that neither tells what the other refuses.
//
// Invariant: what is visible under a Sight is what the conditions of reach(Permission::read, type) find.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search/search.h"
#include "guard/access/policy.h"
#include "guard/access/principal.h"

namespace mydr24::access {

// How far a permission goes on one resource type.
struct Reach {
  enum class Extent : std::uint8_t { none, some, all } extent = Extent::none;
  std::vector<search::Condition> conditions;  // some: all of them must hold
  // some: nothing but a sensitive label in meta.security hides a resource.
  bool labels_only = false;
  // What a resource must satisfy that is written anew: as `conditions`, without regard to labels. Empty: any.
  std::vector<search::Condition> conditions_of_new;
};

// Worked out for each type when it is first asked for: most principals touch few. Thread-safe.
class Sight {
 public:
  // Everything: the server itself.
  static const std::shared_ptr<const Sight>& unlimited();
  // Code::invalid when criteria of a scope are no search of their type: such a token is of no use. Of a scope for every type
  // ("*"), those for which its criteria are none are left out.
  static Result<std::shared_ptr<const Sight>> of(std::shared_ptr<const Policy> policy, Principal principal);
  ~Sight();

  bool is_unlimited() const { return builder_ == nullptr; }
  const Reach& reach(Permission permission, std::string_view type) const;
  bool may(Permission permission, std::string_view type) const {
    return reach(permission, type).extent != Reach::Extent::none;
  }

  // Whether a query may be asked. Code::refused names the type, of those it touches (by chains and _has as well), of which
  // nothing is visible.
  Result<> check(const search::Query& query) const;

 private:
  class Builder;
  static constexpr std::size_t permission_count = 5;
  using Reaches = std::array<Reach, permission_count>;

  Sight();
  std::unique_ptr<const Builder> builder_;  // null: everything
  mutable std::shared_mutex mutex_;
  mutable std::map<std::string, Reaches, std::less<>> by_type_;
};

// The resource type that a chain or _has leads to.
std::string_view touched_type(const search::Condition& condition);

// Whether a resource carries none of the labels that the condition of a Reach forbids, told by its text alone: true when
// it has no label at all, which most have not.
bool has_no_label(std::string_view body);

}  // namespace mydr24::access
