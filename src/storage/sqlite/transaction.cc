#include "storage/sqlite/transaction.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::sqlite {

using search::IndexEntry;
using store::Action;
using store::Sequence;
using store::Timer;
using store::Written;

Result<> WriteTransaction::load() {
  MYDR24_ASSIGN(counters_.sequence, view_.last_sequence());
  MYDR24_ASSIGN(counters_.record, connection_.number("SELECT max(record) FROM record", 0));
  MYDR24_ASSIGN(counters_.last_event, view_.last_event());
  MYDR24_ASSIGN(counters_.at, connection_.number("SELECT at FROM journal ORDER BY sequence DESC LIMIT 1", INT64_MIN));
  return {};
}

Result<> WriteTransaction::begin_work(Instant clock) {
  broken_.reset();
  before_work_ = counters_;
  names_before_work_ = view_.names().added();
  now_ = std::max(clock, from_us(counters_.at));
  return connection_.run("SAVEPOINT work");
}

Result<> WriteTransaction::end_work(Result<> outcome) {
  if (outcome && broken_) outcome = *broken_;
  if (outcome) {
    MYDR24_TRY(connection_.run("RELEASE work"));
    return outcome;
  }
  counters_ = before_work_;
  view_.names().undo(names_before_work_);
  // A fault of the disk may already have undone everything.
  if (connection_.in_transaction()) {
    MYDR24_TRY(connection_.run("ROLLBACK TO work"));
    MYDR24_TRY(connection_.run("RELEASE work"));
  }
  return outcome;
}

Result<> WriteTransaction::attempt(const std::function<Result<>()>& step) {
  const Counters before = counters_;
  const std::size_t names_before = view_.names().added();
  MYDR24_TRY(connection_.run("SAVEPOINT attempt"));
  Result<> outcome = step();
  if (outcome && broken_) outcome = *broken_;
  if (!outcome && connection_.in_transaction()) {
    counters_ = before;
    view_.names().undo(names_before);
    broken_.reset();
    MYDR24_TRY(connection_.run("ROLLBACK TO attempt"));
  }
  MYDR24_TRY(connection_.run("RELEASE attempt"));
  return outcome;
}

Result<Written> WriteTransaction::put(const store::Put& put) {
  auto written = put_checked(put);
  // Removing what never was wrote nothing: the Work may go on.
  if (!written && written.error().code == Code::not_found) return written;
  return kept(std::move(written));
}

Result<Written> WriteTransaction::put_checked(const store::Put& put) {
  const bool removed = put.action == Action::remove;
  if (!removed && put.body == nullptr) return fail(Code::internal, "a version without a body");
  MYDR24_ASSIGN(const auto type, removed ? view_.names().type(put.type) : view_.names().add_type(put.type));
  std::int64_t record = 0;
  Written written{.version = 1, .sequence = counters_.sequence + 1, .at = now_};
  {
    MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT record, version FROM record WHERE type = ?1 AND id = ?2"));
    Connection::bind_all(row, type, put.id);
    MYDR24_ASSIGN(const bool found, row.step());
    if (found) {
      record = row.integer(0);
      written.version = row.integer(1) + 1;
    }
  }
  if (record != 0) {
    MYDR24_TRY(connection_.run("UPDATE record SET version = ?2, sequence = ?3, deleted = ?4 WHERE record = ?1", record,
                               written.version, written.sequence, removed));
  } else {
    if (removed) return fail(Code::not_found, fmt::format("{}/{} is not there to remove", put.type, put.id));
    record = counters_.record + 1;
    MYDR24_TRY(connection_.run(
        "INSERT INTO record (record, type, id, version, sequence, deleted) VALUES (?1, ?2, ?3, 1, ?4, 0)", record, type,
        put.id, written.sequence));
    counters_.record = record;
  }
  constexpr const char* insert_line =
      "INSERT INTO journal (sequence, at, action, type, record, version, meta_at, body) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8)";
  MYDR24_ASSIGN(Statement line, connection_.prepare(insert_line));
  Connection::bind_all(line, written.sequence, to_us(now_), static_cast<std::int64_t>(put.action) + 1, type, record,
                       written.version, removed ? std::uint32_t{0} : put.body->meta_at,
                       Blob{removed ? std::string_view() : std::string_view(put.body->bytes)});
  if (removed) line.bind(8, Null{});
  MYDR24_TRY(line.step());
  counters_.sequence = written.sequence;
  counters_.at = to_us(now_);
  MYDR24_TRY(write_entries(record, put.entries_before, removed ? std::span<const IndexEntry>() : put.entries));
  return written;
}

// Both are sorted: what is in one only is what changes.
Result<> WriteTransaction::write_entries(std::int64_t record, std::span<const IndexEntry> before,
                                         std::span<const IndexEntry> after) {
  auto old = before.begin();
  auto fresh = after.begin();
  while (old != before.end() || fresh != after.end()) {
    const auto order = old == before.end()    ? std::strong_ordering::greater
                       : fresh == after.end() ? std::strong_ordering::less
                                              : *old <=> *fresh;
    if (order < 0) {
      MYDR24_TRY(remove_entry(record, *old++));
    } else if (order > 0) {
      MYDR24_TRY(add_entry(record, *fresh++));
    } else {
      ++old;
      ++fresh;
    }
  }
  return {};
}

Result<std::int64_t> WriteTransaction::parameter(const IndexEntry& entry) const {
  const auto& numbers = view_.shared().parameters;
  if (entry.parameter >= numbers.size() || numbers[entry.parameter] < 0) {
    return fail(Code::internal, fmt::format("an index entry of an unknown search parameter ({})", entry.parameter));
  }
  return numbers[entry.parameter];
}

// A row that is there already is as good as a new one: a write must not fail for it (verify() finds what is wrong).
Result<> WriteTransaction::add_entry(std::int64_t record, const IndexEntry& entry) {
  MYDR24_ASSIGN(const auto number, parameter(entry));
  switch (entry.kind) {
    case search::Kind::string:
      return connection_.run("INSERT OR IGNORE INTO string_index (parameter, value, record) VALUES (?1, ?2, ?3)",
                             number, entry.value, record);
    case search::Kind::token: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      return connection_.run(
          "INSERT OR IGNORE INTO token_index (parameter, code, record, system) VALUES (?1, ?2, ?3, ?4)", number,
          entry.value, record, system);
    }
    case search::Kind::reference:
      return connection_.run("INSERT OR IGNORE INTO reference_index (parameter, target, record) VALUES (?1, ?2, ?3)",
                             number, entry.value, record);
    case search::Kind::date:
      return connection_.run("INSERT OR IGNORE INTO date_index (parameter, low, high, record) VALUES (?1, ?2, ?3, ?4)",
                             number, entry.low, entry.high, record);
    default:
      break;
  }
  return {};
}

Result<> WriteTransaction::remove_entry(std::int64_t record, const IndexEntry& entry) {
  MYDR24_ASSIGN(const auto number, parameter(entry));
  switch (entry.kind) {
    case search::Kind::string:
      return connection_.run("DELETE FROM string_index WHERE parameter = ?1 AND value = ?2 AND record = ?3", number,
                             entry.value, record);
    case search::Kind::token: {
      MYDR24_ASSIGN(const auto system, view_.names().add_system(entry.system));
      return connection_.run(
          "DELETE FROM token_index WHERE parameter = ?1 AND code = ?2 AND record = ?3 AND system = ?4", number,
          entry.value, record, system);
    }
    case search::Kind::reference:
      return connection_.run("DELETE FROM reference_index WHERE parameter = ?1 AND target = ?2 AND record = ?3", number,
                             entry.value, record);
    case search::Kind::date:
      return connection_.run("DELETE FROM date_index WHERE parameter = ?1 AND low = ?2 AND high = ?3 AND record = ?4",
                             number, entry.low, entry.high, record);
    default:
      break;
  }
  return {};
}

Result<Sequence> WriteTransaction::note(std::string_view kind, std::string_view payload) {
  const Sequence sequence = counters_.sequence + 1;
  auto inserted = connection_.run("INSERT INTO journal (sequence, at, action, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                                  sequence, to_us(now_), action_event, kind, Blob{payload});
  MYDR24_TRY(kept(std::move(inserted)));
  counters_.sequence = sequence;
  counters_.last_event = sequence;
  counters_.at = to_us(now_);
  return sequence;
}

Result<> WriteTransaction::set_state(std::string_view space, std::string_view key, std::string_view value) {
  return kept(
      connection_.run("INSERT INTO state (space, key, value) VALUES (?1, ?2, ?3) "
                      "ON CONFLICT (space, key) DO UPDATE SET value = excluded.value",
                      space, key, Blob{value}));
}

Result<> WriteTransaction::erase_state(std::string_view space, std::string_view key) {
  return kept(connection_.run("DELETE FROM state WHERE space = ?1 AND key = ?2", space, key));
}

Result<> WriteTransaction::set_timer(const Timer& timer) {
  timers_touched_ = true;
  return kept(
      connection_.run("INSERT INTO timer (key, due, kind, payload) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) "
                      "DO UPDATE SET due = excluded.due, kind = excluded.kind, payload = excluded.payload",
                      timer.key, to_us(timer.due), timer.kind, Blob{timer.payload}));
}

Result<> WriteTransaction::set_cursor(std::string_view follower, Sequence sequence) {
  return kept(
      connection_.run("INSERT INTO follower (name, sequence) VALUES (?1, ?2) "
                      "ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence",
                      follower, sequence));
}

Result<> WriteTransaction::save_dictionary(std::uint32_t number, std::string_view bytes) {
  return kept(connection_.run("INSERT INTO dictionary (number, bytes) VALUES (?1, ?2)", number, Blob{bytes}));
}

Result<Instant> WriteTransaction::earliest_due() {
  MYDR24_ASSIGN(const auto due, connection_.number("SELECT due FROM timer ORDER BY due LIMIT 1", INT64_MAX));
  return from_us(due);
}

Result<> WriteTransaction::cancel_timer(std::string_view key) {
  timers_touched_ = true;
  return kept(connection_.run("DELETE FROM timer WHERE key = ?1", key));
}

Result<std::vector<Timer>> WriteTransaction::due_timers(std::uint32_t count) {
  MYDR24_ASSIGN(
      Statement row,
      connection_.prepare("SELECT key, due, kind, payload FROM timer WHERE due <= ?1 ORDER BY due, key LIMIT ?2"));
  Connection::bind_all(row, to_us(now_), count);
  std::vector<Timer> timers;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return timers;
    timers.push_back({.key = std::string(row.text(0)),
                      .due = from_us(row.integer(1)),
                      .kind = std::string(row.text(2)),
                      .payload = std::string(row.blob(3))});
  }
}

}  // namespace mydr24::sqlite
