#pragma once

// The book of changes: what was asked for, who approved it, when it may start, how it ended. Every step is one
// transaction with its event in the journal.
//
// Invariants
// - Nothing runs without the approvals that its level needs, each of another member of the board, none of its
//   requester, all of the plan as it is: an edited plan has none.
// - A run's place is in the store before and after each of its steps (engine.h).
// - While an emergency is open, or its service is frozen, only emergency changes start.
//
// In the store: space "changes": "change/ID", "open/ID" (not over), "active/ID" (runs), "frozen/SERVICE",
// "suspended/LOGIN/ID" (an emergency change of theirs that was not reviewed in time), "freeze/ID", "key",
// "outcome/KIND/SERVICE" {"finished", "failed"} (of all changes that were started and are over), "success/SERVICE"
// (when the last one succeeded).
// Events, each with id, title, service, state and by: change.proposed, change.edited, change.approved (one approval),
// change.rejected, change.withdrawn, change.rehearsed, change.scheduled, change.not_started, change.started,
// change.step, change.paused, change.resumed, change.abort_asked, change.rollback_begun, change.finished,
// change.reviewed, change.review_overdue, change.service_frozen, change.service_unfrozen,
// change.freeze_added, change.freeze_ended; and incident.request when a way back failed.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operations/changes/change.h"
#include "operations/changes/policy.h"
#include "operations/live_settings/live_settings.h"
#include "storage/store/store.h"

namespace mydr24::changes {

// What other modules tell. Each may be null: then there is none of it.
struct Outlook {
  std::function<Result<bool>(store::Reader&)> open_emergency;
  std::function<Result<int>(store::Reader&)> open_incidents;
  std::function<std::optional<double>(std::string_view service)> budget_left;  // of an error budget, below 0: overspent
  // Metrics are known by scope: without, steps that judge one scope by another are refused.
  bool scoped_metrics = false;
  // Somebody has to see to it, now: as an alert.
  std::function<Result<>(store::Transaction&, std::string_view cause, std::string_view title, std::string_view reason)>
      escalate;
};

struct FrozenService {
  std::string service, why, by;
  Instant at;
};

class Book {
 public:
  // All must outlive it.
  Book(store::Store& store, Policy policy, const live_settings::Registry& settings, Outlook outlook = {});
  // Before the store's first tick: scheduled starts, reviews that are due, runs that last too long.
  void attach();
  const Policy& policy() const { return policy_; }
  const live_settings::Registry& settings() const { return settings_; }

  // `plan`: JSON as parse_plan(). A standard change is approved at once when it is one. Code::invalid names the
  // member; Code::refused: the requester's emergency authority is suspended; Code::conflict: nobody could approve
  // it.
  Result<Change> propose(store::Transaction& transaction, std::string_view plan, std::string_view by) const;
  // What propose() would keep, without an id: its risk and who would have to approve it. Errors as propose().
  Result<Change> preview(store::Reader& reader, std::string_view plan, std::string_view by, Instant now) const;
  // By its requester. Its approvals are void. Code::conflict: it runs or is over; Code::refused: somebody else, or as
  // propose().
  Result<Change> edit(store::Transaction& transaction, std::string_view id, std::string_view plan,
                      std::string_view by) const;
  // `digest`: of the plan that was read. Code::refused: not a member, or the requester; Code::stale: the plan is
  // another one by now. The same member again: the same answer, counted once.
  Result<Change> approve(store::Transaction& transaction, std::string_view id, std::string_view digest,
                         std::string_view by) const;
  Result<Change> reject(store::Transaction& transaction, std::string_view id, std::string_view reason,
                        std::string_view by) const;
  Result<Change> withdraw(store::Transaction& transaction, std::string_view id, std::string_view reason,
                          std::string_view by) const;
  // That its way back was run on a copy, with what came of it.
  Result<Change> rehearsed(store::Transaction& transaction, std::string_view id, bool rolled_back,
                           std::string_view evidence, std::string_view by) const;

  // Why a running change begins no further step for now; empty: it goes on.
  Result<std::string> held(store::Reader& reader, const Change& change) const;
  // Why it may not start at `now`; empty: it may.
  Result<std::vector<std::string>> obstacles(store::Reader& reader, const Change& change, Instant now) const;
  // The approvals that it needs and those that are still open.
  Matching approvals(const Change& change) const;
  // Starts it by itself at that time.
  Result<Change> schedule(store::Transaction& transaction, std::string_view id, Instant at, std::string_view by) const;
  // Code::conflict says every obstacle.
  Result<Change> start(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  // What runs, or is paused, is rolled back.
  Result<Change> abort(store::Transaction& transaction, std::string_view id, std::string_view reason,
                       std::string_view by) const;
  Result<Change> resume(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  // Takes back what was successful, without waiting and watching: settings, then the steps of its rollback, then its
  // checks. Code::conflict: too long ago, or something else has changed the same since.
  Result<Change> roll_back(store::Transaction& transaction, std::string_view id, std::string_view reason,
                           std::string_view by) const;
  // Of an emergency change, by somebody else than its requester. Ends the suspension that its lateness brought.
  Result<Change> review(store::Transaction& transaction, std::string_view id, std::string_view text,
                        std::string_view by) const;

  Result<Freeze> add_freeze(store::Transaction& transaction, Freeze freeze) const;
  Result<> end_freeze(store::Transaction& transaction, std::string_view id) const;
  // Of the policy and those that were added, that are not over at `now`, by their begin.
  Result<std::vector<Freeze>> freezes(store::Reader& reader, Instant now) const;
  Result<std::vector<FrozenService>> frozen(store::Reader& reader) const;
  Result<> unfreeze(store::Transaction& transaction, std::string_view service, std::string_view why,
                    std::string_view by) const;

  Result<Change> find(store::Reader& reader, std::string_view id) const;
  // Newest first, at most `count`. `state`: of those alone.
  Result<std::vector<Change>> list(store::Reader& reader, std::optional<State> state, std::uint32_t count) const;
  Result<std::vector<Change>> active(store::Reader& reader) const;
  // All that are not over, newest first.
  Result<std::vector<Change>> open(store::Reader& reader) const;

 private:
  friend class Engine;
  Result<> keep(store::Transaction& transaction, const Change& change) const;
  Result<> note(store::Transaction& transaction, std::string_view kind, const Change& change, std::string_view by,
                std::string_view text = {}) const;
  Result<Change> find_in(store::Reader& reader, std::string_view id, std::initializer_list<State> states) const;
  Result<std::vector<Change>> indexed(store::Reader& reader, std::string_view prefix) const;
  // Code::conflict: another change did.
  Result<> check_not_scaled_since(store::Reader& reader, const Change& change) const;
  // Of a run that ends as `state`; one that was successful and is taken back is counted once.
  Result<> count_outcome(store::Transaction& transaction, const Change& change, State state) const;
  Result<Surroundings> surroundings(store::Reader& reader, const Plan& plan, std::string_view id, Instant now) const;
  Result<> check_standard(const Plan& plan, const Risk& risk) const;
  Result<> check_authority(store::Reader& reader, const Change& change) const;
  Result<> judge(store::Reader& reader, Change& change, Instant now) const;
  Result<std::string> seal(store::Reader& reader, const Change& change, const Approval& approval) const;
  Result<std::string> seal_key(store::Transaction& transaction) const;
  Result<> begin(store::Transaction& transaction, Change& change, Run run, std::string_view by) const;
  Result<> freeze_service(store::Transaction& transaction, const Change& change, std::string_view why) const;
  Result<> start_due(store::Transaction& transaction, std::string_view id) const;
  Result<> review_due(store::Transaction& transaction, std::string_view id) const;
  Result<> lasts_too_long(store::Transaction& transaction, std::string_view id) const;

  store::Store& store_;
  const Policy policy_;
  const live_settings::Registry& settings_;
  const Outlook outlook_;
};

}  // namespace mydr24::changes
