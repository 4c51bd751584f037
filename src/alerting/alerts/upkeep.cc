#include "alerting/alerts/upkeep.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "alerting/alerts/rows.h"

namespace mydr24::alerts {
namespace {

constexpr std::size_t alerts_at_once = 50;             // in one transaction
constexpr std::uint32_t subscribers_rows_max = 1'000;  // those whose time is over included

bool is_idle(const Alert& alert, std::chrono::days idle, Instant now) {
  return alert.severity != Severity::emergency && !alert.is_resolved() && alert.heard_at + idle <= now;
}

Result<std::size_t> close_idle(store::Store& store, const Book& book, std::chrono::days idle, Instant now) {
  std::vector<std::string> ids;
  MYDR24_TRY(store.read([&](store::Reader& reader) {
    return for_each_unresolved(reader, [&](const Alert& alert) -> Result<> {
      if (is_idle(alert, idle, now)) ids.push_back(alert.id);
      return {};
    });
  }));
  const std::string why = fmt::format("nobody and nothing spoke of it for {} days", idle.count());
  std::size_t closed = 0;
  for (std::span<const std::string> left(ids); !left.empty();) {
    const auto part = left.first(std::min(alerts_at_once, left.size()));
    left = left.subspan(part.size());
    std::size_t count = 0;
    MYDR24_TRY(store.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      count = 0;
      for (const std::string& id : part) {
        MYDR24_ASSIGN(const std::optional<Alert> alert, Book::find(transaction, id));
        if (!alert || !is_idle(*alert, idle, now)) continue;  // somebody spoke meanwhile
        MYDR24_TRY(book.resolve(transaction, id, why));
        ++count;
      }
      return {};
    }));
    closed += count;
  }
  return closed;
}

Result<> clear(store::Transaction& transaction, const store::StateRow& place) {
  for (bool more = true; more;) {
    MYDR24_ASSIGN(const auto calls, Book::deliveries(transaction, place.value));
    for (const Delivery& call : calls) MYDR24_TRY(transaction.erase_state(rows::deliveries, call.id));
    more = !calls.empty();
  }
  MYDR24_ASSIGN(const auto told, transaction.states(rows::subscribers, place.value + "/", "", subscribers_rows_max));
  for (const store::StateRow& row : told) MYDR24_TRY(transaction.erase_state(rows::subscribers, row.key));
  MYDR24_TRY(transaction.erase_state(rows::alerts, rows::alert_key(place.value)));
  return transaction.erase_state(rows::alerts, place.key);
}

Result<std::size_t> clear_old(store::Store& store, std::chrono::days kept, Instant now) {
  std::size_t cleared = 0;
  for (std::size_t count = alerts_at_once; count == alerts_at_once; cleared += count) {
    MYDR24_TRY(store.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(const auto places,
                    transaction.states(rows::alerts, rows::done_prefix, rows::done_before(now - kept),
                                       static_cast<std::uint32_t>(alerts_at_once)));
      for (const store::StateRow& place : places) MYDR24_TRY(clear(transaction, place));
      count = places.size();
      return {};
    }));
  }
  return cleared;
}

}  // namespace

Result<Upkeep> keep_up(store::Store& store, const Book& book, const UpkeepSettings& settings, Instant now) {
  Upkeep done;
  if (settings.idle.count() > 0) {
    MYDR24_ASSIGN(done.closed, close_idle(store, book, settings.idle, now));
  }
  if (settings.kept.count() > 0) {
    MYDR24_ASSIGN(done.cleared, clear_old(store, settings.kept, now));
  }
  return done;
}

}  // namespace mydr24::alerts
