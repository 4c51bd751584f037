#pragma once

// Rule sets in the store: every version that was ever added, which one is in force, and what came of each rule.
// Versions are never changed or deleted. Nothing is in force by being added: somebody activates it.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "clinical/vitals/rules.h"
#include "storage/store/store.h"

namespace mydr24::vitals {

struct RuleVersion {
  int version = 0;  // 0: built in
  std::string name;
  std::string by;
  Instant at;
  bool in_force = false;
  std::string text;  // of one version; empty in lists
};

// What came of a rule. Acted on: somebody said whether the alert needed action (outcomes.h).
struct RuleFigures {
  std::string rule;
  std::int64_t fired = 0;
  std::int64_t suppressed = 0;
  std::int64_t acknowledged = 0;
  std::int64_t acted_on = 0;
  std::int64_t not_acted_on = 0;
  std::int64_t auto_resolved = 0;  // ended before anybody acknowledged
};

class RuleBook {
 public:
  static constexpr int versions_max = 9999;

  // The set in force as of the reader's view. Parsed once a version. Thread-safe.
  Result<std::shared_ptr<const RuleSet>> in_force(store::Reader& reader) const;
  // A version as parsed; 0 is the built-in one. Code::not_found.
  static Result<RuleSet> load(store::Reader& reader, int version);

  // The number of the new version. Code::invalid (line), Code::full beyond versions_max.
  static Result<int> add(store::Transaction& transaction, std::string_view text, std::string_view by);
  // Code::not_found; Code::invalid without a name. Notes "vitals.rules".
  static Result<> activate(store::Transaction& transaction, int version, std::string_view by);

  static Result<std::vector<RuleVersion>> list(store::Reader& reader);
  static Result<RuleVersion> show(store::Reader& reader, int version);  // Code::not_found

  static Result<std::vector<RuleFigures>> figures(store::Reader& reader);
  // Adds to the figures of one rule.
  static Result<> count(store::Transaction& transaction, std::string_view rule, const RuleFigures& more);

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const RuleSet> cached_;
};

std::string to_json(const RuleVersion& version);
std::string to_json(const RuleFigures& figures);

inline constexpr std::string_view rules_space = "vitals_rules";

}  // namespace mydr24::vitals
