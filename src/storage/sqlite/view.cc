#include "storage/sqlite/view.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::sqlite {
namespace {

using store::SearchSql;
using store::Sequence;
using store::Version;

constexpr std::int64_t estimate_max = 1'000;  // index rows counted to choose a lead
constexpr std::int64_t selective_enough = 100;
constexpr std::int64_t total_estimate_max = 10'000;

void bind(Statement& statement, const std::vector<store::SqlValue>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::visit(
        [&](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
            statement.bind(static_cast<int>(i + 1), std::string_view(value));
          } else {
            statement.bind(static_cast<int>(i + 1), value);
          }
        },
        values[i]);
  }
}

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

Result<std::optional<Version>> View::by_record(std::int64_t record, std::string_view type) {
  MYDR24_ASSIGN(
      Statement row,
      connection_.prepare("SELECT r.version, r.sequence, j.at, j.action, j.meta_at, j.body, r.id FROM record r "
                          "CROSS JOIN journal j WHERE r.record = ?1 AND j.sequence = r.sequence"));
  row.bind(1, record);
  MYDR24_ASSIGN(const bool found, row.step());
  if (!found) return std::optional<Version>();
  std::optional<Version> version(std::in_place);
  version->type = type;
  version->id = row.text(6);
  MYDR24_TRY(read_version(row, 0, true, *version));
  return version;
}

Result<std::int64_t> View::count(const store::SqlStatement& sql) {
  MYDR24_ASSIGN(Statement row, connection_.prepare(sql.text));
  bind(row, sql.values);
  MYDR24_TRY(row.step());
  return row.integer(0);
}

// The lead with the fewest index rows; when all have many, one that needs no collecting, or none.
Result<const SearchSql::Lead*> View::choose_lead(const SearchSql& sql) {
  const auto leads = sql.leads();
  const SearchSql::Lead* best = nullptr;
  if (leads.empty()) return best;
  if (leads.size() == 1 && leads.front().in_order) return &leads.front();
  std::int64_t fewest = estimate_max;
  for (const SearchSql::Lead& lead : leads) {
    MYDR24_ASSIGN(const auto rows, count(sql.estimate(lead, estimate_max)));
    if (rows < fewest) {
      fewest = rows;
      best = &lead;
    }
    if (fewest <= selective_enough) break;
  }
  if (best != nullptr) return best;
  const auto in_order = std::ranges::find_if(leads, &SearchSql::Lead::in_order);
  return in_order == leads.end() ? nullptr : &*in_order;
}

Result<bool> View::is_exact(const search::Query& query, const Version& version) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
  return store::is_exact(query, document.root());
}

Result<std::int64_t> View::exact_total(const search::Query& query, const SearchSql& sql, const SearchSql::Lead* lead,
                                       std::int64_t limit) {
  const auto rows = sql.page(lead, std::nullopt, INT64_MAX);
  MYDR24_ASSIGN(Statement row, connection_.prepare(rows.text));
  bind(row, rows.values);
  std::int64_t matches = 0;
  while (matches < limit) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) break;
    MYDR24_ASSIGN(const auto version, by_record(row.integer(0), query.type));
    if (!version) continue;
    MYDR24_ASSIGN(const bool exact, is_exact(query, *version));
    matches += exact ? 1 : 0;
  }
  return matches;
}

Result<store::SearchPage> View::search(const search::Query& query) {
  store::SearchPage page;
  MYDR24_ASSIGN(const auto after, store::read_cursor(query));
  store::SearchContext context{.dialect = store::sqlite_dialect,
                               .parameters = shared_.parameters,
                               .sequence_at = [this](Instant at) { return sequence_at(at); },
                               .now = shared_.clock.now()};
  MYDR24_ASSIGN(context.type, names_.type(query.type));
  MYDR24_ASSIGN(const auto sql, SearchSql::compile(query, context));
  MYDR24_ASSIGN(const auto* const lead, choose_lead(sql));
  const bool exact_wanted = store::needs_exact(query);

  if (query.total != search::Total::none || query.count == 0) {
    const std::int64_t limit = query.total == search::Total::estimate ? total_estimate_max : INT64_MAX;
    const auto* const of_total = lead == nullptr && !sql.leads().empty() ? &sql.leads().front() : lead;
    MYDR24_ASSIGN(page.total,
                  exact_wanted ? exact_total(query, sql, of_total, limit) : count(sql.total(of_total, limit)));
  }
  if (query.count == 0) return page;

  // One more than asked for says whether there is a next page.
  const std::int64_t limit = exact_wanted ? INT64_MAX : std::int64_t{query.count} + 1;
  const auto rows = sql.page(lead, after, limit);
  MYDR24_ASSIGN(Statement row, connection_.prepare(rows.text));
  bind(row, rows.values);
  std::int64_t place = 0;
  for (;;) {
    MYDR24_ASSIGN(const bool found, row.step());
    if (!found) return page;
    const std::int64_t record = row.integer(0);
    MYDR24_ASSIGN(auto version, by_record(record, query.type));
    if (!version) return fail(Code::internal, fmt::format("record {} has index rows but no content", record));
    if (exact_wanted) {
      MYDR24_ASSIGN(const bool exact, is_exact(query, *version));
      if (!exact) continue;
    }
    if (page.matches.size() == query.count) {
      page.next_cursor = store::make_cursor(query, place);
      return page;
    }
    place = query.by_last_updated ? row.integer(1) : record;
    page.matches.push_back(std::move(*version));
  }
}

Result<std::int64_t> View::count_resources(std::string_view type) {
  if (type.empty()) return connection_.number("SELECT count(*) FROM record WHERE deleted = 0", 0);
  MYDR24_ASSIGN(const auto number, names_.type(type));
  return connection_.number("SELECT count(*) FROM record WHERE type = ?1 AND deleted = 0", 0, number);
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

Result<Sequence> View::last_sequence() { return connection_.number("SELECT max(sequence) FROM journal", 0); }

Result<Sequence> View::last_event() {
  return connection_.number(
      "SELECT sequence FROM journal INDEXED BY journal_event WHERE kind IS NOT NULL "
      "ORDER BY sequence DESC LIMIT 1",
      0);
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

}  // namespace mydr24::sqlite
