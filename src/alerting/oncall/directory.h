#pragma once

// Holds the plan in force and keeps it in the store. Readers take a snapshot that never changes; a change is checked and
// written in one transaction, and put in force after its commit. Copies share one plan. Thread-safe.
//
// In the store: space "oncall", "part/KIND/NAME" -> document, "revision" -> number of the last change. As long as
// nothing was changed there is nothing, and the plan of the settings file is in force.
//
// Event: oncall.changed {"revision", "by", "parts": [keys]}.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "alerting/oncall/plan.h"
#include "alerting/oncall/settings.h"
#include "storage/store/store.h"

namespace mydr24::oncall {

using PlanPointer = std::shared_ptr<const Plan>;

struct Change {
  std::map<std::string, std::optional<std::string>> parts;  // by key; nothing: the part goes
  bool replace_all = false;                                 // what is not in `parts` goes
  std::string by;
  std::optional<std::int64_t> revision;  // only if this is the one in force
};

class Directory {
 public:
  static Result<Directory> make(const Settings& settings);
  explicit Directory(Plan plan);

  PlanPointer plan() const;
  // Puts the plan that the store keeps in force, or the one of the settings when it keeps none, with what the store knows
  // of addresses. At the start, and whenever that changes.
  Result<> load(store::Store& store) const;
  // load(), if the store keeps a later revision than the one in force: another server on it may have changed the plan.
  Result<> refresh(store::Store& store) const;
  // Writes the change; the plan to be put in force after the commit. Code::invalid, Code::conflict, Code::too_large as
  // Plan::make and for limits; Code::stale when `revision` is not in force; Code::not_found when a part to go is not
  // there.
  Result<PlanPointer> change(store::Transaction& transaction, const Change& change) const;
  // Later revisions win.
  void publish(PlanPointer plan) const;

 private:
  struct Held {
    mutable std::mutex mutex;
    PlanPointer plan;
  };
  std::shared_ptr<Held> held_;
};

// A document as it may be shown: with "***" in place of what is secret.
std::string shown(std::string_view document);

}  // namespace mydr24::oncall
