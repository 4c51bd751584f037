#pragma once

// The book of alerts: raise, join, acknowledge, resolve, and call the next step when nobody answers. Everything happens
// inside a store transaction: the alert's row, its event in the journal, the calls to be made (outbox) and the timer of
// the next step are there together or not at all, and together with whatever raised it.
//
// Invariants
// - At most one alert that is not resolved has a given cause.
// - An open alert always has a timer (kind "alert.escalate"): it is called about again and again until somebody
//   acknowledges.
// - An acknowledged or resolved alert has no call that is still to be made.
// - An acknowledgement expires: an alert that nobody resolves is open again after twice the time in which it had to be
//   answered.
// - Emergencies are held back by nothing but an override that one person asked for and another one confirmed, and that
//   for at most 30 minutes.
//
// Events: alert.raised, alert.updated (values changed, nobody called), alert.escalated (next step or repeat), alert.called
// (a contact's own rule), alert.severity_raised (called again from the first step), alert.moved (to another policy),
// alert.released (was held), alert.acknowledged ("missing": so many more must answer), alert.ack_extended,
// alert.ack_expired (called again), alert.resolved; alert.override_requested, alert.override_confirmed,
// alert.override_ended; and, by the dispatcher, alert.delivered and alert.delivery_failed.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "alerting/oncall/directory.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

namespace calls {
enum class Conditions : std::uint8_t;
}

struct Raise {
  std::string source;
  std::string cause;
  Severity severity = Severity::urgent;
  std::string patient;
  std::string title;
  std::string reason;
  std::string values;  // JSON or empty
  std::string policy;  // of on-call; empty: the default one of the severity
};

struct Raised {
  std::string id;
  bool joined = false;    // there was one with this cause
  bool notified = false;  // people were called
};

// Keeps the calls of emergencies back. `cause` is that of the alert, or its beginning and a "*".
struct Override {
  std::string id;
  std::string cause;
  std::string reason;
  std::chrono::minutes length{30};
  std::string requested_by;
  Instant requested_at;
  std::string confirmed_by;  // empty: not in force
  std::optional<Instant> until;
};
inline constexpr std::chrono::minutes override_max{30};
inline constexpr std::chrono::minutes override_request_valid{10};
std::string to_json(const Override& entry);

struct ListQuery {
  bool resolved = false;     // false: open and acknowledged, most severe first, then newest; true: resolved,
                             // last resolved first
  std::uint32_t count = 50;  // at most count_max
  std::string after;         // Page::next of the page before
  static constexpr std::uint32_t count_max = 500;
};

struct AlertPage {
  std::vector<Alert> alerts;
  std::string next;  // empty: no more
};

struct HistoryEntry {
  store::Sequence sequence = 0;
  Instant at;
  std::string kind;
  std::string payload;
};

class Book {
 public:
  // Copies of a Directory share one plan.
  explicit Book(oncall::Directory directory) : directory_(std::move(directory)) {}

  // Makes the store call escalate() and the like when an alert's timer is due. Before the store's first tick; the Book
  // must outlive the store.
  void attach(store::Store& store);
  const oncall::Directory& directory() const { return directory_; }

  // A new alert, or a change of the one that is not resolved and has the same cause. A join with a higher
  // severity opens the alert again (also an acknowledged one) and calls from the first step; with the same or
  // a lower one it only changes reason and values: no one is called, the severity stays.
  Result<Raised> raise(store::Transaction& transaction, const Raise& raise) const;

  // Stops the calls, when as many have answered as the step asks for; before that the calls of this person only. The same
  // person again: the same answer, and after a minute the acknowledgement is valid for its whole time again. Somebody
  // else after that: Code::conflict, naming who was first. A resolved alert that nobody had acknowledged takes it too
  // (it says who saw it) and stays resolved. `identity`: whatever the plan knows the person by (oncall::Plan::person).
  // Code::not_found, Code::invalid (no name).
  Result<Alert> acknowledge(store::Transaction& transaction, std::string_view id, std::string_view identity,
                            std::string_view note = {}, std::string_view via = {}) const;

  // The cause is gone. Already resolved: the same answer, nothing written. `identity`: of the person who says so, as
  // acknowledge(); empty: it was no person.
  Result<Alert> resolve(store::Transaction& transaction, std::string_view id, std::string_view why,
                        std::string_view identity = {}) const;

  // The timer's handler: calls the next step (calls::go_on), or the one that it rested before. Does nothing when the alert
  // is not open.
  Result<> escalate(store::Transaction& transaction, std::string_view id) const;
  // The same because somebody asks for it: no condition of a step counts. Code::conflict when it is not open or is held.
  Result<Alert> escalate_now(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  // Calls from the first step of another policy. Code::not_found (alert), Code::invalid (policy), Code::conflict
  // (resolved).
  Result<Alert> move(store::Transaction& transaction, std::string_view id, std::string_view policy,
                     std::string_view by) const;
  // In the transaction that changes the plan: alerts whose default policy is another one now are called by it at once,
  // those held by a maintenance that is over are released, and rules of contacts take effect.
  Result<> plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const;

  // An alert that is marked as a test calls each of these contacts once by every method that may be used, and ends by
  // itself. Code::invalid names a contact that is not there or not reachable.
  Result<Alert> test_page(store::Transaction& transaction, const std::vector<std::string>& contacts,
                          std::string_view by) const;

  // Code::invalid (no reason, no name, too long). Nothing is held back before confirm_override().
  Result<Override> request_override(store::Transaction& transaction, std::string_view cause, std::string_view reason,
                                    std::chrono::minutes length, std::string_view by) const;
  // By somebody else, within 10 minutes. Code::refused, Code::not_found, Code::conflict (is in force), Code::gone (too
  // late).
  Result<Override> confirm_override(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  Result<> end_override(store::Transaction& transaction, std::string_view id, std::string_view by) const;
  static Result<std::vector<Override>> overrides(store::Reader& reader);
  // Until when an override that is in force holds emergencies of that cause.
  static Result<std::optional<Instant>> overridden_until(store::Transaction& transaction, std::string_view cause);

  static Result<std::optional<Alert>> find(store::Reader& reader, std::string_view id);
  // The alert with that cause that is not resolved.
  static Result<std::optional<Alert>> find_unresolved(store::Reader& reader, std::string_view cause);
  static Result<AlertPage> list(store::Reader& reader, const ListQuery& query);
  // The events of one alert, oldest first, above `after`.
  static Result<std::vector<HistoryEntry>> history(store::Reader& reader, std::string_view id,
                                                   store::Sequence after = 0, std::uint32_t count = 200);
  // Every call made about it, in order.
  static Result<std::vector<Delivery>> deliveries(store::Reader& reader, std::string_view id,
                                                  std::uint32_t count = 200);
  static Result<std::optional<Delivery>> delivery(store::Reader& reader, std::string_view id);

 private:
  Result<> call_next(store::Transaction& transaction, const Alert& before, calls::Conditions conditions) const;
  Result<> call_rules(store::Transaction& transaction, std::string_view key) const;
  Result<> expire_ack(store::Transaction& transaction, std::string_view id) const;
  // Calls from step 0 in a new round.
  Result<> call_again(store::Transaction& transaction, const oncall::Plan& plan, const Alert& before, Alert alert,
                      std::string_view kind, std::string_view by) const;
  Result<> replan(store::Transaction& transaction, const oncall::Plan& plan, const Alert& before) const;

  const oncall::Directory directory_;
};

inline constexpr std::string_view escalate_timer_kind = "alert.escalate";
inline constexpr std::string_view rule_timer_kind = "alert.rule";
inline constexpr std::string_view ack_timer_kind = "alert.ack_expired";
inline constexpr std::string_view test_timer_kind = "alert.test_end";
inline constexpr std::string_view test_source = "test";

// Gives `visit` every alert that is not resolved, most severe first, a page at a time.
template <class Visit>
Result<> for_each_unresolved(store::Reader& reader, Visit visit) {
  ListQuery query{.count = ListQuery::count_max};
  do {
    AlertPage page;
    // The whole page is read before it is visited: a visit may change the list.
    MYDR24_ASSIGN(page, Book::list(reader, query));
    for (const Alert& alert : page.alerts) MYDR24_TRY(visit(alert));
    query.after = page.next;
  } while (!query.after.empty());
  return {};
}

}  // namespace mydr24::alerts
