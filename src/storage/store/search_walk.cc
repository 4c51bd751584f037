// Walks along the index of one parameter, in the order of its values.

#include <algorithm>

#include "storage/store/search_sql.h"
#include "storage/store/sql_text.h"

namespace mydr24::store {
namespace {

using search::Condition;
using search::Kind;
using search::Prefix;
using search::Sort;
using search::Term;

// Where a range of the index may begin that a condition on dates lets through: short ones, at most a day, and long ones.
struct Reach {
  std::int64_t from = search::open_start;
  std::int64_t to = INT64_MAX;
};
struct Reaches {
  Reach any_short, any_long;
  std::int64_t long_ends_after = search::open_start;
};

Reaches reaches_of(const Term& term) {
  Reaches found;
  const auto both = [&](std::int64_t from, std::int64_t to) { found.any_short = found.any_long = {from, to}; };
  switch (term.prefix) {
    case Prefix::eq:
      both(term.low, term.high);
      break;
    case Prefix::ne:
      break;
    case Prefix::lt:
    case Prefix::eb:
      both(search::open_start, term.low);
      break;
    case Prefix::le:
      both(search::open_start, term.high);
      break;
    case Prefix::sa:
      both(term.high, INT64_MAX);
      break;
    case Prefix::gt:
      found.any_short.from = minus(term.high, day_us);
      found.long_ends_after = term.high;
      break;
    case Prefix::ge:
      found.any_short.from = std::min(term.low, minus(term.high, day_us));
      // One that begins at `low` ends after it.
      found.long_ends_after = std::min(term.low, term.high);
      break;
    case Prefix::ap:
      found.any_short = {minus(term.low, day_us), term.high};
      found.any_long.to = term.high;
      found.long_ends_after = term.low;
      break;
  }
  return found;
}

void widen(Reach& reach, const Reach& by) { reach = {std::min(reach.from, by.from), std::max(reach.to, by.to)}; }
void narrow(Reach& reach, const Reach& by) { reach = {std::max(reach.from, by.from), std::min(reach.to, by.to)}; }

// Any of the terms.
Reaches reaches_of(const Condition& condition, Instant now) {
  std::optional<Reaches> all;
  for (const Term& term : condition.any_of) {
    const auto one = reaches_of(as_asked(term, now));
    if (!all) {
      all = one;
      continue;
    }
    widen(all->any_short, one.any_short);
    widen(all->any_long, one.any_long);
    all->long_ends_after = std::min(all->long_ends_after, one.long_ends_after);
  }
  return all.value_or(Reaches());
}

std::int64_t parameter_number(const SearchContext& context, const Sort& sort) {
  const std::size_t number = sort.parameter->number;
  return number < context.parameters.size() ? context.parameters[number] : -1;
}

}  // namespace

SearchSql::Walk SearchSql::walk_of(const Sort& sort) const {
  if (sort.parameter == nullptr || value_column(sort.parameter->kind).empty()) return Walk::none;
  return sort.parameter->kind == Kind::quantity ? Walk::sorted : Walk::in_order;
}

bool SearchSql::Stretch::is_behind(const Sort& sort, const SqlValue& value) const {
  const auto* const at = std::get_if<std::int64_t>(&value);
  if (at == nullptr) return false;
  return sort.descending ? *at < from : to != INT64_MAX && *at >= to;
}

bool SearchSql::Stretch::holds(const SqlValue& value) const {
  const auto* const at = std::get_if<std::int64_t>(&value);
  return at == nullptr || (*at >= from && (to == INT64_MAX || *at < to));
}

std::vector<SearchSql::Stretch> SearchSql::stretches(const Sort& sort) const {
  const auto& parameter = *sort.parameter;
  // A record with several values may match by another than the one it is sorted by.
  if (parameter.kind != Kind::date || root_->form != Condition::Form::all ||
      !search::is_single(parameter, query_->catalogue.get())) {
    return {Stretch{}};
  }
  Reaches reaches;
  for (const Condition& part : root_->parts) {
    if (part.form != Condition::Form::match || part.parameter->number != parameter.number ||
        part.modifier != search::Modifier::none) {
      continue;
    }
    const auto more = reaches_of(part, context_.now);
    narrow(reaches.any_short, more.any_short);
    narrow(reaches.any_long, more.any_long);
    reaches.long_ends_after = std::max(reaches.long_ends_after, more.long_ends_after);
  }
  const auto& [any_short, any_long, ends_after] = reaches;
  std::vector<Stretch> found;
  if (any_short.from < any_short.to) found.push_back({.from = any_short.from, .to = any_short.to});
  // Long ones begin as late as short ones, and may begin before.
  const Stretch before{
      .from = any_long.from, .to = std::min(any_long.to, any_short.from), .only_long = true, .ends_after = ends_after};
  if (before.from < before.to) found.push_back(before);
  if (!sort.descending) std::ranges::reverse(found);
  return found;
}

bool SearchSql::may_lack(const Sort& sort) const {
  if (root_->form != Condition::Form::all) return true;
  return std::ranges::none_of(root_->parts, [&](const Condition& part) {
    return part.form == Condition::Form::match && part.parameter->number == sort.parameter->number &&
           !is_negative(part) && !(asks_presence(part) && part.any_of.front().missing);
  });
}

SqlStatement SearchSql::sorted_page(const Sort& sort, const Stretch& stretch, const std::optional<SortPlace>& after,
                                    std::int64_t limit) const {
  SqlText text = this->text();
  const Kind kind = sort.parameter->kind;
  const bool is_target = kind == Kind::reference || kind == Kind::uri;
  const bool by_number = is_target && context_.dialect.targets_are_numbers;
  const auto column = by_number ? std::string("g.uri") : fmt::format("x.{}", value_column(kind));
  auto from = fmt::format("{} x", index_table(kind));
  // From the texts, which are in order, to the rows that have them.
  if (by_number) from = fmt::format("target g CROSS JOIN {}", from);
  if (stretch.only_long) from = fmt::format(fmt::runtime(context_.dialect.wide_rows), from, "date_long");
  std::string where;
  if (kind == Kind::id) {
    where = fmt::format("x.type = {} AND x.deleted = 0", text.value(type_));
  } else {
    where = fmt::format("x.parameter = {}", text.value(parameter_number(context_, sort)));
  }
  if (by_number) where += " AND x.target = g.number";
  if (is_target) where += fmt::format(" AND {} >= ' '", column);  // not what only serves :identifier
  if (kind == Kind::quantity) where += " AND x.unit = 0";
  if (stretch.only_long) {
    where += fmt::format(" AND x.high > x.low + {} AND x.high > {}", day_us, text.value(stretch.ends_after));
  }
  const bool newest_first = query_->order == search::Order::newest_first;
  const bool goes_on = after && stretch.holds(after->value);
  if (stretch.from != search::open_start && (!goes_on || sort.descending)) {
    where += fmt::format(" AND {} >= {}", column, text.value(stretch.from));
  }
  if (stretch.to != INT64_MAX && (!goes_on || !sort.descending)) {
    where += fmt::format(" AND {} < {}", column, text.value(stretch.to));
  }
  if (goes_on) {
    const auto value = text.value(after->value);
    where += fmt::format(" AND {0} {1}= {2} AND ({0} {1} {2} OR x.record {3} {4})", column, sort.descending ? "<" : ">",
                         value, newest_first ? "<" : ">", text.value(after->record));
  }
  where += fmt::format(" AND {}", probe(text, *root_, "x.record", true));
  auto sql = fmt::format(
      "SELECT x.record, x.record AS place, {0} FROM {1} WHERE {2} ORDER BY {0} {3}, x.record {4} LIMIT {5}", column,
      from, where, sort.descending ? "DESC" : "ASC", newest_first ? "DESC" : "ASC", text.limit(limit));
  return {.text = std::move(sql), .values = text.take()};
}

SqlStatement SearchSql::without_value(const Sort& sort, std::optional<std::int64_t> after, std::int64_t limit) const {
  SqlText text = this->text();
  const Kind kind = sort.parameter->kind;
  const std::size_t number = sort.parameter->number;
  std::string lacks;
  if (kind == Kind::id) {
    lacks = " AND 1 = 0";
  } else if (has_record_index(kind)) {
    lacks = fmt::format(
        " AND NOT EXISTS (SELECT 1 FROM {} y WHERE y.record = c.record AND y.parameter = {})", index_table(kind),
        text.value(number < context_.parameters.size() ? context_.parameters[number] : std::int64_t{-1}));
  }
  auto sql = matches(text, nullptr, after, std::nullopt, lacks);
  sql += fmt::format(" ORDER BY place {} LIMIT {}", query_->order == search::Order::newest_first ? "DESC" : "ASC",
                     text.limit(limit));
  return {.text = std::move(sql), .values = text.take()};
}

}  // namespace mydr24::store
