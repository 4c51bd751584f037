#include "storage/postgres/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::postgres {

using store::Sequence;
using store::Version;

Result<> Shared::load_dictionaries(Connection& connection) {
  const std::scoped_lock lock(dictionaries);
  MYDR24_ASSIGN(const auto rows, connection.query("SELECT bytes FROM dictionary ORDER BY number OFFSET $1",
                                                  Parameters::of(codec.dictionaries())));
  for (int row = 0; row < rows.count(); ++row) MYDR24_TRY(codec.add(std::string(rows.text(row, 0))));
  return {};
}

Result<> View::unpack(std::string_view frame, std::string& text) {
  const auto known = shared_.codec.dictionaries();
  auto unpacked = shared_.codec.unpack(frame, text);
  if (unpacked) return unpacked;
  MYDR24_TRY(shared_.load_dictionaries(connection_));
  return shared_.codec.dictionaries() == known ? unpacked : shared_.codec.unpack(frame, text);
}

Result<> View::read_version(const Rows& rows, int row, int first, bool with_body, Version& version) {
  version.version = rows.integer(row, first);
  version.sequence = rows.integer(row, first + 1);
  version.at = from_us(rows.integer(row, first + 2));
  version.action = static_cast<store::Action>(rows.integer(row, first + 3) - 1);
  if (version.action == store::Action::remove) return {};
  version.meta_at = static_cast<std::uint32_t>(rows.integer(row, first + 4));
  if (!with_body) return {};
  auto unpacked = unpack(rows.text(row, first + 5), version.body);
  if (!unpacked) {
    Error error = std::move(unpacked).error();
    error.where = fmt::format("{}/{}/_history/{}", version.type, version.id, version.version);
    return error;
  }
  return {};
}

Result<std::optional<Version>> View::current(std::string_view type, std::string_view id, bool with_body) {
  MYDR24_ASSIGN(const auto number, shared_.names.number(connection_, Names::Table::type, type));
  if (!number || !is_plain_text(id)) return std::optional<Version>();
  constexpr const char* whole =
      "SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body FROM record r "
      "JOIN journal j ON j.sequence = r.sequence WHERE r.type = $1 AND r.id = $2";
  constexpr const char* head =
      "SELECT r.version, r.sequence, j.at, j.action, j.meta_at FROM record r "
      "JOIN journal j ON j.sequence = r.sequence WHERE r.type = $1 AND r.id = $2";
  MYDR24_ASSIGN(const auto rows, connection_.query(with_body ? whole : head, Parameters::of(*number, id)));
  if (rows.empty()) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  version->id = id;
  MYDR24_TRY(read_version(rows, 0, 0, with_body, *version));
  return version;
}

Result<std::optional<Version>> View::version(std::string_view type, std::string_view id, std::int64_t wanted) {
  MYDR24_ASSIGN(const auto number, shared_.names.number(connection_, Names::Table::type, type));
  if (!number || !is_plain_text(id)) return std::optional<Version>();
  MYDR24_ASSIGN(const auto rows,
                connection_.query("SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body FROM record r JOIN "
                                  "journal j ON j.record = r.record WHERE r.type = $1 AND r.id = $2 AND j.version = $3",
                                  Parameters::of(*number, id, wanted)));
  if (rows.empty()) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  version->id = id;
  MYDR24_TRY(read_version(rows, 0, 0, true, *version));
  return version;
}

Result<std::optional<Version>> View::by_record(std::int64_t record, std::string_view type) {
  MYDR24_ASSIGN(const auto rows,
                connection_.query("SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body, r.id, r.type FROM "
                                  "record r JOIN journal j ON j.sequence = r.sequence WHERE r.record = $1",
                                  Parameters::of(record)));
  if (rows.empty()) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  if (type.empty()) {
    MYDR24_ASSIGN(version->type, shared_.names.type_name(connection_, rows.integer(0, 7)));
  }
  version->id = rows.text(0, 6);
  MYDR24_TRY(read_version(rows, 0, 0, true, *version));
  return version;
}

Result<std::vector<std::optional<Version>>> View::by_records(std::span<const std::int64_t> records) {
  Column column(Type::int8_array);
  for (const std::int64_t record : records) column.add(record);
  MYDR24_ASSIGN(const auto rows,
                connection_.query("SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body, r.id, r.type, "
                                  "u.place FROM unnest($1::bigint[]) WITH ORDINALITY AS u(record, place) "
                                  "JOIN record r ON r.record = u.record JOIN journal j ON j.sequence = r.sequence",
                                  Parameters::of(column)));
  std::vector<std::optional<Version>> versions(records.size());
  for (int row = 0; row < rows.count(); ++row) {
    auto& version = versions[static_cast<std::size_t>(rows.integer(row, 8) - 1)].emplace();
    MYDR24_ASSIGN(version.type, shared_.names.type_name(connection_, rows.integer(row, 7)));
    version.id = rows.text(row, 6);
    MYDR24_TRY(read_version(rows, row, 0, true, version));
  }
  return versions;
}

// Planned anew each time: what is best depends on how much the values ask for.
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
  std::string sql =
      "SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, j.type, r.id FROM journal j "
      "JOIN record r ON r.record = j.record WHERE j.sequence >= $1 AND j.sequence < $2";
  auto parameters = Parameters::of(from, before, query.count);
  std::vector<Version> versions;
  if (!query.type.empty()) {
    MYDR24_ASSIGN(const auto number, shared_.names.number(connection_, Names::Table::type, query.type));
    if (!number || !is_plain_text(query.id)) return versions;
    parameters.add(*number);
    sql += query.id.empty() ? " AND j.type = $4" : " AND r.type = $4 AND r.id = $5";
    if (!query.id.empty()) parameters.add(query.id);
  }
  sql += query.id.empty() ? " ORDER BY j.sequence DESC LIMIT $3" : " ORDER BY j.version DESC LIMIT $3";
  MYDR24_ASSIGN(const auto rows, connection_.query(sql, parameters));
  for (int row = 0; row < rows.count(); ++row) {
    Version& version = versions.emplace_back();
    MYDR24_ASSIGN(version.type, shared_.names.type_name(connection_, rows.integer(row, 6)));
    version.id = rows.text(row, 7);
    MYDR24_TRY(read_version(rows, row, 0, true, version));
  }
  return versions;
}

// The line numbers have no holes to speak of, and times never fall along them: a binary search needs no index of times.
Result<Sequence> View::sequence_at(Instant at) {
  MYDR24_ASSIGN(const auto last, last_sequence());
  Sequence low = 1;
  Sequence high = last + 1;
  while (low < high) {
    const Sequence middle = low + (high - low) / 2;
    MYDR24_ASSIGN(const auto rows,
                  connection_.query("SELECT sequence, at FROM journal WHERE sequence >= $1 ORDER BY sequence LIMIT 1",
                                    Parameters::of(middle)));
    if (rows.empty() || rows.integer(0, 1) >= to_us(at)) {
      high = middle;
    } else {
      low = rows.integer(0, 0) + 1;
    }
  }
  return low;
}

Result<std::int64_t> View::count_resources(std::string_view type) {
  if (type.empty()) return connection_.number("SELECT count(*) FROM record WHERE deleted = 0", 0);
  MYDR24_ASSIGN(const auto number, shared_.names.number(connection_, Names::Table::type, type));
  if (!number) return std::int64_t{0};
  return total_of(connection_, {.of = TotalKey::Of::type, .number = *number, .code = {}}, shared_.wishes);
}

Result<std::optional<std::string>> View::state(std::string_view space, std::string_view key) {
  MYDR24_ASSIGN(const auto rows, connection_.query("SELECT value FROM state WHERE space = $1 AND key = $2",
                                                   Parameters::of(space, Bytes{key})));
  return rows.empty() ? std::nullopt : std::optional<std::string>(rows.text(0, 0));
}

Result<std::vector<store::StateRow>> View::states(std::string_view space, std::string_view prefix,
                                                  std::string_view after, std::uint32_t count) {
  // The first key that does not begin with the prefix; none when nothing can follow it.
  std::string end(prefix);
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  constexpr const char* open =
      "SELECT key, value FROM state WHERE space = $1 AND key >= $2 AND key > $3 ORDER BY key LIMIT $4";
  constexpr const char* ending =
      "SELECT key, value FROM state WHERE space = $1 AND key >= $2 AND key > $3 AND key < $5 ORDER BY key LIMIT $4";
  auto parameters = Parameters::of(space, Bytes{std::max(prefix, after)}, Bytes{after}, count);
  if (!end.empty()) parameters.add(Bytes{end});
  MYDR24_ASSIGN(const auto rows, connection_.query(end.empty() ? open : ending, parameters));
  std::vector<store::StateRow> found;
  for (int row = 0; row < rows.count(); ++row) {
    found.push_back({.key = std::string(rows.text(row, 0)), .value = std::string(rows.text(row, 1))});
  }
  return found;
}

Result<std::vector<store::Event>> View::events(Sequence after, std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows, connection_.query("SELECT sequence, at, kind, body FROM journal WHERE sequence > $1 "
                                                   "AND kind IS NOT NULL ORDER BY sequence LIMIT $2",
                                                   Parameters::of(after, count)));
  std::vector<store::Event> events;
  for (int row = 0; row < rows.count(); ++row) {
    events.push_back({.sequence = rows.integer(row, 0),
                      .at = from_us(rows.integer(row, 1)),
                      .kind = std::string(rows.text(row, 2)),
                      .payload = std::string(rows.text(row, 3))});
  }
  return events;
}

Result<Sequence> View::last_sequence() { return connection_.number("SELECT max(sequence) FROM journal", 0); }

Result<std::vector<store::JournalLine>> View::journal(Sequence after, std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows,
                connection_.query("SELECT j.version, j.sequence, j.at, j.action, j.meta_at, j.body, j.type, r.id, "
                                  "j.kind FROM journal j LEFT JOIN record r ON r.record = j.record "
                                  "WHERE j.sequence > $1 ORDER BY j.sequence LIMIT $2",
                                  Parameters::of(after, count)));
  std::vector<store::JournalLine> lines;
  for (int row = 0; row < rows.count(); ++row) {
    store::JournalLine& line = lines.emplace_back();
    if (rows.integer(row, 3) == action_event) {
      line.event = {.sequence = rows.integer(row, 1),
                    .at = from_us(rows.integer(row, 2)),
                    .kind = std::string(rows.text(row, 8)),
                    .payload = std::string(rows.text(row, 5))};
      continue;
    }
    MYDR24_ASSIGN(line.version.type, shared_.names.type_name(connection_, rows.integer(row, 6)));
    line.version.id = rows.text(row, 7);
    MYDR24_TRY(read_version(rows, row, 0, true, line.version));
  }
  return lines;
}

Result<std::vector<store::SpaceRow>> View::all_states(std::string_view space, std::string_view key,
                                                      std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows, connection_.query("SELECT space, key, value FROM state WHERE (space, key) > ($1, $2) "
                                                   "ORDER BY space, key LIMIT $3",
                                                   Parameters::of(space, Bytes{key}, count)));
  std::vector<store::SpaceRow> found;
  for (int row = 0; row < rows.count(); ++row) {
    found.push_back({.space = std::string(rows.text(row, 0)),
                     .row = {.key = std::string(rows.text(row, 1)), .value = std::string(rows.text(row, 2))}});
  }
  return found;
}

std::vector<store::Timer> View::timers_of(const Rows& rows) {
  std::vector<store::Timer> timers;
  for (int row = 0; row < rows.count(); ++row) {
    timers.push_back({.key = std::string(rows.text(row, 0)),
                      .due = from_us(rows.integer(row, 1)),
                      .kind = std::string(rows.text(row, 2)),
                      .payload = std::string(rows.text(row, 3))});
  }
  return timers;
}

Result<std::vector<store::Timer>> View::all_timers(std::string_view after, std::uint32_t count) {
  MYDR24_ASSIGN(const auto rows,
                connection_.query("SELECT key, due, kind, payload FROM timer WHERE key > $1 ORDER BY key LIMIT $2",
                                  Parameters::of(Bytes{after}, count)));
  return timers_of(rows);
}

Result<std::vector<std::pair<std::string, Sequence>>> View::cursors() {
  MYDR24_ASSIGN(const auto rows, connection_.query("SELECT name, sequence FROM follower ORDER BY name"));
  std::vector<std::pair<std::string, Sequence>> cursors;
  for (int row = 0; row < rows.count(); ++row) cursors.emplace_back(rows.text(row, 0), rows.integer(row, 1));
  return cursors;
}

}  // namespace mydr24::postgres
