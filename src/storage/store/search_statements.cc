// The probes of conditions on candidates, and the statements made of leads and probes.

#include "storage/store/search_sql.h"
#include "storage/store/sql_text.h"

#include <algorithm>
#include <tuple>

namespace mydr24::store {

using search::Condition;
using search::Kind;
using search::Term;
using Form = search::Condition::Form;

// Probes.

Result<> SearchSql::choose_probes(const Lead* lead) {
  exact_ = true;
  unprobed_ = false;
  leading_rows_ = lead == nullptr ? INT64_MAX : lead->rows;
  return choose_probes(*root_, lead);
}

Result<> SearchSql::choose_probes(const Condition& condition, const Lead* lead) {
  Facts& known = facts_.at(&condition);
  const bool leads = lead != nullptr && lead->condition == &condition;
  if (!known.decides) exact_ = false;
  if (condition.form == Form::match) {
    known.chosen = known.probe;
    if (leads || !known.by_set) {
      unprobed_ = unprobed_ || (!leads && known.probe == Facts::Probe::none);
      return {};
    }
    const auto limit = leading_rows_ < context_.limits.few_rows ? context_.limits.set_rows_beside_few
                                                                : context_.limits.collected_rows_max;
    Lead alone;
    alone.condition = &condition;
    MYDR24_ASSIGN(const auto rows, count_rows(alone, limit));
    known.chosen = rows < limit ? Facts::Probe::set : Facts::Probe::none;
    if (known.chosen == Facts::Probe::none) {
      exact_ = false;
      unprobed_ = true;
    }
    return {};
  }
  for (const Condition& part : condition.parts) {
    const Lead* of_part = nullptr;
    if (leads) {
      const auto found = std::ranges::find(lead->parts, &part, &Lead::condition);
      if (found != lead->parts.end()) of_part = &*found;
    }
    MYDR24_TRY(choose_probes(part, of_part));
  }
  return {};
}

// What leads aside: AND each of the others.
std::string SearchSql::others(SqlText& text, std::span<const Condition> parts, const Lead* lead,
                              std::string_view record) const {
  const Condition* const leading = lead == nullptr ? nullptr : lead->parts.front().condition;
  std::string sql;
  for (const Condition& part : parts) {
    if (&part != leading) sql += fmt::format(" AND {}", probe(text, part, record, true));
  }
  return sql;
}

std::string SearchSql::probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const {
  std::vector<std::string> parts;
  switch (condition.form) {
    case Form::match:
      return match_probe(text, condition, record, may);
    case Form::chain:
    case Form::has:
      return link_probe(text, condition, record, may);
    case Form::all:
    case Form::any:
      for (const Condition& part : condition.parts) parts.push_back(probe(text, part, record, may));
      if (parts.empty()) return condition.form == Form::all ? "1 = 1" : "1 = 0";
      return fmt::format("({})", fmt::join(parts, condition.form == Form::all ? " AND " : " OR "));
    case Form::none:
      for (const Condition& part : condition.parts) parts.push_back(probe(text, part, record, !may));
      if (parts.empty()) return "1 = 1";
      return fmt::format("NOT ({})", fmt::join(parts, " OR "));
  }
  return "1 = 1";
}

std::string SearchSql::link_probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const {
  const Facts& known = facts(condition);
  if (known.contained && !may) return "1 = 0";
  const auto r = text.alias();
  const auto t = text.alias();
  const auto parameter = text.value(known.parameter);
  const auto prefix = text.value(known.prefix);
  const bool is_chain = condition.form == Form::chain;
  const auto found = is_chain ? t + ".record" : r + ".record";
  std::string parts;
  for (const Condition& part : condition.parts) parts += fmt::format(" AND {}", probe(text, part, found, may));
  if (is_chain) {
    const auto inner_type = condition.parts.empty() ? std::int64_t{-1} : facts(condition.parts.front()).type;
    return fmt::format(
        "EXISTS (SELECT 1 FROM reference_index {0} CROSS JOIN record {1} WHERE {0}.record = {2} AND {0}.parameter = "
        "{3} AND {9} >= {4} AND {9} < {5} AND {1}.type = {6} AND {1}.id = substr({9}, {7}) AND "
        "{1}.deleted = 0{8}{10})",
        r, t, record, parameter, prefix, text.value(end_of(known.prefix)), text.value(inner_type),
        known.prefix.size() + 1, parts, text.target_text(r + ".target"), context_.dialect.each);
  }
  return fmt::format(
      "EXISTS (SELECT 1 FROM record {1} CROSS JOIN reference_index {0} WHERE {1}.record = {2} AND {0}.parameter = {3} "
      "AND {4}{5}{6})",
      r, t, record, parameter, text.target_is(r + ".target", fmt::format("{} || {}.id", prefix, t)), parts,
      context_.dialect.each);
}

// A condition on one candidate, whose record number is the expression `record`.
std::string SearchSql::match_probe(SqlText& text, const Condition& condition, std::string_view record, bool may) const {
  const Facts& known = facts(condition);
  const bool wants_absence = asks_presence(condition) && condition.any_of.front().missing;
  const bool negated = is_negative(condition) || wants_absence;
  const auto answer = [&](std::string_view positive) {
    return negated ? fmt::format("NOT ({})", positive) : std::string(positive);
  };
  if (known.chosen == Facts::Probe::none || (!known.decides && may == negated)) return may ? "1 = 1" : "1 = 0";
  if (condition.any_of.empty()) return answer("1 = 0");
  const Kind kind = condition.parameter->kind;
  std::vector<std::string> any;
  if (known.chosen == Facts::Probe::record) {
    if (asks_presence(condition)) return answer("1 = 1");
    const auto x = text.alias();
    if (kind == Kind::id) {
      std::vector<std::string> ids;
      for (const Term& term : condition.any_of) ids.push_back(term.value);
      any.push_back(ids.size() == 1 ? fmt::format("{}.id = {}", x, text.value(ids.front()))
                                    : text.in_list(x + ".id", std::move(ids)));
    }
    for (const auto& [from, to] : known.times) {
      any.push_back(fmt::format("({0}.sequence >= {1} AND {0}.sequence < {2})", x, text.value(from), text.value(to)));
    }
    return answer(fmt::format("EXISTS (SELECT 1 FROM record {0} WHERE {0}.record = {1} AND ({2}){3})", x, record,
                              fmt::join(any, " OR "), context_.dialect.each));
  }
  if (known.chosen == Facts::Probe::text) {
    const bool narrative = kind == Kind::text && condition.parameter->code == "_text";
    for (const auto& query : known.text) {
      any.push_back(fmt::format(fmt::runtime(context_.dialect.text_probe), text.value(query), record,
                                narrative ? "narrative" : "content"));
    }
    return answer(fmt::format("({})", fmt::join(any, " OR ")));
  }
  if (known.chosen == Facts::Probe::set) {
    return answer(fmt::format("{} IN ({})", record, joined(match_rows(text, condition))));
  }
  const auto clauses =
      asks_presence(condition) ? std::vector<RowClause>{{.where = "1 = 1"}} : text.clauses(condition, false);
  const auto number = text.value(known.parameter);
  for (const RowClause& clause : clauses) {
    const auto x = text.alias();
    // Tokens are looked up by their code: they have no index by record.
    const auto rows = kind == Kind::token ? plain_candidate_rows : context_.dialect.candidate_rows;
    any.push_back(fmt::format("EXISTS (SELECT 1 FROM {}{}{})",
                              fmt::format(fmt::runtime(rows), index_table(kind), x, record, number), clause.where,
                              context_.dialect.each));
  }
  return answer(fmt::format("({})", fmt::join(any, " OR ")));
}

// Statements.

// Of a walk along the journal: no further than _lastUpdated lets through.
std::pair<std::optional<std::int64_t>, std::optional<std::int64_t>> SearchSql::within_times(
    std::optional<std::int64_t> after, std::optional<std::int64_t> until) const {
  const bool down = query_->order == search::Order::newest_first;
  for (const Condition& part : root_->parts) {
    if (part.form != Form::match || facts(part).times.empty()) continue;
    std::int64_t first = INT64_MAX, end = 0;
    for (const auto& [from, to] : facts(part).times) {
      first = std::min(first, from);
      end = std::max(end, to);
    }
    // Both bounds of a walk: beyond the one, not beyond the other.
    const std::int64_t begins = down ? end : first - 1;
    const std::int64_t ends = down ? first : end - 1;
    if (!after || (down ? begins < *after : begins > *after)) after = begins;
    if (!until || (down ? ends > *until : ends < *until)) until = ends;
  }
  return {after, until};
}

// The rows (record, place) that may match, in no order yet.
std::string SearchSql::matches(SqlText& text, const Lead* lead, std::optional<std::int64_t> after,
                               std::optional<std::int64_t> until, std::string_view and_also) const {
  std::string from;
  std::string place = "c.record";
  std::string where = "1 = 1";
  const bool of_all = lead != nullptr && root_->form == Form::all;
  const auto rows = [&] { return joined(of_all ? rows_of(text, lead->parts.front()) : rows_of(text, *lead)); };
  if (query_->by_last_updated) {
    place = "r.sequence";
    if (lead != nullptr) {
      from = fmt::format("(SELECT DISTINCT record FROM ({}) u) c CROSS JOIN record r", rows());
      where = "r.record = c.record";
    } else {
      // From the newest line down, so that a page is found without collecting the whole type.
      from = "journal c CROSS JOIN record r";
      place = "c.sequence";
      where = fmt::format("c.type = {} AND r.record = c.record AND r.sequence = c.sequence AND r.deleted = 0",
                          text.value(type_));
      std::tie(after, until) = within_times(after, until);
    }
  } else if (lead != nullptr) {
    from = fmt::format("({}) c", rows());
  } else {
    from = "record c";
    where = fmt::format("c.type = {} AND c.deleted = 0", text.value(type_));
  }
  if (lead == nullptr) {
    where += fmt::format(" AND {}", probe(text, *root_, "c.record", true));
  } else if (of_all) {
    where += others(text, root_->parts, lead, "c.record");
  }
  const bool down = query_->order == search::Order::newest_first;
  if (after) where += fmt::format(" AND {} {} {}", place, down ? "<" : ">", text.value(*after));
  if (until) where += fmt::format(" AND {} {} {}", place, down ? ">=" : "<=", text.value(*until));
  return fmt::format("SELECT c.record AS record, {} AS place FROM {} WHERE {}{}", place, from, where, and_also);
}

SqlStatement SearchSql::page(const Lead* lead, std::optional<std::int64_t> after, std::optional<std::int64_t> until,
                             std::int64_t limit) const {
  SqlText text = this->text();
  auto sql = matches(text, lead, after, until);
  sql += fmt::format(" ORDER BY place {} LIMIT {}", query_->order == search::Order::newest_first ? "DESC" : "ASC",
                     text.limit(limit));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::place_beyond(std::optional<std::int64_t> after, std::int64_t resources) const {
  SqlText text = this->text();
  const bool down = query_->order == search::Order::newest_first;
  const auto type = text.value(type_);
  const auto beyond = after ? fmt::format(" AND record {} {}", down ? "<" : ">", text.value(*after)) : std::string();
  auto sql = fmt::format(
      "SELECT coalesce({}(record), 0) FROM (SELECT record FROM record WHERE type = {} AND deleted = 0{} ORDER BY "
      "record "
      "{} LIMIT {}) n",
      down ? "min" : "max", type, beyond, down ? "DESC" : "ASC", text.limit(resources));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::all(const Lead* lead, std::int64_t limit) const {
  SqlText text = this->text();
  auto sql =
      fmt::format("SELECT {}m.record, m.record AS place FROM ({}) m LIMIT {}", lead == nullptr ? "" : "DISTINCT ",
                  matches(text, lead, std::nullopt, std::nullopt), text.limit(limit));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::total(const Lead* lead, std::int64_t limit) const {
  SqlText text = this->text();
  auto sql =
      fmt::format("SELECT count(*) FROM (SELECT {}m.record FROM ({}) m LIMIT {}) t", lead == nullptr ? "" : "DISTINCT ",
                  matches(text, lead, std::nullopt, std::nullopt), text.limit(limit));
  return {.text = std::move(sql), .values = text.take()};
}

}  // namespace mydr24::store
