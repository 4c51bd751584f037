#pragma once

// Runs a search on an engine: chooses the way to the rows, checks on the resources what rows only narrow down, sorts,
// pages and counts. The same for every engine, which gives what SearchEngine asks for.
//
// Invariant: bounded. Resources are read for checks up to checked_max; the engine stops what takes too long.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store/search_sql.h"
#include "storage/store/store.h"

namespace mydr24::store {

// A row of a page: its columns in order.
struct SqlRow {
  std::int64_t record = 0;
  std::int64_t place = 0;
  SqlValue value;  // of sorted_page
};

// What one connection gives to a search, inside one view of the data.
class SearchEngine {
 public:
  virtual ~SearchEngine() = default;

  // Of SearchContext: dialect, parameters, names, times; without `count`.
  virtual SearchContext context() = 0;
  virtual Result<std::vector<SqlRow>> rows(const SqlStatement& statement) = 0;
  virtual Result<std::int64_t> count(const SqlStatement& statement) = 0;
  // How the engine would run the statement, for people.
  virtual Result<std::string> plan(const SqlStatement& statement) = 0;
  // The newest version, with its body. Nothing when there is none.
  virtual Result<std::optional<Version>> by_record(std::int64_t record) = 0;
  // The same of several, in their order; at most records_per_read(), which is 1 where a look ahead saves nothing.
  virtual Result<std::vector<std::optional<Version>>> by_records(std::span<const std::int64_t> records) {
    std::vector<std::optional<Version>> versions;
    for (const std::int64_t record : records) {
      MYDR24_ASSIGN(auto version, by_record(record));
      versions.push_back(std::move(version));
    }
    return versions;
  }
  virtual std::size_t records_per_read() const { return 1; }
  // An error when the read's limits are exceeded: asked between steps.
  virtual Result<> check_limits() = 0;

  // Totals that the engine keeps up to date; nothing: count. They may be of a newer commit than this view.
  enum class Exactness : std::uint8_t { newest, view };  // view: nothing as well when it is not of this very view
  virtual Result<std::optional<std::int64_t>> kept_total(std::int64_t /*type*/, Exactness /*exactness*/) {
    return std::optional<std::int64_t>();
  }
  // `system` has no value: whatever the system.
  virtual Result<std::optional<std::int64_t>> kept_total(std::int64_t /*parameter*/, std::string_view /*code*/,
                                                         const std::optional<std::string>& /*system*/,
                                                         Exactness /*exactness*/) {
    return std::optional<std::int64_t>();
  }
};

Result<SearchPage> run_search(const search::Query& query, SearchEngine& engine);
// What Reader::values answers.
Result<std::vector<ParameterValue>> parameter_values(const search::Parameter& parameter, std::uint32_t count,
                                                     SearchEngine& engine);
Result<std::string> explain_search(const search::Query& query, SearchEngine& engine);

}  // namespace mydr24::store
