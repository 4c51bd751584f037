#pragma once

// What a change of the plan would come to, before anybody makes it.

#include <string>
#include <vector>

#include "alerting/oncall/directory.h"

namespace mydr24::oncall {

struct Proposal {
  PlanPointer plan;                                  // with the change
  std::vector<std::string> added, changed, removed;  // keys of parts
  bool is_same() const { return added.empty() && changed.empty() && removed.empty(); }
};

// `in_force`: where the store keeps no plan yet. Nothing is written. Errors as Directory::change().
Result<Proposal> propose(store::Reader& reader, const Plan& in_force, const Change& change);

}  // namespace mydr24::oncall
