#include <fmt/format.h>

#include "storage/postgres/view.h"

namespace mydr24::postgres {
namespace {

using store::SqlStatement;
using store::SqlValue;

// Bodies that are held for a page that is being read.
constexpr std::size_t records_read_at_once = 64;
constexpr std::size_t prepared_bytes_max = 4'096;

void bind(Parameters& parameters, const std::string& sql, const SqlValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) {
    // A text query is no value of a column: it must not be cut.
    const bool is_query = sql.contains(fmt::format("${}::tsquery", parameters.size() + 1));
    parameters.add(is_query ? *text : stored_text(*text));
  } else if (const auto* const list = std::get_if<std::vector<std::string>>(&value)) {
    Column column(Type::text_array);
    for (const std::string& item : *list) column.add(stored_text(item));
    parameters.add(column);
  } else if (const auto* const number = std::get_if<double>(&value)) {
    parameters.add(*number);
  } else {
    parameters.add(std::get<std::int64_t>(value));
  }
}

// What the search of every engine asks of this one.
class Engine final : public store::SearchEngine {
 public:
  explicit Engine(View& view) : view_(view), parameters_(view.shared().parameters.load()) {}

  store::SearchContext context() override {
    return {.dialect = store::postgres_dialect,
            .parameters = parameters_->of,
            .contained_parameters = parameters_->contained,
            .type = [this](std::string_view name) -> Result<std::int64_t> {
              MYDR24_ASSIGN(const auto number,
                            view_.shared().names.number(view_.connection(), Names::Table::type, name));
              return number.value_or(-1);
            },
            .sequence_at = [this](Instant at) { return view_.sequence_at(at); },
            .now = view_.shared().clock.now()};
  }

  Result<std::vector<store::SqlRow>> rows(const SqlStatement& statement) override {
    MYDR24_ASSIGN(const auto answer, ask(statement.text, statement));
    std::vector<store::SqlRow> rows;
    rows.reserve(static_cast<std::size_t>(answer.count()));
    for (int row = 0; row < answer.count(); ++row) {
      auto& taken = rows.emplace_back(answer.integer(row, 0), answer.integer(row, 1));
      if (answer.columns() < 3) continue;
      if (answer.is_text(2)) {
        taken.value = std::string(answer.text(row, 2));
      } else if (answer.is_real(2)) {
        taken.value = answer.real(row, 2);
      } else {
        taken.value = answer.integer(row, 2);
      }
    }
    return rows;
  }

  Result<std::int64_t> count(const SqlStatement& statement) override {
    MYDR24_ASSIGN(const auto answer, ask(statement.text, statement));
    return answer.empty() ? std::int64_t{0} : answer.integer(0, 0);
  }

  Result<std::string> plan(const SqlStatement& statement) override {
    Parameters parameters;
    for (const SqlValue& value : statement.values) bind(parameters, statement.text, value);
    MYDR24_ASSIGN(const auto answer, view_.connection().query("EXPLAIN " + statement.text, parameters));
    std::string text;
    for (int row = 0; row < answer.count(); ++row) text += fmt::format("{}\n", answer.text(row, 0));
    return text;
  }

  Result<std::optional<store::Version>> by_record(std::int64_t record) override { return view_.by_record(record, ""); }
  Result<std::vector<std::optional<store::Version>>> by_records(std::span<const std::int64_t> records) override {
    return view_.by_records(records);
  }
  std::size_t records_per_read() const override { return records_read_at_once; }
  Result<> check_limits() override { return view_.connection().check_limits(); }

  Result<std::optional<std::int64_t>> kept_total(std::int64_t type, Exactness /*exactness*/) override {
    return total({.of = TotalKey::Of::type, .number = type, .code = {}});
  }

  Result<std::optional<std::int64_t>> kept_total(std::int64_t parameter, std::string_view code,
                                                 const std::optional<std::string>& system,
                                                 Exactness /*exactness*/) override {
    TotalKey key{.of = TotalKey::Of::code, .number = parameter, .code = stored_text(code)};
    if (!system) return total(key);
    key.of = TotalKey::Of::token;
    if (!system->empty()) {
      MYDR24_ASSIGN(const auto number, view_.shared().names.number(view_.connection(), Names::Table::system, *system));
      if (!number) return std::optional<std::int64_t>(0);
      key.system = *number;
    }
    return total(key);
  }

 private:
  Result<std::optional<std::int64_t>> total(const TotalKey& key) {
    MYDR24_ASSIGN(const auto total, total_of(view_.connection(), key, view_.shared().wishes));
    return std::optional(total);
  }

  Result<Rows> ask(const std::string& text, const SqlStatement& statement) {
    Parameters parameters;
    for (const SqlValue& value : statement.values) bind(parameters, statement.text, value);
    // How many resources hold a word depends on the word: there the planner must choose. Of long texts, which come
    // once, no plan is kept.
    const bool once = text.contains("::tsquery") || text.size() > prepared_bytes_max;
    return once ? view_.connection().query(text, parameters) : view_.connection().query_prepared(text, parameters);
  }

  View& view_;
  std::shared_ptr<const ParameterNumbers> parameters_;
};

}  // namespace

Result<store::SearchPage> View::search(const search::Query& query) {
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

}  // namespace mydr24::postgres
