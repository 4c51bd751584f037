#pragma once

// The book of alerts: raise, join, acknowledge, resolve, and call the next step when nobody answers. Everything happens
// inside a store transaction: the alert's row, its event in the journal, the calls to be made (outbox) and the timer of
// the next step are there together or not at all, and together with whatever raised it.
//
// Invariants
// - At most one alert that is not resolved has a given cause.
// - An open alert always has a timer (kind "alert.escalate"): it is called about again and again until somebody
//   acknowledges.
// - An acknowledged or resolved alert has no timer and no call that is still to be made.
//
// Events: alert.raised, alert.updated (values changed, nobody called), alert.escalated (next step or repeat),
// alert.severity_raised (called again from the first step), alert.acknowledged, alert.resolved; and, by the
// dispatcher, alert.delivered and alert.delivery_failed.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "alerting/oncall/rota.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

struct BookSettings {
  std::chrono::milliseconds escalate_after{
      30'000};  // unanswered this long: the next step; the last one again and again
};

struct Raise {
  std::string source;
  std::string cause;
  Severity severity = Severity::urgent;
  std::string patient;
  std::string title;
  std::string reason;
  std::string values;  // JSON or empty
};

struct Raised {
  std::string id;
  bool joined = false;    // there was one with this cause
  bool notified = false;  // people were called
};

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
  // `rota` must outlive the Book.
  explicit Book(const oncall::Rota& rota, BookSettings settings = {}) : rota_(rota), settings_(settings) {}

  // Makes the store call escalate() when an alert's timer is due. Before the store's first tick; the Book
  // must outlive the store.
  void attach(store::Store& store);

  // A new alert, or a change of the one that is not resolved and has the same cause. A join with a higher
  // severity opens the alert again (also an acknowledged one) and calls from the first step; with the same or
  // a lower one it only changes reason and values: no one is called, the severity stays.
  Result<Raised> raise(store::Transaction& transaction, const Raise& raise) const;

  // Stops the calls. The same person again: the same answer, nothing written. Somebody else after that:
  // Code::conflict, naming who was first. A resolved alert that nobody had acknowledged takes it too (it says
  // who saw it) and stays resolved. Code::not_found, Code::invalid (no name).
  Result<Alert> acknowledge(store::Transaction& transaction, std::string_view id, std::string_view by,
                            std::string_view note = {}) const;

  // The cause is gone. Already resolved: the same answer, nothing written.
  Result<Alert> resolve(store::Transaction& transaction, std::string_view id, std::string_view why) const;

  // The timer's handler: calls the next step, or the last one again. Does nothing when the alert is not open.
  Result<> escalate(store::Transaction& transaction, std::string_view id) const;

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
  Result<std::vector<Delivery>> call(store::Transaction& transaction, Alert& alert) const;

  const oncall::Rota& rota_;
  const BookSettings settings_;
};

inline constexpr std::string_view escalate_timer_kind = "alert.escalate";

}  // namespace mydr24::alerts
