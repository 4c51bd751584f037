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
  MYDR24_ASSIGN(counters_.to_index, connection_.number("SELECT last FROM reindex", 0));
  MYDR24_ASSIGN(counters_.indexed, connection_.number("SELECT done FROM reindex", 0));
  forget_group();
  publish_group();
  return {};
}

Result<> WriteTransaction::begin_work(Instant clock) {
  broken_.reset();
  before_work_ = mark();
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
  set_back(before_work_);
  view_.names().undo(names_before_work_);
  // A fault of the disk may already have undone everything.
  if (connection_.in_transaction()) {
    MYDR24_TRY(connection_.run("ROLLBACK TO work"));
    MYDR24_TRY(connection_.run("RELEASE work"));
  }
  return outcome;
}

Result<> WriteTransaction::attempt(const std::function<Result<>()>& step) {
  const Counters before = mark();
  const std::size_t names_before = view_.names().added();
  MYDR24_TRY(connection_.run("SAVEPOINT attempt"));
  Result<> outcome = step();
  if (outcome && broken_) outcome = *broken_;
  if (!outcome && connection_.in_transaction()) {
    set_back(before);
    view_.names().undo(names_before);
    broken_.reset();
    MYDR24_TRY(connection_.run("ROLLBACK TO attempt"));
  }
  MYDR24_TRY(connection_.run("RELEASE attempt"));
  return outcome;
}

WriteTransaction::Counters WriteTransaction::mark() const {
  Counters mark = counters_;
  mark.texts = texts_.size();
  mark.changes = changes_.size();
  return mark;
}

void WriteTransaction::set_back(const Counters& mark) {
  counters_ = mark;
  texts_.resize(mark.texts);
  changes_.resize(mark.changes);
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
  Written written{.version = 1, .sequence = counters_.sequence + 1, .at = now_};
  Record record{.type = type};
  MYDR24_TRY(find(record, put.id));
  if (record.number == 0 && removed) {
    return fail(Code::not_found, fmt::format("{}/{} is not there to remove", put.type, put.id));
  }
  written.version = record.version + 1;
  MYDR24_TRY(write_record(record, put.id, written.version, written.sequence, removed));
  MYDR24_TRY(write_line(record,
                        {.version = written.version, .sequence = written.sequence, .at = now_, .action = put.action},
                        removed ? nullptr : put.body));
  MYDR24_TRY(write_entries(record, put.entries_before, removed ? std::span<const IndexEntry>() : put.entries));
  return written;
}

Result<> WriteTransaction::find(Record& record, std::string_view id) {
  MYDR24_ASSIGN(Statement row,
                connection_.prepare("SELECT record, version, deleted FROM record WHERE type = ?1 AND id = ?2"));
  Connection::bind_all(row, record.type, id);
  MYDR24_ASSIGN(const bool found, row.step());
  if (!found) return {};
  record.number = row.integer(0);
  record.version = row.integer(1);
  record.deleted = row.integer(2) != 0;
  return {};
}

// Makes the record when there is none.
Result<> WriteTransaction::write_record(Record& record, std::string_view id, std::int64_t version, Sequence sequence,
                                        bool removed) {
  const bool was_there = record.number != 0 && !record.deleted;
  if (was_there == removed) {
    changes_.push_back({view_.shared().totals.key_of_type(record.type), removed ? -1 : 1});
  }
  record.deleted = removed;
  if (record.number != 0) {
    return connection_.run("UPDATE record SET version = ?2, sequence = ?3, deleted = ?4 WHERE record = ?1",
                           record.number, version, sequence, removed);
  }
  record.number = counters_.record + 1;
  MYDR24_TRY(
      connection_.run("INSERT INTO record (record, type, id, version, sequence, deleted) VALUES (?1, ?2, ?3, "
                      "?4, ?5, ?6)",
                      record.number, record.type, id, version, sequence, removed));
  counters_.record = record.number;
  return {};
}

Result<> WriteTransaction::write_line(const Record& record, const store::Version& version,
                                      const store::PackedBody* body) {
  constexpr const char* insert_line =
      "INSERT INTO journal (sequence, at, action, type, record, version, meta_at, body) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8)";
  MYDR24_ASSIGN(Statement line, connection_.prepare(insert_line));
  Connection::bind_all(line, version.sequence, to_us(version.at), static_cast<std::int64_t>(version.action) + 1,
                       record.type, record.number, version.version, body == nullptr ? std::uint32_t{0} : body->meta_at,
                       Blob{body == nullptr ? std::string_view() : std::string_view(body->bytes)});
  if (body == nullptr) line.bind(8, Null{});
  MYDR24_TRY(line.step());
  counters_.sequence = version.sequence;
  counters_.at = to_us(version.at);
  return {};
}

Result<> WriteTransaction::reindex(std::string_view type, std::string_view id, std::int64_t version,
                                   std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  MYDR24_ASSIGN(const auto number, view_.names().type(type));
  Record record{.type = number};
  MYDR24_TRY(find(record, id));
  if (record.number == 0 || record.deleted || record.version != version) {
    return fail(Code::stale, fmt::format("{}/{} is not at version {} any more", type, id, version));
  }
  return kept(write_entries(record, before, after));
}

Result<> WriteTransaction::replay(const store::JournalLine& line, const store::PackedBody* body,
                                  std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  return kept(replay_checked(line, body, before, after));
}

Result<> WriteTransaction::replay_checked(const store::JournalLine& line, const store::PackedBody* body,
                                          std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  const bool is_event = line.version.type.empty();
  const Sequence sequence = is_event ? line.event.sequence : line.version.sequence;
  const Instant at = is_event ? line.event.at : line.version.at;
  if (sequence <= counters_.sequence || to_us(at) < counters_.at) {
    return fail(Code::conflict, fmt::format("line {} does not follow line {}: lines are copied in their order, into a "
                                            "store that nothing else writes",
                                            sequence, counters_.sequence));
  }
  if (is_event) return write_event(sequence, at, line.event.kind, line.event.payload);
  const bool removed = line.version.action == Action::remove;
  if (removed == (body != nullptr)) return fail(Code::internal, "only a removal has no body");
  MYDR24_ASSIGN(const auto type, view_.names().add_type(line.version.type));
  Record record{.type = type};
  MYDR24_TRY(find(record, line.version.id));
  if (line.version.version != record.version + 1) {
    return fail(Code::conflict, fmt::format("line {}: version {} of {}/{} does not follow version {}", sequence,
                                            line.version.version, line.version.type, line.version.id, record.version));
  }
  MYDR24_TRY(write_record(record, line.version.id, line.version.version, sequence, removed));
  MYDR24_TRY(write_line(record, line.version, body));
  return write_entries(record, before, removed ? std::span<const IndexEntry>() : after);
}

// What is deleted from here on is overwritten in the file, until the database is opened again.
Result<> WriteTransaction::begin_erasing() {
  erasing_ = true;
  MYDR24_ASSIGN(Statement pragma, connection_.prepare("PRAGMA secure_delete = ON"));
  MYDR24_TRY(pragma.step());
  return {};
}

Result<std::int64_t> WriteTransaction::erase_bodies(std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(const auto number, view_.names().type(type));
  Record record{.type = number};
  MYDR24_TRY(find(record, id));
  if (record.number == 0) return fail(Code::not_found, fmt::format("{}/{} is not there to erase", type, id));
  if (!record.deleted) return fail(Code::stale, fmt::format("{}/{} is not deleted", type, id));
  MYDR24_ASSIGN(
      const auto bodies,
      connection_.number("SELECT count(*) FROM journal WHERE record = ?1 AND body IS NOT NULL", 0, record.number));
  // 3: a deletion, which has no body.
  MYDR24_TRY(kept(
      connection_.run("UPDATE journal SET body = NULL, meta_at = 0, action = 3 WHERE record = ?1 AND body IS NOT NULL",
                      record.number)));
  return bodies;
}

Result<Sequence> WriteTransaction::note(std::string_view kind, std::string_view payload) {
  const Sequence sequence = counters_.sequence + 1;
  MYDR24_TRY(kept(write_event(sequence, now_, kind, payload)));
  return sequence;
}

Result<> WriteTransaction::write_event(Sequence sequence, Instant at, std::string_view kind, std::string_view payload) {
  MYDR24_TRY(connection_.run("INSERT INTO journal (sequence, at, action, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                             sequence, to_us(at), action_event, kind, Blob{payload}));
  counters_.sequence = sequence;
  counters_.last_event = sequence;
  counters_.at = to_us(at);
  return {};
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
