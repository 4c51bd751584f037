// From one state to the next.

#include <fmt/format.h>

#include <algorithm>

#include "operations/incidents/book.h"
#include "operations/incidents/detail/change.h"

namespace mydr24::incidents {
namespace {

Result<> must_not_be_over(const Incident& incident) {
  if (!incident.merged_into.empty())
    return fail(Code::conflict, fmt::format("it was merged into {}", incident.merged_into));
  if (incident.is_over()) return fail(Code::conflict, fmt::format("it is {}", to_string(incident.state)));
  return {};
}

Result<> check_by(std::string_view by) { return check_text(by, "by", 200); }

// What keeps it from being closed; empty: nothing.
std::string undone(const Incident& incident) {
  if (!incident.review || incident.review->closed) return {};
  return "its review is not closed";
}

}  // namespace

// The response's clock stops, and nobody is called any more.
Result<> Book::answer(store::Transaction& transaction, Incident& incident, std::string_view by, Instant at) const {
  incident.state = State::acknowledged;
  incident.acknowledged_at = at;
  incident.acknowledged_by = by;
  incident.clock(ClockKind::response).stopped = at;
  MYDR24_TRY(transaction.cancel_timer(fmt::format("incident.escalate/{}", incident.id)));
  return disarm(transaction, incident, ClockKind::response);
}

Result<Incident> Book::acknowledge(store::Transaction& transaction, std::string_view id, std::string_view by,
                                   std::string_view remark) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_over(incident));
    MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, incident.page));
    const bool is_called = page && page->state == alerts::State::open;
    if (incident.state != State::open && !is_called) {
      if (incident.acknowledged_by == by) return {};
      return fail(Code::conflict, fmt::format("already acknowledged by {}", incident.acknowledged_by));
    }
    if (is_called) MYDR24_TRY(alerts_.acknowledge(transaction, incident.page, by, remark));
    if (incident.state == State::open) MYDR24_TRY(answer(transaction, incident, by, transaction.now()));
    MYDR24_TRY(timeline::append(transaction, incident, {"acknowledged", std::string(by), std::string(remark), {}}));
    return tell(transaction, incident, fmt::format("acknowledged by {}", by));
  });
}

Result<> Book::page_acknowledged(store::Transaction& transaction, Incident& incident, std::string_view by,
                                 Instant at) const {
  if (incident.state == State::open) MYDR24_TRY(answer(transaction, incident, by, at));
  MYDR24_TRY(tell_of(transaction, incident, {"acknowledged", std::string(by), "answered the call", {}}));
  return tell(transaction, incident, fmt::format("acknowledged by {}", by));
}

Result<Incident> Book::mitigate(store::Transaction& transaction, std::string_view id, std::string_view by,
                                std::string_view remark) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_over(incident));
    if (incident.state == State::mitigated) return fail(Code::conflict, "it is mitigated already");
    MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, incident.page));
    if (page && page->state == alerts::State::open)
      MYDR24_TRY(alerts_.acknowledge(transaction, incident.page, by, remark));
    if (incident.state == State::open) MYDR24_TRY(answer(transaction, incident, by, transaction.now()));
    incident.state = State::mitigated;
    incident.mitigated_at = transaction.now();
    incident.mitigated_by = by;
    MYDR24_TRY(timeline::append(transaction, incident, {"mitigated", std::string(by), std::string(remark), {}}));
    return tell(transaction, incident, "mitigated");
  });
}

// Clocks stop, nobody is called any more, the cause is free.
Result<> Book::end(store::Transaction& transaction, Incident& incident, std::string_view why,
                   std::string_view by) const {
  const Instant now = transaction.now();
  if (incident.paused_at) {
    incident.paused += now - *incident.paused_at;
    incident.paused_at.reset();
  }
  for (const ClockKind kind : clock_kinds) {
    if (!incident.clock(kind).stopped) incident.clock(kind).stopped = now;
    MYDR24_TRY(disarm(transaction, incident, kind));
  }
  MYDR24_TRY(transaction.cancel_timer(fmt::format("incident.escalate/{}", incident.id)));
  MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, incident.page));
  if (page && !page->is_resolved()) MYDR24_TRY(alerts_.resolve(transaction, incident.page, why, by));
  incident.resolved_at = now;
  incident.resolved_by = by;
  incident.resolution = why;
  return transaction.erase_state(rows::incidents, rows::cause_key(incident.cause));
}

Result<Incident> Book::resolve(store::Transaction& transaction, std::string_view id, std::string_view by,
                               std::string_view how) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(how, "how"));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_over(incident));
    MYDR24_TRY(end(transaction, incident, how, by));
    incident.state = State::resolved;
    MYDR24_TRY(timeline::append(transaction, incident, {"resolved", std::string(by), std::string(how), {}}));
    MYDR24_TRY(open_review(transaction, incident));
    return tell(transaction, incident, "resolved");
  });
}

Result<Incident> Book::close(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    if (incident.state != State::resolved)
      return fail(Code::conflict, fmt::format("it is {}, not resolved", to_string(incident.state)));
    if (const std::string open = undone(incident); !open.empty()) return fail(Code::conflict, open);
    incident.state = State::closed;
    incident.closed_at = transaction.now();
    incident.closed_by = by;
    MYDR24_TRY(timeline::append(transaction, incident, {"closed", std::string(by), {}, {}}));
    return tell(transaction, incident, "closed");
  });
}

Result<Incident> Book::set_severity(store::Transaction& transaction, std::string_view id, Severity severity,
                                    std::string_view by, std::string_view reason) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_over(incident));
    if (incident.severity == severity) return fail(Code::conflict, fmt::format("it is {}", to_string(severity)));
    const Severity before = incident.severity;
    incident.severity_by = by;
    if (severity < before) {
      MYDR24_TRY(raise_severity(transaction, incident, severity));
    } else {
      MYDR24_TRY(check_text(reason, "reason"));
      const SetupPointer setup = setups_.active();
      incident.severity = severity;
      incident.team = setup->team_of(severity, incident.service);
      incident.policy = setup->policy_of(severity, incident.service);
      const Criteria& criteria = setup->criteria(severity);
      for (const ClockKind kind : clock_kinds) {
        MYDR24_TRY(disarm(transaction, incident, kind));
        Countdown& clock = incident.clock(kind);
        if (clock.stopped) continue;
        clock.time = kind == ClockKind::response ? criteria.response : criteria.resolution;
        clock.told = 0;
      }
      MYDR24_TRY(transaction.cancel_timer(fmt::format("incident.escalate/{}", incident.id)));
      MYDR24_TRY(start_clocks(transaction, incident));
      MYDR24_TRY(tell(transaction, incident, fmt::format("is now {}", to_string(severity))));
      MYDR24_TRY(timeline::append(transaction, incident,
                                  {"severity",
                                   std::string(by),
                                   fmt::format("{} became {}: {}", to_string(before), to_string(severity), reason),
                                   {}}));
    }
    return Setups::correct(transaction, incident, reason, by);
  });
}

Result<Incident> Book::pause(store::Transaction& transaction, std::string_view id, std::string_view by,
                             std::string_view reason) const {
  MYDR24_TRY(check_by(by));
  MYDR24_TRY(check_text(reason, "reason", 1'000));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(must_not_be_over(incident));
    if (incident.severity == Severity::emergency)
      return fail(Code::conflict, "the clock of an emergency is never paused");
    if (incident.state == State::open) return fail(Code::conflict, "nobody has acknowledged it yet");
    if (incident.paused_at) return fail(Code::conflict, "it is paused already");
    incident.paused_at = transaction.now();
    incident.paused_reason = reason;
    MYDR24_TRY(disarm(transaction, incident, ClockKind::resolution));
    return timeline::append(transaction, incident, {"paused", std::string(by), std::string(reason), {}});
  });
}

Result<Incident> Book::resume(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  MYDR24_TRY(check_by(by));
  return change(transaction, id, [&](Incident& incident) -> Result<> {
    if (!incident.paused_at) return fail(Code::conflict, "it is not paused");
    incident.paused += transaction.now() - *incident.paused_at;
    incident.paused_at.reset();
    incident.paused_reason.clear();
    MYDR24_TRY(arm(transaction, incident, ClockKind::resolution));
    return timeline::append(transaction, incident, {"resumed", std::string(by), {}, {}});
  });
}

Result<Incident> Book::merge(store::Transaction& transaction, std::string_view id, std::string_view into,
                             std::string_view by) const {
  MYDR24_TRY(check_by(by));
  if (id == into) return fail(Code::invalid, "an incident is no duplicate of itself", "into");
  MYDR24_ASSIGN(const Incident target, find(transaction, into));
  if (auto open = must_not_be_over(target); !open) return fail(open.error().code, open.error().text, "into");
  MYDR24_ASSIGN(Incident merged, change(transaction, id, [&](Incident& incident) -> Result<> {
                  MYDR24_TRY(must_not_be_over(incident));
                  MYDR24_TRY(end(transaction, incident, fmt::format("the same as {}", into), by));
                  incident.state = State::closed;
                  incident.closed_at = transaction.now();
                  incident.closed_by = by;
                  incident.merged_into = into;
                  MYDR24_TRY(timeline::append(transaction, incident,
                                              {"merged", std::string(by), fmt::format("into {}", into), {}}));
                  for (const std::string& alert : incident.alerts)
                    MYDR24_TRY(transaction.set_state(rows::alerts, alert, into));
                  // What comes with its cause joins the other one from now on.
                  return transaction.set_state(rows::incidents, rows::cause_key(incident.cause), into);
                }));
  MYDR24_TRY(change(transaction, into, [&](Incident& incident) -> Result<> {
    if (incident.duplicates.size() >= duplicates_max)
      return fail(Code::too_large, fmt::format("at most {} duplicates", duplicates_max));
    incident.duplicates.push_back({merged.id, merged.head});
    incident.alert_count += merged.alert_count;
    for (const std::string& patient : merged.patients)
      if (incident.patients.size() < alerts_linked_max && !contains(incident.patients, patient))
        incident.patients.push_back(patient);
    MYDR24_TRY(timeline::append(transaction, incident,
                                {"merged", std::string(by), fmt::format("{}: {}", merged.id, merged.title), {}}));
    if (merged.breach && !incident.breach) {
      incident.breach = true;
      MYDR24_TRY(add_privacy_officer(transaction, incident));
    }
    if (merged.severity >= incident.severity) return {};
    incident.severity_by.clear();
    return raise_severity(transaction, incident, merged.severity);
  }));
  return merged;
}

}  // namespace mydr24::incidents
