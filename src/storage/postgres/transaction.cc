#include "storage/postgres/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "storage/postgres/schema.h"

namespace mydr24::postgres {

using search::IndexEntry;
using store::Action;
using store::Sequence;
using store::Timer;
using store::Version;
using store::Written;

namespace {

constexpr const char* lock_and_load =
    "SELECT pg_advisory_xact_lock($1::int, hashtext(current_schema())), pg_current_xact_id()::text";
// After the lock, so that it sees what another process wrote while this one waited.
constexpr const char* where_the_journal_stands =
    "SELECT coalesce(j.sequence, 0), coalesce(j.at, $1), coalesce((SELECT max(record) FROM record), 0), "
    "coalesce((SELECT sequence FROM journal WHERE kind IS NOT NULL ORDER BY sequence DESC LIMIT 1), 0), "
    "coalesce((SELECT max(number) FROM resource_type), 0), coalesce((SELECT max(number) FROM system), 0), "
    "coalesce((SELECT max(added) FROM kept_total), 0) "
    "FROM (SELECT 1) one LEFT JOIN LATERAL (SELECT sequence, at FROM journal ORDER BY sequence DESC LIMIT 1) j ON true";

Error not_plain(std::string_view what) {
  return fail(Code::invalid, fmt::format("{} must be UTF-8 without NUL", what));
}

}  // namespace

Result<> WriteTransaction::begin() {
  levels_.clear();
  broken_.reset();
  parameters_ = view_.shared().parameters.load();
  MYDR24_TRY(connection_.send("BEGIN"));
  MYDR24_ASSIGN(const auto locked, connection_.query(lock_and_load, Parameters::of(writer_lock)));
  transaction_id_ = locked.text(0, 1);
  MYDR24_ASSIGN(const auto row, connection_.query(where_the_journal_stands, Parameters::of(INT64_MIN)));
  counters_ = {.sequence = row.integer(0, 0),
               .record = row.integer(0, 2),
               .last_event = row.integer(0, 3),
               .at = row.integer(0, 1),
               .type = row.integer(0, 4),
               .system = row.integer(0, 5)};
  MYDR24_TRY(kept_totals_.load(connection_, row.integer(0, 6)));
  push();
  return {};
}

void WriteTransaction::push() { levels_.push_back({.pending = {}, .before = counters_}); }

Result<> WriteTransaction::pop(Result<> outcome) {
  if (outcome && broken_) outcome = *broken_;
  Level level = std::move(levels_.back());
  levels_.pop_back();
  const std::size_t depth = levels_.size();
  if (outcome) {
    if (level.pending.has_savepoint) MYDR24_TRY(connection_.send(depth == 1 ? "RELEASE level1" : "RELEASE level2"));
    level.pending.has_savepoint = false;
    top().merge(std::move(level.pending));
    return outcome;
  }
  counters_ = level.before;
  if (level.pending.has_savepoint) {
    if (connection_.has_failed()) (void)connection_.finish();
    MYDR24_TRY(connection_.send(depth == 1 ? "ROLLBACK TO level1" : "ROLLBACK TO level2"));
    MYDR24_TRY(connection_.send(depth == 1 ? "RELEASE level1" : "RELEASE level2"));
  }
  return outcome;
}

Result<> WriteTransaction::begin_work(Instant clock) {
  broken_.reset();
  now_ = std::max(clock, from_us(counters_.at));
  push();
  return {};
}

Result<> WriteTransaction::end_work(Result<> outcome) { return pop(std::move(outcome)); }

Result<> WriteTransaction::attempt(const std::function<Result<>()>& step) {
  push();
  auto outcome = pop(step());
  if (!outcome) broken_.reset();
  return outcome;
}

Result<> WriteTransaction::flush(std::size_t level) {
  for (std::size_t i = 0; i <= level; ++i) {
    Pending& pending = levels_[i].pending;
    if (pending.is_empty()) continue;
    if (i > 0 && !std::exchange(pending.has_savepoint, true)) {
      MYDR24_TRY(connection_.send(i == 1 ? "SAVEPOINT level1" : "SAVEPOINT level2"));
    }
    MYDR24_TRY(pending.send(connection_));
  }
  return {};
}

Result<> WriteTransaction::commit() {
  auto sent = flush();
  if (sent && std::exchange(timers_touched_, false)) {
    auto due = connection_.number("SELECT min(due) FROM timer", INT64_MAX);
    if (due) earliest_due_ = from_us(*due);
    if (!due) sent = std::move(due).error();
  }
  if (sent) sent = connection_.send("COMMIT");
  auto committed = connection_.finish();
  if (sent && !committed) sent = std::move(committed);
  if (!sent) {
    roll_back();
    return sent;
  }
  auto& names = view_.shared().names;
  for (const auto& [name, number] : top().types) names.remember(Names::Table::type, name, number);
  for (const auto& [uri, number] : top().systems) names.remember(Names::Table::system, uri, number);
  return {};
}

void WriteTransaction::roll_back() {
  if (connection_.has_failed()) (void)connection_.finish();
  if (connection_.send("ROLLBACK")) (void)connection_.finish();
}

const Pending::Record* WriteTransaction::known_record(std::int64_t type, std::string_view id) const {
  const Pending::RecordKey key(type, id);
  for (const Level& level : levels_ | std::views::reverse) {
    if (const auto found = level.pending.records.find(key); found != level.pending.records.end()) return &found->second;
  }
  return nullptr;
}

Result<Pending::Record> WriteTransaction::find_record(std::int64_t type, std::string_view id) {
  if (const auto* const known = known_record(type, id)) return *known;
  MYDR24_ASSIGN(const auto row, connection_.query("SELECT record, version, sequence, deleted FROM record "
                                                  "WHERE type = $1 AND id = $2",
                                                  Parameters::of(type, id)));
  Pending::Record record{.type = type};
  if (!row.empty()) {
    record.record = row.integer(0, 0);
    record.version = row.integer(0, 1);
    record.sequence = row.integer(0, 2);
    record.deleted = row.integer(0, 3) != 0;
  }
  top().records.insert_or_assign({type, std::string(id)}, record);
  return record;
}

Result<std::optional<std::int64_t>> WriteTransaction::type_number(std::string_view name) {
  for (const Level& level : levels_ | std::views::reverse) {
    if (const auto found = level.pending.types.find(name); found != level.pending.types.end()) {
      return std::optional(found->second);
    }
  }
  return view_.shared().names.number(connection_, Names::Table::type, name);
}

Result<std::int64_t> WriteTransaction::add_type(std::string_view name) {
  MYDR24_ASSIGN(const auto known, type_number(name));
  if (known) return *known;
  if (!is_plain_text(name)) return not_plain("a resource type");
  const std::int64_t number = ++counters_.type;
  top().add(Batch::types, number, name);
  top().types.emplace(name, number);
  return number;
}

Result<std::int64_t> WriteTransaction::add_system(std::string_view uri) {
  if (uri.empty()) return std::int64_t{0};
  for (const Level& level : levels_ | std::views::reverse) {
    if (const auto found = level.pending.systems.find(uri); found != level.pending.systems.end()) return found->second;
  }
  MYDR24_ASSIGN(const auto known, view_.shared().names.number(connection_, Names::Table::system, uri));
  if (known) return *known;
  const std::int64_t number = ++counters_.system;
  const auto stored = stored_text(uri);
  top().add(Batch::systems, number, std::string_view(stored));
  top().systems.emplace(uri, number);
  return number;
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
  if (!is_plain_text(put.id)) return not_plain("an id");
  std::int64_t type = -1;
  if (removed) {
    MYDR24_ASSIGN(const auto known, type_number(put.type));
    if (!known) return fail(Code::not_found, fmt::format("{}/{} is not there to remove", put.type, put.id));
    type = *known;
  } else {
    MYDR24_ASSIGN(type, add_type(put.type));
  }
  MYDR24_ASSIGN(auto record, find_record(type, put.id));
  if (record.record == 0) {
    if (removed) return fail(Code::not_found, fmt::format("{}/{} is not there to remove", put.type, put.id));
    record.record = ++counters_.record;
  }
  const NewLine line{.version = record.version + 1,
                     .sequence = counters_.sequence + 1,
                     .at = to_us(now_),
                     .action = put.action,
                     .body = put.body};
  MYDR24_TRY(append(record, put.id, line, put.entries_before, removed ? std::span<const IndexEntry>() : put.entries));
  return Written{.version = line.version, .sequence = line.sequence, .at = now_};
}

Result<> WriteTransaction::append(Pending::Record& record, std::string_view id, const NewLine& line,
                                  std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  // A record appears once in a flush: what was done to it before goes first.
  MYDR24_TRY(flush_before_reading(record.type, id));
  const bool removed = line.action == Action::remove;
  const auto body = removed ? std::optional<std::string_view>() : std::optional<std::string_view>(line.body->bytes);
  top().add(Batch::lines, line.sequence, line.at, static_cast<std::int64_t>(line.action) + 1, record.type,
            record.record, line.version, removed ? 0 : line.body->meta_at, std::optional<std::string_view>(), body);
  const bool was_there = record.version > 0 && !record.deleted;
  count_type(record.type, (removed ? 0 : 1) - (was_there ? 1 : 0));
  record.version = line.version;
  record.sequence = line.sequence;
  record.deleted = removed;
  record.is_sent = false;
  top().records.insert_or_assign({record.type, std::string(id)}, record);
  counters_.sequence = line.sequence;
  counters_.at = line.at;
  if (removed) top().add(Batch::text_remove, record.record);
  return write_entries(record, before, after);
}

Result<> WriteTransaction::append_event(Sequence sequence, std::int64_t at, std::string_view kind,
                                        std::string_view payload) {
  if (!is_plain_text(kind)) return not_plain("an event's kind");
  constexpr std::optional<std::int64_t> none;
  top().add(Batch::lines, sequence, at, action_event, none, none, none, none, kind, payload);
  counters_.sequence = sequence;
  counters_.last_event = sequence;
  counters_.at = at;
  return {};
}

Result<Sequence> WriteTransaction::note(std::string_view kind, std::string_view payload) {
  const Sequence sequence = counters_.sequence + 1;
  MYDR24_TRY(kept(append_event(sequence, to_us(now_), kind, payload)));
  return sequence;
}

Result<> WriteTransaction::replay(const store::JournalLine& line, const store::PackedBody* body,
                                  std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  const auto run = [&]() -> Result<> {
    if (line.version.type.empty()) {
      const auto& event = line.event;
      if (event.sequence <= counters_.sequence) return fail(Code::conflict, "a line of the journal is there already");
      return append_event(event.sequence, to_us(event.at), event.kind, event.payload);
    }
    const Version& version = line.version;
    if (version.sequence <= counters_.sequence) return fail(Code::conflict, "a line of the journal is there already");
    if (version.action != Action::remove && body == nullptr) return fail(Code::internal, "a version without a body");
    MYDR24_ASSIGN(const auto type, add_type(version.type));
    MYDR24_ASSIGN(auto record, find_record(type, version.id));
    if (record.record == 0) record.record = ++counters_.record;
    if (version.version != record.version + 1) {
      return fail(Code::conflict, fmt::format("{}/{}: version {} does not follow {}", version.type, version.id,
                                              version.version, record.version));
    }
    return append(record, version.id,
                  {.version = version.version,
                   .sequence = version.sequence,
                   .at = to_us(version.at),
                   .action = version.action,
                   .body = body},
                  before, version.action == Action::remove ? std::span<const IndexEntry>() : after);
  };
  return kept(run());
}

Result<> WriteTransaction::reindex(std::string_view type, std::string_view id, std::int64_t version,
                                   std::span<const IndexEntry> before, std::span<const IndexEntry> after) {
  MYDR24_ASSIGN(const auto number, type_number(type));
  if (!number) return fail(Code::stale, fmt::format("{}/{} is not there", type, id));
  MYDR24_ASSIGN(auto record, find_record(*number, id));
  if (record.record == 0 || record.version != version || record.deleted) {
    return fail(Code::stale, fmt::format("{}/{} has changed since", type, id));
  }
  const auto run = [&]() -> Result<> {
    MYDR24_TRY(flush_before_reading(*number, id));
    MYDR24_TRY(write_entries(record, before, after));
    record.is_sent = false;  // a second time in this group goes after this one
    top().records.insert_or_assign({*number, std::string(id)}, record);
    return {};
  };
  return kept(run());
}

Result<> WriteTransaction::begin_erasing() { return {}; }

Result<std::int64_t> WriteTransaction::erase_bodies(std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(const auto number, type_number(type));
  if (!number) return fail(Code::not_found, fmt::format("{}/{} is not there to erase", type, id));
  MYDR24_ASSIGN(const auto record, find_record(*number, id));
  if (record.record == 0) return fail(Code::not_found, fmt::format("{}/{} is not there to erase", type, id));
  if (!record.deleted) return fail(Code::stale, fmt::format("{}/{} is not deleted", type, id));
  const auto run = [&]() -> Result<std::int64_t> {
    MYDR24_TRY(flush());
    // 3: a deletion, which has no body.
    MYDR24_ASSIGN(const auto erased,
                  connection_.query("WITH erased AS (UPDATE journal SET body = NULL, meta_at = 0, action = 3 "
                                    "WHERE record = $1 AND body IS NOT NULL RETURNING 1) SELECT count(*) FROM erased",
                                    Parameters::of(record.record)));
    return erased.integer(0, 0);
  };
  return kept(run());
}

Result<> WriteTransaction::set_state(std::string_view space, std::string_view key, std::string_view value) {
  if (!is_plain_text(space)) return kept<void>(not_plain("a space"));
  top().states.insert_or_assign({std::string(space), std::string(key)}, std::string(value));
  top().touch();
  return {};
}

Result<> WriteTransaction::erase_state(std::string_view space, std::string_view key) {
  if (!is_plain_text(space)) return {};
  top().states.insert_or_assign({std::string(space), std::string(key)}, std::nullopt);
  top().touch();
  return {};
}

Result<> WriteTransaction::set_timer(const Timer& timer) {
  if (!is_plain_text(timer.kind)) return kept<void>(not_plain("a timer's kind"));
  timers_touched_ = true;
  top().timers.insert_or_assign(timer.key, timer);
  top().touch();
  return {};
}

Result<> WriteTransaction::cancel_timer(std::string_view key) {
  timers_touched_ = true;
  top().timers.insert_or_assign(std::string(key), std::nullopt);
  top().touch();
  return {};
}

Result<> WriteTransaction::set_cursor(std::string_view follower, Sequence sequence) {
  if (!is_plain_text(follower)) return kept<void>(not_plain("a follower's name"));
  top().cursors.insert_or_assign(std::string(follower), sequence);
  top().touch();
  return {};
}

Result<std::shared_ptr<const ParameterNumbers>> WriteTransaction::learn(const search::CataloguePtr& catalogue) {
  const auto run = [&]() -> Result<std::shared_ptr<const ParameterNumbers>> {
    MYDR24_TRY(flush());
    MYDR24_ASSIGN(auto numbers, number_parameters(connection_, catalogue));
    MYDR24_ASSIGN(counters_.type, connection_.number("SELECT max(number) FROM resource_type", 0));
    return numbers;
  };
  return kept(run());
}

Result<> WriteTransaction::save_dictionary(std::uint32_t number, std::string_view bytes) {
  MYDR24_ASSIGN(const auto added,
                connection_.query("INSERT INTO dictionary (number, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING "
                                  "RETURNING number",
                                  Parameters::of(number, Bytes{bytes})));
  if (added.empty()) return fail(Code::conflict, "another process has trained one");
  return {};
}

}  // namespace mydr24::postgres
