#include "storage/store/search_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/store/search_cursor.h"
#include "storage/store/search_judge.h"
#include "storage/store/sort_key.h"

namespace mydr24::store {
namespace {

using search::Condition;
using search::Query;
using Lead = SearchSql::Lead;

constexpr std::int64_t rows_per_step_max = 4'096;

// The first of a sorted search behind the page before, of all that are added. Holds at most twice as many as it gives.
class First {
 public:
  struct Item {
    Cursor place;
    Version version;
  };

  // `query` must outlive it.
  First(const Query& query, std::optional<Cursor> after, std::size_t count)
      : query_(query), after_(std::move(after)), count_(count) {}

  void add(Item item) {
    if (after_ && !before(*after_, item.place)) return;
    items_.push_back(std::move(item));
    if (items_.size() >= 2 * count_) keep_first();
  }
  // In order; empty afterwards.
  std::vector<Item> take() {
    keep_first();
    return std::exchange(items_, {});
  }

 private:
  bool before(const Cursor& a, const Cursor& b) const {
    for (std::size_t i = 0; i < query_.sort.size(); ++i) {
      const auto& x = a.keys[i];
      const auto& y = b.keys[i];
      if (x == y) continue;
      if (!x || !y) return x.has_value();
      return query_.sort[i].descending ? *x > *y : *x < *y;
    }
    return query_.order == search::Order::newest_first ? a.place > b.place : a.place < b.place;
  }
  void keep_first() {
    std::ranges::sort(items_, [this](const Cursor& a, const Cursor& b) { return before(a, b); }, &Item::place);
    if (items_.size() > count_) items_.resize(count_);
  }

  const Query& query_;
  std::optional<Cursor> after_;
  std::size_t count_;
  std::vector<Item> items_;
};

class Run {
 public:
  Run(const Query& query, SearchEngine& engine)
      : query_(query), engine_(engine), context_(make_context(engine)), judge_(query, engine, context_) {}

  Result<SearchPage> answer();
  Result<std::string> explain();

 private:
  static SearchContext make_context(SearchEngine& engine) {
    SearchContext context = engine.context();
    context.count = [&engine](const SqlStatement& statement) { return engine.count(statement); };
    return context;
  }
  std::size_t wanted() const { return std::size_t{query_.count} + 1; }  // one more says that there is a next page
  bool newest_first() const { return query_.order == search::Order::newest_first; }

  Result<std::optional<std::int64_t>> kept_total();
  Result<std::optional<std::int64_t>> kept_total_of(const Condition* condition, SearchEngine::Exactness exactness);
  Result<std::int64_t> total();
  Result<bool> fetch_nearest();
  Result<> page_by_recency();
  Result<> page_sorted();
  Result<> page_scanned(const Lead* lead);
  Result<> page_walked(const search::Sort& sort);
  Result<bool> walk(const search::Sort& sort, const SearchSql::Stretch& stretch,
                    std::optional<SearchSql::SortPlace>& place);
  Result<> page_without_value(const search::Sort& sort);
  Result<std::optional<First::Item>> read_sorted(std::span<const SqlRow> rows, std::size_t at);
  Result<bool> accept(First::Item item);
  Result<> add_to_group(std::vector<SqlRow> rows);
  void take_group();
  Result<bool> fetch(const Lead* lead, std::optional<std::int64_t> until);
  Result<std::optional<Lead>> choose_lead();
  Result<std::int64_t> window_of(std::int64_t newest);
  Result<std::optional<Version>> read(std::span<const SqlRow> rows, std::size_t at, bool judged);
  void finish();

  const Query& query_;
  SearchEngine& engine_;
  const SearchContext context_;
  Judge judge_;
  std::optional<SearchSql> sql_;
  std::optional<Cursor> after_;
  SearchPage page_;
  std::vector<Cursor> places_;  // of page_.matches
  std::optional<First> group_;  // of a walk by the first of several keys: those that have the same of it
  std::optional<std::string> group_key_;
  std::int64_t sorted_ = 0;                                             // resources that were read for their keys
  std::vector<std::pair<std::int64_t, std::optional<Version>>> ahead_;  // read already, the next one last
};

Result<SearchPage> Run::answer() {
  MYDR24_ASSIGN(after_, read_cursor(query_));
  MYDR24_ASSIGN(sql_, SearchSql::compile(query_, context_));
  if (query_.total != search::Total::none || query_.count == 0) {
    MYDR24_ASSIGN(page_.total, total());
  }
  if (query_.count == 0) return std::move(page_);
  if (query_.sort.empty()) {
    MYDR24_TRY(page_by_recency());
  } else {
    MYDR24_TRY(page_sorted());
  }
  finish();
  return std::move(page_);
}

void Run::finish() {
  if (page_.matches.size() <= query_.count) return;
  page_.matches.resize(query_.count);
  page_.next_cursor = make_cursor(query_, places_[query_.count - 1]);
}

// Nothing: it does not match. Rows are read ahead as far as the engine likes, from `rows[at]` on.
Result<std::optional<Version>> Run::read(std::span<const SqlRow> rows, std::size_t at, bool judged) {
  if (judged) MYDR24_TRY(judge_.count());
  const std::int64_t record = rows[at].record;
  if (ahead_.empty() || ahead_.back().first != record) {
    const auto next = rows.subspan(at, std::min(rows.size() - at, engine_.records_per_read()));
    std::vector<std::int64_t> records;
    for (const SqlRow& row : next) {
      if (records.empty() || records.back() != row.record) records.push_back(row.record);
    }
    MYDR24_ASSIGN(auto versions, engine_.by_records(records));
    ahead_.clear();
    for (std::size_t i = records.size(); i-- > 0;) ahead_.emplace_back(records[i], std::move(versions[i]));
  }
  auto version = std::move(ahead_.back().second);
  ahead_.pop_back();
  if (!version || version->action == Action::remove) {
    return fail(Code::internal, fmt::format("record {} has index rows but no content", record));
  }
  if (!judged) return version;
  MYDR24_ASSIGN(const bool holds, judge_.matches(*version));
  return holds ? std::move(version) : std::nullopt;
}

// The best lead; few rows are enough, else rows are counted as far as they may be collected.
Result<std::optional<Lead>> Run::choose_lead() {
  MYDR24_ASSIGN(auto lead, sql_->best_lead(context_.limits.few_rows));
  if (!lead || lead->rows < context_.limits.few_rows) return lead;
  MYDR24_ASSIGN(lead, sql_->best_lead(context_.limits.collected_rows_max));
  return lead;
}

// Of the type, or of those for which the condition holds.
Result<std::optional<std::int64_t>> Run::kept_total_of(const Condition* condition, SearchEngine::Exactness exactness) {
  if (condition == nullptr) {
    MYDR24_ASSIGN(const auto type, context_.type(query_.type));
    return engine_.kept_total(type, exactness);
  }
  if (condition->form != Condition::Form::match || condition->parameter->kind != search::Kind::token ||
      condition->modifier != search::Modifier::none || condition->any_of.size() != 1 ||
      condition->any_of.front().any_code || condition->parameter->number >= context_.parameters.size()) {
    return std::optional<std::int64_t>();
  }
  const search::Term& term = condition->any_of.front();
  using enum search::Term::System;
  std::optional<std::string> system;
  if (term.system_is != any) system = term.system_is == named ? term.system : std::string();
  return engine_.kept_total(context_.parameters[condition->parameter->number], term.value, system, exactness);
}

// What some may not see is left out by conditions of the form none, and mostly there is little of it: then the total is
// the one that is kept less what they take away. Both must be of the same view, or the difference would tell that
// something hidden was just written.
Result<std::optional<std::int64_t>> Run::kept_total() {
  if (query_.contained != search::Contained::no) return std::optional<std::int64_t>();
  const Condition* asked = nullptr;
  Condition left_out{.form = Condition::Form::any};
  for (const Condition& condition : query_.conditions) {
    if (condition.form == Condition::Form::none) {
      left_out.parts.insert(left_out.parts.end(), condition.parts.begin(), condition.parts.end());
    } else if (std::exchange(asked, &condition) != nullptr) {
      return std::optional<std::int64_t>();
    }
  }
  if (left_out.parts.empty()) return kept_total_of(asked, SearchEngine::Exactness::newest);
  MYDR24_ASSIGN(const auto kept, kept_total_of(asked, SearchEngine::Exactness::view));
  if (!kept) return kept;

  Query hidden = query_;
  hidden.conditions.clear();
  if (asked != nullptr) hidden.conditions.push_back(*asked);
  hidden.conditions.push_back(std::move(left_out));
  hidden.total = search::Total::accurate;
  hidden.sort.clear();
  hidden.cursor.clear();
  Run run(hidden, engine_);
  MYDR24_ASSIGN(run.sql_, SearchSql::compile(hidden, run.context_));
  MYDR24_ASSIGN(const auto lead, run.sql_->best_lead(context_.limits.few_rows));
  if (!lead || lead->rows >= context_.limits.few_rows) return std::optional<std::int64_t>();
  MYDR24_ASSIGN(const auto taken, lead->rows == 0 ? Result<std::int64_t>(0) : run.total());
  return std::optional(*kept - taken);
}

Result<std::int64_t> Run::total() {
  if (query_.total == search::Total::accurate || query_.count == 0) {
    MYDR24_ASSIGN(const auto kept, kept_total());
    if (kept) return *kept;
  }
  const std::int64_t limit =
      query_.total == search::Total::estimate && query_.count > 0 ? context_.limits.total_estimate_max : INT64_MAX;
  MYDR24_ASSIGN(auto best, choose_lead());
  // Rows that are found by a condition are fewer than all of the type, unless the condition has to be looked for.
  if (best && best->rows >= context_.limits.collected_rows_max) {
    if (auto in_order = sql_->lead_in_order()) best = std::move(in_order);
  }
  const Lead* const lead = best ? &*best : nullptr;
  if (lead == nullptr && query_.contained != search::Contained::no) {
    return fail(Code::too_costly, "a search in contained resources needs a condition that names a value");
  }
  MYDR24_TRY(sql_->choose_probes(lead));
  if (sql_->is_exact()) return engine_.count(sql_->total(lead, limit));
  MYDR24_ASSIGN(const auto rows, engine_.rows(sql_->all(lead, context_.limits.checked_max + 1)));
  if (std::ssize(rows) > context_.limits.checked_max) return too_many_checked(context_.limits.checked_max);
  std::int64_t matches = 0;
  for (std::size_t i = 0; i < rows.size() && matches < limit; ++i) {
    MYDR24_ASSIGN(const auto version, read(rows, i, true));
    matches += version ? 1 : 0;
  }
  return matches;
}

// Rows of that lead from where the page ends now, until it is full (true) or there are no more (false).
Result<bool> Run::fetch(const Lead* lead, std::optional<std::int64_t> until) {
  const bool judged = !sql_->is_exact();
  std::optional<std::int64_t> place = after_ ? std::optional(after_->place) : std::nullopt;
  auto limit = static_cast<std::int64_t>(wanted() - page_.matches.size());
  for (;;) {
    MYDR24_ASSIGN(const auto rows, engine_.rows(sql_->page(lead, place, until, limit)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SqlRow& row = rows[i];
      if (place == row.place) continue;
      place = row.place;
      after_ = Cursor{.place = row.place, .keys = {}};
      MYDR24_ASSIGN(auto version, read(rows, i, judged));
      if (!version) continue;
      page_.matches.push_back(std::move(*version));
      places_.push_back({.place = row.place, .keys = {}});
      if (page_.matches.size() == wanted()) return true;
    }
    if (std::ssize(rows) < limit) return false;
    MYDR24_TRY(engine_.check_limits());
    limit = std::min(limit * 4, rows_per_step_max);
  }
}

// Wide enough to hold about window_rows resources of the type, where it is known how many there are.
Result<std::int64_t> Run::window_of(std::int64_t newest) {
  MYDR24_ASSIGN(const auto type, context_.type(query_.type));
  MYDR24_ASSIGN(const auto total, engine_.kept_total(type, SearchEngine::Exactness::newest));
  if (!total || *total == 0) return context_.limits.window;
  return std::max(context_.limits.window, newest / *total * context_.limits.window_rows);
}

// Looks through the next resources of the type first: what occurs often is found there, without collecting all of it.
// True: there is nothing more to look for.
Result<bool> Run::fetch_nearest() {
  MYDR24_TRY(sql_->choose_probes(nullptr));
  if (sql_->has_unprobed() || query_.contained != search::Contained::no) return false;
  const auto after = after_ ? std::optional(after_->place) : std::nullopt;
  MYDR24_ASSIGN(const auto until, engine_.count(sql_->place_beyond(after, context_.limits.walk_rows)));
  if (until == 0) return true;
  MYDR24_ASSIGN(const bool full, fetch(nullptr, until));
  after_ = full ? after_ : Cursor{.place = until, .keys = {}};
  return full;
}

Result<> Run::page_by_recency() {
  if (query_.conditions.size() == 1) {
    if (const auto only = sql_->lead_in_order()) {
      if (sql_->is_collected(*only)) {
        MYDR24_ASSIGN(const bool found, fetch_nearest());
        if (found) return {};
      }
      MYDR24_TRY(sql_->choose_probes(&*only));
      MYDR24_TRY(fetch(&*only, std::nullopt));
      return {};
    }
  }
  MYDR24_ASSIGN(auto best, sql_->best_lead(context_.limits.few_rows));
  const auto in_order = sql_->lead_in_order();
  const Lead* const walk = in_order ? &*in_order : nullptr;
  // Collecting rows to find the newest of them costs more than looking through the newest, unless they are few.
  const auto many = walk != nullptr ? context_.limits.walk_rows : context_.limits.few_rows;
  if (best && best->rows >= many) {
    MYDR24_TRY(sql_->choose_probes(walk));
    if (!sql_->has_unprobed() && query_.contained == search::Contained::no) {
      // The context_.limits.window below what was seen last, or below the newest.
      MYDR24_ASSIGN(const auto newest,
                    engine_.count({.text = query_.by_last_updated ? "SELECT max(sequence) FROM journal"
                                                                  : "SELECT max(record) FROM record",
                                   .values = {}}));
      const std::int64_t start = after_ ? after_->place : newest_first() ? newest : 0;
      MYDR24_ASSIGN(const auto window, window_of(newest));
      const std::int64_t until = newest_first() ? start - window : start + window;
      MYDR24_ASSIGN(const bool full, fetch(walk, until));
      if (full || until <= 0) return {};
      // Nothing between here and there: go on from the context_.limits.window's end.
      after_ = Cursor{.place = until, .keys = {}};
    }
    if (best->rows >= context_.limits.few_rows) {
      MYDR24_ASSIGN(best, sql_->best_lead(context_.limits.collected_rows_max));
    }
  }
  const Lead* lead = best ? &*best : nullptr;
  if (lead != nullptr && lead->rows >= context_.limits.collected_rows_max) lead = walk;
  if (lead == nullptr && query_.contained != search::Contained::no) {
    return fail(Code::too_costly, "a search in contained resources needs a condition that names a value");
  }
  MYDR24_TRY(sql_->choose_probes(lead));
  MYDR24_TRY(fetch(lead, std::nullopt));
  return {};
}

Result<> Run::page_sorted() {
  using enum SearchSql::Walk;
  const search::Sort& first = query_.sort.front();
  MYDR24_ASSIGN(const auto best, choose_lead());
  const Lead* lead = best && best->rows < context_.limits.collected_rows_max ? &*best : nullptr;
  const bool contained = query_.contained != search::Contained::no;
  if (lead == nullptr && contained) {
    return fail(Code::too_costly, "a sorted search in contained resources needs a condition that names a rare value");
  }
  const auto way = contained ? none : sql_->walk_of(first);
  MYDR24_TRY(sql_->choose_probes(lead));
  // A walk over most of a type, for few that match, is left to the index of the sort.
  if (lead != nullptr || query_.conditions.empty() || way == none) {
    const auto few = sql_->is_exact() ? context_.limits.sorted_max : context_.limits.checked_max;
    MYDR24_ASSIGN(auto rows, engine_.rows(sql_->all(lead, few + 1)));
    if (std::ssize(rows) <= few) {
      group_.emplace(query_, after_, wanted());
      MYDR24_TRY(add_to_group(std::move(rows)));
      take_group();
      return {};
    }
  }
  if (way == in_order || (way == sorted && lead == nullptr)) return page_walked(first);
  return page_scanned(lead);
}

// The resource with what it is sorted by; nothing when it does not match.
Result<std::optional<First::Item>> Run::read_sorted(std::span<const SqlRow> rows, std::size_t at) {
  if (++sorted_ > context_.limits.sorted_reads_max) {
    return fail(Code::too_costly, fmt::format("more than {} resources would have to be read to sort them: narrow the "
                                              "search, or sort by one string, date, number, token or reference first",
                                              context_.limits.sorted_reads_max));
  }
  constexpr std::int64_t steps = 64;
  if (sorted_ % steps == 0) MYDR24_TRY(engine_.check_limits());
  MYDR24_ASSIGN(auto version, read(rows, at, !sql_->is_exact()));
  if (!version) return std::optional<First::Item>();
  MYDR24_ASSIGN(auto keys, sort_keys(query_, *version));
  return std::optional(
      First::Item{.place = {.place = rows[at].record, .keys = std::move(keys)}, .version = std::move(*version)});
}

// All that match are read; the first of them behind the page before are kept.
Result<> Run::page_scanned(const Lead* lead) {
  group_.emplace(query_, after_, wanted());
  std::optional<std::int64_t> place;
  for (;;) {
    // The rows of a lead are few enough to be taken at once.
    const auto statement = lead != nullptr ? sql_->all(lead, context_.limits.collected_rows_max)
                                           : sql_->page(nullptr, place, std::nullopt, rows_per_step_max);
    MYDR24_ASSIGN(auto rows, engine_.rows(statement));
    const bool is_last = lead != nullptr || std::ssize(rows) < rows_per_step_max;
    if (!rows.empty()) place = rows.back().place;
    MYDR24_TRY(add_to_group(std::move(rows)));
    if (is_last) break;
  }
  take_group();
  return {};
}

Result<> Run::add_to_group(std::vector<SqlRow> rows) {
  std::ranges::sort(rows, {}, &SqlRow::record);  // bodies that stand together are read together
  for (std::size_t i = 0; i < rows.size(); ++i) {
    MYDR24_ASSIGN(auto item, read_sorted(rows, i));
    if (item) group_->add(std::move(*item));
  }
  return {};
}

void Run::take_group() {
  if (!group_) return;
  for (auto& item : group_->take()) {
    if (page_.matches.size() == wanted()) return;
    page_.matches.push_back(std::move(item.version));
    places_.push_back(std::move(item.place));
  }
}

// The next of a walk: it comes in the order of the first key. True when the page is full.
Result<bool> Run::accept(First::Item item) {
  if (query_.sort.size() == 1) {
    page_.matches.push_back(std::move(item.version));
    places_.push_back(std::move(item.place));
    return page_.matches.size() == wanted();
  }
  if (group_ && group_key_ != item.place.keys.front()) {
    take_group();
    if (page_.matches.size() == wanted()) return true;
    group_.reset();
  }
  if (!group_) {
    group_.emplace(query_, after_, wanted() - page_.matches.size());
    group_key_ = item.place.keys.front();
  }
  group_->add(std::move(item));
  return false;
}

// Along the index of the parameter that is sorted by first: a record counts at its smallest (largest) value, which its
// content tells.
Result<> Run::page_walked(const search::Sort& sort) {
  MYDR24_TRY(sql_->choose_probes(nullptr));
  std::optional<SearchSql::SortPlace> place;
  if (after_ && after_->keys.front()) {
    MYDR24_ASSIGN(auto value, sort_value(sort, *after_->keys.front()));
    // Of several keys, those that have the same of the first are looked at once more: First knows where to go on.
    const auto before_all = newest_first() ? INT64_MAX : -1;
    place =
        SearchSql::SortPlace{.value = std::move(value), .record = query_.sort.size() == 1 ? after_->place : before_all};
  }
  if (!after_ || place) {
    for (const auto& stretch : sql_->stretches(sort)) {
      MYDR24_ASSIGN(const bool full, walk(sort, stretch, place));
      if (full) return {};
    }
  }
  if (sql_->may_lack(sort)) MYDR24_TRY(page_without_value(sort));
  take_group();
  return {};
}

Result<bool> Run::walk(const search::Sort& sort, const SearchSql::Stretch& stretch,
                       std::optional<SearchSql::SortPlace>& place) {
  if (place && stretch.is_behind(sort, place->value)) return false;
  auto limit = static_cast<std::int64_t>(wanted());
  for (;;) {
    MYDR24_ASSIGN(const auto rows, engine_.rows(sql_->sorted_page(sort, stretch, place, limit)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const SqlRow& row = rows[i];
      const bool repeated = place && place->record == row.record && place->value == row.value;
      place = SearchSql::SortPlace{.value = row.value, .record = row.record};
      if (repeated) continue;
      MYDR24_ASSIGN(auto item, read_sorted(rows, i));
      if (!item || !item->place.keys.front() || *item->place.keys.front() != sort_key_of(sort, row.value)) continue;
      MYDR24_ASSIGN(const bool full, accept(std::move(*item)));
      if (full) return true;
    }
    if (std::ssize(rows) < limit) return false;
    MYDR24_TRY(engine_.check_limits());
    limit = std::min(limit * 4, rows_per_step_max);
  }
}

Result<> Run::page_without_value(const search::Sort& sort) {
  std::optional<std::int64_t> place;
  if (after_ && !after_->keys.front() && query_.sort.size() == 1) place = after_->place;
  auto limit = static_cast<std::int64_t>(wanted());
  for (;;) {
    MYDR24_ASSIGN(const auto rows, engine_.rows(sql_->without_value(sort, place, limit)));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      place = rows[i].place;
      MYDR24_ASSIGN(auto item, read_sorted(rows, i));
      if (!item || item->place.keys.front()) continue;
      MYDR24_ASSIGN(const bool full, accept(std::move(*item)));
      if (full) return {};
    }
    if (std::ssize(rows) < limit) return {};
    MYDR24_TRY(engine_.check_limits());
    limit = std::min(limit * 4, rows_per_step_max);
  }
}

std::string name_of(const Lead& lead) {
  const Condition& condition = *lead.condition;
  std::string name;
  switch (condition.form) {
    case Condition::Form::match:
      name = condition.parameter->code;
      break;
    case Condition::Form::chain:
      name = fmt::format("{}:{} ->", condition.parameter->code, condition.target);
      break;
    case Condition::Form::has:
      name = fmt::format("_has:{}:{} ->", condition.parameter->type, condition.parameter->code);
      break;
    default:
      break;
  }
  for (const Lead& part : lead.parts) name += fmt::format("{}{}", name.empty() ? "" : " ", name_of(part));
  return name;
}

std::string shown(const SqlStatement& statement) {
  std::string text = fmt::format("  {}\n", statement.text);
  for (std::size_t i = 0; i < statement.values.size(); ++i) {
    const auto value = std::visit(
        [](const auto& any) {
          if constexpr (std::is_same_v<std::decay_t<decltype(any)>, std::vector<std::string>>) {
            return fmt::format("list of {}", any.size());
          } else {
            return fmt::format("{}", any);
          }
        },
        statement.values[i]);
    text += fmt::format("    value {}: {}\n", i + 1, value);
  }
  return text;
}

Result<std::string> Run::explain() {
  MYDR24_ASSIGN(after_, read_cursor(query_));
  MYDR24_ASSIGN(sql_, SearchSql::compile(query_, context_));
  MYDR24_ASSIGN(const auto best, sql_->best_lead(context_.limits.few_rows));
  const auto in_order = sql_->lead_in_order();
  const bool few = best && best->rows < context_.limits.few_rows;
  const bool only = query_.conditions.size() == 1 && in_order;
  const Lead* const lead = few && !only ? &*best : (in_order ? &*in_order : nullptr);
  MYDR24_TRY(sql_->choose_probes(lead));
  std::string text = fmt::format("search of {}, {} conditions, {}\n", query_.type, query_.conditions.size(),
                                 query_.by_last_updated ? "by last change" : "by creation");
  if (lead == nullptr) {
    text +=
        best ? fmt::format(
                   "lead: none; the best condition ({}) has {} rows or more: walks the type by recency for {} records, "
                   "then collects that condition's rows if they are at most {}\n",
                   name_of(*best), context_.limits.few_rows, context_.limits.window, context_.limits.collected_rows_max)
             : "lead: none: walks the type by recency\n";
  } else {
    if (only && sql_->is_collected(*lead))
      text += fmt::format("looks through the next {} resources of the type first\n", context_.limits.walk_rows);
    text += fmt::format("lead: {}, {}{} rows, {}\n", name_of(*lead),
                        lead->rows < context_.limits.few_rows ? "" : "at least ", lead->rows,
                        lead->in_order ? "by recency" : "collected");
  }
  text += sql_->is_exact() ? "rows decide\n" : "rows narrow down: each resource is read and judged\n";
  for (const search::Sort& sort : query_.sort) {
    text += fmt::format("sort: {}{}: up to {} matches are read and sorted, more are walked along the index\n",
                        sort.descending ? "-" : "", sort.parameter->code, context_.limits.sorted_max);
  }
  const std::optional<std::int64_t> place = after_ ? std::optional(after_->place) : std::nullopt;
  const auto statement = sql_->page(lead, place, std::nullopt, static_cast<std::int64_t>(wanted()));
  MYDR24_ASSIGN(const auto plan, engine_.plan(statement));
  return text + "statement:\n" + shown(statement) + "engine:\n" + plan;
}

}  // namespace

Result<SearchPage> run_search(const Query& query, SearchEngine& engine) { return Run(query, engine).answer(); }
Result<std::string> explain_search(const Query& query, SearchEngine& engine) { return Run(query, engine).explain(); }

}  // namespace mydr24::store
