#include <fmt/format.h>

#include <algorithm>

#include "storage/sqlite/view.h"

namespace mydr24::sqlite {
namespace {

using store::SqlStatement;
using store::SqlValue;

std::string json_array(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : item) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        text += '\\';
        text += c;
      } else if (byte < 0x20) {
        text += fmt::format("\\u{:04x}", byte);
      } else {
        text += c;
      }
    }
    text += '"';
  }
  return text + "]";
}

// A statement with its values, which it refers to.
class Bound {
 public:
  static Result<Bound> prepare(Connection& connection, const std::string& text, const SqlStatement& statement) {
    MYDR24_ASSIGN(Statement prepared, connection.prepare(text));
    Bound bound(std::move(prepared));
    bound.lists_.reserve(statement.values.size());
    for (std::size_t i = 0; i < statement.values.size(); ++i) bound.bind(static_cast<int>(i + 1), statement.values[i]);
    return bound;
  }
  Statement& operator*() { return statement_; }
  Statement* operator->() { return &statement_; }

 private:
  explicit Bound(Statement statement) : statement_(std::move(statement)) {}

  void bind(int at, const SqlValue& value) {
    if (const auto* const text = std::get_if<std::string>(&value)) {
      statement_.bind(at, std::string_view(*text));
    } else if (const auto* const list = std::get_if<std::vector<std::string>>(&value)) {
      lists_.push_back(json_array(*list));
      statement_.bind(at, std::string_view(lists_.back()));
    } else if (const auto* const real = std::get_if<double>(&value)) {
      statement_.bind(at, *real);
    } else {
      statement_.bind(at, std::get<std::int64_t>(value));
    }
  }

  std::vector<std::string> lists_;  // before the statement: it lets go of them when it ends
  Statement statement_;
};

class Engine final : public store::SearchEngine {
 public:
  explicit Engine(View& view) : view_(view), parameters_(view.shared().parameters()) {}

  store::SearchContext context() override {
    return {.dialect = store::sqlite_dialect,
            .parameters = parameters_.own,
            .contained_parameters = parameters_.contained,
            .type = [this](std::string_view name) { return view_.names().type(name); },
            .sequence_at = [this](Instant at) { return view_.sequence_at(at); },
            .count = {},
            .words = [this](std::string_view start) { return words(start); },
            .now = view_.shared().clock.now(),
            .limits = view_.shared().search};
  }

  Result<std::vector<store::SqlRow>> rows(const SqlStatement& statement) override {
    MYDR24_ASSIGN(auto row, Bound::prepare(view_.connection(), statement.text, statement));
    std::vector<store::SqlRow> rows;
    const bool with_value = row->columns() > 2;
    for (;;) {
      MYDR24_TRY(check_limits());
      MYDR24_ASSIGN(const bool found, row->step());
      if (!found) return rows;
      auto& taken = rows.emplace_back();
      taken.record = row->integer(0);
      taken.place = row->integer(1);
      if (with_value) taken.value = value(*row);
    }
  }

  Result<std::int64_t> count(const SqlStatement& statement) override {
    MYDR24_ASSIGN(auto row, Bound::prepare(view_.connection(), statement.text, statement));
    MYDR24_ASSIGN(const bool found, row->step());
    return found ? row->integer(0) : 0;
  }

  Result<std::string> plan(const SqlStatement& statement) override {
    MYDR24_ASSIGN(auto row, Bound::prepare(view_.connection(), "EXPLAIN QUERY PLAN " + statement.text, statement));
    std::string text;
    for (;;) {
      MYDR24_ASSIGN(const bool found, row->step());
      if (!found) return text;
      text += fmt::format("  {}\n", row->text(3));
    }
  }

  Result<std::optional<store::Version>> by_record(std::int64_t record) override { return view_.by_record(record); }
  Result<> check_limits() override { return view_.limits() == nullptr ? Result<>() : view_.limits()->check(); }

  Result<std::optional<std::int64_t>> kept_total(std::int64_t type, Exactness exactness) override {
    return kept(totals().key_of_type(type), exactness, [&] { return view_.count_type(type); });
  }

  Result<std::optional<std::int64_t>> kept_total(std::int64_t parameter, std::string_view code,
                                                 const std::optional<std::string>& system,
                                                 Exactness exactness) override {
    if (!system) {
      return kept(totals().key_of_code(parameter, code), exactness, [&] {
        return view_.connection().number(
            "SELECT count(*) FROM (SELECT DISTINCT record FROM token_index WHERE parameter = ?1 AND code = ?2)", 0,
            parameter, code);
      });
    }
    return kept(totals().key_of_token(parameter, code, *system), exactness, [&] {
      return view_.connection().number(
          "SELECT count(*) FROM token_index WHERE parameter = ?1 AND code = ?2 AND system = CASE WHEN ?3 = '' THEN 0 "
          "ELSE (SELECT number FROM system WHERE uri = ?3) END",
          0, parameter, code, *system);
    });
  }

 private:
  Result<std::optional<std::vector<std::string>>> words(std::string_view start) {
    constexpr std::size_t words_max = 64;
    MYDR24_ASSIGN(Statement row,
                  view_.connection().prepare("SELECT word FROM word WHERE word >= ?1 AND word < ?2 LIMIT ?3"));
    const auto end = std::string(start) + "\xF4\x8F\xBF\xBF";
    Connection::bind_all(row, start, end, words_max + 1);
    std::vector<std::string> words;
    for (;;) {
      MYDR24_ASSIGN(const bool found, row.step());
      if (!found) return std::optional(std::move(words));
      words.emplace_back(row.text(0));
      if (words.size() > words_max) return std::optional<std::vector<std::string>>();
    }
  }

  static SqlValue value(const Statement& row) {
    switch (row.type(2)) {
      case SQLITE_INTEGER:
        return row.integer(2);
      case SQLITE_FLOAT:
        return row.real(2);
      default:
        return std::string(row.text(2));
    }
  }

  Totals& totals() { return view_.shared().totals; }

  template <class Count>
  Result<std::optional<std::int64_t>> kept(std::uint64_t key, Exactness exactness, const Count& count) {
    if (!view_.may_keep_totals()) return std::optional<std::int64_t>();
    const auto total = totals().get(key);
    if (total && exactness == Exactness::newest) return total->total;
    MYDR24_ASSIGN(const auto seen, view_.last_sequence());
    if (total) return total->as_of == seen ? std::optional(total->total) : std::nullopt;
    const bool keeps = totals().start(key, seen);
    const Result<std::int64_t> counted = count();
    if (keeps) totals().finish(key, counted ? *counted : -1);
    if (!counted) return counted.error();
    return std::optional(*counted);
  }

  View& view_;
  const ParameterNumbers& parameters_;
};

bool uses_index(const search::Condition& condition) {
  if (condition.form != search::Condition::Form::match) return true;
  const auto kind = condition.parameter == nullptr ? search::Kind::token : condition.parameter->kind;
  return kind != search::Kind::id && kind != search::Kind::last_updated;
}

}  // namespace

Result<> View::index_must_be_complete(const search::Query& query) const {
  if (index_is_complete_ || (query.sort.empty() && std::ranges::none_of(query.conditions, uses_index))) return {};
  return fail(Code::busy,
              fmt::format("the search index is being made anew: {} of {} resources are done, try again later",
                          shared_.indexed.load(), shared_.to_index.load()));
}

Result<std::int64_t> View::count_type(std::int64_t type) {
  return connection_.number("SELECT count(*) FROM record WHERE type = ?1 AND deleted = 0", 0, type);
}

Result<std::int64_t> View::count_resources(std::string_view type) {
  if (type.empty()) return connection_.number("SELECT count(*) FROM record WHERE deleted = 0", 0);
  MYDR24_ASSIGN(const auto number, names_.type(type));
  MYDR24_ASSIGN(const auto kept, Engine(*this).kept_total(number, store::SearchEngine::Exactness::newest));
  if (kept) return *kept;
  return count_type(number);
}

Result<store::SearchPage> View::search(const search::Query& query) {
  MYDR24_TRY(index_must_be_complete(query));
  Engine engine(*this);
  return store::run_search(query, engine);
}

Result<std::vector<store::ParameterValue>> View::values(const search::Parameter& parameter, std::uint32_t count) {
  Engine engine(*this);
  return store::parameter_values(parameter, count, engine);
}

Result<std::string> View::explain(const search::Query& query) {
  Engine engine(*this);
  return store::explain_search(query, engine);
}

}  // namespace mydr24::sqlite
