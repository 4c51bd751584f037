#pragma once

// From a search::Query to SQL over the index tables that every engine's schema shares (sqlite/migrations.cc describes
// them).
//
// One condition leads: its index rows are the candidates. The others are probes on each candidate. Rows come by
// recency; equalities lead in that order and stop as soon as the page is full, other leads are collected first. Which
// one leads is decided by bounded counts, which compile() asks its context for.
//
// Invariant: text holds no outside data (all of it is bound), so equal shapes share a prepared statement. Invariant: a
// record that matches is never left out. When is_exact() is false, rows only narrow the query down, and search::matches
// must decide on the resource.
// Source of the comparisons of ranges: FHIR R4, search.html, 3.1.1.4.4 and 3.1.1.4.5 (prefixes, date, number,
// quantity).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/clock.h"
#include "base/core/result.h"
#include "fhir/search/search.h"

namespace mydr24::store {

class SqlText;

// Where engines differ.
inline constexpr std::string_view plain_candidate_rows = "{0} {1} WHERE {1}.record = {2} AND {1}.parameter = {3} AND ";

struct Dialect {
  std::string_view placeholder;  // before the number of a bound value
  std::string_view position;     // the function (text, part) that is above 0 when
                                 // the part is there
  // The rest are formats.
  std::string_view wide_rows;   // an index table {0} by its partial index of wide ranges {1}
  std::string_view in_list;     // {0}, an expression, is in the list that is bound as {1}
  std::string_view text_rows;   // SELECT of the column record: {0} the bound text query, {1}
                                // the type's number, {2} "content" or "narrative"
  std::string_view text_probe;  // the same for one record: {0} the bound text
                                // query, {1} the record, {2} the column
  // reference_index.target: the text itself, or its number in a table target (number, uri).
  std::string_view target_is;    // the target {0} is the text {1}
  std::string_view target_text;  // the text of the target {0}
  bool targets_are_numbers = false;
  bool limits_in_text = false;  // a plan that is made before its values are known must know how few rows are wanted
  std::string_view each = "";   // ends a probe: it is asked of each candidate, never of all at once
  // A candidate's rows of one parameter in a table {0} with an index on them, as {1}: {2} the record, {3} the parameter.
  std::string_view candidate_rows = plain_candidate_rows;
  bool fts5 = false;  // the text query is written for FTS5, else it is a tsquery
                      // (see text_query)
};
inline constexpr Dialect sqlite_dialect{
    .placeholder = "?",
    .position = "instr",
    .wide_rows = "{0} INDEXED BY {1}",
    .in_list = "{0} IN (SELECT value FROM json_each({1}))",
    .text_rows = "SELECT rowid AS record FROM text_index WHERE text_index MATCH {0}",
    .text_probe = "EXISTS (SELECT 1 FROM text_index WHERE text_index MATCH {0} AND rowid = {1})",
    .target_is = "{0} = (SELECT number FROM target WHERE uri = {1})",
    .target_text = "(SELECT uri FROM target WHERE number = {0})",
    .targets_are_numbers = true,
    .fts5 = true};
// There text_index is (record, type, content tsvector, narrative tsvector).
inline constexpr Dialect postgres_dialect{
    .placeholder = "$",
    .position = "strpos",
    .wide_rows = "{0}",
    .in_list = "{0} = ANY ({1}::text[])",
    .text_rows = "SELECT record FROM text_index WHERE {2} @@ {0}::tsquery AND type = {1}",
    .text_probe = "EXISTS (SELECT 1 FROM text_index y WHERE y.record = {1} AND y.{2} @@ {0}::tsquery)",
    .target_is = "{0} = {1}",
    .target_text = "{0}",
    .limits_in_text = true,
    .each = " OFFSET 0",
    // A plan that does not know the values takes any range for a narrow one, and would walk the range for each candidate.
    .candidate_rows = "(SELECT * FROM {0} WHERE record = {2} AND parameter = {3} OFFSET 0) {1} WHERE "};

// Every word must be there. FTS5 has one table for all types, in which each word begins with its type's number
// (typed_word); for PostgreSQL the words are quoted lexemes.
std::string text_query(const Dialect& dialect, std::int64_t type, std::string_view column,
                       std::span<const std::string> words, bool prefix);
// Words as the FTS5 table holds them: two letters for the type, then the word, of which FTS5 must not split anything.
std::string typed_word(std::int64_t type, std::string_view word);

// A list is bound as one value: SQLite takes a JSON array, PostgreSQL a text[].
using SqlValue = std::variant<std::int64_t, double, std::string, std::vector<std::string>>;

struct SqlStatement {
  std::string text;
  std::vector<SqlValue> values;  // number 1 first
};

// How far a search goes before it chooses another way, or gives up.
struct SearchLimits {
  std::int64_t walk_rows = 200;   // of a lead: from here on another one that is in order is tried first, for a window
  std::int64_t few_rows = 1'000;  // index rows that are counted at first, to choose a lead
  std::int64_t window = 10'000;   // records walked by recency when there are more, before rows are counted further
  std::int64_t window_rows = 1'000;           // resources of the type in it, when they are known to be rarer
  std::int64_t collected_rows_max = 50'000;   // index rows that are collected
  std::int64_t set_rows_beside_few = 5'000;   // ... to probe a few candidates
  std::int64_t sorted_max = 2'000;            // matches that are sorted by reading them where an index has the order
  std::int64_t sorted_reads_max = 1'000'000;  // resources that are read for their keys
  std::int64_t checked_max = 20'000;          // resources that are read to check them
  std::int64_t total_estimate_max = 10'000;   // _total=estimate counts no further
};

// What names and times stand for in one database. Everything must outlive the SearchSql.
struct SearchContext {
  Dialect dialect;
  std::span<const std::int64_t> parameters;                    // search::Parameter::number to
                                                               // parameter.number; -1: not there
  std::span<const std::int64_t> contained_parameters;          // ... of contained resources (parameter.code begins
                                                               // with '#')
  std::function<Result<std::int64_t>(std::string_view)> type;  // resource_type.number; -1 when there is none
  std::function<Result<std::int64_t>(Instant)> sequence_at;    // the first line of the journal at or after that time
  std::function<Result<std::int64_t>(const SqlStatement&)> count;  // the one number that the statement answers
  // The words of the text index that begin so, as typed_word() writes them: few lists are quicker than a search for the
  // beginning. Nothing: too many. Null: the engine looks beginnings up by itself.
  std::function<Result<std::optional<std::vector<std::string>>>(std::string_view start)> words;
  Instant now;  // for the prefix ap
  SearchLimits limits;
};

class SearchSql {
 public:
  // A way to the candidates. `parts`: of any all of them; of all, chain and has the one that leads.
  struct Lead {
    const search::Condition* condition = nullptr;
    std::int64_t rows = 0;  // counted, up to the limit
    bool in_order = false;  // gives candidates by recency without collecting them first
    std::vector<Lead> parts;
  };

  // `query` must outlive the SearchSql.
  static Result<SearchSql> compile(const search::Query& query, const SearchContext& context);

  // The lead with the fewest rows, counted up to `limit`; nothing when no condition can lead.
  Result<std::optional<Lead>> best_lead(std::int64_t limit);
  // The one that needs no collecting and looks most selective; nothing when there is none.
  std::optional<Lead> lead_in_order() const;
  // A lead in order of which the engine collects and sorts all the rows before it gives the first.
  bool is_collected(const Lead& lead) const;

  // How each condition is probed beside that lead (null: none). Before the statements below.
  Result<> choose_probes(const Lead* lead);
  // False: search::matches must decide on each row.
  bool is_exact() const { return exact_; }
  // True when rows of page() may be far fewer resources than are read for them.
  bool has_unprobed() const { return unprobed_; }

  // Rows (record, place) in order; `place` is what the cursor holds. A record may come several times, one after the
  // other. No lead: by recency over the whole type. Only places beyond `after` and not beyond `until`.
  SqlStatement page(const Lead* lead, std::optional<std::int64_t> after, std::optional<std::int64_t> until,
                    std::int64_t limit) const;
  // One number: the place of the resource of the type that comes so many beyond `after`, or of the last; 0: none comes.
  SqlStatement place_beyond(std::optional<std::int64_t> after, std::int64_t resources) const;
  // Rows (record, record) of the records that match, in no order, each once.
  SqlStatement all(const Lead* lead, std::int64_t limit) const;
  // One row: how many match, counted up to `limit`.
  SqlStatement total(const Lead* lead, std::int64_t limit) const;

  // By the index of one parameter: rows (record, record, value) in the order of the value and then of the query; a
  // record comes once for each of its values. `after`: the value and record where the page before ended.
  struct SortPlace {
    SqlValue value;
    std::int64_t record = 0;
  };
  // How the rows of a parameter come in the order of their values: from the index, or sorted by the engine, which keeps
  // no more than it gives.
  enum class Walk : std::uint8_t { none, sorted, in_order };
  Walk walk_of(const search::Sort& sort) const;
  // A part of the walk along a date.
  struct Stretch {
    std::int64_t from = search::open_start;        // values from here
    std::int64_t to = INT64_MAX;                   // to below here (INT64_MAX: all)
    bool only_long = false;                        // only ranges longer than a day ...
    std::int64_t ends_after = search::open_start;  // ... that end after it

    // The walk is beyond it when it has come to that value.
    bool is_behind(const search::Sort& sort, const SqlValue& value) const;
    bool holds(const SqlValue& value) const;
  };
  // Where matches can be, in the order of the walk: what conditions ask of a date that is there once bounds it.
  std::vector<Stretch> stretches(const search::Sort& sort) const;
  // Whether a record without a value can match.
  bool may_lack(const search::Sort& sort) const;
  SqlStatement sorted_page(const search::Sort& sort, const Stretch& stretch, const std::optional<SortPlace>& after,
                           std::int64_t limit) const;
  // What sorted_page leaves out: records without a value. Rows (record, place), as page().
  SqlStatement without_value(const search::Sort& sort, std::optional<std::int64_t> after, std::int64_t limit) const;

 private:
  // What is known of a node of the tree.
  struct Facts {
    enum class Probe : std::uint8_t {
      rows,    // by the record
      set,     // the rows of the condition, collected once
      none,    // left to search::matches
      record,  // _id and _lastUpdated
      text,    // words
    };
    Probe probe = Probe::rows;
    Probe chosen = Probe::rows;  // the same, or what choose_probes() decided for one by_set
    bool by_set = false;         // no index finds the rows by their record
    bool decides = true;         // rows decide, they do not only narrow down
    bool scanned = false;        // as a lead all rows of the parameter are read
    bool contained = false;
    std::string prefix;  // of chain and has: how references to the type begin,
                         // "Patient/"
    std::int64_t parameter = -1;
    std::int64_t type = -1;    // of the records that are asked
    std::int64_t counted = 0;  // rows, up to `limit`
    std::int64_t limit = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> times;  // of _lastUpdated: lines of the journal, [from, to)
    std::vector<std::string> text;                             // queries for the text index, any of which may match
  };
  using Condition = search::Condition;

  SearchSql(const search::Query& query, SearchContext context) : query_(&query), context_(std::move(context)) {}

  Result<> prepare(const Condition& condition, std::string_view type, bool contained);
  Result<> prepare_match(const Condition& condition, Facts& facts) const;
  Result<> prepare_times(const Condition& condition, Facts& facts) const;
  Result<> prepare_text(const Condition& condition, Facts& facts) const;
  Result<std::string> beginnings_query(std::int64_t type, std::span<const std::string> words) const;

  Result<std::optional<Lead>> lead_of(const Condition& condition, std::int64_t limit);
  Result<std::optional<Lead>> best_of(std::span<const Condition> parts, std::int64_t limit);
  Result<std::int64_t> count_rows(const Lead& lead, std::int64_t limit);
  bool is_leadable(const Condition& condition) const;
  bool is_in_order(const Condition& condition) const;
  Result<> choose_probes(const Condition& condition, const Lead* lead);

  SqlText text() const;
  std::vector<std::string> rows_of(SqlText& text, const Lead& lead) const;
  std::vector<std::string> match_rows(SqlText& text, const Condition& condition) const;
  std::string link_rows(SqlText& text, const Lead& lead) const;
  // `may`: true whenever the condition may hold; else true only when it surely holds.
  std::string probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const;
  std::string match_probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const;
  std::string link_probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const;
  std::string others(SqlText& text, std::span<const Condition> parts, const Lead* lead, std::string_view record) const;
  std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>> within_times(
      std::optional<std::int64_t> after, std::optional<std::int64_t> until) const;
  std::string matches(SqlText& text, const Lead* lead, std::optional<std::int64_t> after,
                      std::optional<std::int64_t> until, std::string_view and_also = {}) const;

  const Facts& facts(const Condition& condition) const { return facts_.at(&condition); }

  const search::Query* query_;
  SearchContext context_;
  std::unique_ptr<Condition> root_;  // the addresses of its nodes are keys
  std::unordered_map<const Condition*, Facts> facts_;
  std::int64_t type_ = -1;
  std::int64_t leading_rows_ = INT64_MAX;
  bool exact_ = true;
  bool unprobed_ = false;
};

}  // namespace mydr24::store
