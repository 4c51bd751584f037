#pragma once

// Which alerts are hidden by others: for each rule the firing alerts that its source matchers match, by the values of
// the labels in `equal`. An absent label equals an empty one. Emergencies are never hidden; that is asked of the caller.

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "alerting/routing/alert.h"
#include "alerting/routing/config.h"

namespace mydr24::routing {

class Inhibitor {
 public:
  explicit Inhibitor(ConfigPtr config) : config_(std::move(config)), sources_(config_->inhibit_rules.size()) {}

  // An alert that fires now; one that does not any more. Saying it twice does no harm.
  void fires(Fingerprint fingerprint, const Labels& labels);
  void ends(Fingerprint fingerprint, const Labels& labels);

  // The alert that hides one with these labels. An alert that is source and target of a rule is not hidden by others
  // that are both, itself included.
  std::optional<Fingerprint> inhibited_by(const Labels& labels) const;

 private:
  // Of one rule: equal values -> its sources, and whether each is a target too.
  using Sources = std::unordered_map<std::string, std::unordered_map<Fingerprint, bool>>;
  static std::string equal_values(const InhibitRule& rule, const Labels& labels);

  ConfigPtr config_;
  std::vector<Sources> sources_;
};

}  // namespace mydr24::routing
