#include "storage/store/search_sql.h"

#include <algorithm>
#include <array>
#include <ranges>
#include <set>

#include "storage/store/sql_text.h"

namespace mydr24::store {
namespace {

using search::Condition;
using search::Kind;
using search::Modifier;
using search::Prefix;
using search::Query;
using search::Term;
using Form = search::Condition::Form;

// Good enough to look no further for a lead.
constexpr std::int64_t selective_enough = 100;
// Arms of a lead that are merged by recency.
constexpr std::size_t merged_arms_max = 8;
// The engines allow 500 parts of a compound SELECT.
constexpr std::size_t arms_max = 400;
// Systems of the codes of one condition: each is an arm.
constexpr std::size_t systems_max = 64;
// Shorter beginnings of words are too many to be looked up.
constexpr std::size_t word_start_bytes_min = 3;

bool is_equality(const Condition& condition) {
  const Kind kind = condition.parameter->kind;
  if (kind == Kind::token) return std::ranges::none_of(condition.any_of, &Term::any_code);
  return kind == Kind::reference || kind == Kind::uri;
}

constexpr std::array<std::string_view, 8> common_tokens{"status", "gender", "active",   "category",
                                                        "class",  "intent", "priority", "clinical-status"};

// Rows of one value of the table stand in order of recency, and can be probed by their record: the range is compared
// row
// by row.
bool is_range_by_recency(const Condition& condition) {
  const Kind kind = condition.parameter->kind;
  if (kind == Kind::quantity) return true;
  return kind == Kind::composite && std::ranges::none_of(condition.any_of, [](const Term& term) {
           return std::ranges::any_of(term.parts,
                                      [](const Term& part) { return part.any_code || !part.exact.empty(); });
         });
}

// What is usually more selective is lower.
int rank_of(const Condition& condition) {
  if (condition.form != Form::match) return 5;
  const auto code = condition.parameter->code;
  switch (condition.parameter->kind) {
    case Kind::id:
      return 0;
    case Kind::token:
      if (code == "identifier") return 1;
      return std::ranges::find(common_tokens, code) != common_tokens.end() ? 7 : 3;
    case Kind::reference:
    case Kind::uri:
      return 2;
    case Kind::composite:
    case Kind::text:
      return 3;
    case Kind::string:
      return condition.modifier == Modifier::contains ? 8 : 4;
    case Kind::last_updated:
      return 6;
    default:
      break;
  }
  return 5;
}

std::string wide_index(Kind kind) {
  if (kind == Kind::date) return "date_long";
  const auto table = index_table(kind);
  return fmt::format("{}_wide", table.substr(0, table.size() - std::string_view("_index").size()));
}

}  // namespace

std::string typed_word(std::int64_t type, std::string_view word) {
  std::string result;
  result += static_cast<char>('a' + (type / 26) % 26);
  result += static_cast<char>('a' + type % 26);
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    const bool splits =
        byte < 0x80 && !(byte >= '0' && byte <= '9') && !(byte >= 'a' && byte <= 'z') && !(byte >= 'A' && byte <= 'Z');
    if (!splits) {
      result += c;
      continue;
    }
    // A character of the private use area that stands for it: U+E000 + the byte.
    result += '\xEE';
    result += static_cast<char>(0x80 | (byte >> 6));
    result += static_cast<char>(0x80 | (byte & 0x3f));
  }
  return result;
}

std::string text_query(const Dialect& dialect, std::int64_t type, std::string_view column,
                       std::span<const std::string> words, bool prefix) {
  std::string query;
  for (const std::string& word : words) {
    if (dialect.fts5) {
      query += fmt::format("{}\"{}\"{}", query.empty() ? "" : " AND ", typed_word(type, word), prefix ? "*" : "");
      continue;
    }
    std::string quoted;
    for (const char c : word) quoted += c == '\'' || c == '\\' ? std::string(2, c) : std::string(1, c);
    query += fmt::format("{}'{}'{}", query.empty() ? "" : " & ", quoted, prefix ? ":*" : "");
  }
  return dialect.fts5 ? fmt::format("{} : ({})", column, query) : query;
}

Result<SearchSql> SearchSql::compile(const Query& query, const SearchContext& context) {
  SearchSql sql(query, context);
  MYDR24_ASSIGN(sql.type_, context.type(query.type));
  sql.root_ = std::make_unique<Condition>();
  sql.root_->form = Form::all;
  sql.root_->parts = query.conditions;
  if (query.contained == search::Contained::both) {
    auto either = std::make_unique<Condition>();
    either->form = Form::any;
    either->parts = {*sql.root_, *sql.root_};
    sql.root_ = std::move(either);
    MYDR24_TRY(sql.prepare(*sql.root_, query.type, false));
    MYDR24_TRY(sql.prepare(sql.root_->parts[1], query.type, true));
    return sql;
  }
  MYDR24_TRY(sql.prepare(*sql.root_, query.type, query.contained == search::Contained::yes));
  return sql;
}

Result<> SearchSql::prepare(const Condition& condition, std::string_view type, bool contained) {
  Facts& facts = facts_[&condition];
  facts = {};
  facts.contained = contained;
  MYDR24_ASSIGN(facts.type, context_.type(type));
  if (contained) facts.decides = false;  // several conditions must hold on the same contained resource
  const bool is_link = condition.form == Form::chain || condition.form == Form::has;
  if (is_link || condition.form == Form::match) {
    if (condition.parameter == nullptr) return fail(Code::invalid, "a search condition needs a parameter");
    const auto numbers = contained ? context_.contained_parameters : context_.parameters;
    const std::size_t number = condition.parameter->number;
    if (number < numbers.size()) facts.parameter = numbers[number];
  }
  if (condition.form == Form::match) return prepare_match(condition, facts);
  std::string_view inner = type;
  if (condition.form == Form::chain) {
    inner = condition.target;
    facts.prefix = fmt::format("{}/", condition.target);
  } else if (condition.form == Form::has) {
    inner = condition.parameter->type;
    facts.prefix = fmt::format("{}/", type);
  }
  for (const Condition& part : condition.parts) MYDR24_TRY(prepare(part, inner, contained && !is_link));
  return {};
}

Result<> SearchSql::prepare_match(const Condition& condition, Facts& facts) const {
  const Kind kind = condition.parameter->kind;
  const bool may_be_empty = condition.modifier == Modifier::in || condition.modifier == Modifier::not_in;
  if (condition.any_of.empty() && !may_be_empty) {
    return fail(Code::invalid, "a search condition needs a value", std::string(condition.parameter->code));
  }
  std::set<std::string_view> systems;
  for (const Term& term : condition.any_of) systems.insert(term.system);
  if (systems.size() > systems_max) {
    return fail(Code::too_costly,
                fmt::format("codes of {} systems in one condition: at most {}", systems.size(), systems_max),
                std::string(condition.parameter->code));
  }
  facts.decides = facts.decides && search::index_decides(condition);
  // A part that is a system only leaves the parts behind it to search::matches.
  if (kind == Kind::composite) {
    for (const Term& term : condition.any_of) {
      if (std::ranges::any_of(term.parts, &Term::any_code)) facts.decides = false;
    }
  }
  if (kind == Kind::id || kind == Kind::last_updated) {
    facts.probe = facts.contained ? Facts::Probe::none : Facts::Probe::record;
    return kind == Kind::last_updated ? prepare_times(condition, facts) : Result<>();
  }
  const bool by_words = kind == Kind::text || condition.modifier == Modifier::text;
  if (by_words) MYDR24_TRY(prepare_text(condition, facts));
  if (kind == Kind::text || (by_words && kind == Kind::token)) {
    facts.probe = facts.text.empty() ? Facts::Probe::none : Facts::Probe::text;
    facts.decides = facts.decides && kind == Kind::text && !facts.text.empty() && !asks_presence(condition);
    if (asks_presence(condition)) facts.probe = Facts::Probe::none;
    return {};
  }
  facts.by_set = !has_record_index(kind) &&
                 (asks_presence(condition) || !(is_equality(condition) || is_range_by_recency(condition)));
  facts.scanned = asks_presence(condition) || is_range_by_recency(condition) ||
                  (kind == Kind::token && !is_equality(condition)) ||
                  (kind == Kind::string && facts.text.empty() &&
                   (condition.modifier == Modifier::contains || condition.modifier == Modifier::text));
  return {};
}

// The queries of which one must match. Only what is long enough to be looked up; none when a term has nothing.
Result<> SearchSql::prepare_text(const Condition& condition, Facts& facts) const {
  if (facts.contained) return {};
  const bool whole = condition.parameter->kind == Kind::text;
  const std::string_view column = whole && condition.parameter->code == "_text" ? "narrative" : "content";
  for (const Term& term : condition.any_of) {
    std::vector<std::string> words;
    if (whole) {
      for (const auto word : std::views::split(term.value, ' ')) {
        if (!word.empty()) words.emplace_back(word.begin(), word.end());
      }
    } else {
      words = search::words(term.exact.empty() ? term.value : term.exact);
    }
    if (!whole) std::erase_if(words, [](const std::string& word) { return word.size() < word_start_bytes_min; });
    if (words.empty()) {
      facts.text.clear();
      return {};
    }
    if (whole) {
      facts.text.push_back(text_query(context_.dialect, facts.type, column, words, false));
    } else {
      MYDR24_ASSIGN(facts.text.emplace_back(), beginnings_query(facts.type, words));
    }
  }
  return {};
}

// Each word must begin one of the content.
Result<std::string> SearchSql::beginnings_query(std::int64_t type, std::span<const std::string> words) const {
  if (!context_.words) return text_query(context_.dialect, type, "content", words, true);
  std::string query;
  for (const std::string& word : words) {
    const auto start = typed_word(type, word);
    MYDR24_ASSIGN(const auto known, context_.words(start));
    std::string any;
    if (!known) {
      any = fmt::format("\"{}\"*", start);
    } else if (known->empty()) {
      any = fmt::format("\"{}\"", start);  // there is no such word either: FTS5 knows that sooner than of a beginning
    } else {
      for (const std::string& one : *known) any += fmt::format("{}\"{}\"", any.empty() ? "" : " OR ", one);
    }
    query += fmt::format("{}({})", query.empty() ? "" : " AND ", any);
  }
  return fmt::format("content : ({})", query);
}

Result<> SearchSql::prepare_times(const Condition& condition, Facts& facts) const {
  if (asks_presence(condition)) return {};
  for (Term term : condition.any_of) {
    if (term.prefix == Prefix::ap) {
      // A tenth of the time between the date and now, as the specification recommends.
      const auto by = std::abs(to_us(context_.now) - (term.low + (term.high - term.low) / 2)) / 10;
      term.low -= by;
      term.high += by;
    }
    MYDR24_ASSIGN(const auto low, context_.sequence_at(from_us(term.low)));
    MYDR24_ASSIGN(const auto high, context_.sequence_at(from_us(term.high)));
    auto& ranges = facts.times;
    switch (term.prefix) {
      case Prefix::eq:
      case Prefix::ap:
        ranges.emplace_back(low, high);
        break;
      case Prefix::ne:
        ranges.emplace_back(0, low);
        ranges.emplace_back(high, INT64_MAX);
        break;
      case Prefix::gt:
      case Prefix::sa:
        ranges.emplace_back(high, INT64_MAX);
        break;
      case Prefix::lt:
      case Prefix::eb:
        ranges.emplace_back(0, low);
        break;
      case Prefix::ge:
        ranges.emplace_back(low, INT64_MAX);
        break;
      case Prefix::le:
        ranges.emplace_back(0, high);
        break;
    }
  }
  return {};
}

SqlText SearchSql::text() const { return SqlText(context_.dialect, query_->catalogue.get(), context_.now); }

// Leads.

bool SearchSql::is_leadable(const Condition& condition) const {
  switch (condition.form) {
    case Form::match:
      break;
    case Form::none:
      return false;
    case Form::any:
      return std::ranges::all_of(condition.parts, [this](const Condition& part) { return is_leadable(part); });
    default:
      return std::ranges::any_of(condition.parts, [this](const Condition& part) { return is_leadable(part); });
  }
  if (is_negative(condition)) return false;
  const Kind kind = condition.parameter->kind;
  if (asks_presence(condition)) {
    return !condition.any_of.front().missing && kind != Kind::id && kind != Kind::last_updated && kind != Kind::text;
  }
  const Facts& known = facts(condition);
  if (known.probe == Facts::Probe::none) return false;
  constexpr std::size_t rows_per_term = 3;
  return kind == Kind::id || is_equality(condition) || condition.any_of.size() * rows_per_term <= arms_max;
}

bool SearchSql::is_in_order(const Condition& condition) const {
  if (query_->by_last_updated || !is_leadable(condition)) return false;
  if (condition.form == Form::any) {
    return condition.parts.size() <= merged_arms_max &&
           std::ranges::all_of(condition.parts, [this](const Condition& part) {
             return part.form == Form::match && part.any_of.size() == 1 && is_in_order(part);
           });
  }
  if (condition.form != Form::match || asks_presence(condition)) return false;
  if (condition.any_of.empty() || condition.any_of.size() > merged_arms_max) return false;
  if (!facts(condition).text.empty()) return true;
  if (is_range_by_recency(condition)) return true;
  return is_equality(condition) && condition.modifier != Modifier::below && condition.modifier != Modifier::above;
}

Result<std::int64_t> SearchSql::count_rows(const Lead& lead, std::int64_t limit) {
  Facts& known = facts_.at(lead.condition);
  if (known.limit >= limit) return std::min(known.counted, limit);
  if (known.limit > 0 && known.counted < known.limit) return known.counted;
  SqlText text = this->text();
  auto sql = fmt::format("SELECT count(*) FROM (SELECT 1 FROM ({}) u LIMIT {}) v", joined(rows_of(text, lead)),
                         text.limit(limit));
  MYDR24_ASSIGN(known.counted, context_.count({.text = std::move(sql), .values = text.take()}));
  known.limit = limit;
  return known.counted;
}

Result<std::optional<SearchSql::Lead>> SearchSql::lead_of(const Condition& condition, std::int64_t limit) {
  if (!is_leadable(condition)) return std::optional<Lead>();
  Lead lead{.condition = &condition, .rows = limit, .in_order = is_in_order(condition), .parts = {}};
  if (condition.form == Form::match) {
    if (facts(condition).scanned && limit <= context_.limits.few_rows) return std::optional(std::move(lead));
    MYDR24_ASSIGN(lead.rows, count_rows(lead, limit));
    return std::optional(std::move(lead));
  }
  if (condition.form == Form::any) {
    lead.rows = 0;
    for (const Condition& part : condition.parts) {
      MYDR24_ASSIGN(auto found, lead_of(part, limit));
      lead.rows = std::min(limit, lead.rows + found->rows);
      lead.parts.push_back(std::move(*found));
    }
    return std::optional(std::move(lead));
  }
  MYDR24_ASSIGN(auto found, best_of(condition.parts, limit));
  if (!found) return std::optional<Lead>();
  lead.rows = found->rows;
  lead.parts.push_back(std::move(*found));
  if (condition.form != Form::all && lead.rows < limit) {
    MYDR24_ASSIGN(lead.rows, count_rows(lead, limit));
  }
  return std::optional(std::move(lead));
}

Result<std::optional<SearchSql::Lead>> SearchSql::best_of(std::span<const Condition> parts, std::int64_t limit) {
  std::vector<std::pair<int, std::size_t>> ranked;
  for (std::size_t i = 0; i < parts.size(); ++i) ranked.emplace_back(rank_of(parts[i]), i);
  std::ranges::sort(ranked);
  std::optional<Lead> best;
  for (const auto& [rank, i] : ranked) {
    MYDR24_ASSIGN(auto lead, lead_of(parts[i], limit));
    if (lead && (!best || lead->rows < best->rows)) best = std::move(lead);
    if (best && best->rows <= std::min(selective_enough, limit / 2)) break;
  }
  return best;
}

Result<std::optional<SearchSql::Lead>> SearchSql::best_lead(std::int64_t limit) { return lead_of(*root_, limit); }

std::optional<SearchSql::Lead> SearchSql::lead_in_order() const {
  if (root_->form != Form::all) return std::nullopt;
  const Condition* best = nullptr;
  const auto cost = [this](const Condition& part) { return std::pair(facts(part).counted, rank_of(part)); };
  for (const Condition& part : root_->parts) {
    if (is_in_order(part) && (best == nullptr || cost(part) < cost(*best))) best = &part;
  }
  if (best == nullptr) return std::nullopt;
  Lead lead{.condition = best, .rows = facts(*best).counted, .in_order = true, .parts = {}};
  for (const Condition& part : best->parts)
    lead.parts.push_back({.condition = &part, .rows = 0, .in_order = true, .parts = {}});
  Lead root{.condition = root_.get(), .rows = lead.rows, .in_order = true, .parts = {}};
  root.parts.push_back(std::move(lead));
  return root;
}

bool SearchSql::is_collected(const Lead& lead) const {
  if (context_.dialect.fts5) return false;
  if (!lead.parts.empty())
    return std::ranges::any_of(lead.parts, [this](const Lead& part) { return is_collected(part); });
  return lead.condition->form == Form::match && !facts(*lead.condition).text.empty();
}

// Rows of leads.

// SELECTs of the column record, repeats not left out.
std::vector<std::string> SearchSql::rows_of(SqlText& text, const Lead& lead) const {
  const Condition& condition = *lead.condition;
  std::vector<std::string> rows;
  switch (condition.form) {
    case Form::match:
      return match_rows(text, condition);
    case Form::any:
      for (const Lead& part : lead.parts) {
        for (auto& row : rows_of(text, part)) rows.push_back(std::move(row));
      }
      return rows;
    case Form::all: {
      auto inner = rows_of(text, lead.parts.front());
      if (condition.parts.size() == 1) return inner;
      const auto alias = text.alias();
      const auto record = alias + ".record";
      rows.push_back(fmt::format("SELECT {} FROM ({}) {} WHERE 1 = 1{}", record, joined(inner), alias,
                                 others(text, condition.parts, &lead, record)));
      return rows;
    }
    default:
      rows.push_back(link_rows(text, lead));
      return rows;
  }
}

// Of chain and has: from the records of the inner lead along the references.
std::string SearchSql::link_rows(SqlText& text, const Lead& lead) const {
  const Condition& condition = *lead.condition;
  const Facts& known = facts(condition);
  const auto inner = joined(rows_of(text, lead.parts.front()));
  const auto i = text.alias();
  const auto r = text.alias();
  const auto t = text.alias();
  const auto parameter = text.value(known.parameter);
  const auto prefix = text.value(known.prefix);
  if (condition.form == Form::chain) {
    return fmt::format(
        "SELECT {1}.record FROM ({3}) {0} CROSS JOIN record {2} CROSS JOIN reference_index {1} WHERE {2}.record = "
        "{0}.record AND {2}.deleted = 0 AND {1}.parameter = {4} AND {5}{6}",
        i, r, t, inner, parameter, text.target_is(r + ".target", fmt::format("{} || {}.id", prefix, t)),
        others(text, condition.parts, &lead, t + ".record"));
  }
  return fmt::format(
      "SELECT {2}.record FROM ({3}) {0} CROSS JOIN reference_index {1} CROSS JOIN record {2} WHERE {1}.record = "
      "{0}.record AND {1}.parameter = {4} AND {10} >= {5} AND {10} < {6} AND {2}.type = {7} AND {2}.id = "
      "substr({10}, {8}) AND {2}.deleted = 0{9}",
      i, r, t, inner, parameter, prefix, text.value(end_of(known.prefix)), text.value(known.type),
      known.prefix.size() + 1, others(text, condition.parts, &lead, i + ".record"), text.target_text(r + ".target"));
}

std::vector<std::string> SearchSql::match_rows(SqlText& text, const Condition& condition) const {
  const Facts& known = facts(condition);
  const Kind kind = condition.parameter->kind;
  std::vector<std::string> rows;
  if (condition.any_of.empty()) return {"SELECT record FROM record WHERE 1 = 0"};
  if (kind == Kind::id) {
    std::vector<std::string> ids;
    for (const Term& term : condition.any_of) ids.push_back(term.value);
    const auto type = text.value(known.type);
    const auto is = ids.size() == 1 ? fmt::format("id = {}", text.value(ids.front())) : text.in_list("id", ids);
    return {fmt::format("SELECT record FROM record WHERE type = {} AND {} AND deleted = 0", type, is)};
  }
  if (kind == Kind::last_updated) {
    for (const auto& [from, to] : known.times) {
      rows.push_back(
          fmt::format("SELECT j.record FROM journal j CROSS JOIN record r WHERE j.type = {} AND j.sequence >= {} AND "
                      "j.sequence < {} AND r.record = j.record AND r.sequence = j.sequence AND r.deleted = 0",
                      text.value(known.type), text.value(from), text.value(to)));
    }
    return rows;
  }
  const auto& dialect = context_.dialect;
  if (!known.text.empty()) {
    const bool narrative = kind == Kind::text && condition.parameter->code == "_text";
    for (const auto& query : known.text) {
      rows.push_back(fmt::format(fmt::runtime(dialect.text_rows), text.value(query), known.type,
                                 narrative ? "narrative" : "content"));
    }
    return rows;
  }
  const auto table = index_table(kind);
  if (asks_presence(condition)) {
    return {fmt::format("SELECT record FROM {} WHERE parameter = {}", table, text.value(known.parameter))};
  }
  const auto clauses = text.clauses(condition, true);
  const auto number = text.value(known.parameter);
  for (const RowClause& clause : clauses) {
    const auto from = clause.by == RowClause::By::wide
                          ? fmt::format(fmt::runtime(dialect.wide_rows), table, wide_index(kind))
                          : std::string(table);
    rows.push_back(fmt::format("SELECT record FROM {} WHERE parameter = {} AND {}", from, number, clause.where));
  }
  return rows;
}

}  // namespace mydr24::store
