#include <fmt/format.h>

#include <algorithm>

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

std::uint64_t row_hash(std::int64_t parameter, std::string_view value, std::string_view system, std::int64_t low,
                       std::int64_t high) {
  const std::hash<std::string_view> hash;
  std::uint64_t sum = mixed(static_cast<std::uint64_t>(parameter) + 0x9e3779b97f4a7c15);
  for (const std::uint64_t part :
       {hash(value), hash(system), static_cast<std::size_t>(low), static_cast<std::size_t>(high)}) {
    sum = mixed(sum + part);
  }
  return sum;
}

class Check {
 public:
  Check(Connection& connection, const Shared& shared)
      : connection_(connection), shared_(shared), view_(connection, shared) {}

  Result<std::vector<std::string>> run() {
    MYDR24_TRY(connection_.run("BEGIN DEFERRED"));
    MYDR24_TRY(engine());
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
    for (const IndexEntry& entry : search::extract(root)) {
      if (entry.kind == Kind::id || entry.kind == Kind::last_updated) continue;
      sum(row.integer(1)) +=
          row_hash(shared_.parameters[entry.parameter], entry.value, entry.system, entry.low, entry.high);
    }
    return {};
  }

  Result<> index_rows() {
    MYDR24_TRY(each("SELECT parameter, value, record FROM string_index", [&](Statement& row) -> Result<> {
      sum(row.integer(2)) -= row_hash(row.integer(0), row.text(1), "", 0, 0);
      return {};
    }));
    MYDR24_TRY(each("SELECT parameter, target, record FROM reference_index", [&](Statement& row) -> Result<> {
      sum(row.integer(2)) -= row_hash(row.integer(0), row.text(1), "", 0, 0);
      return {};
    }));
    MYDR24_TRY(
        each("SELECT i.parameter, i.code, i.record, s.uri, i.system FROM token_index i LEFT JOIN system s ON s.number "
             "= i.system",
             [&](Statement& row) -> Result<> {
               if (row.integer(4) != 0 && row.is_null(3))
                 find("token_index names system {}, which is missing", row.integer(4));
               sum(row.integer(2)) -= row_hash(row.integer(0), row.text(1), row.text(3), 0, 0);
               return {};
             }));
    return each("SELECT parameter, low, high, record FROM date_index", [&](Statement& row) -> Result<> {
      sum(row.integer(3)) -= row_hash(row.integer(0), "", "", row.integer(1), row.integer(2));
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
  const Shared& shared_;
  View view_;
  std::string text_;
  std::vector<std::uint64_t> sums_;  // by record: hashes of expected rows minus hashes of stored rows
  std::vector<std::string> findings_;
};

}  // namespace

Result<std::vector<std::string>> check_database(const std::string& file, std::size_t cache_bytes,
                                                const Shared& shared) {
  MYDR24_ASSIGN(const auto connection, Connection::open(file, Connection::Role::reader, cache_bytes));
  return Check(*connection, shared).run();
}

}  // namespace mydr24::sqlite
