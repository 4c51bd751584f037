#include "operations/incidents/watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/crypto/digest.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::incidents {
namespace {

constexpr std::string_view followed_key = "followed";
constexpr std::size_t batch_max = 8;  // events of one transaction: an emergency must not wait for long
constexpr std::uint32_t changes_told_max = 50;
constexpr std::size_t word_bytes_max = 200;
constexpr std::uint32_t alike_max = 50;  // incidents that are looked at for the same trouble
constexpr std::chrono::minutes alike_for{10};
// Entries of a timeline: beyond them news of calls is left out, so that there is room for clocks and people.
constexpr std::int64_t page_news_max = 8'000;
constexpr std::int64_t alert_news_max = 2'000;

std::string storm_key(std::string_view service) { return fmt::format("storm/{}", service); }
std::string storm_cause(std::string_view service) { return fmt::format("storm/{}", service); }

// A follower must not fail for what somebody wrote: it would be given the same again for ever.
std::string cause_of(const alerts::Alert& alert) {
  return alert.cause.size() <= word_bytes_max ? alert.cause : crypto::sha256_hex(alert.cause);
}

bool is_news(std::string_view kind) {
  constexpr std::array kinds{"alert.acknowledged", "alert.escalated", "alert.ack_expired",    "alert.resolved",
                             "alert.delivered",    "alert.moved",     "alert.delivery_failed"};
  return contains(kinds, kind);
}

bool is_told_change(std::string_view kind) {
  constexpr std::array kinds{"change.started", "change.rollback_begun", "change.finished", "change.service_frozen"};
  return contains(kinds, kind);
}

bool opens(std::string_view kind) { return kind == "alert.raised" || kind == "alert.severity_raised"; }

Result<std::int64_t> number_at(store::Reader& reader, std::string_view key) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::setup, key));
  std::int64_t number = 0;
  if (row) std::from_chars(row->data(), row->data() + row->size(), number);
  return number;
}

std::string news_text(const store::Event& event, json::Value root) {
  const std::string_view by = root["by"].text();
  if (event.kind == "alert.acknowledged") return fmt::format("acknowledged by {}", by);
  if (event.kind == "alert.escalated") return fmt::format("step {} is called", root["step"].text());
  if (event.kind == "alert.ack_expired") return fmt::format("{} did not see to it: people are called again", by);
  if (event.kind == "alert.resolved") return fmt::format("resolved: {}", root["why"].text());
  if (event.kind == "alert.delivered")
    return fmt::format("{} was reached by {}", root["contact"].text(), root["medium"].text());
  if (event.kind == "alert.delivery_failed")
    return fmt::format("{} was not reached by {}", root["contact"].text(), root["medium"].text());
  return std::string(event.kind);
}

// Whether enough were opened of the service already; this one counts.
Result<bool> counts_as_storm(store::Transaction& transaction, std::string_view service) {
  // When the last ones were opened, in microseconds, oldest first.
  MYDR24_ASSIGN(const auto row, transaction.state(rows::setup, storm_key(service)));
  std::vector<std::int64_t> times;
  if (row) {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
    for (const json::Value each : document.root()) {
      std::int64_t time = 0;
      std::from_chars(each.text().data(), each.text().data() + each.text().size(), time);
      times.push_back(time);
    }
  }
  const std::int64_t now = to_us(transaction.now());
  std::erase_if(times, [&](std::int64_t time) { return time < now - Microseconds(storm_window).count(); });
  const bool is_storm = times.size() >= storm_incidents;
  times.push_back(now);
  MYDR24_TRY(transaction.set_state(rows::setup, storm_key(service), fmt::format("[{}]", fmt::join(times, ","))));
  return is_storm;
}

}  // namespace

struct Watcher::Seen {
  const store::Event* event = nullptr;
  std::optional<alerts::Alert> alert;
};

// What a transaction has in hand: each incident is read and written once.
struct Watcher::Batch {
  struct Held {
    Incident incident;
    std::string place;
    std::vector<alerts::Alert> alerts;
    bool is_changed = false;
  };
  std::map<std::string, Held> held;

  Result<Held*> hold(store::Transaction& transaction, const std::string& id) {
    const auto found = held.find(id);
    if (found != held.end()) return &found->second;
    MYDR24_ASSIGN(Incident incident, Book::find(transaction, id));
    std::string place = rows::list_key(incident);
    return &held.emplace(id, Held{.incident = std::move(incident), .place = std::move(place), .alerts = {}})
                .first->second;
  }

  // Before somebody else changes one of them.
  Result<> put_down(store::Transaction& transaction, const Book& book) {
    for (auto& [id, each] : held) {
      if (!each.is_changed) continue;
      std::vector<const alerts::Alert*> found;
      found.reserve(each.alerts.size());
      for (const alerts::Alert& alert : each.alerts) found.push_back(&alert);
      MYDR24_TRY(book.link_alerts(transaction, each.incident, found));
      MYDR24_TRY(Book::keep(transaction, each.place, each.incident));
    }
    held.clear();
    return {};
  }
};

void Watcher::start(store::Store& store) {
  store_ = &store;
  store.add_follower(*this);
}

// With a reader, so that the writer has little to do.
Result<std::vector<Watcher::Seen>> Watcher::look(std::span<const store::Event> events) const {
  const SetupPointer setup = book_.setups().active();
  std::vector<Seen> all;
  const bool concerns = std::ranges::any_of(events, [](const store::Event& event) {
    return event.kind == request_event || is_told_change(event.kind) || opens(event.kind) || is_news(event.kind);
  });
  if (!concerns) return all;
  MYDR24_TRY(store_->read([&](store::Reader& reader) -> Result<> {
    for (const store::Event& event : events) {
      if (event.kind == request_event || is_told_change(event.kind)) {
        all.push_back({&event, {}});
        continue;
      }
      if (!opens(event.kind) && !is_news(event.kind)) continue;
      const auto read = alerts::event_from_json(event.payload);
      if (!read) continue;
      if (is_news(event.kind)) {
        MYDR24_ASSIGN(const auto incident, reader.state(rows::alerts, read->alert_id));
        // One that is linked by this very batch is looked up again inside its transaction.
        const bool is_new =
            std::ranges::any_of(all, [&](const Seen& each) { return each.alert && each.alert->id == read->alert_id; });
        if (incident || is_new) all.push_back({&event, {}});
        continue;
      }
      MYDR24_ASSIGN(auto alert, alerts::Book::find(reader, read->alert_id));
      if (!alert || alert->source == rows::own_source || alert->source == alerts::test_source) continue;
      if (setup->alert_rule(alert->source, alert->severity) == nullptr) continue;
      all.push_back({&event, std::move(alert)});
    }
    return {};
  }));
  return all;
}

Result<> Watcher::follow(std::span<const store::Event> events) {
  MYDR24_ASSIGN(const std::vector<Seen> all, look(events));
  for (std::size_t begin = 0; begin < all.size(); begin += batch_max) {
    const auto some = std::span(all).subspan(begin, std::min(batch_max, all.size() - begin));
    MYDR24_TRY(store_->write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const std::int64_t followed, number_at(transaction, followed_key));
      Batch batch;
      for (const Seen& each : some)
        if (each.event->sequence > followed) MYDR24_TRY(take(transaction, batch, each));
      MYDR24_TRY(batch.put_down(transaction, book_));
      return transaction.set_state(rows::setup, followed_key,
                                   fmt::to_string(std::max(followed, some.back().event->sequence)));
    }));
  }
  return {};
}

Result<> Watcher::take(store::Transaction& transaction, Batch& batch, const Seen& seen) const {
  if (seen.alert) return take_alert(transaction, batch, seen);
  if (seen.event->kind == request_event) return take_request(transaction, batch, seen);
  if (is_told_change(seen.event->kind)) return take_change(transaction, batch, seen);
  return take_news(transaction, batch, seen);
}

struct Watcher::Said {
  std::optional<Severity> severity;
  std::string service;
  std::string status = "down";
  bool own = false;
};

Watcher::Said Watcher::said_of(const alerts::Alert& alert, const AlertRule& rule) const {
  Said said{.severity = rule.as,
            .service = rule.service.empty() ? alert.source.substr(0, word_bytes_max) : rule.service,
            .own = rule.own};
  if (!rule.own) return said;
  said.status = "degraded";
  const auto document = json::Document::parse_view(alert.values);
  if (!document) return said;
  std::string word(document->root()["severity"].text());
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (const auto severity = parse_severity(word); severity && (!said.severity || *severity < *said.severity))
    said.severity = severity;
  if (const auto service = document->root()["service"].text(); book_.setups().active()->service(service) != nullptr)
    said.service = service;
  return said;
}

// Several findings of one trouble are one incident: of the service itself, whenever it was opened; of services that stand
// above or below it, while it is young.
Result<std::optional<std::string>> Watcher::same_trouble(store::Transaction& transaction, Batch& batch,
                                                         const alerts::Alert& alert, const Said& said) const {
  MYDR24_TRY(batch.put_down(transaction, book_));
  const SetupPointer setup = book_.setups().active();
  MYDR24_ASSIGN(const auto open, transaction.states(rows::incidents, rows::open_prefix, "", alike_max));
  std::optional<std::string> near;
  for (const store::StateRow& row : open) {
    MYDR24_ASSIGN(const Incident incident, Book::find(transaction, std::string(rows::id_of(row.key))));
    if (incident.source != "alerts" || incident.opened_by != alert.source) continue;
    if (incident.service == said.service) return incident.id;
    const bool is_young = transaction.now() - incident.opened_at < alike_for;
    if (is_young && !near &&
        (contains(setup->reach_of(incident.service).services, said.service) ||
         contains(setup->reach_of(said.service).services, incident.service)))
      near = incident.id;
  }
  return near;
}

// Its id; the incident is there afterwards.
Result<std::string> Watcher::incident_for(store::Transaction& transaction, Batch& batch, const alerts::Alert& alert,
                                          const Said& said) const {
  const std::string cause = cause_of(alert);
  MYDR24_ASSIGN(const auto same, Book::find_unresolved(transaction, cause));
  if (same) return *same;
  if (said.own) {
    MYDR24_ASSIGN(auto alike, same_trouble(transaction, batch, alert, said));
    if (alike) return *std::move(alike);
  }
  const std::string& service = said.service;
  MYDR24_ASSIGN(const auto storm, Book::find_unresolved(transaction, storm_cause(service)));
  if (storm) return *storm;
  MYDR24_ASSIGN(const bool is_storm, counts_as_storm(transaction, service));
  MYDR24_TRY(batch.put_down(transaction, book_));
  MYDR24_ASSIGN(
      const Opened opened,
      book_.open(transaction,
                 {.cause = is_storm ? storm_cause(service) : cause,
                  .title = is_storm ? fmt::format("Storm of alerts: {}", service) : alert.title,
                  // Of a patient's alert it is what was measured: that stays in the record.
                  .text = is_storm || !alert.patient.empty() ? std::string() : alert.reason.substr(0, text_bytes_max),
                  .status = said.status,
                  .service = service,
                  .source = "alerts",
                  .severity = said.severity,
                  .links = {},
                  .by = alert.source.substr(0, word_bytes_max)}));
  return opened.id;
}

Result<> Watcher::take_alert(store::Transaction& transaction, Batch& batch, const Seen& seen) const {
  const AlertRule* rule = book_.setups().active()->alert_rule(seen.alert->source, seen.alert->severity);
  if (rule == nullptr) return {};
  alerts::Alert alert = *seen.alert;
  alert.title.resize(std::min(alert.title.size(), title_bytes_max));
  if (alert.title.empty()) alert.title = alert.source;
  const Said said = said_of(alert, *rule);
  MYDR24_ASSIGN(const std::string id, incident_for(transaction, batch, alert, said));
  MYDR24_ASSIGN(Batch::Held* const held, batch.hold(transaction, id));
  held->is_changed = true;
  if (said.severity && *said.severity < held->incident.severity) {
    held->incident.severity_by.clear();
    MYDR24_TRY(book_.raise_severity(transaction, held->incident, *said.severity));
  }
  if (said.own) MYDR24_TRY(book_.take_over_calls(transaction, held->incident, alert.id));
  // One that became an emergency since has two events.
  if (!contains(held->incident.alerts, alert.id) && !contains(held->alerts, alert.id, &alerts::Alert::id))
    held->alerts.push_back(std::move(alert));
  return {};
}

// Whether the call about an incident that nobody had answered was answered, or ended: looked up as it stands now, since it
// may have been made again after the event.
Result<bool> Watcher::see_to_page(store::Transaction& transaction, Incident& incident, const store::Event& event,
                                  std::string_view by) const {
  MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, incident.page));
  if (page && page->acknowledged_at) {
    MYDR24_TRY(book_.page_acknowledged(transaction, incident, page->acknowledged_by, *page->acknowledged_at));
    return true;
  }
  if (event.kind != "alert.resolved" || (page && !page->is_resolved())) return false;
  // Whoever closed the call has taken it; one that ended by itself is made again.
  if (by.empty()) {
    MYDR24_TRY(book_.call_people(transaction, incident));
    return false;
  }
  MYDR24_TRY(book_.page_acknowledged(transaction, incident, by, event.at));
  return true;
}

Result<> Watcher::take_news(store::Transaction& transaction, Batch& batch, const Seen& seen) const {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(seen.event->payload));
  const json::Value root = document.root();
  const std::string alert_id(root["alert"].text());
  MYDR24_ASSIGN(auto id, transaction.state(rows::alerts, alert_id));
  if (!id) {
    // Linked by this transaction: not written yet.
    for (auto& [held_id, held] : batch.held)
      if (contains(held.alerts, alert_id, &alerts::Alert::id)) id = held_id;
    if (!id) return {};
    MYDR24_TRY(batch.put_down(transaction, book_));
  }
  MYDR24_ASSIGN(Batch::Held* const held, batch.hold(transaction, *id));
  Incident& incident = held->incident;
  if (incident.state == State::closed) return {};
  const bool is_page = incident.page == alert_id;
  if (is_page && incident.state == State::open) {
    held->is_changed = true;
    MYDR24_ASSIGN(const bool seen_to, see_to_page(transaction, incident, *seen.event, root["by"].text()));
    if (seen_to) return {};
  }
  if (incident.entries >= (is_page ? page_news_max : alert_news_max)) return {};
  held->is_changed = true;
  std::string data;
  json::Writer(data).begin_object().field("alert", alert_id).field("page", is_page).end_object();
  return book_.tell_of(transaction, incident,
                       {seen.event->kind, std::string(root["by"].text()), news_text(*seen.event, root), data});
}

Result<> Watcher::take_request(store::Transaction& transaction, Batch& batch, const Seen& seen) const {
  const auto document = json::Document::parse_view(seen.event->payload);
  if (!document) return {};  // nobody would ever read it
  const json::Value root = document->root();
  const auto text = [&](std::string_view name, std::size_t most) {
    return std::string(root[name].text().substr(0, most));
  };
  Opening opening{.cause = text("cause", 200),
                  .title = text("title", title_bytes_max),
                  .text = text("text", text_bytes_max),
                  .status = text("status", 200),
                  .service = text("service", 200),
                  .source = root["source"] ? text("source", 200) : std::string("request"),
                  .severity = parse_severity(root["severity"].text()),
                  .links = {},
                  .by = text("by", 200)};
  if (opening.title.empty()) opening.title = "An incident without a title was asked for";
  for (const json::Value link : root["links"])
    if (opening.links.size() < links_max && !link.text().empty())
      opening.links.emplace_back(link.text().substr(0, 2'000));
  MYDR24_TRY(batch.put_down(transaction, book_));
  MYDR24_TRY(book_.open(transaction, opening));
  return {};
}

// What a person takes back is no incident; what a check or a step of it found is.
Result<> Watcher::open_for_rollback(store::Transaction& transaction, Batch& batch, json::Value change) const {
  const std::string_view ends_as = change["ends_as"].text();
  const std::string_view id = change["id"].text();
  if (id.empty() || (ends_as != "failed" && ends_as != "validation_failed")) return {};
  MYDR24_TRY(batch.put_down(transaction, book_));
  const std::string title = fmt::format("A change failed and is being rolled back: {}", change["title"].text());
  MYDR24_TRY(book_.open(transaction, {.cause = fmt::format("change/{}", id),
                                      .title = title.substr(0, title_bytes_max),
                                      .text = std::string(change["text"].text().substr(0, text_bytes_max)),
                                      .status = "degraded",
                                      .service = std::string(change["service"].text().substr(0, word_bytes_max)),
                                      .source = "changes",
                                      .severity = Severity::high,
                                      .links = {fmt::format("/changes/{}", id)},
                                      .by = "changes"}));
  return {};
}

Result<> Watcher::take_change(store::Transaction& transaction, Batch& batch, const Seen& seen) const {
  const auto document = json::Document::parse_view(seen.event->payload);
  if (!document) return {};
  const json::Value root = document->root();
  const std::string_view service = root["service"].text(), change = root["id"].text();
  const std::string_view title = root["title"] ? root["title"].text() : root["change"].text();
  if (seen.event->kind == "change.rollback_begun") MYDR24_TRY(open_for_rollback(transaction, batch, root));
  const Reach reach = book_.setups().active()->reach_of(service);
  MYDR24_ASSIGN(const auto open, transaction.states(rows::incidents, rows::open_prefix, "", changes_told_max));
  for (const store::StateRow& row : open) {
    MYDR24_ASSIGN(const auto summary, json::Document::parse_view(row.value));
    const std::string_view of = summary.root()["service"].text();
    if (!service.empty() && !of.empty() && !contains(reach.services, of)) continue;
    MYDR24_ASSIGN(Batch::Held* const held, batch.hold(transaction, std::string(rows::id_of(row.key))));
    Incident& incident = held->incident;
    held->is_changed = true;
    std::string data;
    if (!change.empty()) json::Writer(data).begin_object().field("change", change).end_object();
    MYDR24_TRY(
        book_.tell_of(transaction, incident,
                      {seen.event->kind, std::string(root["by"].text()), std::string(title.substr(0, 500)), data}));
  }
  return {};
}

}  // namespace mydr24::incidents
