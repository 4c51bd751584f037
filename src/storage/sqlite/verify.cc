#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>

#include "storage/sqlite/maintenance.h"

namespace mydr24::sqlite {
namespace {

using search::IndexEntry;
using search::Kind;

// Order does not matter in the sum, so expected and stored rows may come in any order, a record's mixed with others'.
std::uint64_t mixed(std::uint64_t value) {  // the finalizer of splitmix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// One row: the table's letter, its parameter, its texts and its numbers.
class RowHash {
 public:
  RowHash(char table, std::int64_t parameter)
      : sum_(mixed(static_cast<std::uint64_t>(parameter) * 256 + static_cast<unsigned char>(table))) {}
  RowHash& text(std::string_view part) { return add(std::hash<std::string_view>()(part)); }
  RowHash& number(std::int64_t part) { return add(static_cast<std::uint64_t>(part)); }
  RowHash& number(double part) { return add(std::bit_cast<std::uint64_t>(part == 0 ? 0.0 : part)); }
  std::uint64_t sum() const { return sum_; }

 private:
  RowHash& add(std::uint64_t part) {
    sum_ = mixed(sum_ + part);
    return *this;
  }
  std::uint64_t sum_;
};

// The row that an entry makes; 0 for those that make none here (the words of a text are checked by themselves).
std::uint64_t hash_of(const IndexEntry& entry, std::int64_t parameter) {
  switch (entry.kind) {
    case Kind::string:
      return RowHash('s', parameter).text(entry.value).sum();
    case Kind::token:
      return RowHash('t', parameter).text(entry.value).text(entry.system).sum();
    case Kind::reference:
    case Kind::uri:
      return RowHash('r', parameter).text(entry.value).sum();
    case Kind::date:
      return RowHash('d', parameter).number(entry.low).number(entry.high).sum();
    case Kind::number:
      return RowHash('n', parameter).number(entry.from).number(entry.to).sum();
    case Kind::quantity:
      return RowHash('q', parameter).text(entry.system).number(entry.from).number(entry.to).sum();
    case Kind::composite:
      return RowHash('c', parameter)
          .text(entry.value)
          .text(entry.system)
          .text(entry.unit)
          .number(entry.from)
          .number(entry.to)
          .sum();
    case Kind::position:
      return RowHash('p', parameter).number(entry.from).number(entry.to).sum();
    default:
      return 0;
  }
}

class Check {
 public:
  Check(Connection& connection, Shared& shared) : connection_(connection), shared_(shared), view_(connection, shared) {}

  Result<std::vector<std::string>> run() {
    MYDR24_TRY(connection_.run("BEGIN DEFERRED"));
    MYDR24_TRY(engine());
    if (!shared_.index_is_complete()) {
      find("the search index is being made anew: {} of {} resources are done", shared_.indexed.load(),
           shared_.to_index.load());
      return std::move(findings_);
    }
    MYDR24_TRY(versions());
    MYDR24_ASSIGN(const auto records, connection_.number("SELECT max(record) FROM record", 0));
    sums_.assign(static_cast<std::size_t>(records) + 1, 0);
    MYDR24_TRY(bodies());
    MYDR24_TRY(index_rows());
    MYDR24_TRY(compare());
    return std::move(findings_);
  }

 private:
  template <class... Parts>
  void find(fmt::format_string<Parts...> text, Parts&&... parts) {
    if (findings_.size() < findings_max) findings_.push_back(fmt::format(text, std::forward<Parts>(parts)...));
  }

  Result<> each(const char* sql, const std::function<Result<>(Statement&)>& row) {
    MYDR24_ASSIGN(Statement statement, connection_.prepare(sql));
    for (;;) {
      MYDR24_ASSIGN(const bool found, statement.step());
      if (!found) return {};
      MYDR24_TRY(row(statement));
    }
  }

  Result<> engine() {
    return each("PRAGMA integrity_check(100)", [&](Statement& row) -> Result<> {
      if (row.text(0) != "ok") find("SQLite: {}", row.text(0));
      return {};
    });
  }

  // Versions 1, 2, 3 ... of every record, and the record on the newest; times that never fall.
  Result<> versions() {
    std::int64_t record = 0;
    std::int64_t version = 0;
    MYDR24_TRY(each("SELECT record, version FROM journal WHERE record IS NOT NULL ORDER BY record, version",
                    [&](Statement& row) -> Result<> {
                      const bool same = row.integer(0) == record;
                      const std::int64_t expected = same ? version + 1 : 1;
                      record = row.integer(0);
                      version = row.integer(1);
                      if (version != expected) find("record {}: version {} is missing", record, expected);
                      return {};
                    }));
    MYDR24_TRY(each(
        "SELECT r.record, r.id FROM record r WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.sequence = r.sequence "
        "AND j.record = r.record AND j.version = r.version AND j.type = r.type AND (j.action = 3) = r.deleted) "
        "OR EXISTS (SELECT 1 FROM journal j WHERE j.record = r.record AND j.version > r.version)",
        [&](Statement& row) -> Result<> {
          find("record {} ({}) is not on its newest line of the journal", row.integer(0), row.text(1));
          return {};
        }));
    std::int64_t at = INT64_MIN;
    return each("SELECT sequence, at FROM journal ORDER BY sequence", [&](Statement& row) -> Result<> {
      if (row.integer(1) < at) find("line {}: its time is before the line above", row.integer(0));
      at = row.integer(1);
      return {};
    });
  }

  // Every body of every version; what the newest are found by is noted.
  Result<> bodies() {
    return each(
        "SELECT j.sequence, j.record, j.action, j.body, r.type, r.id, r.sequence, j.meta_at FROM journal j "
        "LEFT JOIN record r ON r.record = j.record WHERE j.record IS NOT NULL ORDER BY j.sequence",
        [&](Statement& row) -> Result<> {
          if (row.is_null(4)) {
            find("line {}: its record is missing", row.integer(0));
            return {};
          }
          if (row.integer(2) == 3) return {};
          MYDR24_ASSIGN(const auto type, view_.names().type_name(row.integer(4)));
          return body(row, type);
        });
  }

  Result<> body(Statement& row, const std::string& type) {
    const auto name = fmt::format("{}/{} (line {})", type, row.text(5), row.integer(0));
    if (auto unpacked = shared_.codec.unpack(row.blob(3), text_); !unpacked) {
      find("{}: {}", name, unpacked.error().text);
      return {};
    }
    const auto document = json::Document::parse_view(text_);
    if (!document) {
      find("{}: its body is no JSON: {}", name, document.error().text);
      return {};
    }
    const json::Value root = document->root();
    if (root["resourceType"].text() != type || root["id"].text() != row.text(5)) {
      find("{}: its body is of {}/{}", name, root["resourceType"].text(), root["id"].text());
    }
    if (row.integer(7) < 0 || static_cast<std::size_t>(row.integer(7)) > text_.size())
      find("{}: meta_at is outside", name);
    if (row.integer(0) != row.integer(6)) return {};  // an older version
    const auto& known = shared_.parameters();
    for (const IndexEntry& entry : search::extract(root, known.catalogue.get())) {
      const auto& numbers = entry.contained ? known.contained : known.own;
      const auto parameter = entry.parameter < numbers.size() ? numbers[entry.parameter] : -1;
      sum(row.integer(1)) += hash_of(entry, parameter);
    }
    return {};
  }

  // Subtracts every row of a table whose columns are parameter, record and then what `hash` takes.
  Result<> subtract(char table, const char* sql, const std::function<void(RowHash&, Statement&)>& hash) {
    return each(sql, [&](Statement& row) -> Result<> {
      RowHash sum_of_row(table, row.integer(0));
      hash(sum_of_row, row);
      sum(row.integer(1)) -= sum_of_row.sum();
      return {};
    });
  }

  // The text of a system; empty for 0.
  std::string_view system(Statement& row, int number, int uri) {
    if (row.integer(number) != 0 && row.is_null(uri))
      find("an index row names system {}, which is missing", row.integer(number));
    return row.text(uri);
  }

  Result<> index_rows() {
    MYDR24_TRY(subtract('s', "SELECT parameter, record, value FROM string_index",
                        [](RowHash& hash, Statement& row) { hash.text(row.text(2)); }));
    MYDR24_TRY(subtract('r',
                        "SELECT i.parameter, i.record, t.uri, i.target FROM reference_index i LEFT JOIN target t ON "
                        "t.number = i.target",
                        [this](RowHash& hash, Statement& row) {
                          if (row.is_null(2)) find("an index row names target {}, which is missing", row.integer(3));
                          hash.text(row.text(2));
                        }));
    MYDR24_TRY(
        subtract('t',
                 "SELECT i.parameter, i.record, i.code, i.system, s.uri FROM token_index i LEFT JOIN system s ON "
                 "s.number = i.system",
                 [this](RowHash& hash, Statement& row) { hash.text(row.text(2)).text(system(row, 3, 4)); }));
    MYDR24_TRY(subtract('d', "SELECT parameter, record, low, high FROM date_index",
                        [](RowHash& hash, Statement& row) { hash.number(row.integer(2)).number(row.integer(3)); }));
    MYDR24_TRY(subtract('n', "SELECT parameter, record, low, high FROM number_index",
                        [](RowHash& hash, Statement& row) { hash.number(row.real(2)).number(row.real(3)); }));
    MYDR24_TRY(subtract('q',
                        "SELECT i.parameter, i.record, i.unit, s.uri, i.low, i.high FROM quantity_index i LEFT JOIN "
                        "system s ON s.number = i.unit",
                        [this](RowHash& hash, Statement& row) {
                          hash.text(system(row, 2, 3)).number(row.real(4)).number(row.real(5));
                        }));
    MYDR24_TRY(subtract('c',
                        "SELECT i.parameter, i.record, i.key, i.system, s.uri, i.unit, u.uri, i.low, i.high FROM "
                        "composite_index i LEFT JOIN system s ON s.number = i.system LEFT JOIN system u ON u.number = "
                        "i.unit",
                        [this](RowHash& hash, Statement& row) {
                          hash.text(row.text(2)).text(system(row, 3, 4)).text(system(row, 5, 6));
                          hash.number(row.real(7)).number(row.real(8));
                        }));
    return subtract('p', "SELECT parameter, record, latitude, longitude FROM position_index",
                    [](RowHash& hash, Statement& row) { hash.number(row.real(2)).number(row.real(3)); });
  }

  std::uint64_t& sum(std::int64_t record) {
    const bool known = record > 0 && static_cast<std::size_t>(record) < sums_.size();
    return known ? sums_[static_cast<std::size_t>(record)] : sums_[0];
  }

  Result<> compare() {
    if (sums_[0] != 0) find("the search index has rows of records that are not there");
    for (std::size_t record = 1; record < sums_.size(); ++record) {
      if (sums_[record] == 0) continue;
      MYDR24_ASSIGN(Statement row, connection_.prepare("SELECT type, id FROM record WHERE record = ?1"));
      row.bind(1, static_cast<std::int64_t>(record));
      MYDR24_ASSIGN(const bool found, row.step());
      std::string type = "?";
      if (found) {
        MYDR24_ASSIGN(type, view_.names().type_name(row.integer(0)));
      }
      find("{}/{}: what it is found by is not what its content says", type, found ? row.text(1) : "?");
    }
    return {};
  }

  Connection& connection_;
  Shared& shared_;
  View view_;
  std::string text_;
  std::vector<std::uint64_t> sums_;  // by record: hashes of expected rows minus hashes of stored rows
  std::vector<std::string> findings_;
};

}  // namespace

Result<std::vector<std::string>> check_database(const DatabasePlace& place, std::size_t cache_bytes, Shared& shared) {
  MYDR24_ASSIGN(const auto connection, Connection::open(place, Connection::Role::reader, cache_bytes));
  return Check(*connection, shared).run();
}

}  // namespace mydr24::sqlite
