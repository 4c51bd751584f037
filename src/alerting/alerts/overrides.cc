// Overrides: two people together may keep the calls of an emergency back, for a while.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alerting/alerts/book.h"
#include "alerting/alerts/detail/calls.h"
#include "alerting/alerts/detail/entries.h"
#include "alerting/alerts/rows.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/document.h"

namespace mydr24::alerts {
namespace {

constexpr std::uint32_t overrides_max = 100;

bool covers(const Override& entry, std::string_view cause) {
  if (entry.cause.ends_with('*'))
    return cause.starts_with(std::string_view(entry.cause).substr(0, entry.cause.size() - 1));
  return entry.cause == cause;
}

Result<Override> override_from_json(std::string_view text) {
  MYDR24_ASSIGN(const json::Document document, json::Document::parse_view(text));
  const json::Value row = document.root();
  Override entry{.id = std::string(row["id"].text()),
                 .cause = std::string(row["cause"].text()),
                 .reason = std::string(row["reason"].text()),
                 .requested_by = std::string(row["requested_by"].text()),
                 .confirmed_by = std::string(row["confirmed_by"].text())};
  std::int64_t minutes = 0;
  const std::string_view digits = row["minutes"].text();
  std::from_chars(digits.data(), digits.data() + digits.size(), minutes);
  entry.length = std::chrono::minutes(minutes);
  if (const auto at = parse_date_time(row["requested_at"].text())) entry.requested_at = at->low;
  if (const auto until = parse_date_time(row["until"].text())) entry.until = until->low;
  return entry;
}

Result<> write(store::Transaction& transaction, std::string_view kind, const Override& entry, std::string_view by) {
  std::string payload;
  json::Writer(payload).begin_object().field("by", by).key("override").raw(to_json(entry)).end_object();
  MYDR24_TRY(transaction.note(kind, payload));
  return transaction.set_state(rows::overrides, entry.id, to_json(entry));
}

Result<Override> must_find(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::overrides, id));
  if (!row) return fail(Code::not_found, fmt::format("there is no override {}", id));
  return override_from_json(*row);
}

}  // namespace

std::string to_json(const Override& entry) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("id", entry.id).field("cause", entry.cause).field("reason", entry.reason);
  writer.field("minutes", entry.length.count()).field("requested_by", entry.requested_by);
  writer.field("requested_at", format_instant(entry.requested_at));
  if (!entry.confirmed_by.empty()) writer.field("confirmed_by", entry.confirmed_by);
  if (entry.until) writer.field("until", format_instant(*entry.until));
  writer.end_object();
  return out;
}

Result<std::vector<Override>> Book::overrides(store::Reader& reader) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::overrides, "", "", overrides_max));
  std::vector<Override> all;
  for (const store::StateRow& row : found) {
    MYDR24_ASSIGN(Override entry, override_from_json(row.value));
    all.push_back(std::move(entry));
  }
  return all;
}

Result<std::optional<Instant>> Book::overridden_until(store::Transaction& transaction, std::string_view cause) {
  MYDR24_ASSIGN(const auto all, overrides(transaction));
  std::optional<Instant> until;
  for (const Override& entry : all)
    if (entry.until && *entry.until > transaction.now() && covers(entry, cause))
      until = std::max(until.value_or(*entry.until), *entry.until);
  return until;
}

Result<Override> Book::request_override(store::Transaction& transaction, std::string_view cause,
                                        std::string_view reason, std::chrono::minutes length,
                                        std::string_view by) const {
  if (cause.empty() || cause == "*")
    return fail(Code::invalid, "which alerts? The cause of one, or its beginning and a *", "cause");
  if (reason.empty()) return fail(Code::invalid, "why is nobody to be called?", "reason");
  if (by.empty()) return fail(Code::invalid, "an override needs the name of who asks for it", "by");
  if (length < std::chrono::minutes(1) || length > override_max)
    return fail(Code::invalid, fmt::format("an override lasts 1 to {} minutes", override_max.count()), "minutes");
  MYDR24_ASSIGN(const auto all, overrides(transaction));
  std::size_t left = 0;
  for (const Override& entry : all) {
    const Instant end = entry.until.value_or(entry.requested_at + override_request_valid);
    if (end <= transaction.now())
      MYDR24_TRY(transaction.erase_state(rows::overrides, entry.id));
    else
      ++left;
  }
  if (left >= overrides_max) return fail(Code::too_large, fmt::format("there are {} overrides already", left));
  Override entry{.id = make_uuid7(transaction.now()),
                 .cause = std::string(cause),
                 .reason = std::string(reason),
                 .length = length,
                 .requested_by = std::string(by),
                 .requested_at = calls::stamp(transaction)};
  MYDR24_TRY(write(transaction, "alert.override_requested", entry, by));
  return entry;
}

Result<Override> Book::confirm_override(store::Transaction& transaction, std::string_view id,
                                        std::string_view by) const {
  MYDR24_ASSIGN(Override entry, must_find(transaction, id));
  const Instant now = calls::stamp(transaction);
  if (by.empty()) return fail(Code::invalid, "an override needs the name of who confirms it", "by");
  if (by == entry.requested_by) return fail(Code::refused, "somebody else must confirm it", "by");
  if (entry.until) return fail(Code::conflict, fmt::format("it was confirmed by {}", entry.confirmed_by));
  if (now > entry.requested_at + override_request_valid)
    return fail(Code::gone, fmt::format("it was asked for more than {} minutes ago", override_request_valid.count()));
  entry.confirmed_by = by;
  entry.until = now + entry.length;
  MYDR24_TRY(write(transaction, "alert.override_confirmed", entry, by));
  MYDR24_TRY(for_each_unresolved(transaction, [&](const Alert& before) -> Result<> {
    if (before.state != State::open || before.severity != Severity::emergency || !covers(entry, before.cause))
      return {};
    Alert alert = before;
    MYDR24_TRY(calls::stop(transaction, alert, fmt::format("held back by {} and {}", entry.requested_by, by)));
    alert.held_until = alert.next_due = entry.until;
    MYDR24_TRY(
        transaction.set_timer({calls::timer_key(alert.id), *entry.until, std::string(escalate_timer_kind), alert.id}));
    return entries::save(transaction, &before, alert);
  }));
  return entry;
}

Result<> Book::end_override(store::Transaction& transaction, std::string_view id, std::string_view by) const {
  MYDR24_ASSIGN(Override entry, must_find(transaction, id));
  entry.until = calls::stamp(transaction);
  MYDR24_TRY(write(transaction, "alert.override_ended", entry, by));
  MYDR24_TRY(transaction.erase_state(rows::overrides, entry.id));
  return for_each_unresolved(transaction, [&](const Alert& alert) -> Result<> {
    if (!alert.held_until || alert.severity != Severity::emergency || !covers(entry, alert.cause)) return {};
    return escalate(transaction, alert.id);
  });
}

}  // namespace mydr24::alerts
