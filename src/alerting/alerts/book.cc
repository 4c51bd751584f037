#include "alerting/alerts/book.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/alerts/detail/arrivals.h"
#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/detail/entries.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/core/id.h"

namespace mydr24::alerts {
namespace {

using calls::stamp;

// A repeated acknowledgement extends the first one no more often than this.
constexpr std::chrono::minutes extension_min{1};
constexpr std::chrono::minutes test_time{5};

Result<Alert> must_find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(std::optional<Alert> alert, Book::find(reader, id));
  if (!alert) return fail(Code::not_found, fmt::format("there is no alert {}", id));
  return std::move(*alert);
}

void forget_acks(Alert& alert) {
  alert.state = State::open;
  alert.acks.clear();
  alert.acknowledged_by.clear();
  alert.acknowledged_at.reset();
  alert.acknowledged_note.clear();
  alert.ack_expires.reset();
}

// An acknowledgement that nobody follows up is valid for twice the time in which the alert had to be answered.
Result<> set_expiry(store::Transaction& transaction, const oncall::Plan& plan, Alert& alert) {
  alert.ack_expires = stamp(transaction) + 2 * plan.defaults().sla[static_cast<std::size_t>(alert.severity)].response;
  return transaction.set_timer({calls::timer_key(alert.id), *alert.ack_expires, std::string(ack_timer_kind), alert.id});
}

}  // namespace

void Book::attach(store::Store& store) {
  store.on_timer(std::string(escalate_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return escalate(transaction, timer.payload);
  });
  store.on_timer(std::string(rule_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return call_rules(transaction, timer.payload);
  });
  store.on_timer(std::string(ack_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return expire_ack(transaction, timer.payload);
  });
  store.on_timer(std::string(test_timer_kind),
                 [this](store::Transaction& transaction, const store::Timer& timer) -> Result<> {
                   MYDR24_TRY(resolve(transaction, timer.payload, "the test is over"));
                   return {};
                 });
}

Result<Raised> Book::raise(store::Transaction& transaction, const Raise& raise) const {
  if (raise.cause.empty()) return fail(Code::internal, "an alert was raised without a cause");
  MYDR24_ASSIGN(const std::optional<Alert> before, find_unresolved(transaction, raise.cause));
  const oncall::PlanPointer plan = directory_.plan();
  const Instant now = stamp(transaction);

  if (!before) {
    Alert alert{.id = make_uuid7(now),
                .source = raise.source,
                .cause = raise.cause,
                .severity = raise.severity,
                .patient = raise.patient,
                .title = raise.title,
                .reason = raise.reason,
                .values = raise.values,
                .raised_at = now,
                .changed_at = now,
                .heard_at = now,
                .policy = raise.policy,
                .policy_named = !raise.policy.empty()};
    MYDR24_TRY(arrivals::note(transaction, *plan, alert));
    MYDR24_ASSIGN(const std::vector<Delivery> deliveries, calls::call_step(transaction, *plan, alert));
    MYDR24_TRY(entries::save(transaction, nullptr, alert));
    MYDR24_TRY(entries::note_call(transaction, "alert.raised", alert, deliveries));
    return Raised{alert.id, false, !deliveries.empty()};
  }

  Alert alert = *before;
  MYDR24_TRY(arrivals::note(transaction, *plan, alert));
  alert.changed_at = alert.heard_at = now;
  alert.reason = raise.reason;
  alert.values = raise.values;
  if (raise.severity >= before->severity) {
    MYDR24_TRY(entries::save(transaction, &*before, alert));
    MYDR24_TRY(entries::note(transaction, "alert.updated", alert,
                             [&](json::Writer& writer) { writer.field("reason", alert.reason); }));
    return Raised{alert.id, true, false};
  }
  MYDR24_TRY(calls::stop(transaction, alert, "called again with a higher severity"));
  alert.severity = raise.severity;
  alert.title = raise.title;
  alert.policy = raise.policy;
  alert.policy_named = !raise.policy.empty();
  forget_acks(alert);
  alert.step = 0;
  alert.walks = 0;
  alert.round += 1;
  alert.repeat = false;
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries, calls::call_step(transaction, *plan, alert));
  MYDR24_TRY(entries::save(transaction, &*before, alert));
  MYDR24_TRY(entries::note_call(transaction, "alert.severity_raised", alert, deliveries));
  return Raised{alert.id, true, !deliveries.empty()};
}

Result<Alert> Book::acknowledge(store::Transaction& transaction, std::string_view id, std::string_view identity,
                                std::string_view remark, std::string_view via) const {
  if (identity.empty()) return fail(Code::invalid, "an acknowledgement needs the name of the person", "by");
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  const Instant now = stamp(transaction);
  const oncall::PlanPointer plan = directory_.plan();
  // One person who answers by chat and by telephone is one person.
  const std::string by = plan->person(identity);
  Alert alert = before;
  alert.heard_at = now;
  if (before.is_answered_by(by)) {
    if (before.state != State::acknowledged || now - before.acks.back().at < extension_min) return before;
    MYDR24_TRY(set_expiry(transaction, *plan, alert));
    MYDR24_TRY(entries::save(transaction, &before, alert));
    MYDR24_TRY(entries::note(transaction, "alert.ack_extended", alert, [&](json::Writer& writer) {
      writer.field("by", by).field("until", format_instant(*alert.ack_expires)).field("round", alert.round);
    }));
    return alert;
  }
  if (before.acknowledged_at)
    return fail(Code::conflict, fmt::format("already acknowledged by {} at {}", before.acknowledged_by,
                                            format_instant(*before.acknowledged_at)));
  alert.acks.push_back({std::string(by), now, std::string(remark), std::string(via)});
  alert.changed_at = now;
  const int missing = before.is_resolved() ? 0 : std::max(0, alert.acks_needed - static_cast<int>(alert.acks.size()));
  const std::string why = fmt::format("acknowledged by {}", by);
  if (missing > 0) {
    MYDR24_TRY(calls::stop(transaction, alert, why, by));
  } else {
    alert.acknowledged_by = by;
    alert.acknowledged_at = now;
    alert.acknowledged_note = remark;
    MYDR24_TRY(calls::stop(transaction, alert, why));
    if (!alert.is_resolved()) {
      alert.state = State::acknowledged;
      MYDR24_TRY(set_expiry(transaction, *plan, alert));
    }
  }
  MYDR24_TRY(entries::save(transaction, &before, alert));
  MYDR24_TRY(entries::note(transaction, "alert.acknowledged", alert, [&](json::Writer& writer) {
    writer.field("by", by).field("note", remark).field("round", alert.round);
    if (!via.empty()) writer.field("via", via);
    if (missing > 0) writer.field("missing", missing);
  }));
  if (alert.source == test_source && !alert.is_resolved()) return resolve(transaction, id, "the test was answered");
  return alert;
}

Result<Alert> Book::resolve(store::Transaction& transaction, std::string_view id, std::string_view why,
                            std::string_view identity) const {
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  if (before.is_resolved()) return before;
  Alert alert = before;
  alert.state = State::resolved;
  alert.resolved_at = stamp(transaction);
  alert.resolved_why = why;
  alert.changed_at = stamp(transaction);
  alert.ack_expires.reset();
  MYDR24_TRY(calls::stop(transaction, alert, fmt::format("resolved: {}", why)));
  MYDR24_TRY(entries::save(transaction, &before, alert));
  MYDR24_TRY(entries::note(transaction, "alert.resolved", alert, [&](json::Writer& writer) {
    writer.field("why", why).field("round", alert.round);
    if (!identity.empty()) writer.field("by", directory_.plan()->person(identity));
  }));
  return alert;
}

Result<> Book::call_again(store::Transaction& transaction, const oncall::Plan& plan, const Alert& before, Alert alert,
                          std::string_view kind, std::string_view by) const {
  alert.step = 0;
  alert.walks = 0;
  alert.round += 1;
  alert.repeat = false;
  alert.changed_at = stamp(transaction);
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries, calls::call_step(transaction, plan, alert));
  MYDR24_TRY(entries::save(transaction, &before, alert));
  return entries::note_call(transaction, kind, alert, deliveries, by);
}

Result<> Book::escalate(store::Transaction& transaction, std::string_view id) const {
  MYDR24_ASSIGN(const std::optional<Alert> before, find(transaction, id));
  if (!before || before->state != State::open) return {};
  return call_next(transaction, *before, calls::Conditions::count);
}

Result<> Book::call_next(store::Transaction& transaction, const Alert& before, calls::Conditions conditions) const {
  const oncall::PlanPointer plan = directory_.plan();
  if (before.held_until) return call_again(transaction, *plan, before, before, "alert.released", {});
  Alert alert = before;
  if (!before.rests_until)
    MYDR24_TRY(calls::go_on(transaction, plan->policy(alert.policy, static_cast<std::size_t>(alert.severity)), alert,
                            conditions));
  alert.round += 1;
  alert.changed_at = stamp(transaction);
  // Who has answered for an earlier step counts for this one too.
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries, calls::call_step(transaction, *plan, alert, conditions));
  MYDR24_TRY(entries::save(transaction, &before, alert));
  return entries::note_call(transaction, "alert.escalated", alert, deliveries);
}

Result<Alert> Book::escalate_now(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  if (before.state != State::open)
    return fail(Code::conflict, fmt::format("the alert is {}: there is nothing to escalate", to_string(before.state)));
  if (before.held_until)
    return fail(Code::conflict, fmt::format("calls are held back until {}", format_instant(*before.held_until)));
  Alert heard = before;
  heard.heard_at = stamp(transaction);
  MYDR24_TRY(entries::save(transaction, &before, heard));
  MYDR24_TRY(entries::note(transaction, "alert.escalation_requested", before,
                           [&](json::Writer& writer) { writer.field("by", by).field("round", before.round); }));
  MYDR24_TRY(call_next(transaction, heard, calls::Conditions::pass));
  return must_find(transaction, id);
}

Result<Alert> Book::move(store::Transaction& transaction, std::string_view id, std::string_view policy,
                         std::string_view by) const {
  const oncall::PlanPointer plan = directory_.plan();
  if (!plan->policies().contains(policy))
    return fail(Code::invalid, fmt::format("there is no policy \"{}\"", policy), "policy");
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  if (before.is_resolved()) return fail(Code::conflict, "the alert is resolved");
  Alert alert = before;
  MYDR24_TRY(calls::stop(transaction, alert, "moved to another policy"));
  forget_acks(alert);
  alert.heard_at = stamp(transaction);
  alert.policy = policy;
  alert.policy_named = true;
  MYDR24_TRY(call_again(transaction, *plan, before, std::move(alert), "alert.moved", by));
  return must_find(transaction, id);
}

Result<> Book::call_rules(store::Transaction& transaction, std::string_view key) const {
  const std::string_view id = key.substr(0, key.find('/'));
  MYDR24_ASSIGN(const std::optional<Alert> before, find(transaction, id));
  if (!before || before->state != State::open) return {};
  Alert alert = *before;
  const oncall::PlanPointer plan = directory_.plan();
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries,
                calls::call_rules(transaction, *plan, alert, key.substr(id.size() + 1)));
  if (deliveries.empty()) return {};
  MYDR24_TRY(entries::save(transaction, &*before, alert));
  return entries::note_call(transaction, "alert.called", alert, deliveries);
}

Result<> Book::expire_ack(store::Transaction& transaction, std::string_view id) const {
  MYDR24_ASSIGN(const std::optional<Alert> before, find(transaction, id));
  if (!before || before->state != State::acknowledged) return {};
  Alert alert = *before;
  const std::string by = alert.acknowledged_by;
  forget_acks(alert);
  return call_again(transaction, *directory_.plan(), *before, std::move(alert), "alert.ack_expired", by);
}

Result<> Book::replan(store::Transaction& transaction, const oncall::Plan& plan, const Alert& before) const {
  if (before.state != State::open || before.source == test_source) return {};
  const auto severity = static_cast<std::size_t>(before.severity);
  const std::string& policy = plan.policy(before.policy_named ? before.policy : std::string(), severity).name;
  Alert alert = before;
  if (policy != before.policy) {
    MYDR24_TRY(calls::stop(transaction, alert, "moved to another policy"));
    alert.policy = policy;
    return call_again(transaction, plan, before, std::move(alert), "alert.moved", {});
  }
  if (before.held_until && before.severity != Severity::emergency) {
    const auto until = plan.held_until(policy, stamp(transaction));
    if (!until) return call_again(transaction, plan, before, std::move(alert), "alert.released", {});
    if (*until == *before.held_until) return {};
    alert.held_until = alert.next_due = until;
    MYDR24_TRY(transaction.set_timer({calls::timer_key(alert.id), *until, std::string(escalate_timer_kind), alert.id}));
    return entries::save(transaction, &before, alert);
  }
  if (before.rests_until) {
    // The condition may be another one now, or none.
    alert.round += 1;
    MYDR24_ASSIGN(const std::vector<Delivery> deliveries, calls::call_step(transaction, plan, alert));
    if (alert.rests_until == before.rests_until) return calls::arm_rules(transaction, plan, before);
    MYDR24_TRY(entries::save(transaction, &before, alert));
    return entries::note_call(transaction, "alert.escalated", alert, deliveries);
  }
  return calls::arm_rules(transaction, plan, before);
}

Result<> Book::plan_changed(store::Transaction& transaction, const oncall::Plan& plan) const {
  return for_each_unresolved(transaction, [&](const Alert& alert) { return replan(transaction, plan, alert); });
}

Result<Alert> Book::test_page(store::Transaction& transaction, const std::vector<std::string>& contacts,
                              std::string_view by) const {
  const oncall::PlanPointer plan = directory_.plan();
  const Instant now = stamp(transaction);
  Alert alert{.id = make_uuid7(now),
              .source = std::string(test_source),
              .severity = Severity::advisory,
              .title = "TEST PAGE: nothing is wrong, nothing is to be done",
              .reason = fmt::format("asked for by {}", by),
              .raised_at = now,
              .changed_at = now,
              .heard_at = now,
              .next_due = now + test_time};
  alert.cause = fmt::format("test/{}", alert.id);
  if (contacts.empty()) return fail(Code::invalid, "whom should the test reach?", "contacts");
  std::vector<Delivery> deliveries;
  for (std::size_t i = 0; i < contacts.size(); ++i) {
    const oncall::Contact* contact = plan->contact(contacts[i]);
    if (contact == nullptr || !contact->reachable())
      return fail(Code::invalid,
                  fmt::format("\"{}\" {}", contacts[i], contact == nullptr ? "is no contact" : "has no usable method"),
                  fmt::format("contacts[{}]", i));
    std::vector<std::size_t> methods;
    for (std::size_t method = 0; method < contact->methods.size(); ++method)
      if (contact->methods[method].usable()) methods.push_back(method);
    MYDR24_TRY(calls::put_calls(transaction, alert, *contact, methods, *alert.next_due, deliveries));
  }
  MYDR24_TRY(
      transaction.set_timer({calls::timer_key(alert.id), *alert.next_due, std::string(test_timer_kind), alert.id}));
  MYDR24_TRY(entries::save(transaction, nullptr, alert));
  MYDR24_TRY(entries::note_call(transaction, "alert.raised", alert, deliveries, by));
  return alert;
}

}  // namespace mydr24::alerts
