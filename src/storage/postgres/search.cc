#include <fmt/format.h>

#include <algorithm>

#include "storage/postgres/view.h"

namespace mydr24::postgres {
namespace {

using store::SearchSql;

constexpr std::int64_t estimate_max = 1'000;
constexpr std::int64_t exact_max = 20'000;

Parameters bound(const store::SqlStatement& statement) {
  Parameters parameters;
  for (const store::SqlValue& value : statement.values) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
      parameters.add(stored_text(*text));
    } else {
      parameters.add(std::get<std::int64_t>(value));
    }
  }
  return parameters;
}

Result<std::int64_t> count(Connection& connection, const store::SqlStatement& sql) {
  const auto text = sql.text.ends_with(')') ? sql.text + " t" : sql.text;
  MYDR24_ASSIGN(const auto rows, connection.query(text, bound(sql)));
  return rows.integer(0, 0);
}

Result<const SearchSql::Lead*> choose_lead(Connection& connection, const SearchSql& sql) {
  const auto leads = sql.leads();
  const SearchSql::Lead* best = nullptr;
  if (leads.empty()) return best;
  if (leads.size() == 1 && leads.front().in_order) return &leads.front();
  std::int64_t fewest = estimate_max;
  for (const SearchSql::Lead& lead : leads) {
    MYDR24_ASSIGN(const auto rows, count(connection, sql.estimate(lead, estimate_max)));
    if (rows < fewest) {
      fewest = rows;
      best = &lead;
    }
    if (fewest <= 100) break;
  }
  if (best != nullptr) return best;
  const auto in_order = std::ranges::find_if(leads, &SearchSql::Lead::in_order);
  return in_order == leads.end() ? nullptr : &*in_order;
}

}  // namespace

Result<store::SearchPage> View::search(const search::Query& query) {
  store::SearchPage page;
  MYDR24_ASSIGN(const auto after, store::read_cursor(query));
  const auto numbers = shared_.parameters.load();
  store::SearchContext context{.dialect = store::postgres_dialect,
                               .parameters = numbers->of,
                               .sequence_at = [this](Instant at) { return sequence_at(at); },
                               .now = shared_.clock.now()};
  MYDR24_ASSIGN(const auto type, shared_.names.number(connection_, Names::Table::type, query.type));
  context.type = type.value_or(-1);
  MYDR24_ASSIGN(const auto sql, SearchSql::compile(query, context));
  MYDR24_ASSIGN(const auto* const lead, choose_lead(connection_, sql));
  const bool exact_wanted = store::needs_exact(query);
  const std::int64_t limit = exact_wanted ? exact_max : std::int64_t{query.count} + 1;
  const auto rows_of = [&](const store::SqlStatement& statement) {
    return connection_.query(statement.text, bound(statement));
  };
  const auto is_exact = [&](const store::Version& version) -> Result<bool> {
    MYDR24_ASSIGN(const auto document, json::Document::parse_view(version.body));
    return store::is_exact(query, document.root());
  };
  if (query.total != search::Total::none || query.count == 0) {
    if (exact_wanted) {
      MYDR24_ASSIGN(const auto rows, rows_of(sql.page(lead, std::nullopt, exact_max)));
      page.total = 0;
      for (int row = 0; row < rows.count(); ++row) {
        MYDR24_ASSIGN(const auto version, by_record(rows.integer(row, 0), query.type));
        MYDR24_ASSIGN(const bool exact, is_exact(*version));
        *page.total += exact ? 1 : 0;
      }
    } else {
      MYDR24_ASSIGN(page.total, count(connection_, sql.total(lead, INT64_MAX)));
    }
  }
  if (query.count == 0) return page;
  MYDR24_ASSIGN(const auto rows, rows_of(sql.page(lead, after, limit)));
  std::int64_t place = 0;
  for (int row = 0; row < rows.count(); ++row) {
    MYDR24_ASSIGN(auto version, by_record(rows.integer(row, 0), query.type));
    if (!version) return fail(Code::internal, "an index row without content");
    if (exact_wanted) {
      MYDR24_ASSIGN(const bool exact, is_exact(*version));
      if (!exact) continue;
    }
    if (page.matches.size() == query.count) {
      page.next_cursor = store::make_cursor(query, place);
      return page;
    }
    place = query.by_last_updated ? rows.integer(row, 1) : rows.integer(row, 0);
    page.matches.push_back(std::move(*version));
  }
  return page;
}

Result<std::string> View::explain(const search::Query&) { return fail(Code::unsupported, "not yet"); }

}  // namespace mydr24::postgres
