#include "alerting/alerts/monitors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"

namespace mydr24::alerts {
namespace {

constexpr std::string_view timer_kind = "alert.heartbeat";
constexpr std::uint32_t monitors_max = 10'000;

std::string timer_key(std::string_view name) { return fmt::format("heartbeat/{}", name); }
std::string cause_of(std::string_view name) { return fmt::format("heartbeat/{}", name); }

Result<> wait(store::Transaction& transaction, const oncall::Monitor& monitor, Instant last) {
  Instant due = last + monitor.timeout;
  if (monitor.muted_until) due = std::max(due, *monitor.muted_until + monitor.timeout);
  return transaction.set_timer({timer_key(monitor.name), due, std::string(timer_kind), monitor.name});
}

Severity severity_of(const oncall::Monitor& monitor) {
  const auto found = std::ranges::find(oncall::severities, monitor.severity);
  return static_cast<Severity>(found - oncall::severities.begin());
}

Result<> resolve(const Book& book, store::Transaction& transaction, std::string_view name, std::string_view why) {
  MYDR24_ASSIGN(const std::optional<Alert> alert, Book::find_unresolved(transaction, cause_of(name)));
  if (!alert) return {};
  MYDR24_TRY(book.resolve(transaction, alert->id, why));
  return {};
}

}  // namespace

void Monitors::attach(store::Store& store) {
  store.on_timer(std::string(timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return missed(transaction, timer.payload);
  });
}

Result<> Monitors::missed(store::Transaction& transaction, std::string_view name) const {
  const oncall::PlanPointer plan = book_.directory().plan();
  const auto monitor = plan->monitors().find(name);
  if (monitor == plan->monitors().end()) return {};
  const auto minutes = std::chrono::duration<double, std::ratio<60>>(monitor->second.timeout).count();
  MYDR24_TRY(book_.raise(transaction, {.source = "heartbeat",
                                       .cause = cause_of(name),
                                       .severity = severity_of(monitor->second),
                                       .title = fmt::format("Nothing heard of {} for {:g} minutes", name, minutes),
                                       .policy = monitor->second.policy}));
  return {};
}

Result<> Monitors::beat(store::Transaction& transaction, std::string_view name) const {
  const oncall::PlanPointer plan = book_.directory().plan();
  const auto monitor = plan->monitors().find(name);
  if (monitor == plan->monitors().end()) return fail(Code::not_found, fmt::format("there is no monitor \"{}\"", name));
  const Instant now = calls::stamp(transaction);
  MYDR24_TRY(transaction.set_state(rows::monitors, name, format_instant(now)));
  MYDR24_TRY(wait(transaction, monitor->second, now));
  return resolve(book_, transaction, name, "heard of again");
}

Result<> Monitors::plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const {
  const Instant now = calls::stamp(transaction);
  MYDR24_ASSIGN(const auto known, transaction.states(rows::monitors, "", "", monitors_max));
  for (const store::StateRow& row : known)
    if (!plan.monitors().contains(row.key)) {
      MYDR24_TRY(transaction.cancel_timer(timer_key(row.key)));
      MYDR24_TRY(transaction.erase_state(rows::monitors, row.key));
      MYDR24_TRY(resolve(book_, transaction, row.key, "the monitor was removed"));
    }
  for (const auto& [name, monitor] : plan.monitors()) {
    MYDR24_ASSIGN(const auto row, transaction.state(rows::monitors, name));
    Instant last = now;
    if (!row) MYDR24_TRY(transaction.set_state(rows::monitors, name, format_instant(now)));
    if (row)
      if (const auto at = parse_date_time(*row)) last = at->low;
    if (monitor.muted_until && *monitor.muted_until > now) MYDR24_TRY(resolve(book_, transaction, name, "muted"));
    MYDR24_ASSIGN(const std::optional<Alert> raised, Book::find_unresolved(transaction, cause_of(name)));
    // An alert that is raised already waits for a beat, not for the time.
    if (!raised) MYDR24_TRY(wait(transaction, monitor, last));
  }
  return {};
}

}  // namespace mydr24::alerts
