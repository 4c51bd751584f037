// From the message to the store: alerts in slices, events by their keys.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <span>

#include "alerting/groups/detail/inside.h"
#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::size_t slice = 200;  // alerts in one transaction: a few milliseconds of the writer
constexpr std::chrono::seconds unrecorded_wait{1};
// The end of an alert whose sender will say when it is over.
const Instant open_end = Instant(std::chrono::sys_days(std::chrono::year(9999) / 12 / 31));

void write_fingerprints(json::Writer& writer, const std::vector<Fingerprint>& all) {
  writer.begin_object().key("alerts").begin_array();
  for (const Fingerprint fingerprint : all) writer.string(routing::to_text(fingerprint));
  writer.end_array().end_object();
}

std::string reason_of(const Alert& alert) {
  for (const std::string_view name : {"summary", "description", "message"})
    if (const auto text = alert.annotations[name]; !text.empty()) return std::string(text);
  return routing::to_text(alert.labels);
}

std::string values_of(const Alert& alert) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object().field("rule", alert.labels["alertname"]).key("labels");
  routing::write(writer, alert.labels);
  writer.key("annotations");
  routing::write(writer, alert.annotations);
  writer.end_object();
  return text;
}

std::string key_of(const Event& event) {
  std::string key = event.integration + "/";
  json::append_quoted(key, event.dedup_key);  // no control characters in keys
  return key;
}

}  // namespace

RequestClass class_of(routing::Severity severity) {
  switch (severity) {
    case routing::Severity::emergency:
      return RequestClass::emergency;
    case routing::Severity::urgent:
      return RequestClass::urgent;
    case routing::Severity::advisory:
      return RequestClass::background;
  }
  return RequestClass::background;
}

std::string cause_of(Fingerprint fingerprint) { return "label/" + routing::to_text(fingerprint); }
std::string cause_of_group(std::string_view way) { return fmt::format("group/{}", way); }

Result<> Changes::note(store::Transaction& transaction) const {
  for (const auto& [kind, all] : {std::pair("label.fired", &fired), std::pair("label.resolved", &resolved),
                                  std::pair("label.written", &written)}) {
    if (all->empty()) continue;
    std::string payload;
    json::Writer writer(payload);
    write_fingerprints(writer, *all);
    MYDR24_TRY(transaction.note(kind, payload));
  }
  return {};
}

Result<> Groups::Inside::end_in_book(store::Transaction& transaction, std::string_view cause,
                                     std::string_view why) const {
  MYDR24_ASSIGN(const auto open, alerts::Book::find_unresolved(transaction, cause));
  if (open) MYDR24_TRY(book_.resolve(transaction, open->id, why));
  return {};
}

// Merges it with what is stored; `alert` is then what stands in the store.
Result<> Groups::Inside::take(store::Transaction& transaction, Alert& alert, Changes& changes) const {
  const Fingerprint fingerprint = routing::fingerprint(alert.labels);
  const std::string key = routing::to_text(fingerprint);
  const Instant at = alert.updated_at;
  MYDR24_ASSIGN(const auto row, transaction.state(rows::alerts, key));
  bool was_firing = false;
  if (row) {
    MYDR24_ASSIGN(Alert before, routing::alert_from_json(*row));
    // Written before the clock was set back. At least so far, and then it is the older word of the two.
    if (before.updated_at > at + clock_step_least) routing::shift(before, at - before.updated_at);
    was_firing = !before.is_resolved(at);
    alert = routing::merged(before, alert);
  }
  const bool fires = !alert.is_resolved(at);
  if (fires && !was_firing) changes.fired.push_back(fingerprint);
  if (!fires && was_firing) changes.resolved.push_back(fingerprint);
  if (another_leads()) changes.written.push_back(fingerprint);
  MYDR24_TRY(transaction.set_state(rows::alerts, key, routing::to_json(alert)));
  if (!routing::is_emergency(alert.labels)) return {};
  if (!fires) return end_in_book(transaction, cause_of(fingerprint), "its sender says that it is over");
  if (was_firing) return {};
  const std::string_view name = alert.labels["alertname"];
  MYDR24_TRY(book_.raise(transaction, {.source = "label",
                                       .cause = cause_of(fingerprint),
                                       .severity = alerts::Severity::emergency,
                                       .title = name.empty() ? std::string("Emergency") : std::string(name),
                                       .reason = reason_of(alert),
                                       .values = values_of(alert)}));
  return {};
}

Task<Result<>> Groups::Inside::submit(RequestClass request_class, store::Work work) {
  co_return co_await async_call<Result<>>(
      [&](auto done) { store_->submit(request_class, std::move(work), std::move(done)); });
}

Task<Result<>> Groups::Inside::write(std::vector<Alert> alerts, RequestClass request_class) {
  using namespace asio::experimental::awaitable_operators;
  Result<> first;
  std::size_t begun = 0;
  const auto write_in_turn = [&]() -> Task<> {
    while (begun < alerts.size()) {
      const std::span<Alert> part = std::span(alerts).subspan(begun, std::min(slice, alerts.size() - begun));
      begun += part.size();
      const Result<> written = co_await write_slice(part, request_class);
      if (written) continue;
      if (first) first = written;
      // Of emergencies the next slice is tried, and told, whatever became of this one.
      if (request_class != RequestClass::emergency) begun = alerts.size();
    }
  };
  // One slice is written while the one before is on its way to the disk and into the State.
  co_await (write_in_turn() && write_in_turn());
  co_return first;
}

Task<Result<>> Groups::Inside::write_slice(std::span<Alert> part, RequestClass request_class) {
  const bool led = !another_leads();
  const Result<> written = co_await submit(request_class, [this, part](store::Transaction& transaction) -> Result<> {
    Changes changes;
    for (Alert& alert : part) MYDR24_TRY(take(transaction, alert, changes));
    return changes.note(transaction);
  });
  if (written && led && another_leads()) hand_over(part);
  if (!written && request_class != RequestClass::emergency) co_return written;
  // An emergency that cannot be written down is told all the same.
  co_await async_call<bool>([&](auto done) {
    post([this, part, &written, done = std::move(done)]() mutable {
      for (Alert& alert : part) {
        if (!written)
          not_recorded(alert);
        else if (!unrecorded_.empty())
          unrecorded_.erase(routing::fingerprint(alert.labels));
        state_->put(std::move(alert), now());
      }
      counters_.unrecorded = static_cast<std::int64_t>(unrecorded_.size());
      if (state_->next() && *state_->next() <= now())
        work();
      else
        after_change();
      done(true);
    });
  });
  co_return written;
}

void Groups::Inside::not_recorded(const Alert& alert) {
  const Fingerprint fingerprint = routing::fingerprint(alert.labels);
  if (alert.is_resolved(now())) {
    unrecorded_.erase(fingerprint);
    counters_.unrecorded = static_cast<std::int64_t>(unrecorded_.size());
    return;
  }
  // The same word again about one that is in the store: the Book has called about it.
  const Known* known = state_->find(fingerprint);
  if (known != nullptr && !known->over && !known->alert.is_resolved(now()) && !unrecorded_.contains(fingerprint))
    return;
  Waiting& waiting = unrecorded_[fingerprint];
  counters_.unrecorded = static_cast<std::int64_t>(unrecorded_.size());
  if (waiting.rounds == 0 || clock_.steady() >= waiting.next_call) {
    if (settings_.unrecorded) settings_.unrecorded(alert, waiting.rounds);
    if (waiting.rounds == 0 && !lead()) tell_alone(alert);
    ++waiting.rounds;
    waiting.next_call = clock_.steady() + unrecorded_again;
  }
  next_unrecorded_ = clock_.steady() + unrecorded_wait;
  next_retry_ = std::min<std::int64_t>(next_retry_, next_unrecorded_.count());
}

void Groups::Inside::write_again() {
  next_unrecorded_ = clock_.steady() + unrecorded_wait;
  std::vector<Alert> again;
  std::erase_if(unrecorded_, [&](const auto& entry) {
    const Known* known = state_->find(entry.first);
    if (known == nullptr || known->over) return true;  // it ended before it could be written
    again.push_back(known->alert);
    return false;
  });
  counters_.unrecorded = static_cast<std::int64_t>(unrecorded_.size());
  if (again.empty()) return;
  add_busy();
  asio::co_spawn(context_, write(std::move(again), RequestClass::emergency),
                 [this](const std::exception_ptr&, const Result<>&) { end_busy(); });
}

Task<Result<>> Groups::take(std::vector<Alert> alerts) {
  counters_.received += static_cast<std::int64_t>(alerts.size());
  // Stable by severity: emergencies are written first, and by themselves.
  std::array<std::vector<Alert>, 3> by_severity;
  for (Alert& alert : alerts)
    by_severity[static_cast<std::size_t>(routing::severity_of(alert.labels))].push_back(std::move(alert));
  alerts = {};
  Result<> first;
  for (std::size_t i = 0; i < by_severity.size(); ++i) {
    const auto severity = static_cast<routing::Severity>(i);
    if (severity != routing::Severity::emergency && !co_await leave_room(by_severity[i]) && first)
      first = fail(Code::busy,
                   fmt::format("{} alerts are known: only they and emergencies are taken", settings().alerts_max));
    Result<> written = co_await inside_->write(std::move(by_severity[i]), class_of(severity));
    if (!written && first) first = std::move(written);
  }
  co_return first;
}

// When there are too many, only known ones stay; false when others had to go.
Task<bool> Groups::leave_room(std::vector<Alert>& alerts) {
  if (static_cast<std::size_t>(counters_.known) + alerts.size() <= settings().alerts_max) co_return true;
  co_return co_await ask([&](const State& state, Instant) {
    return std::erase_if(alerts, [&](const Alert& alert) {
             return state.find(routing::fingerprint(alert.labels)) == nullptr;
           }) == 0;
  });
}

void Groups::take_later(std::vector<Alert> alerts) {
  if (alerts.empty() || inside_->stopping_) return;
  inside_->add_busy();
  asio::co_spawn(inside_->context_, take(std::move(alerts)),
                 [this](const std::exception_ptr&, const Result<>&) { inside_->end_busy(); });
}

Task<Result<EventOutcome>> Groups::take(Event event) {
  if (event.dedup_key.empty() || event.dedup_key.size() > dedup_key_max)
    co_return fail(Code::invalid, fmt::format("dedup_key has 1 to {} bytes", dedup_key_max), "dedup_key");
  EventOutcome outcome;
  std::vector<Alert> changed;
  std::vector<std::string> causes;
  if (event.action == Event::Action::acknowledge) {
    // Whom the Book calls about it: about the alert itself, or about its groups.
    Fingerprint fingerprint = 0;
    const Result<> found = inside_->store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto row, reader.state(rows::keys, key_of(event)));
      if (row) std::from_chars(row->data(), row->data() + row->size(), fingerprint, 16);
      return {};
    });
    if (!found) co_return found.error();
    causes = co_await ask([&](const State& state, Instant) {
      std::vector<std::string> all{cause_of(fingerprint)};
      if (const Known* known = state.find(fingerprint))
        for (const Group* group : known->groups)
          for (const std::string& way : group->ways) all.push_back(cause_of_group(way));
      return all;
    });
  }
  const bool is_emergency = routing::is_emergency(event.labels);
  const bool led = !inside_->another_leads();
  const Result<> written = co_await inside_->submit(
      is_emergency ? RequestClass::emergency : RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        const Instant at = std::chrono::floor<milliseconds>(now());
        MYDR24_ASSIGN(const auto key, transaction.state(rows::keys, key_of(event)));
        std::optional<Alert> before;
        if (key) {
          MYDR24_ASSIGN(const auto row, transaction.state(rows::alerts, *key));
          if (row) {
            MYDR24_ASSIGN(before, routing::alert_from_json(*row));
          }
          if (before && before->is_resolved(at)) before.reset();
        }
        outcome.is_open = before.has_value();
        if (event.action == Event::Action::acknowledge) {
          for (const std::string& cause : causes) {
            MYDR24_ASSIGN(const auto open, alerts::Book::find_unresolved(transaction, cause));
            if (open && !open->acknowledged_at)
              MYDR24_TRY(inside_->book_.acknowledge(transaction, open->id, event.by, "by " + event.integration));
          }
          return {};
        }
        Changes changes;
        const auto end = [&](Alert alert) -> Result<> {
          alert.ends_at = at;
          alert.updated_at = at;
          alert.timeout = false;
          MYDR24_TRY(inside_->take(transaction, alert, changes));
          changed.push_back(std::move(alert));
          return {};
        };
        if (event.action == Event::Action::resolve) {
          if (before) MYDR24_TRY(end(*before));
          MYDR24_TRY(transaction.erase_state(rows::keys, key_of(event)));
          outcome.is_open = false;
          return changes.note(transaction);
        }
        if (!before && !is_emergency && static_cast<std::size_t>(counters_.known) >= settings().alerts_max)
          return fail(Code::busy,
                      fmt::format("{} alerts are known: only they and emergencies are taken", settings().alerts_max));
        Alert alert{.labels = event.labels,
                    .annotations = event.annotations,
                    .starts_at = at,
                    .ends_at = open_end,
                    .updated_at = at};
        // The key is the alert: other words about it leave it as it is, unless it has become more severe.
        if (before && routing::severity_of(before->labels) <= routing::severity_of(alert.labels))
          alert.labels = before->labels;
        else if (before)
          MYDR24_TRY(end(*before));
        outcome.is_new = !before;
        outcome.is_open = true;
        MYDR24_TRY(inside_->take(transaction, alert, changes));
        MYDR24_TRY(
            transaction.set_state(rows::keys, key_of(event), routing::to_text(routing::fingerprint(alert.labels))));
        changed.push_back(std::move(alert));
        return changes.note(transaction);
      });
  if (written && led && inside_->another_leads()) inside_->hand_over(changed);
  // An emergency that cannot be written down is told all the same, as one that was posted.
  const bool unwritten = !written && is_emergency && event.action == Event::Action::trigger;
  if (!written && !unwritten) co_return written.error();
  co_await async_call<bool>([&](auto done) {
    post([this, &changed, &event, unwritten, done = std::move(done)](State& state, Instant at) mutable {
      if (unwritten) {
        // Its key is not known, so nothing could end it: it ends by itself unless it is sent again.
        changed.assign(1, Alert{.labels = event.labels,
                                .annotations = event.annotations,
                                .starts_at = at,
                                .ends_at = at + state.config()->resolve_timeout,
                                .updated_at = at,
                                .timeout = true});
        inside_->not_recorded(changed.front());
      }
      for (Alert& alert : changed) state.put(std::move(alert), at);
      inside_->work();
      done(true);
    });
  });
  if (!written) co_return written.error();
  co_return outcome;
}

}  // namespace mydr24::groups
