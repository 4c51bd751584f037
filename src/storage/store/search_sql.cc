#include "storage/store/search_sql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

namespace mydr24::store {
namespace {

using search::Condition;
using search::Kind;
using search::Modifier;
using search::Prefix;
using search::Query;
using search::Term;

// Ranges of at most this width are found by where they begin; date_long holds the others.
constexpr std::int64_t day_us = 86'400'000'000;
// The engines allow 500 parts of a compound SELECT.
constexpr std::size_t lead_rows_max = 400;
// Above every text that begins with what stands before it.
constexpr std::string_view last_character = "\xF4\x8F\xBF\xBF";

bool is_positive(const Condition& condition) {
  return condition.modifier != Modifier::is_not && condition.modifier != Modifier::missing;
}

std::string_view table_of(Kind kind) {
  switch (kind) {
    case Kind::string:
      return "string_index";
    case Kind::token:
      return "token_index";
    case Kind::reference:
      return "reference_index";
    case Kind::date:
      return "date_index";
    default:
      break;
  }
  return "record";
}

std::int64_t minus(std::int64_t value, std::int64_t by) { return value < search::open_start + by ? value : value - by; }
std::int64_t plus(std::int64_t value, std::int64_t by) { return value > search::open_end - by ? value : value + by; }

// ap: a tenth of the time between the date and now, as the specification recommends.
Term widened(const Term& term, Instant now) {
  Term wide = term;
  const std::int64_t middle = term.low + (term.high - term.low) / 2;
  const std::int64_t by = std::abs(to_us(now) - middle) / 10;
  wide.low = minus(term.low, by);
  wide.high = plus(term.high, by);
  return wide;
}

constexpr std::array<std::string_view, 8> common_tokens{"status", "gender", "active",   "category",
                                                        "class",  "intent", "priority", "clinical-status"};

int rank_of(const Condition& condition) {
  const auto code = condition.parameter->code;
  switch (condition.parameter->kind) {
    case Kind::id:
      return 0;
    case Kind::token:
      if (code == "identifier") return 1;
      return std::ranges::find(common_tokens, code) != common_tokens.end() ? 7 : 3;
    case Kind::reference:
      return 2;
    case Kind::string:
      return condition.modifier == Modifier::contains ? 8 : 4;
    case Kind::date:
      return 5;
    case Kind::last_updated:
      return 6;
    default:
      break;
  }
  return 9;
}

}  // namespace

// Rows of an index table, without their parameter.
struct SearchSql::Clause {
  enum class By { value, system_only, long_range };
  std::string where;
  By by = By::value;  // what an index can find the rows by
};

// The bound values of one statement, and the parts of its text that need them.
class SearchSql::Text {
 public:
  Text(const SearchSql& owner) : owner_(owner) {}

  std::string value(std::int64_t number) { return bound(number); }
  std::string value(std::string text) { return bound(std::move(text)); }
  template <class Items>
  std::string list(const Items& items) {
    std::string text = "(";
    for (const auto& item : items) text += (text.size() > 1 ? "," : "") + value(item);
    return text + ")";
  }
  std::vector<SqlValue> take() { return std::move(values_); }

  // Any of the clauses may hold. Those that lead are split so that an index finds them.
  std::vector<Clause> clauses(const Condition& condition, bool lead);

 private:
  std::vector<Clause> string_clauses(const Condition& condition);
  std::vector<Clause> token_clauses(const Condition& condition);
  std::vector<Clause> reference_clauses(const Condition& condition);
  std::string date_clause(const Term& term);
  void date_lead_clauses(const Term& term, std::vector<Clause>& clauses);

  std::string bound(SqlValue value) {
    values_.push_back(std::move(value));
    return fmt::format("{}{}", owner_.context_.dialect.placeholder, values_.size());
  }
  const SearchSql& owner_;
  std::vector<SqlValue> values_;
};

std::vector<SearchSql::Clause> SearchSql::Text::string_clauses(const Condition& condition) {
  std::vector<Clause> clauses;
  for (const Term& term : condition.any_of) {
    if (condition.modifier == Modifier::exact || condition.modifier == Modifier::is_not) {
      clauses.push_back({fmt::format("value = {}", value(term.value))});
    } else if (condition.modifier == Modifier::contains) {
      clauses.push_back({fmt::format("{}(value, {}) > 0", owner_.context_.dialect.position, value(term.value))});
    } else {
      const auto from = value(term.value);
      clauses.push_back(
          {fmt::format("value >= {} AND value < {}", from, value(term.value + std::string(last_character)))});
    }
  }
  return clauses;
}

std::vector<SearchSql::Clause> SearchSql::Text::token_clauses(const Condition& condition) {
  std::vector<Clause> clauses;
  std::vector<std::string> any_system;
  for (const Term& term : condition.any_of) {
    if (term.system_is == Term::System::any) {
      any_system.push_back(term.value);
      continue;
    }
    const auto system = term.system_is == Term::System::none
                            ? "0"
                            : fmt::format("(SELECT number FROM system WHERE uri = {})", value(term.system));
    if (term.any_code) {
      clauses.push_back({fmt::format("system = {}", system), Clause::By::system_only});
    } else {
      clauses.push_back({fmt::format("code = {} AND system = {}", value(term.value), system)});
    }
  }
  if (any_system.size() == 1) clauses.push_back({fmt::format("code = {}", value(any_system.front()))});
  if (any_system.size() > 1) clauses.push_back({fmt::format("code IN {}", list(any_system))});
  return clauses;
}

std::vector<SearchSql::Clause> SearchSql::Text::reference_clauses(const Condition& condition) {
  if (condition.any_of.size() == 1) return {{fmt::format("target = {}", value(condition.any_of.front().value))}};
  std::vector<std::string> targets;
  for (const Term& term : condition.any_of) targets.push_back(term.value);
  return {{fmt::format("target IN {}", list(targets))}};
}

std::string SearchSql::Text::date_clause(const Term& asked) {
  const Term term = asked.prefix == Prefix::ap ? widened(asked, owner_.context_.now) : asked;
  const auto low = [&] { return value(term.low); };
  const auto high = [&] { return value(term.high); };
  switch (term.prefix) {
    case Prefix::eq:
      return fmt::format("low >= {} AND low < {} AND high <= {}", low(), high(), high());
    case Prefix::ne:
      return fmt::format("(low < {} OR high > {})", low(), high());
    case Prefix::gt:
      return fmt::format("high > {}", high());
    case Prefix::lt:
      return fmt::format("low < {}", low());
    case Prefix::ge:
      return fmt::format("(low >= {} OR high > {})", low(), high());
    case Prefix::le:
      return fmt::format("low < {} AND (low < {} OR high <= {})", high(), low(), high());
    case Prefix::sa:
      return fmt::format("low >= {}", high());
    case Prefix::eb:
      return fmt::format("low < {} AND high <= {}", low(), low());
    case Prefix::ap:
      return fmt::format("low < {} AND high > {}", high(), low());
  }
  return "low > high";
}

void SearchSql::Text::date_lead_clauses(const Term& asked, std::vector<Clause>& clauses) {
  const Term term = asked.prefix == Prefix::ap ? widened(asked, owner_.context_.now) : asked;
  // Rows that end after `end`, each in one of two: begun at most a day before it, or long.
  const auto ends_after = [&](std::int64_t end, std::string_view and_also) {
    clauses.push_back({fmt::format("low >= {} AND high > {}{}", value(minus(end, day_us)), value(end), and_also)});
    clauses.push_back(
        {fmt::format("high > low + {} AND high > {}{}", day_us, value(end), and_also), Clause::By::long_range});
  };
  switch (term.prefix) {
    case Prefix::gt:
      ends_after(term.high, "");
      break;
    case Prefix::ne:
      clauses.push_back({fmt::format("low < {}", value(term.low))});
      ends_after(term.high, "");
      break;
    case Prefix::ge:
      clauses.push_back({fmt::format("low >= {}", value(term.low))});
      ends_after(term.high, "");
      break;
    case Prefix::ap: {
      const auto before = fmt::format(" AND low < {}", value(term.high));
      ends_after(term.low, before);
      break;
    }
    default:
      clauses.push_back({date_clause(asked)});
      break;
  }
}

std::vector<SearchSql::Clause> SearchSql::Text::clauses(const Condition& condition, bool lead) {
  switch (condition.parameter->kind) {
    case Kind::string:
      return string_clauses(condition);
    case Kind::token:
      return token_clauses(condition);
    case Kind::reference:
      return reference_clauses(condition);
    case Kind::date: {
      std::vector<Clause> clauses;
      for (const Term& term : condition.any_of) {
        if (lead) {
          date_lead_clauses(term, clauses);
        } else {
          clauses.push_back({date_clause(term)});
        }
      }
      return clauses;
    }
    default:
      break;
  }
  return {};
}

std::int64_t SearchSql::parameter(const Condition& condition) const {
  const std::size_t number = condition.parameter->number;
  return number < context_.parameters.size() ? context_.parameters[number] : -1;
}

Result<SearchSql> SearchSql::compile(const Query& query, const SearchContext& context) {
  SearchSql sql(query, context);
  for (const Condition& condition : query.conditions) {
    if (condition.parameter == nullptr || condition.any_of.empty()) {
      return fail(Code::invalid, "a search condition needs a parameter and a value");
    }
  }
  MYDR24_TRY(sql.resolve_times());
  sql.find_leads();
  return sql;
}

Result<> SearchSql::resolve_times() {
  times_.resize(query_.conditions.size());
  for (std::size_t i = 0; i < query_.conditions.size(); ++i) {
    const Condition& condition = query_.conditions[i];
    if (condition.parameter->kind != Kind::last_updated) continue;
    for (const Term& asked : condition.any_of) {
      const Term term = asked.prefix == Prefix::ap ? widened(asked, context_.now) : asked;
      MYDR24_ASSIGN(const auto low, context_.sequence_at(from_us(term.low)));
      MYDR24_ASSIGN(const auto high, context_.sequence_at(from_us(term.high)));
      auto& ranges = times_[i];
      switch (term.prefix) {
        case Prefix::eq:
        case Prefix::ap:
          ranges.push_back({low, high});
          break;
        case Prefix::ne:
          ranges.push_back({0, low});
          ranges.push_back({high, INT64_MAX});
          break;
        case Prefix::gt:
        case Prefix::sa:
          ranges.push_back({high, INT64_MAX});
          break;
        case Prefix::lt:
        case Prefix::eb:
          ranges.push_back({0, low});
          break;
        case Prefix::ge:
          ranges.push_back({low, INT64_MAX});
          break;
        case Prefix::le:
          ranges.push_back({0, high});
          break;
      }
    }
  }
  return {};
}

void SearchSql::find_leads() {
  for (std::size_t i = 0; i < query_.conditions.size(); ++i) {
    const Condition& condition = query_.conditions[i];
    if (!is_positive(condition)) continue;
    const Kind kind = condition.parameter->kind;
    const std::size_t rows_per_term = kind == Kind::date ? 3 : 1;
    if (condition.any_of.size() * rows_per_term > lead_rows_max) continue;
    const Term& term = condition.any_of.front();
    const bool one_value = condition.any_of.size() == 1 &&
                           ((kind == Kind::token && !term.any_code) || kind == Kind::reference || kind == Kind::id);
    leads_.push_back({.condition = i, .rank = rank_of(condition), .in_order = one_value && !query_.by_last_updated});
  }
  std::ranges::sort(leads_, {}, [](const Lead& lead) { return std::pair(lead.rank, lead.condition); });
}

// SELECTs of the column record (and others, so that an index is used as it is), without repeats left out.
std::vector<std::string> SearchSql::lead_rows(Text& text, std::size_t index) const {
  const Condition& condition = query_.conditions[index];
  const Kind kind = condition.parameter->kind;
  std::vector<std::string> rows;
  if (kind == Kind::id) {
    std::vector<std::string> ids;
    for (const Term& term : condition.any_of) ids.push_back(term.value);
    rows.push_back(fmt::format("SELECT record FROM record WHERE type = {} AND id IN {} AND deleted = 0",
                               text.value(context_.type), text.list(ids)));
    return rows;
  }
  if (kind == Kind::last_updated) {
    for (const SequenceRange& range : times_[index]) {
      rows.push_back(
          fmt::format("SELECT j.record FROM journal j CROSS JOIN record r WHERE j.type = {} AND j.sequence >= {} AND "
                      "j.sequence < {} AND r.record = j.record AND r.sequence = j.sequence AND r.deleted = 0",
                      text.value(context_.type), text.value(range.from), text.value(range.to)));
    }
    return rows;
  }
  const auto clauses = text.clauses(condition, true);
  const auto number = text.value(parameter(condition));
  for (const Clause& clause : clauses) {
    const auto table = clause.by == Clause::By::long_range ? context_.dialect.long_dates : table_of(kind);
    rows.push_back(fmt::format("SELECT record FROM {} WHERE parameter = {} AND {}", table, number, clause.where));
  }
  return rows;
}

std::string SearchSql::candidates(Text& text, const Lead& lead) const {
  return fmt::format("{}", fmt::join(lead_rows(text, lead.condition), " UNION ALL "));
}

// A condition on one candidate, whose record number is the expression `record`.
std::string SearchSql::probe(Text& text, std::size_t index, std::string_view record) const {
  const Condition& condition = query_.conditions[index];
  const Kind kind = condition.parameter->kind;
  const auto table = table_of(kind);
  if (kind == Kind::id) {
    std::vector<std::string> ids;
    for (const Term& term : condition.any_of) ids.push_back(term.value);
    return fmt::format("EXISTS (SELECT 1 FROM record x WHERE x.record = {} AND x.id IN {})", record, text.list(ids));
  }
  if (kind == Kind::last_updated) {
    std::vector<std::string> ranges;
    for (const SequenceRange& range : times_[index]) {
      ranges.push_back(
          fmt::format("(x.sequence >= {} AND x.sequence < {})", text.value(range.from), text.value(range.to)));
    }
    return fmt::format("EXISTS (SELECT 1 FROM record x WHERE x.record = {} AND ({}))", record,
                       fmt::join(ranges, " OR "));
  }
  const auto number = text.value(parameter(condition));
  if (condition.modifier == Modifier::missing) {
    // Tokens and references cannot be probed by record alone: the parameter's rows are collected once for the query.
    return fmt::format("{} {} (SELECT record FROM {} WHERE parameter = {})", record,
                       condition.any_of.front().missing ? "NOT IN" : "IN", table, number);
  }
  std::vector<std::string> any;
  for (const Clause& clause : text.clauses(condition, false)) {
    // "system|" has no code to probe with: its rows are collected once for the query.
    any.push_back(clause.by == Clause::By::system_only
                      ? fmt::format("{} IN (SELECT record FROM {} WHERE parameter = {} AND {})", record, table, number,
                                    clause.where)
                      : fmt::format("EXISTS (SELECT 1 FROM {} x WHERE x.record = {} AND parameter = {} AND {})", table,
                                    record, number, clause.where));
  }
  return fmt::format("{}({})", condition.modifier == Modifier::is_not ? "NOT " : "", fmt::join(any, " OR "));
}

// The rows (record, place) that match, in no order yet.
std::string SearchSql::matches(Text& text, const Lead* lead, std::optional<std::int64_t> after) const {
  std::string from;
  std::string record = "c.record";
  std::string place = "c.record";
  std::vector<std::string> where;
  if (query_.by_last_updated) {
    place = "r.sequence";
    if (lead != nullptr) {
      from = fmt::format("(SELECT DISTINCT record FROM ({}) u) c CROSS JOIN record r", candidates(text, *lead));
      where.push_back("r.record = c.record");
    } else {
      // From the newest line down, so that a page is found without collecting the whole type.
      from = "journal c CROSS JOIN record r";
      place = "c.sequence";
      where.push_back(fmt::format("c.type = {}", text.value(context_.type)));
      where.push_back("r.record = c.record AND r.sequence = c.sequence AND r.deleted = 0");
    }
  } else if (lead != nullptr) {
    from = fmt::format("({}) c", candidates(text, *lead));
  } else {
    from = "record c";
    where.push_back(fmt::format("c.type = {} AND c.deleted = 0", text.value(context_.type)));
  }
  for (std::size_t i = 0; i < query_.conditions.size(); ++i) {
    if (lead == nullptr || i != lead->condition) where.push_back(probe(text, i, record));
  }
  if (after) {
    where.push_back(
        fmt::format("{} {} {}", place, query_.order == search::Order::newest_first ? "<" : ">", text.value(*after)));
  }
  const bool may_repeat = lead != nullptr && !query_.by_last_updated;
  std::string sql = query_.by_last_updated
                        ? fmt::format("SELECT {} AS record, {} AS place FROM {}", record, place, from)
                        : fmt::format("SELECT {}{} AS place FROM {}", may_repeat ? "DISTINCT " : "", record, from);
  if (!where.empty()) sql += fmt::format(" WHERE {}", fmt::join(where, " AND "));
  return sql;
}

SqlStatement SearchSql::estimate(const Lead& lead, std::int64_t limit) const {
  Text text(*this);
  auto sql =
      fmt::format("SELECT count(*) FROM (SELECT 1 FROM ({}) u LIMIT {})", candidates(text, lead), text.value(limit));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::page(const Lead* lead, std::optional<std::int64_t> after, std::int64_t limit) const {
  Text text(*this);
  auto sql = matches(text, lead, after);
  sql += fmt::format(" ORDER BY place {} LIMIT {}", query_.order == search::Order::newest_first ? "DESC" : "ASC",
                     text.value(limit));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::total(const Lead* lead, std::int64_t limit) const {
  Text text(*this);
  auto sql = fmt::format("SELECT count(*) FROM ({} LIMIT {}) t", matches(text, lead, std::nullopt), text.value(limit));
  return {.text = std::move(sql), .values = text.take()};
}

bool needs_exact(const Query& query) {
  return std::ranges::any_of(query.conditions, [](const Condition& c) { return c.modifier == Modifier::exact; });
}

namespace {

// Depth is bounded by the parser.
bool is_written(json::Value value, std::string_view text) {
  if (value.is_string()) return value.text() == text;
  if (!value.is_object() && !value.is_array()) return false;
  for (const json::Value item : value) {
    if (is_written(item, text)) return true;
  }
  return false;
}

class Fingerprint {
 public:
  void add(std::string_view text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0x1f);
  }
  void add(std::int64_t number) { add(std::to_string(number)); }
  std::uint64_t value() const { return hash_; }

 private:
  void mix(std::uint64_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }  // FNV-1a
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

// 32 bits: a cursor is checked against mistakes, it is no secret.
std::string fingerprint(const Query& query, std::int64_t place) {
  Fingerprint print;
  print.add(query.type);
  print.add(static_cast<std::int64_t>(query.by_last_updated) * 2 + static_cast<std::int64_t>(query.order));
  for (const Condition& condition : query.conditions) {
    print.add(condition.parameter->code);
    print.add(static_cast<std::int64_t>(condition.modifier));
    for (const Term& term : condition.any_of) {
      print.add(static_cast<std::int64_t>(term.prefix));
      print.add(term.value);
      print.add(term.exact);
      print.add(term.system);
      print.add(static_cast<std::int64_t>(term.system_is) * 4 + term.any_code * 2 + term.missing);
      print.add(term.low);
      print.add(term.high);
    }
  }
  print.add(place);
  return fmt::format("{:08x}", static_cast<std::uint32_t>(print.value() ^ (print.value() >> 32)));
}

}  // namespace

bool is_exact(const Query& query, json::Value resource) {
  return std::ranges::all_of(query.conditions, [&](const Condition& condition) {
    return condition.modifier != Modifier::exact ||
           std::ranges::any_of(condition.any_of, [&](const Term& term) { return is_written(resource, term.exact); });
  });
}

std::string make_cursor(const Query& query, std::int64_t place) {
  return fmt::format("{:x}-{}", place, fingerprint(query, place));
}

Result<std::optional<std::int64_t>> read_cursor(const Query& query) {
  if (query.cursor.empty()) return std::optional<std::int64_t>();
  std::int64_t place = 0;
  const char* const begin = query.cursor.data();
  const char* const end = begin + query.cursor.size();
  const auto [rest, error] = std::from_chars(begin, end, place, 16);
  if (error != std::errc() || place < 0 || make_cursor(query, place) != query.cursor) {
    return fail(Code::invalid, "this cursor does not belong to this search: take the link of the page before as it is",
                "_cursor");
  }
  return std::optional(place);
}

}  // namespace mydr24::store
