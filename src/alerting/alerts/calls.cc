#include "alerting/alerts/detail/calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/arrivals.h"
#include "alerting/alerts/detail/entries.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts::calls {
namespace {

constexpr std::uint32_t pending_per_alert_max = 4096;
constexpr std::size_t kinds_of_an_emergency = 2;

// How far one contact's rules have come since they were called.
struct Cycle {
  Instant started;
  std::chrono::seconds done{0};  // rules up to this delay have been followed
  bool waits = false;            // a timer is set for the next
};

std::string to_text(const Cycle& cycle) {
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("started", format_instant(cycle.started))
      .field("done_s", cycle.done.count())
      .field("waits", cycle.waits)
      .end_object();
  return out;
}

Result<Cycle> cycle_of(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value row = document.root();
  Cycle cycle;
  if (const auto at = parse_date_time(row["started"].text())) cycle.started = at->low;
  std::int64_t done = 0;
  const std::string_view digits = row["done_s"].text();
  std::from_chars(digits.data(), digits.data() + digits.size(), done);
  cycle.done = std::chrono::seconds(done);
  cycle.waits = row["waits"].is_true();
  return cycle;
}

void add_once(std::vector<std::size_t>& methods, std::size_t method) {
  if (std::ranges::find(methods, method) == methods.end()) methods.push_back(method);
}

// By which methods the contact is called at once: those without delay; in an emergency by two kinds, where there are two.
std::vector<std::size_t> methods_at_once(const oncall::Contact& contact, Severity severity) {
  std::vector<std::size_t> methods;
  std::set<notify::Kind> kinds;
  for (const oncall::Rule& rule : contact.effective_rules())
    if (rule.after == std::chrono::seconds(0)) {
      add_once(methods, rule.method);
      kinds.insert(contact.methods[rule.method].address.kind);
    }
  if (severity != Severity::emergency) return methods;
  for (std::size_t i = 0; i < contact.methods.size() && kinds.size() < kinds_of_an_emergency; ++i)
    if (contact.methods[i].usable() && kinds.insert(contact.methods[i].address.kind).second) add_once(methods, i);
  return methods;
}

// Writes the cycle with a timer for its next rule, if there is one.
Result<> save_cycle(store::Transaction& transaction, const Alert& alert, const oncall::Contact& contact, Cycle cycle) {
  const std::string key = rule_key(alert.id, contact.name);
  std::optional<std::chrono::seconds> next;
  for (const oncall::Rule& rule : contact.effective_rules())
    if (rule.after > cycle.done && (!next || rule.after < *next)) next = rule.after;
  cycle.waits = next.has_value();
  if (next)
    MYDR24_TRY(transaction.set_timer({"rule/" + key, cycle.started + *next, std::string(rule_timer_kind), key}));
  else
    MYDR24_TRY(transaction.cancel_timer("rule/" + key));
  return transaction.set_state(rows::cycles, key, to_text(cycle));
}

// A contact who is called again while one of their rules still waits keeps it: it fires once.
Result<> begin_cycle(store::Transaction& transaction, const Alert& alert, const oncall::Contact& contact, Instant now) {
  MYDR24_ASSIGN(const auto row, transaction.state(rows::cycles, rule_key(alert.id, contact.name)));
  if (row) {
    MYDR24_ASSIGN(const Cycle before, cycle_of(*row));
    if (before.waits) return {};
  }
  return save_cycle(transaction, alert, contact, {.started = now});
}

// Nobody of the policy can be reached: its last resort is called.
std::string nobody_event(const Alert& alert) {
  std::string payload;
  json::Writer(payload)
      .begin_object()
      .field("policy", alert.policy)
      .field("step", alert.step)
      .field("about", alert.id)
      .end_object();
  return payload;
}

Result<> set_next(store::Transaction& transaction, Alert& alert, Instant due) {
  alert.next_due = due;
  return transaction.set_timer({timer_key(alert.id), due, std::string(escalate_timer_kind), alert.id});
}

Result<> cancel_deliveries(store::Transaction& transaction, const Alert& alert, std::string_view why,
                           std::string_view who) {
  MYDR24_ASSIGN(const auto pending, transaction.states(rows::outbox, alert.id + "-", "", pending_per_alert_max));
  for (const store::StateRow& row : pending) {
    MYDR24_ASSIGN(std::optional<Delivery> delivery, Book::delivery(transaction, row.key));
    if (delivery && !who.empty() && delivery->contact != who) continue;
    MYDR24_TRY(transaction.erase_state(rows::outbox, row.key));
    if (!delivery || delivery->state != DeliveryState::pending) continue;
    delivery->state = DeliveryState::cancelled;
    delivery->text = why;
    MYDR24_TRY(rows::put_delivery(transaction, *delivery));
  }
  return {};
}

}  // namespace

Instant stamp(const store::Transaction& transaction) {
  return std::chrono::floor<std::chrono::milliseconds>(transaction.now());
}

std::string timer_key(std::string_view alert_id) { return fmt::format("alert/{}", alert_id); }
std::string rule_key(std::string_view alert_id, std::string_view contact) {
  return fmt::format("{}/{}", alert_id, contact);
}

Result<> put_calls(store::Transaction& transaction, Alert& alert, const oncall::Contact& contact,
                   const std::vector<std::size_t>& methods, Instant due_at, std::vector<Delivery>& deliveries) {
  for (const std::size_t method : methods) {
    Delivery delivery;
    delivery.id = delivery_id(alert.id, alert.round, static_cast<std::size_t>(alert.calls++));
    delivery.alert_id = alert.id;
    delivery.round = alert.round;
    delivery.step = alert.step;
    delivery.repeat = alert.repeat;
    delivery.contact = contact.name;
    delivery.channel = static_cast<int>(method);
    delivery.medium = to_string(contact.methods[method].address.kind);
    delivery.called_at = stamp(transaction);
    delivery.due_at = due_at;
    MYDR24_TRY(rows::put_delivery(transaction, delivery));
    MYDR24_TRY(transaction.set_state(rows::outbox, delivery.id, alert.id));
    deliveries.push_back(std::move(delivery));
  }
  return {};
}

Result<> go_on(store::Transaction& transaction, const oncall::Policy& policy, Alert& alert, Conditions conditions) {
  const int last = static_cast<int>(policy.steps.size()) - 1;
  const bool is_emergency = alert.severity == Severity::emergency;
  alert.repeat = false;
  if (alert.step >= last) {
    alert.repeat = is_emergency || alert.walks >= policy.repeat;
    alert.step = alert.repeat ? last : 0;
    if (!alert.repeat) ++alert.walks;
    return {};
  }
  const auto& condition = policy.steps[static_cast<std::size_t>(alert.step) + 1].if_count;
  if (condition && !is_emergency && conditions == Conditions::count) {
    MYDR24_ASSIGN(const bool holds, arrivals::holds(transaction, *condition, alert));
    alert.repeat = !holds;
  }
  if (!alert.repeat) ++alert.step;
  return {};
}

Result<std::vector<Delivery>> call_step(store::Transaction& transaction, const oncall::Plan& plan, Alert& alert,
                                        Conditions conditions) {
  const Instant now = stamp(transaction);
  const oncall::Policy& policy = plan.policy(alert.policy, static_cast<std::size_t>(alert.severity));
  alert.policy = policy.name;
  alert.calls = 0;
  alert.rests_until.reset();
  std::vector<Delivery> deliveries;
  if (alert.severity == Severity::emergency) {
    MYDR24_ASSIGN(alert.held_until, Book::overridden_until(transaction, alert.cause));
  } else if (alert.round == 0 || alert.held_until) {
    // Maintenance holds what is raised during it; what was open before goes on.
    alert.held_until = plan.held_until(policy.name, now);
  }
  if (alert.held_until) {
    MYDR24_TRY(set_next(transaction, alert, *alert.held_until));
    return deliveries;
  }
  const std::size_t index = std::min(static_cast<std::size_t>(alert.step), policy.steps.size() - 1);
  const oncall::Step& step = policy.steps[index];
  alert.step = static_cast<int>(index);
  if (step.if_time && alert.severity != Severity::emergency && conditions == Conditions::count)
    alert.rests_until = step.if_time->rests_until(now);
  if (alert.rests_until) {
    MYDR24_TRY(set_next(transaction, alert, *alert.rests_until));
    return deliveries;
  }
  alert.acks_needed = step.acks;
  const Instant due = now + step.delay;
  auto called = plan.who_answers(policy, index, now);
  // More answers than people there are would be waited for in vain.
  alert.acks_needed = std::clamp(alert.acks_needed, 1, static_cast<int>(called.size()));
  if (called.front().instead_of == oncall::nobody)
    MYDR24_TRY(transaction.note("oncall.nobody_reachable", nobody_event(alert)));
  const auto has_answered = [&](const oncall::Called& who) { return alert.is_answered_by(who.contact->name); };
  std::erase_if(called, has_answered);
  // All of this step have answered and were too few: who else the policy knows is called, or nobody ever would be.
  for (std::size_t i = 0; called.empty() && i < policy.steps.size(); ++i) {
    called = plan.who_is_reachable(policy.steps[i], now);
    std::erase_if(called, has_answered);
  }
  for (const oncall::Called& who : called) {
    MYDR24_TRY(
        put_calls(transaction, alert, *who.contact, methods_at_once(*who.contact, alert.severity), due, deliveries));
    MYDR24_TRY(begin_cycle(transaction, alert, *who.contact, now));
  }
  MYDR24_TRY(set_next(transaction, alert, due));
  return deliveries;
}

Result<std::vector<Delivery>> call_rules(store::Transaction& transaction, const oncall::Plan& plan, Alert& alert,
                                         std::string_view name) {
  std::vector<Delivery> deliveries;
  const std::string key = rule_key(alert.id, name);
  MYDR24_ASSIGN(const auto row, transaction.state(rows::cycles, key));
  const oncall::Contact* contact = plan.contact(name);
  if (!row) return deliveries;
  if (contact == nullptr) {
    MYDR24_TRY(transaction.erase_state(rows::cycles, key));
    return deliveries;
  }
  MYDR24_ASSIGN(Cycle cycle, cycle_of(*row));
  const auto passed = std::chrono::floor<std::chrono::seconds>(stamp(transaction) - cycle.started);
  std::vector<std::size_t> methods;
  for (const oncall::Rule& rule : contact->effective_rules())
    if (rule.after > cycle.done && rule.after <= passed) add_once(methods, rule.method);
  MYDR24_TRY(put_calls(transaction, alert, *contact, methods, alert.next_due.value_or(stamp(transaction)), deliveries));
  cycle.done = std::max(cycle.done, passed);
  MYDR24_TRY(save_cycle(transaction, alert, *contact, cycle));
  return deliveries;
}

Result<> call_another_way(store::Transaction& transaction, const oncall::Plan& plan, const Delivery& refused) {
  MYDR24_ASSIGN(const std::optional<Alert> before, Book::find(transaction, refused.alert_id));
  const oncall::Contact* contact = plan.contact(refused.contact);
  if (!before || before->state != State::open || before->round != refused.round) return {};
  std::set<int> tried;
  bool anybody = false;  // of the step was reached, or may be yet
  for (int place = 0; place < before->calls; ++place) {
    MYDR24_ASSIGN(const auto other,
                  Book::delivery(transaction, delivery_id(before->id, before->round, static_cast<std::size_t>(place))));
    if (!other) continue;
    if (other->contact == refused.contact) tried.insert(other->channel);
    anybody = anybody || other->state == DeliveryState::pending || other->state == DeliveryState::delivered;
  }
  Alert alert = *before;
  // A contact who is gone from the plan has no other method; the step after theirs is due all the same.
  for (std::size_t method = 0; contact != nullptr && method < contact->methods.size(); ++method) {
    if (!contact->methods[method].usable() || tried.contains(static_cast<int>(method))) continue;
    std::vector<Delivery> deliveries;
    MYDR24_TRY(put_calls(transaction, alert, *contact, {method}, refused.due_at, deliveries));
    MYDR24_TRY(entries::save(transaction, &*before, alert));
    return entries::note_call(transaction, "alert.called", alert, deliveries);
  }
  // An emergency that reached nobody of its step does not wait for the next one; the last step keeps its pace.
  const oncall::Policy& policy = plan.policy(alert.policy, static_cast<std::size_t>(alert.severity));
  const bool last = static_cast<std::size_t>(alert.step) + 1 >= policy.steps.size();
  if (anybody || last || alert.severity != Severity::emergency) return {};
  MYDR24_TRY(set_next(transaction, alert, stamp(transaction)));
  return entries::save(transaction, &*before, alert);
}

Result<> arm_rules(store::Transaction& transaction, const oncall::Plan& plan, const Alert& alert) {
  const std::string prefix = alert.id + "/";
  MYDR24_ASSIGN(const auto found, transaction.states(rows::cycles, prefix, "", pending_per_alert_max));
  const auto passed = [&](const Cycle& cycle) {
    return std::chrono::floor<std::chrono::seconds>(stamp(transaction) - cycle.started);
  };
  for (const store::StateRow& row : found) {
    const oncall::Contact* contact = plan.contact(std::string_view(row.key).substr(prefix.size()));
    if (contact == nullptr) {
      MYDR24_TRY(transaction.erase_state(rows::cycles, row.key));
      MYDR24_TRY(transaction.cancel_timer("rule/" + row.key));
      continue;
    }
    MYDR24_ASSIGN(Cycle cycle, cycle_of(row.value));
    // A rule that came later than its time is not made up for.
    if (!cycle.waits) cycle.done = std::max(cycle.done, passed(cycle));
    MYDR24_TRY(save_cycle(transaction, alert, *contact, cycle));
  }
  return {};
}

Result<> stop(store::Transaction& transaction, Alert& alert, std::string_view why, std::string_view who) {
  if (who.empty()) {
    alert.next_due.reset();
    alert.held_until.reset();
    alert.rests_until.reset();
    MYDR24_TRY(transaction.cancel_timer(timer_key(alert.id)));
  }
  const std::string prefix = who.empty() ? alert.id + "/" : rule_key(alert.id, who);
  MYDR24_ASSIGN(const auto found, transaction.states(rows::cycles, prefix, "", pending_per_alert_max));
  for (const store::StateRow& row : found) {
    if (!who.empty() && row.key != prefix) continue;
    MYDR24_TRY(transaction.erase_state(rows::cycles, row.key));
    MYDR24_TRY(transaction.cancel_timer("rule/" + row.key));
  }
  return cancel_deliveries(transaction, alert, why, who);
}

}  // namespace mydr24::alerts::calls
