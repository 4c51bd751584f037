// What the Book answers: alerts, lists, history, deliveries.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/alerts/book.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/json/document.h"

namespace mydr24::alerts {

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
