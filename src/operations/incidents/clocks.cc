// The clocks of an incident are timers of the store: neither a restart nor another process that takes over loses one.

#include <fmt/format.h>

#include <charconv>

#include "operations/incidents/book.h"
#include "operations/incidents/detail/change.h"

namespace mydr24::incidents {
namespace {

std::string timer_key(std::string_view id, ClockKind kind, int percent) {
  return fmt::format("incident.clock/{}/{}/{}", id, to_string(kind), percent);
}

std::string escalate_key(std::string_view id) { return fmt::format("incident.escalate/{}", id); }

struct Due {
  std::string_view id;
  ClockKind kind = ClockKind::response;
  int percent = 0;
};

// "ID response 50"
Due parse(std::string_view payload) {
  const auto first = payload.find(' '), second = payload.rfind(' ');
  Due due{.id = payload.substr(0, first)};
  due.kind = payload.substr(first + 1, second - first - 1) == "response" ? ClockKind::response : ClockKind::resolution;
  const auto digits = payload.substr(second + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), due.percent);
  return due;
}

// Where the server was down for long, only the last of them is told.
bool is_later_due(const Incident& incident, const Due& due, Instant now) {
  for (const int percent : clock_percents)
    if (percent > due.percent && incident.due(due.kind, percent) <= now) return true;
  return false;
}

}  // namespace

void Book::attach(store::Store& store) {
  using store::Timer;
  using store::Transaction;
  store.on_timer("incident.clock", [this](Transaction& transaction, const Timer& timer) {
    return clock_due(transaction, timer.payload);
  });
  store.on_timer("incident.escalate",
                 [this](Transaction& transaction, const Timer& timer) { return escalate(transaction, timer.payload); });
  store.on_timer("incident.review", [this](Transaction& transaction, const Timer& timer) {
    return review_due(transaction, timer.payload);
  });
  store.on_timer("incident.action", [this](Transaction& transaction, const Timer& timer) {
    return action_due(transaction, timer.payload);
  });
}

Result<> Book::start_clocks(store::Transaction& transaction, const Incident& incident) const {
  for (const ClockKind kind : clock_kinds) MYDR24_TRY(arm(transaction, incident, kind));
  const Criteria& criteria = setups_.active()->criteria(incident.severity);
  if (!criteria.escalation_required || incident.state != State::open || incident.escalated) return {};
  return transaction.set_timer({escalate_key(incident.id),
                                incident.clock(ClockKind::response).start + criteria.escalation_timeout,
                                "incident.escalate", incident.id});
}

Result<> Book::arm(store::Transaction& transaction, const Incident& incident, ClockKind kind) const {
  const Countdown& clock = incident.clock(kind);
  if (clock.stopped || (kind == ClockKind::resolution && incident.paused_at)) return {};
  for (const int percent : clock_percents)
    if (percent > clock.told)
      MYDR24_TRY(
          transaction.set_timer({timer_key(incident.id, kind, percent), incident.due(kind, percent), "incident.clock",
                                 fmt::format("{} {} {}", incident.id, to_string(kind), percent)}));
  return {};
}

Result<> Book::disarm(store::Transaction& transaction, const Incident& incident, ClockKind kind) const {
  for (const int percent : clock_percents) MYDR24_TRY(transaction.cancel_timer(timer_key(incident.id, kind, percent)));
  return {};
}

// Answered elsewhere, and the watcher has not come to it yet.
Result<> Book::look_at_page(store::Transaction& transaction, Incident& incident) const {
  if (incident.state != State::open) return {};
  MYDR24_ASSIGN(const auto page, alerts::Book::find(transaction, incident.page));
  if (!page || !page->acknowledged_at) return {};
  return page_acknowledged(transaction, incident, page->acknowledged_by, *page->acknowledged_at);
}

Result<> Book::clock_due(store::Transaction& transaction, std::string_view payload) const {
  const Due due = parse(payload);
  if (const auto found = find(transaction, due.id); !found)
    return found.error().code == Code::not_found ? Result<>() : Result<>(found.error());
  MYDR24_TRY(change(transaction, due.id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(look_at_page(transaction, incident));
    Countdown& clock = incident.clock(due.kind);
    const bool is_paused = due.kind == ClockKind::resolution && incident.paused_at;
    if (clock.stopped || is_paused || clock.told >= due.percent) return {};
    if (is_later_due(incident, due, transaction.now())) return {};
    clock.told = due.percent;
    const std::string text =
        due.percent == 100
            ? fmt::format("the {} time of {} s is over", to_string(due.kind), clock.time.count())
            : fmt::format("{}% of the {} time of {} s are over", due.percent, to_string(due.kind), clock.time.count());
    MYDR24_TRY(tell_of(transaction, incident,
                       {due.percent == 100 ? "breached" : "clock",
                        {},
                        text,
                        fmt::format(R"({{"clock":"{}","percent":{}}})", to_string(due.kind), due.percent)}));
    return tell(transaction, incident, text);
  }));
  return {};
}

// The team's time is over: the next people are called, whatever the policy would have waited.
Result<> Book::escalate(store::Transaction& transaction, std::string_view id) const {
  if (const auto found = find(transaction, id); !found)
    return found.error().code == Code::not_found ? Result<>() : Result<>(found.error());
  MYDR24_TRY(change(transaction, id, [&](Incident& incident) -> Result<> {
    MYDR24_TRY(look_at_page(transaction, incident));
    if (incident.state != State::open || incident.escalated) return {};
    incident.escalated = true;
    const auto called = alerts_.escalate_now(transaction, incident.page, "the team's time is over");
    if (!called && called.error().code != Code::conflict && called.error().code != Code::not_found)
      return called.error();
    MYDR24_TRY(
        tell_of(transaction, incident,
                {"escalated",
                 {},
                 called ? std::string("nobody of the team has answered") : "nobody was called: " + called.error().text,
                 {}}));
    return tell(transaction, incident, "escalated");
  }));
  return {};
}

}  // namespace mydr24::incidents
