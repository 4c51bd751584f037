#include "alerting/alerts/auditor.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::alerts {
namespace {

constexpr std::uint32_t page = 1000;
constexpr std::string_view cause = "desk/auditor";
constexpr std::size_t named_max = 5;
constexpr std::chrono::seconds waits_max{1};  // a write that waited longer knows an old journal

std::size_t number_of(json::Value value) {
  std::size_t number = 0;
  const std::string_view digits = value.text();
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

// What the calls of an event ask for: each tried, and the step after it, when the policy has it.
Result<> Auditor::take_call(std::string_view kind, json::Value event, Watched& watched, Instant at) const {
  for (const json::Value delivery : event["deliveries"]) watched.untried.emplace(delivery.text(), at);
  if (kind == "alert.called") return {};
  for (const std::string_view waits : {"held_until", "rests_until"})
    if (const auto until = parse_date_time(event[waits].text())) {
      watched.next = until->low;
      return {};
    }
  const oncall::PlanPointer plan = book_.directory().plan();
  const auto policy = plan->policies().find(event["policy"].text());
  if (policy == plan->policies().end()) {
    watched.next.reset();
    return {};
  }
  const auto& steps = policy->second.steps;
  watched.next = at + steps[std::min(number_of(event["step"]), steps.size() - 1)].delay;
  return {};
}

Result<> Auditor::take(std::string_view kind, std::string_view payload, Instant at) {
  if (!kind.starts_with("alert.")) return {};
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(payload));
  const json::Value event = document.root();
  const std::string_view id = event["alert"].text();
  if (id.empty()) return {};
  if (kind == "alert.resolved" || (kind == "alert.acknowledged" && !event["missing"])) {
    watched_.erase(std::string(id));
    return {};
  }
  if (kind == "alert.delivered" || kind == "alert.delivery_failed") {
    const auto found = watched_.find(id);
    if (found != watched_.end()) found->second.untried.erase(std::string(event["delivery"].text()));
    return {};
  }
  if (event["deliveries"]) return take_call(kind, event, watched_[std::string(id)], at);
  return {};
}

Result<> Auditor::begin(store::Reader& reader) {
  MYDR24_ASSIGN(after_, reader.last_sequence());
  return for_each_unresolved(reader, [&](const Alert& alert) -> Result<> {
    store::Sequence from = 0;
    for (bool more = true; more;) {
      MYDR24_ASSIGN(const auto history, Book::history(reader, alert.id, from, page));
      for (const HistoryEntry& entry : history) {
        MYDR24_TRY(take(entry.kind, entry.payload, entry.at));
        from = entry.sequence;
      }
      more = history.size() == page;
    }
    return {};
  });
}

Result<std::vector<Difference>> Auditor::look(store::Store& store, Instant now) {
  std::vector<Difference> behind;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    if (after_ < 0) MYDR24_TRY(begin(reader));
    for (bool more = true; more;) {
      MYDR24_ASSIGN(const auto events, reader.events(after_, page));
      for (const store::Event& event : events) {
        MYDR24_TRY(take(event.kind, event.payload, event.at));
        after_ = event.sequence;
      }
      more = events.size() == page;
    }
    const Instant limit = now - settings_.late;
    for (auto& [id, watched] : watched_) {
      std::optional<Alert> alert;
      if (watched.next && *watched.next < limit) {
        // The plan may have changed since, and with it the time that was promised.
        MYDR24_ASSIGN(alert, Book::find(reader, id));
        if (alert && alert->state == State::open && alert->source != test_source)
          behind.push_back({id, "the next call", std::min(*watched.next, alert->next_due.value_or(*watched.next))});
      }
      for (auto call = watched.untried.begin(); call != watched.untried.end();) {
        if (call->second >= limit) {
          ++call;
          continue;
        }
        MYDR24_ASSIGN(const std::optional<Delivery> delivery, Book::delivery(reader, call->first));
        if (delivery && delivery->state == DeliveryState::cancelled) {
          call = watched.untried.erase(call);
          continue;
        }
        behind.push_back({id, "delivery " + call->first, call->second});
        ++call;
      }
    }
    return {};
  }));
  return behind;
}

Result<std::vector<Difference>> Auditor::audit(store::Store& store, Instant now) {
  MYDR24_ASSIGN(std::vector<Difference> behind, look(store, now));
  // What is behind about its own alert is in the list, and raises nothing: it is raised already.
  std::vector<const Difference*> others;
  std::optional<Alert> raised;
  MYDR24_TRY(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(raised, Book::find_unresolved(reader, cause));
    return {};
  }));
  for (const Difference& each : behind)
    if (!raised || each.alert != raised->id) others.push_back(&each);
  if (others.empty() && !raised) return behind;
  if (!others.empty() && raised) return behind;
  Instant tried = now;
  const auto written = store.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    tried = transaction.now();
    if (tried - now > waits_max) return fail(Code::busy, "the store was away");
    if (others.empty()) {
      MYDR24_TRY(book_.resolve(transaction, raised->id, "everything is as the journal says"));
      return {};
    }
    std::string reason;
    for (std::size_t i = 0; i < std::min(others.size(), named_max); ++i)
      reason += fmt::format("{}{} of alert {}, due {}", i == 0 ? "" : "; ", others[i]->what, others[i]->alert,
                            format_instant(others[i]->due));
    MYDR24_TRY(
        book_.raise(transaction, {.source = std::string(auditor_source),
                                  .cause = std::string(cause),
                                  .severity = Severity::emergency,
                                  .title = fmt::format("Alerting is behind: {} calls are overdue", others.size()),
                                  .reason = std::move(reason)}));
    return {};
  });
  if (written) return behind;
  // While the store takes no writes, what was sent cannot be written down either: the journal does not say what happened,
  // and everything gets its time anew.
  for (auto& [id, watched] : watched_) {
    for (auto& [delivery, called_at] : watched.untried) called_at = tried;
    if (watched.next) watched.next = std::max(*watched.next, tried);
  }
  return written.error();
}

}  // namespace mydr24::alerts
