#pragma once

// What came of the alerts that rules called for, so that a rule that only wakes people can be found: acknowledged,
// ended before anybody answered, and whether a clinician said that it needed action. Kept a rule (RuleFigures), and
// once an alert so that nothing counts twice.

#include <span>
#include <string>
#include <string_view>

#include "storage/store/store.h"

namespace mydr24::vitals {

// In the transaction that calls: the alert was raised, or goes on, for these rules. Counts each as fired once an alert.
Result<> note_call(store::Transaction& transaction, std::string_view alert_id, std::span<const std::string> rules);

// Whether the alert needed action, as a clinician says; saying it again replaces what was said. Code::not_found for an
// alert that no rule raised, Code::invalid without a name.
Result<> say_outcome(store::Transaction& transaction, std::string_view alert_id, bool acted, std::string_view by,
                     std::string_view note);
// {"alert":"...","rules":[...],"acknowledged":true,"resolved":false,"acted":true,"by":"...","note":"..."}
Result<std::string> outcome_of(store::Reader& reader, std::string_view alert_id);

// Follows acknowledgements and resolutions.
class Outcomes : public store::Follower {
 public:
  // `store` must outlive it.
  explicit Outcomes(store::Store& store) : store_(store) {}
  std::string_view name() const override { return "vitals.outcomes"; }
  Result<> follow(std::span<const store::Event> events) override;

 private:
  store::Store& store_;
};

}  // namespace mydr24::vitals
