#pragma once

// From a search::Query to SQL over the index tables that every engine's schema shares (sqlite/migrations.cc
// describes them).
//
// One condition leads: its index rows are the candidates. The others are probes on each candidate. An equality on a
// token or a reference leads in order of recency and stops as soon as the page is full; other leads are collected
// first. Which one leads is the caller's decision, by the bounded counts that estimate() asks for.
//
// Invariant: text holds no outside data (all of it is bound), so equal shapes share a prepared statement.
// Source of the comparisons of ranges: FHIR R4, search.html, 3.1.1.4.4 and 3.1.1.4.5 (prefixes, date).

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "base/json/document.h"
#include "fhir/search/search.h"

namespace mydr24::store {

// Where engines differ.
struct Dialect {
  std::string_view placeholder;  // before the number of a bound value
  std::string_view position;     // the function (text, part) that is above 0 when the part is there
  std::string_view long_dates;   // date_index by its index date_long, which holds the ranges of more than a day
};
inline constexpr Dialect sqlite_dialect{
    .placeholder = "?", .position = "instr", .long_dates = "date_index INDEXED BY date_long"};
inline constexpr Dialect postgres_dialect{.placeholder = "$", .position = "strpos", .long_dates = "date_index"};

using SqlValue = std::variant<std::int64_t, std::string>;

struct SqlStatement {
  std::string text;
  std::vector<SqlValue> values;  // number 1 first
};

// What names and times stand for in one database.
struct SearchContext {
  Dialect dialect;
  std::int64_t type = 0;                                     // resource_type.number of the query's type
  std::span<const std::int64_t> parameters;                  // search::Parameter::number to parameter.number
  std::function<Result<std::int64_t>(Instant)> sequence_at;  // the first line of the journal at or after that time
  Instant now;                                               // for the prefix ap
};

class SearchSql {
 public:
  static Result<SearchSql> compile(const search::Query& query, const SearchContext& context);

  // A condition that can lead.
  struct Lead {
    std::size_t condition = 0;
    int rank = 0;           // what is usually more selective is lower
    bool in_order = false;  // gives candidates in the order of the query, without collecting them first
  };
  // Ascending rank.
  std::span<const Lead> leads() const { return leads_; }

  // One row: how many index rows the lead has, counted up to `limit`.
  SqlStatement estimate(const Lead& lead, std::int64_t limit) const;
  // Rows (record, place) in order; `place` is what the cursor holds. No lead: by recency over the whole type.
  // `after`: the place where the page before ended.
  SqlStatement page(const Lead* lead, std::optional<std::int64_t> after, std::int64_t limit) const;
  // One row: how many match, counted up to `limit`.
  SqlStatement total(const Lead* lead, std::int64_t limit) const;

 private:
  class Text;
  struct Clause;
  SearchSql(const search::Query& query, const SearchContext& context) : query_(query), context_(context) {}

  Result<> resolve_times();
  void find_leads();
  std::int64_t parameter(const search::Condition& condition) const;
  std::vector<std::string> lead_rows(Text& text, std::size_t condition) const;
  std::string candidates(Text& text, const Lead& lead) const;
  std::string probe(Text& text, std::size_t condition, std::string_view record) const;
  std::string matches(Text& text, const Lead* lead, std::optional<std::int64_t> after) const;

  // Terms of _lastUpdated as ranges of the journal: [from, to).
  struct SequenceRange {
    std::int64_t from = 0;
    std::int64_t to = 0;
  };

  const search::Query& query_;
  const SearchContext& context_;
  std::vector<std::vector<SequenceRange>> times_;  // per condition; empty for other kinds
  std::vector<Lead> leads_;
};

// True when the query has :exact conditions: rows match by folded equality, and is_exact() must decide on the body.
bool needs_exact(const search::Query& query);
// True when each :exact condition has a term that is written in the body just so, as a whole string.
// Index rows hold folded text only (an exact copy would double them for a rare question).
bool is_exact(const search::Query& query, json::Value resource);

// The cursor carries the place and a check of the query: a cursor of another query is Code::invalid.
std::string make_cursor(const search::Query& query, std::int64_t place);
Result<std::optional<std::int64_t>> read_cursor(const search::Query& query);  // nothing when the query has none

}  // namespace mydr24::store
