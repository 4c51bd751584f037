#include "storage/sqlite/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::sqlite {
namespace {

using store::Sequence;
using store::Version;

}  // namespace

Result<> View::read_version(Statement& row, int first, bool with_body, Version& version) {
  version.version = row.integer(first);
  version.sequence = row.integer(first + 1);
  version.at = from_us(row.integer(first + 2));
  version.action = static_cast<store::Action>(row.integer(first + 3) - 1);
  if (version.action == store::Action::remove) return {};
  version.meta_at = static_cast<std::uint32_t>(row.integer(first + 4));
  if (!with_body) return {};
  auto unpacked = shared_.codec.unpack(row.blob(first + 5), version.body);
  if (!unpacked) {
    Error error = std::move(unpacked).error();
    error.where = fmt::format("{}/{}/_history/{}", version.type, version.id, version.version);
    return error;
  }
  return {};
}

Result<std::optional<Version>> View::current(std::string_view type, std::string_view id, bool with_body) {
  MYDR24_ASSIGN(const auto number, names_.type(type));
  if (number < 0) return std::optional<Version>();
  constexpr const char* whole =
      "SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body FROM record r "
      "CROSS JOIN journal j WHERE r.type = ?1 AND r.id = ?2 AND j.sequence = r.sequence";
  constexpr const char* head =
      "SELECT r.version, r.sequence, j.at, j.action, j.meta_at FROM record r "
      "CROSS JOIN journal j WHERE r.type = ?1 AND r.id = ?2 AND j.sequence = r.sequence";
  MYDR24_ASSIGN(Statement row, connection_.prepare(with_body ? whole : head));
  Connection::bind_all(row, number, id);
  MYDR24_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  version->id = id;
  MYDR24_TRY(read_version(row, 0, with_body, *version));
  return version;
}

Result<std::optional<Version>> View::version(std::string_view type, std::string_view id, std::int64_t wanted) {
  MYDR24_ASSIGN(const auto number, names_.type(type));
  if (number < 0) return std::optional<Version>();
  MYDR24_ASSIGN(Statement row,
                connection_.prepare(
                    "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body FROM record r "
                    "CROSS JOIN journal j WHERE r.type = ?1 AND r.id = ?2 AND j.record = r.record AND j.version = ?3"));
  Connection::bind_all(row, number, id, wanted);
  MYDR24_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  version->id = id;
  MYDR24_TRY(read_version(row, 0, true, *version));
  return version;
}

Result<std::vector<Version>> View::history(const store::HistoryQuery& query) {
  Sequence from = 0;
  Sequence before = query.before_sequence;
  if (query.since) {
    MYDR24_ASSIGN(from, sequence_at(*query.since));
  }
  if (query.before) {
    MYDR24_ASSIGN(const auto end, sequence_at(*query.before));
    before = std::min(before, end);
  }
  constexpr const char* of_one =
      "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, r.type, r.id FROM record r CROSS JOIN journal "
      "j "
      "WHERE r.type = ?4 AND r.id = ?5 AND j.record = r.record AND j.sequence >= ?1 AND j.sequence < ?2 "
      "ORDER BY j.version DESC LIMIT ?3";
  constexpr const char* of_type =
      "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, j.type, r.id FROM journal j CROSS JOIN record "
      "r "
      "WHERE j.type = ?4 AND j.sequence >= ?1 AND j.sequence < ?2 AND r.record = j.record "
      "ORDER BY j.sequence DESC LIMIT ?3";
  constexpr const char* of_all =
      "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, j.type, r.id FROM journal j CROSS JOIN record "
      "r "
      "WHERE j.sequence >= ?1 AND j.sequence < ?2 AND r.record = j.record "
      "ORDER BY j.sequence DESC LIMIT ?3";
  std::vector<Version> versions;
  MYDR24_ASSIGN(Statement row,
                connection_.prepare(query.type.empty() ? of_all : (query.id.empty() ? of_type : of_one)));
  Connection::bind_all(row, from, before, query.count);
  if (!query.type.empty()) {
    MYDR24_ASSIGN(const auto number, names_.type(query.type));
    row.bind(4, number);
    if (!query.id.empty()) row.bind(5, std::string_view(query.id));
  }
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return versions;
    Version& version = versions.emplace_back();
    MYDR24_ASSIGN(version.type, names_.type_name(row.integer(6)));
    version.id = row.text(7);
    MYDR24_TRY(read_version(row, 0, true, version));
  }
}

// The line numbers have no holes to speak of, and times never fall along them: a binary search needs no index of times.
Result<Sequence> View::sequence_at(Instant at) {
  MYDR24_ASSIGN(const auto last, last_sequence());
  Sequence low = 1;
  Sequence high = last + 1;
  while (low < high) {
    const Sequence middle = low + (high - low) / 2;
    MYDR24_ASSIGN(
        Statement row,
        connection_.prepare("SELECT sequence, at FROM journal WHERE sequence >= ?1 ORDER BY sequence LIMIT 1"));
    row.bind(1, middle);
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found || row.integer(1) >= to_us(at)) {
      high = middle;
    } else {
      low = row.integer(0) + 1;
    }
  }
  return low;
}

Result<std::optional<Version>> View::by_record(std::int64_t record) {
  MYDR24_ASSIGN(
      Statement row,
      connection_.prepare("SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body, r.id, r.type FROM record r "
                          "CROSS JOIN journal j WHERE r.record = ?1 AND j.sequence = r.sequence"));
  row.bind(1, record);
  MYDR24_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  MYDR24_ASSIGN(version->type, names_.type_name(row.integer(7)));
  version->id = row.text(6);
  MYDR24_TRY(read_version(row, 0, true, *version));
  return version;
}

Result<std::optional<std::string>> View::state(std::string_view space, std::string_view key) {
  MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT value FROM state WHERE space = ?1 AND key = ?2"));
  Connection::bind_all(row, space, key);
  MYDR24_ASSIGN(const bool found, row.step());
  return found ? std::optional<std::string>(row.blob(0)) : std::nullopt;
}

Result<std::vector<store::StateRow>> View::states(std::string_view space, std::string_view prefix,
                                                  std::string_view after, std::uint32_t count) {
  // The first text that does not begin with the prefix; an empty BLOB sorts after every text.
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  MYDR24_ASSIGN(
      Statement row,
      connection_.prepare("SELECT key, value FROM state WHERE space = ?1 AND key >= ?2 AND key > ?3 AND key < ?4 "
                          "ORDER BY key LIMIT ?5"));
  Connection::bind_all(row, space, std::max(prefix, after), after, Blob{}, count);
  if (!end.empty()) row.bind(4, std::string_view(end));
  std::vector<store::StateRow> rows;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return rows;
    rows.push_back({.key = std::string(row.text(0)), .value = std::string(row.blob(1))});
  }
}

Result<std::vector<store::Event>> View::events(Sequence after, std::uint32_t count) {
  MYDR24_ASSIGN(Statement row,
                connection_.prepare("SELECT sequence, at, kind, body FROM journal INDEXED BY journal_event "
                                    "WHERE sequence > ?1 AND kind IS NOT NULL ORDER BY sequence LIMIT ?2"));
  Connection::bind_all(row, after, count);
  std::vector<store::Event> events;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return events;
    events.push_back({.sequence = row.integer(0),
                      .at = from_us(row.integer(1)),
                      .kind = std::string(row.text(2)),
                      .payload = std::string(row.blob(3))});
  }
}

// Lines as they stand: those of resources with their bodies.
Result<std::vector<store::JournalLine>> View::journal(Sequence after, std::uint32_t count) {
  MYDR24_ASSIGN(
      Statement row,
      connection_.prepare(
          "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, j.type, r.id, j.kind FROM journal "
          "j LEFT JOIN record r ON r.record = j.record WHERE j.sequence > ?1 ORDER BY j.sequence LIMIT ?2"));
  Connection::bind_all(row, after, count);
  std::vector<store::JournalLine> lines;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return lines;
    store::JournalLine& line = lines.emplace_back();
    if (row.integer(3) == action_event) {
      line.event = {.sequence = row.integer(1),
                    .at = from_us(row.integer(2)),
                    .kind = std::string(row.text(8)),
                    .payload = std::string(row.blob(5))};
      continue;
    }
    MYDR24_ASSIGN(line.version.type, names_.type_name(row.integer(6)));
    line.version.id = row.text(7);
    MYDR24_TRY(read_version(row, 0, true, line.version));
  }
}

Result<std::vector<store::SpaceRow>> View::all_states(std::string_view space, std::string_view key,
                                                      std::uint32_t count) {
  MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT space, key, value FROM state WHERE (space, key) > (?1, ?2) "
                                                   "ORDER BY space, key LIMIT ?3"));
  Connection::bind_all(row, space, key, count);
  std::vector<store::SpaceRow> rows;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return rows;
    rows.push_back({.space = std::string(row.text(0)),
                    .row = {.key = std::string(row.text(1)), .value = std::string(row.blob(2))}});
  }
}

Result<std::vector<store::Timer>> View::all_timers(std::string_view after, std::uint32_t count) {
  MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT key, due, kind, payload FROM timer WHERE key > ?1 ORDER BY "
                                                   "key LIMIT ?2"));
  Connection::bind_all(row, after, count);
  std::vector<store::Timer> timers;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return timers;
    timers.push_back({.key = std::string(row.text(0)),
                      .due = from_us(row.integer(1)),
                      .kind = std::string(row.text(2)),
                      .payload = std::string(row.blob(3))});
  }
}

Result<std::vector<std::pair<std::string, Sequence>>> View::cursors() {
  MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT name, sequence FROM follower ORDER BY name"));
  std::vector<std::pair<std::string, Sequence>> cursors;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return cursors;
    cursors.emplace_back(row.text(0), row.integer(1));
  }
}

Result<Sequence> View::last_sequence() { return connection_.number("SELECT max(sequence) FROM journal", 0); }

Result<Sequence> View::last_event() {
  return connection_.number(
      "SELECT sequence FROM journal INDEXED BY journal_event WHERE kind IS NOT NULL "
      "ORDER BY sequence DESC LIMIT 1",
      0);
}

}  // namespace mydr24::sqlite
