#include "alerting/alerts/book.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::alerts {
namespace {

constexpr std::uint32_t pending_per_alert_max = 4096;

// The time of the transaction as the rows keep it: an alert read back must be the alert that was written.
Instant stamp(const store::Transaction& transaction) {
  return std::chrono::floor<std::chrono::milliseconds>(transaction.now());
}

std::string timer_key(std::string_view id) { return fmt::format("alert/{}", id); }

// Writes the alert's row and its place in the lists. `before`: as it stands; null when it is new.
Result<> save(store::Transaction& transaction, const Alert* before, const Alert& alert) {
  const std::string place = rows::list_key(alert);
  const std::string place_before = before != nullptr ? rows::list_key(*before) : std::string();
  if (place != place_before) {
    if (before != nullptr) MYDR24_TRY(transaction.erase_state(rows::alerts, place_before));
    MYDR24_TRY(transaction.set_state(rows::alerts, place, alert.id));
  }
  if (before == nullptr) MYDR24_TRY(transaction.set_state(rows::alerts, rows::cause_key(alert.cause), alert.id));
  if (before != nullptr && alert.is_resolved() && !before->is_resolved())
    MYDR24_TRY(transaction.erase_state(rows::alerts, rows::cause_key(alert.cause)));
  return transaction.set_state(rows::alerts, rows::alert_key(alert.id), to_json(alert));
}

// What every event of an alert says; `more` adds to it.
template <class More>
Result<> note(store::Transaction& transaction, std::string_view kind, const Alert& alert, More more) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object()
      .field("alert", alert.id)
      .field("severity", to_string(alert.severity))
      .field("state", to_string(alert.state))
      .field("title", alert.title);
  if (!alert.patient.empty()) writer.field("patient", alert.patient);
  more(writer);
  writer.end_object();
  return rows::note(transaction, kind, alert.id, payload);
}

Result<> note_call(store::Transaction& transaction, std::string_view kind, const Alert& alert,
                   const std::vector<Delivery>& deliveries) {
  return note(transaction, kind, alert, [&](json::Writer& writer) {
    writer.field("step", alert.step).field("round", alert.round).field("repeat", alert.repeat);
    if (!alert.reason.empty()) writer.field("reason", alert.reason);
    writer.key("deliveries").begin_array();
    for (const Delivery& delivery : deliveries) writer.string(delivery.id);
    writer.end_array();
  });
}

// Nobody is to be called about it any more.
Result<> stop_calls(store::Transaction& transaction, Alert& alert, std::string_view why) {
  alert.next_due.reset();
  MYDR24_TRY(transaction.cancel_timer(timer_key(alert.id)));
  MYDR24_ASSIGN(const auto pending, transaction.states(rows::outbox, alert.id + "-", "", pending_per_alert_max));
  for (const store::StateRow& row : pending) {
    MYDR24_TRY(transaction.erase_state(rows::outbox, row.key));
    MYDR24_ASSIGN(std::optional<Delivery> delivery, Book::delivery(transaction, row.key));
    if (!delivery) continue;
    delivery->state = DeliveryState::cancelled;
    delivery->text = why;
    MYDR24_TRY(rows::put_delivery(transaction, *delivery));
  }
  return {};
}

Result<Alert> must_find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(std::optional<Alert> alert, Book::find(reader, id));
  if (!alert) return fail(Code::not_found, fmt::format("there is no alert {}", id));
  return std::move(*alert);
}

}  // namespace

void Book::attach(store::Store& store) {
  store.on_timer(std::string(escalate_timer_kind), [this](store::Transaction& transaction, const store::Timer& timer) {
    return escalate(transaction, timer.payload);
  });
}

// Puts a call of everybody on the alert's step into the outbox and sets the timer of the next one.
Result<std::vector<Delivery>> Book::call(store::Transaction& transaction, Alert& alert) const {
  const Instant now = stamp(transaction);
  alert.next_due = now + settings_.escalate_after;
  std::vector<Delivery> deliveries;
  for (const oncall::Contact* contact : rota_.who_answers(static_cast<std::size_t>(alert.step)))
    for (std::size_t channel = 0; channel < contact->channels.size(); ++channel) {
      Delivery delivery;
      delivery.id = alerts::delivery_id(alert.id, alert.round, deliveries.size());
      delivery.alert_id = alert.id;
      delivery.round = alert.round;
      delivery.step = alert.step;
      delivery.repeat = alert.repeat;
      delivery.contact = contact->name;
      delivery.channel = static_cast<int>(channel);
      delivery.medium = to_string(contact->channels[channel].kind);
      delivery.called_at = now;
      delivery.due_at = *alert.next_due;
      MYDR24_TRY(rows::put_delivery(transaction, delivery));
      MYDR24_TRY(transaction.set_state(rows::outbox, delivery.id, alert.id));
      deliveries.push_back(std::move(delivery));
    }
  MYDR24_TRY(transaction.set_timer({timer_key(alert.id), *alert.next_due, std::string(escalate_timer_kind), alert.id}));
  return deliveries;
}

Result<Raised> Book::raise(store::Transaction& transaction, const Raise& raise) const {
  if (raise.cause.empty()) return fail(Code::internal, "an alert was raised without a cause");
  MYDR24_ASSIGN(const std::optional<Alert> before, find_unresolved(transaction, raise.cause));
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
                .changed_at = now};
    MYDR24_ASSIGN(const std::vector<Delivery> deliveries, call(transaction, alert));
    MYDR24_TRY(save(transaction, nullptr, alert));
    MYDR24_TRY(note_call(transaction, "alert.raised", alert, deliveries));
    return Raised{alert.id, false, true};
  }

  Alert alert = *before;
  alert.changed_at = now;
  alert.reason = raise.reason;
  alert.values = raise.values;
  if (raise.severity >= before->severity) {
    MYDR24_TRY(save(transaction, &*before, alert));
    MYDR24_TRY(
        note(transaction, "alert.updated", alert, [&](json::Writer& writer) { writer.field("reason", alert.reason); }));
    return Raised{alert.id, true, false};
  }
  MYDR24_TRY(stop_calls(transaction, alert, "called again with a higher severity"));
  alert.severity = raise.severity;
  alert.title = raise.title;
  alert.state = State::open;
  alert.acknowledged_by.clear();
  alert.acknowledged_at.reset();
  alert.acknowledged_note.clear();
  alert.step = 0;
  alert.round += 1;
  alert.repeat = false;
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries, call(transaction, alert));
  MYDR24_TRY(save(transaction, &*before, alert));
  MYDR24_TRY(note_call(transaction, "alert.severity_raised", alert, deliveries));
  return Raised{alert.id, true, true};
}

Result<Alert> Book::acknowledge(store::Transaction& transaction, std::string_view id, std::string_view by,
                                std::string_view remark) const {
  if (by.empty()) return fail(Code::invalid, "an acknowledgement needs the name of the person", "by");
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  if (before.acknowledged_by == by) return before;
  if (before.acknowledged_at)
    return fail(Code::conflict, fmt::format("already acknowledged by {} at {}", before.acknowledged_by,
                                            format_instant(*before.acknowledged_at)));
  Alert alert = before;
  alert.acknowledged_by = by;
  alert.acknowledged_at = stamp(transaction);
  alert.acknowledged_note = remark;
  alert.changed_at = stamp(transaction);
  if (!alert.is_resolved()) alert.state = State::acknowledged;
  MYDR24_TRY(stop_calls(transaction, alert, fmt::format("acknowledged by {}", by)));
  MYDR24_TRY(save(transaction, &before, alert));
  MYDR24_TRY(note(transaction, "alert.acknowledged", alert, [&](json::Writer& writer) {
    writer.field("by", by).field("note", remark).field("round", alert.round);
  }));
  return alert;
}

Result<Alert> Book::resolve(store::Transaction& transaction, std::string_view id, std::string_view why) const {
  MYDR24_ASSIGN(const Alert before, must_find(transaction, id));
  if (before.is_resolved()) return before;
  Alert alert = before;
  alert.state = State::resolved;
  alert.resolved_at = stamp(transaction);
  alert.resolved_why = why;
  alert.changed_at = stamp(transaction);
  MYDR24_TRY(stop_calls(transaction, alert, fmt::format("resolved: {}", why)));
  MYDR24_TRY(save(transaction, &before, alert));
  MYDR24_TRY(note(transaction, "alert.resolved", alert,
                  [&](json::Writer& writer) { writer.field("why", why).field("round", alert.round); }));
  return alert;
}

Result<> Book::escalate(store::Transaction& transaction, std::string_view id) const {
  MYDR24_ASSIGN(const std::optional<Alert> before, find(transaction, id));
  if (!before || before->state != State::open) return {};
  Alert alert = *before;
  const int last = static_cast<int>(rota_.steps()) - 1;
  alert.repeat = alert.step >= last;
  alert.step = std::min(alert.step + 1, last);
  alert.round += 1;
  alert.changed_at = stamp(transaction);
  MYDR24_ASSIGN(const std::vector<Delivery> deliveries, call(transaction, alert));
  MYDR24_TRY(save(transaction, &*before, alert));
  return note_call(transaction, "alert.escalated", alert, deliveries);
}

Result<std::optional<Alert>> Book::find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const std::optional<std::string> row, reader.state(rows::alerts, rows::alert_key(id)));
  if (!row) return std::optional<Alert>();
  MYDR24_ASSIGN(Alert alert, alert_from_json(*row));
  return std::optional(std::move(alert));
}

Result<std::optional<Alert>> Book::find_unresolved(store::Reader& reader, std::string_view cause) {
  MYDR24_ASSIGN(const std::optional<std::string> id, reader.state(rows::alerts, rows::cause_key(cause)));
  if (!id) return std::optional<Alert>();
  return find(reader, *id);
}

Result<AlertPage> Book::list(store::Reader& reader, const ListQuery& query) {
  const std::uint32_t count = std::clamp(query.count, 1U, ListQuery::count_max);
  const std::string_view prefix = query.resolved ? rows::done_prefix : rows::open_prefix;
  MYDR24_ASSIGN(const std::vector<store::StateRow> places, reader.states(rows::alerts, prefix, query.after, count + 1));
  AlertPage page;
  for (const store::StateRow& place : places) {
    if (page.alerts.size() == count) break;
    page.next = place.key;
    MYDR24_ASSIGN(std::optional<Alert> alert, find(reader, place.value));
    if (alert) page.alerts.push_back(std::move(*alert));
  }
  if (places.size() <= count) page.next.clear();
  return page;
}

Result<std::vector<HistoryEntry>> Book::history(store::Reader& reader, std::string_view id, store::Sequence after,
                                                std::uint32_t count) {
  const std::string prefix = fmt::format("{}/", id);
  const std::string from = after > 0 ? fmt::format("{}{:019}", prefix, after) : std::string();
  MYDR24_ASSIGN(const std::vector<store::StateRow> found, reader.states(rows::history, prefix, from, count));
  std::vector<HistoryEntry> entries;
  for (const store::StateRow& row : found) {
    MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(row.value));
    HistoryEntry entry;
    const std::string_view number = std::string_view(row.key).substr(prefix.size());
    std::from_chars(number.data(), number.data() + number.size(), entry.sequence);
    if (const auto at = parse_date_time(document.root()["at"].text())) entry.at = at->low;
    entry.kind = document.root()["kind"].text();
    entry.payload = document.root()["data"].raw();
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<Delivery>> Book::deliveries(store::Reader& reader, std::string_view id, std::uint32_t count) {
  MYDR24_ASSIGN(const std::vector<store::StateRow> found,
                reader.states(rows::deliveries, fmt::format("{}-", id), "", count));
  std::vector<Delivery> all;
  for (const store::StateRow& row : found) {
    MYDR24_ASSIGN(Delivery delivery, delivery_from_json(row.value));
    all.push_back(std::move(delivery));
  }
  return all;
}

Result<std::optional<Delivery>> Book::delivery(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const std::optional<std::string> row, reader.state(rows::deliveries, id));
  if (!row) return std::optional<Delivery>();
  MYDR24_ASSIGN(Delivery delivery, delivery_from_json(*row));
  return std::optional(std::move(delivery));
}

}  // namespace mydr24::alerts
