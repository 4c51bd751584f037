#include "storage/postgres/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/postgres/pending.h"

namespace mydr24::postgres {
namespace {

using search::IndexEntry;
using search::Kind;

// Order does not matter in the sum, so expected and stored rows may come in any order, a record's mixed with others'.
std::uint64_t mixed(std::uint64_t value) {  // the finalizer of splitmix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// A row of any index table; what a table does not have is empty.
struct IndexRow {
  std::int64_t parameter = 0;
  std::string_view value;
  std::string_view system;
  std::string_view unit;
  std::int64_t low = 0;  // or the bits of a double
  std::int64_t high = 0;
};

std::uint64_t hash_of(const IndexRow& row) {
  const std::hash<std::string_view> hash;
  std::uint64_t sum = mixed(static_cast<std::uint64_t>(row.parameter) + 0x9e3779b97f4a7c15);
  for (const std::uint64_t part : {hash(row.value), hash(row.system), hash(row.unit), static_cast<std::size_t>(row.low),
                                   static_cast<std::size_t>(row.high)}) {
    sum = mixed(sum + part);
  }
  return sum;
}

std::int64_t bits_of(double value) { return std::bit_cast<std::int64_t>(value == 0 ? 0.0 : value); }

std::string sorted_words(std::string_view words) {
  std::vector<std::string_view> list;
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (end > 0) list.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  std::ranges::sort(list);
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return fmt::format("{}", fmt::join(list, " "));
}

// The columns of every index table in one shape: record, parameter, value, system, unit, low, high.
constexpr std::string_view index_rows[] = {
    "SELECT record, parameter, value, '', '', 0::bigint, 0::bigint FROM string_index",
    "SELECT record, parameter, target, '', '', 0::bigint, 0::bigint FROM reference_index",
    "SELECT i.record, i.parameter, i.code, CASE WHEN i.system = 0 THEN '' ELSE s.uri END, '', 0::bigint, 0::bigint "
    "FROM token_index i LEFT JOIN system s ON s.number = i.system",
    "SELECT record, parameter, '', '', '', low, high FROM date_index",
    "SELECT record, parameter, '', '', '', low, high FROM number_index",
    "SELECT i.record, i.parameter, '', CASE WHEN i.unit = 0 THEN '' ELSE s.uri END, '', i.low, i.high "
    "FROM quantity_index i LEFT JOIN system s ON s.number = i.unit",
    "SELECT i.record, i.parameter, i.key, CASE WHEN i.system = 0 THEN '' ELSE s.uri END, "
    "CASE WHEN i.unit = 0 THEN '' ELSE u.uri END, i.low, i.high FROM composite_index i "
    "LEFT JOIN system s ON s.number = i.system LEFT JOIN system u ON u.number = i.unit",
    "SELECT record, parameter, '', '', '', latitude, longitude FROM position_index",
};

class Check {
 public:
  Check(Connection& connection, Shared& shared)
      : connection_(connection), parameters_(shared.parameters.load()), view_(connection, shared) {}

  Result<std::vector<std::string>> run() {
    MYDR24_TRY(connection_.send("BEGIN"));
    MYDR24_TRY(versions());
    MYDR24_ASSIGN(const auto records, connection_.number("SELECT max(record) FROM record", 0));
    sums_.assign(static_cast<std::size_t>(records) + 1, 0);
    MYDR24_TRY(bodies());
    for (const auto sql : index_rows) MYDR24_TRY(stored_rows(sql));
    MYDR24_TRY(stored_texts());
    MYDR24_TRY(compare());
    MYDR24_TRY(totals());
    MYDR24_TRY(connection_.send("ROLLBACK"));
    MYDR24_TRY(connection_.finish());
    return std::move(findings_);
  }

 private:
  template <class... Parts>
  void find(fmt::format_string<Parts...> text, Parts&&... parts) {
    if (findings_.size() < findings_max) findings_.push_back(fmt::format(text, std::forward<Parts>(parts)...));
  }

  // Some thousand rows at a time, by a cursor: the whole need not be in memory.
  Result<> each(std::string_view sql, const std::function<Result<>(const Rows&, int)>& row) {
    MYDR24_TRY(connection_.query(fmt::format("DECLARE rows NO SCROLL CURSOR FOR {}", sql), {}));
    for (;;) {
      MYDR24_ASSIGN(const auto rows, connection_.query(std::string("FETCH 5000 FROM rows"), {}));
      if (rows.empty()) break;
      for (int i = 0; i < rows.count(); ++i) MYDR24_TRY(row(rows, i));
    }
    MYDR24_TRY(connection_.query(std::string("CLOSE rows"), {}));
    return {};
  }

  // Versions 1, 2, 3 ... of every record, and the record on the newest; times that never fall.
  Result<> versions() {
    std::int64_t record = 0;
    std::int64_t version = 0;
    MYDR24_TRY(each("SELECT record, version FROM journal WHERE record IS NOT NULL ORDER BY record, version",
                    [&](const Rows& rows, int row) -> Result<> {
                      const std::int64_t expected = rows.integer(row, 0) == record ? version + 1 : 1;
                      record = rows.integer(row, 0);
                      version = rows.integer(row, 1);
                      if (version != expected) find("record {}: version {} is missing", record, expected);
                      return {};
                    }));
    MYDR24_TRY(each(
        "SELECT r.record, r.id FROM record r WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.sequence = r.sequence "
        "AND j.record = r.record AND j.version = r.version AND j.type = r.type AND (j.action = 3) = (r.deleted = 1)) "
        "OR EXISTS (SELECT 1 FROM journal j WHERE j.record = r.record AND j.version > r.version)",
        [&](const Rows& rows, int row) -> Result<> {
          find("record {} ({}) is not on its newest line of the journal", rows.integer(row, 0), rows.text(row, 1));
          return {};
        }));
    std::int64_t at = INT64_MIN;
    return each("SELECT sequence, at FROM journal ORDER BY sequence", [&](const Rows& rows, int row) -> Result<> {
      if (rows.integer(row, 1) < at) find("line {}: its time is before the line above", rows.integer(row, 0));
      at = rows.integer(row, 1);
      return {};
    });
  }

  // Every body of every version; what the newest are found by is noted.
  Result<> bodies() {
    return each(
        "SELECT j.sequence, j.record, j.action, j.body, r.type, r.id, r.sequence, j.meta_at FROM journal j "
        "LEFT JOIN record r ON r.record = j.record WHERE j.record IS NOT NULL ORDER BY j.sequence",
        [&](const Rows& rows, int row) -> Result<> {
          if (rows.is_null(row, 4)) {
            find("line {}: its record is missing", rows.integer(row, 0));
            return {};
          }
          if (rows.integer(row, 2) == 3) return {};
          MYDR24_ASSIGN(const auto type, view_.shared().names.type_name(connection_, rows.integer(row, 4)));
          return body(rows, row, type);
        });
  }

  Result<> body(const Rows& rows, int row, const std::string& type) {
    const auto name = fmt::format("{}/{} (line {})", type, rows.text(row, 5), rows.integer(row, 0));
    if (auto unpacked = view_.unpack(rows.text(row, 3), text_); !unpacked) {
      find("{}: {}", name, unpacked.error().text);
      return {};
    }
    const auto document = json::Document::parse_view(text_);
    if (!document) {
      find("{}: its body is no JSON: {}", name, document.error().text);
      return {};
    }
    const json::Value root = document->root();
    if (root["resourceType"].text() != type || root["id"].text() != rows.text(row, 5)) {
      find("{}: its body is of {}/{}", name, root["resourceType"].text(), root["id"].text());
    }
    if (rows.integer(row, 7) < 0 || static_cast<std::size_t>(rows.integer(row, 7)) > text_.size()) {
      find("{}: meta_at is outside", name);
    }
    if (rows.integer(row, 0) == rows.integer(row, 6)) expect(rows.integer(row, 1), root);  // the newest
    return {};
  }

  void expect(std::int64_t record, json::Value resource) {
    for (const IndexEntry& entry : search::extract(resource, parameters_->catalogue.get())) {
      if (entry.kind == Kind::id || entry.kind == Kind::last_updated) continue;
      if (entry.kind == Kind::text) {
        const std::int64_t column = parameters_->narrative[entry.parameter] ? -2 : -1;
        const auto words = sorted_words(stored_words(entry.value));
        if (!words.empty()) sum(record) += hash_of({.parameter = column, .value = words});
        continue;
      }
      const bool is_real = entry.kind == Kind::number || entry.kind == Kind::quantity ||
                           entry.kind == Kind::composite || entry.kind == Kind::position;
      const bool has_system =
          entry.kind == Kind::token || entry.kind == Kind::quantity || entry.kind == Kind::composite;
      const bool has_value = entry.kind != Kind::date && entry.kind != Kind::number && entry.kind != Kind::quantity &&
                             entry.kind != Kind::position;
      const auto value = has_value ? stored_text(entry.value) : std::string();
      const auto system = has_system ? stored_text(entry.system) : std::string();
      const auto unit = entry.kind == Kind::composite ? stored_text(entry.unit) : std::string();
      const auto& numbers = entry.contained ? parameters_->contained : parameters_->of;
      sum(record) += hash_of({.parameter = numbers[entry.parameter],
                              .value = value,
                              .system = system,
                              .unit = unit,
                              .low = is_real ? bits_of(entry.from) : entry.low,
                              .high = is_real ? bits_of(entry.to) : entry.high});
    }
  }

  Result<> stored_rows(std::string_view sql) {
    return each(sql, [&](const Rows& rows, int row) -> Result<> {
      if (rows.is_null(row, 3) || rows.is_null(row, 4)) {
        find("an index row of record {} names a system that is missing", rows.integer(row, 0));
      }
      const bool is_real = rows.is_real(5);
      sum(rows.integer(row, 0)) -= hash_of({.parameter = rows.integer(row, 1),
                                            .value = rows.text(row, 2),
                                            .system = rows.text(row, 3),
                                            .unit = rows.text(row, 4),
                                            .low = is_real ? bits_of(rows.real(row, 5)) : rows.integer(row, 5),
                                            .high = is_real ? bits_of(rows.real(row, 6)) : rows.integer(row, 6)});
      return {};
    });
  }

  Result<> stored_texts() {
    return each(
        "SELECT record, array_to_string(tsvector_to_array(content), ' '), "
        "array_to_string(tsvector_to_array(narrative), "
        "' ') FROM text_index",
        [&](const Rows& rows, int row) -> Result<> {
          for (const int column : {1, 2}) {
            const auto words = sorted_words(rows.text(row, column));
            if (!words.empty()) sum(rows.integer(row, 0)) -= hash_of({.parameter = -column, .value = words});
          }
          return {};
        });
  }

  std::uint64_t& sum(std::int64_t record) {
    const bool known = record > 0 && static_cast<std::size_t>(record) < sums_.size();
    return known ? sums_[static_cast<std::size_t>(record)] : sums_[0];
  }

  Result<> compare() {
    if (sums_[0] != 0) find("the search index has rows of records that are not there");
    for (std::size_t record = 1; record < sums_.size(); ++record) {
      if (sums_[record] == 0) continue;
      MYDR24_ASSIGN(const auto rows, connection_.query("SELECT t.name, r.id FROM record r JOIN resource_type t ON "
                                                       "t.number = r.type WHERE r.record = $1",
                                                       Parameters::of(record)));
      find("{}/{}: what it is found by is not what its content says", rows.empty() ? "?" : rows.text(0, 0),
           rows.empty() ? "?" : rows.text(0, 1));
    }
    return {};
  }

  Result<> totals() {
    return each(
        "SELECT kind, number, code, total, CASE kind "
        "WHEN 1 THEN (SELECT count(*) FROM record r WHERE r.type = k.number AND r.deleted = 0) "
        "WHEN 2 THEN (SELECT count(DISTINCT t.record) FROM token_index t WHERE t.parameter = k.number AND "
        "t.code = k.code) ELSE (SELECT count(*) FROM token_index t WHERE t.parameter = k.number AND t.code = k.code "
        "AND t.system = k.system) END FROM kept_total k WHERE counted",
        [&](const Rows& rows, int row) -> Result<> {
          if (rows.integer(row, 3) == rows.integer(row, 4)) return {};
          find("the kept total {} of {} '{}' says {}, there are {}", rows.integer(row, 0), rows.integer(row, 1),
               rows.text(row, 2), rows.integer(row, 3), rows.integer(row, 4));
          return {};
        });
  }

  Connection& connection_;
  const std::shared_ptr<const ParameterNumbers> parameters_;
  View view_;
  std::string text_;
  std::vector<std::uint64_t> sums_;  // by record: hashes of expected rows minus hashes of stored rows
  std::vector<std::string> findings_;
};

}  // namespace

Result<std::vector<std::string>> check_database(const std::string& url, Shared& shared) {
  MYDR24_ASSIGN(const auto connection, Connection::open(url, Connection::Role::reader));
  return Check(*connection, shared).run();
}

}  // namespace mydr24::postgres
