// From the message to the store: alerts in slices, events by their keys, silences.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <span>

#include "alerting/groups/detail/inside.h"
#include "base/core/id.h"
#include "base/crypto/digest.h"
#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::size_t slice = 200;  // alerts in one transaction: a few milliseconds of the writer
constexpr std::uint32_t page = 1'000;
constexpr std::size_t preview_rows_max = 200'000;
constexpr std::size_t preview_names_max = 20;
constexpr std::chrono::minutes broad_max{1};  // a silence of everything needs a second person beyond this
// The end of an alert whose sender will say when it is over.
constexpr std::chrono::seconds unrecorded_wait{1};
constexpr std::int64_t silences_max = 10'000;  // expired ones that are still kept included
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

Result<> note_silence(store::Transaction& transaction, std::string_view kind, const Silence& silence,
                      std::string_view why = {}) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object().key("silence").raw(routing::to_json(silence));
  if (!why.empty()) writer.field("why", why);
  writer.end_object();
  MYDR24_TRY(transaction.note(kind, payload));
  return {};
}

Result<> put_row(store::Transaction& transaction, const Silence& silence) {
  return transaction.set_state(rows::silences, silence.id, routing::to_json(silence));
}

Result<std::optional<Silence>> row_of(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::silences, id));
  if (!row) return std::optional<Silence>();
  MYDR24_ASSIGN(Silence silence, routing::silence_from_json(*row));
  return std::optional(std::move(silence));
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

Result<Preview> Groups::preview(const Silence& silence) const {
  Preview preview;
  std::set<std::string> names;
  bool over_budget = false;
  const auto see = [&](const Labels& labels, bool firing) {
    ++preview.recent;
    if (firing) ++preview.firing;
    if (routing::severity_of(labels) == routing::Severity::urgent) ++preview.urgent;
    if (routing::is_emergency(labels) && firing) ++preview.emergency;
    if (names.size() < preview_names_max) names.emplace(labels["alertname"]);
    const Microseconds length =
        silence.windows.empty() ? silence.ends_at - silence.starts_at : Microseconds(routing::longest(silence.windows));
    over_budget |= firing && !routing::is_emergency(labels) && length > routing::silence_budget(labels);
  };
  const Instant at = now();
  std::string after;
  for (std::size_t rows_seen = 0; rows_seen < preview_rows_max;) {
    std::size_t got = 0;
    MYDR24_TRY(inside_->store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.states(rows::alerts, "", after, page));
      got = found.size();
      if (got > 0) after = found.back().key;
      for (const store::StateRow& row : found) {
        MYDR24_ASSIGN(const Alert alert, routing::alert_from_json(row.value));
        if (routing::matches(silence.matchers, alert.labels)) see(alert.labels, !alert.is_resolved(at));
      }
      return {};
    }));
    rows_seen += got;
    if (got < page) break;
  }
  preview.names.assign(names.begin(), names.end());
  if (routing::is_broad(silence) && silence.ends_at - silence.starts_at > broad_max)
    preview.needs_second_person = "it matches every alert";
  else if (over_budget)
    preview.needs_second_person =
        "it is longer than the severity of what it would mute allows (24 h, 4 h, critical 1 h)";
  return preview;
}

namespace {

constexpr std::chrono::hours ask_valid{1};
constexpr std::uint32_t asks_max = 1'000;

std::string scope_of(const Silence& silence) {
  const Silence scope{.matchers = silence.matchers, .recurrence = silence.recurrence};
  return crypto::sha256_hex(routing::to_json(scope));
}

// The older ones go when a new one comes.
Result<> keep_ask(store::Transaction& transaction, const Silence& silence, Instant at) {
  MYDR24_ASSIGN(const auto asks, transaction.states(rows::silence_asks, "", "", asks_max));
  for (const store::StateRow& row : asks) {
    const auto ask = routing::silence_from_json(row.value);
    if (!ask || at - ask->updated_at > ask_valid || asks.size() == asks_max)
      MYDR24_TRY(transaction.erase_state(rows::silence_asks, row.key));
  }
  return transaction.set_state(rows::silence_asks, scope_of(silence), routing::to_json(silence));
}

// Why it is not taken as it is; empty: it is.
std::string refusal_of(const Silence& silence, const Preview& seen) {
  const bool two_persons = !silence.approved_by.empty() && silence.approved_by != silence.created_by;
  if (!silence.approved_by.empty() && !two_persons) return "who approves is another person than who asks";
  const auto asks_for_emergencies = [](const routing::Matcher& matcher) {
    return matcher.name() == "severity" && matcher.op() == routing::Matcher::Op::equal &&
           matcher.value() == "emergency";
  };
  if (std::ranges::any_of(silence.matchers, asks_for_emergencies)) return "emergencies are never silenced";
  if (seen.needs_second_person.empty() || two_persons) return {};
  return fmt::format(
      "{}: a second person has to approve (approvedBy). It would mute {} firing, {} in the last 30 days, {} of them "
      "urgent",
      seen.needs_second_person, seen.firing, seen.recent, seen.urgent);
}

}  // namespace

// What somebody else has asked for and was refused without a second person.
Result<Silence> Groups::Inside::asked_by_another(const Silence& silence, std::string_view who, Instant at) {
  std::optional<std::string> row;
  MYDR24_TRY(store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(row, reader.state(rows::silence_asks, scope_of(silence)));
    return {};
  }));
  const auto ask = row ? routing::silence_from_json(*row) : Result<Silence>(fail(Code::not_found, ""));
  if (!ask || at - ask->updated_at > ask_valid)
    return fail(Code::refused,
                "nobody has asked for this silence within the last hour: one person posts it, another approves it");
  if (ask->created_by == who) return fail(Code::refused, "who approves is another person than who asks");
  return *ask;
}

Task<Result<std::string>> Groups::put_silence(Silence silence, Preview seen, std::string who) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  const bool is_approval = !who.empty() && !silence.approved_by.empty();
  if (!who.empty()) silence.created_by = who;
  if (is_approval) {
    auto asked = inside_->asked_by_another(silence, who, at);
    if (!asked) co_return asked.error();
    silence = std::move(*asked);
    silence.approved_by = who;
  }
  Result<> judged = routing::check(silence, at);
  if (!judged) co_return judged.error();
  silence.starts_at = std::max(silence.starts_at, at);
  silence.updated_at = at;
  const std::string refusal = refusal_of(silence, seen);
  std::vector<Silence> written;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        if (!refusal.empty()) {
          if (!who.empty() && !seen.needs_second_person.empty()) MYDR24_TRY(keep_ask(transaction, silence, at));
          return note_silence(transaction, "silence.refused", silence, refusal);
        }
        if (is_approval) MYDR24_TRY(transaction.erase_state(rows::silence_asks, scope_of(silence)));
        if (!silence.id.empty()) {
          MYDR24_ASSIGN(std::optional<Silence> before, row_of(transaction, silence.id));
          if (!before) return fail(Code::not_found, "silence not found");
          // Changed in place while it says the same and has not begun otherwise; else the old one ends and a new one begins.
          const auto state = before->state(at);
          const bool in_place = before->same_scope(silence) && state != routing::SilenceState::expired &&
                                (state == routing::SilenceState::pending || silence.starts_at <= at);
          if (in_place) {
            if (state == routing::SilenceState::active) silence.starts_at = before->starts_at;
          } else {
            if (state != routing::SilenceState::expired) {
              before->ends_at = at;
              before->starts_at = std::min(before->starts_at, at);
              before->updated_at = at;
              MYDR24_TRY(put_row(transaction, *before));
              MYDR24_TRY(note_silence(transaction, "silence.expired", *before));
              written.push_back(std::move(*before));
            }
            silence.id.clear();
          }
        }
        if (silence.id.empty()) {
          // Every one of them is asked about every alert.
          if (counters_.silences >= silences_max)
            return fail(Code::full, fmt::format("there are {} silences already: expire some", silences_max));
          silence.id = make_uuid7(at);
        }
        MYDR24_TRY(put_row(transaction, silence));
        MYDR24_TRY(note_silence(transaction, "silence.created", silence));
        written.push_back(silence);
        return {};
      });
  if (!done) co_return done.error();
  if (!refusal.empty()) co_return fail(Code::refused, refusal);
  const std::string id = silence.id;
  co_await async_call<bool>([&](auto finished) {
    post([this, &written, finished = std::move(finished)](State& state, Instant) mutable {
      for (Silence& one : written) state.put(std::move(one));
      inside_->after_change();
      finished(true);
    });
  });
  co_return id;
}

Task<Result<>> Groups::expire_silence(std::string id) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  std::optional<Silence> changed;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(std::optional<Silence> silence, row_of(transaction, id));
        if (!silence) return fail(Code::not_found, "silence not found");
        if (silence->state(at) == routing::SilenceState::expired) return {};
        silence->starts_at = std::min(silence->starts_at, at);
        silence->ends_at = at;
        silence->updated_at = at;
        MYDR24_TRY(put_row(transaction, *silence));
        MYDR24_TRY(note_silence(transaction, "silence.expired", *silence));
        changed = std::move(silence);
        return {};
      });
  if (!done) co_return done.error();
  if (changed) {
    co_await async_call<bool>([&](auto finished) {
      post([this, &changed, finished = std::move(finished)](State& state, Instant) mutable {
        state.put(std::move(*changed));
        inside_->after_change();
        finished(true);
      });
    });
  }
  co_return Result<>();
}

}  // namespace mydr24::groups
