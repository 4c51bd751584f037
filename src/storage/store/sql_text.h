#pragma once

// The bound values of one statement, and the rows of one index table that a condition's terms select. Private to
// storage/store.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "storage/store/search_sql.h"

namespace mydr24::store {

// Which rows of an index table, without their parameter; any of several may hold.
struct RowClause {
  enum class By { value, parameter_only, wide };
  std::string where;
  By by = By::value;   // what an index can find the rows by; wide: the partial
                       // index of wide ranges
  bool equal = false;  // rows come by recency
};

// A question about numbers: half-open.
struct NumberRange {
  search::Prefix prefix = search::Prefix::eq;
  double from = 0;
  double to = 0;
};

class SqlText {
 public:
  // `now`: for the prefix ap.
  SqlText(const Dialect& dialect, const search::Catalogue* catalogue, Instant now)
      : dialect_(dialect), catalogue_(catalogue), now_(now) {}

  std::string value(std::int64_t number) { return bound(number); }
  std::string value(double number) { return bound(number); }
  std::string value(std::string text) { return bound(std::move(text)); }
  std::string value(const SqlValue& any) { return bound(any); }
  // Of LIMIT.
  std::string limit(std::int64_t rows) { return dialect_.limits_in_text ? fmt::format("{}", rows) : bound(rows); }
  std::string in_list(std::string_view expression, std::vector<std::string> items);
  // On reference_index.target, which is a text or the number of one.
  std::string target_is(std::string_view target, std::string_view text) const;
  std::string target_text(std::string_view target) const;
  std::string among_targets(const std::string& condition) const;
  // A name that no other table of this statement has.
  std::string alias() { return fmt::format("t{}", ++aliases_); }
  std::vector<SqlValue> take() { return std::move(values_); }

  // `lead`: split so that an index finds the rows.
  std::vector<RowClause> clauses(const search::Condition& condition, bool lead);

  const Dialect& dialect() const { return dialect_; }

 private:
  std::vector<RowClause> string_clauses(const search::Condition& condition);
  std::vector<RowClause> token_clauses(const search::Condition& condition);
  std::vector<RowClause> target_clauses(const search::Condition& condition);
  std::vector<RowClause> position_clauses(const search::Condition& condition);
  std::vector<RowClause> composite_clauses(const search::Condition& condition);
  std::string date_clause(const search::Term& term);
  void date_lead_clauses(const search::Term& term, std::vector<RowClause>& clauses);
  // `before`: what else must hold, with its AND.
  void number_clauses(const NumberRange& range, std::string_view before, bool lead, std::vector<RowClause>& clauses);
  std::string system_number(std::string_view uri);

  std::string bound(SqlValue value) {
    values_.push_back(std::move(value));
    return fmt::format("{}{}", dialect_.placeholder, values_.size());
  }
  const Dialect& dialect_;
  const search::Catalogue* catalogue_;
  Instant now_;
  std::vector<SqlValue> values_;
  int aliases_ = 0;
};

inline bool is_negative(const search::Condition& condition) {
  return condition.modifier == search::Modifier::is_not || condition.modifier == search::Modifier::not_in;
}
inline bool asks_presence(const search::Condition& condition) {
  return condition.modifier == search::Modifier::missing;
}
inline std::string joined(const std::vector<std::string>& arms) {
  return fmt::format("{}", fmt::join(arms, " UNION ALL "));
}
// The first text above all that begin with `prefix`, whose last character is in ASCII.
inline std::string end_of(std::string prefix) {
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

// Ranges of at most this width are found by where they begin; the index date_long holds the others.
inline constexpr std::int64_t day_us = 86'400'000'000;
// As far as there are times.
inline std::int64_t minus(std::int64_t value, std::int64_t by) {
  return value < search::open_start + by ? value : value - by;
}
// A date as it is asked for: ap widens it.
search::Term as_asked(const search::Term& term, Instant now);

std::string_view index_table(search::Kind kind);
// The column whose smallest or largest value is sorted by; empty when there is none.
std::string_view value_column(search::Kind kind);
// True when a record's rows can be looked up by the record.
bool has_record_index(search::Kind kind);

}  // namespace mydr24::store
