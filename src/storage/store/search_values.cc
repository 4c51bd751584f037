// The different values of one parameter.

#include <fmt/format.h>

#include <map>

#include "storage/store/search_run.h"
#include "storage/store/sql_text.h"

namespace mydr24::store {

Result<std::vector<ParameterValue>> parameter_values(const search::Parameter& parameter, std::uint32_t count,
                                                     SearchEngine& engine) {
  const SearchContext context = engine.context();
  const std::size_t number = parameter.number;
  const bool is_token = parameter.kind == search::Kind::token;
  if (!is_token && parameter.kind != search::Kind::uri && parameter.kind != search::Kind::reference) {
    return fail(Code::unsupported, fmt::format("the values of '{}' cannot be listed", parameter.code));
  }
  SqlText text(context.dialect, nullptr, context.now);
  const auto of_parameter = text.value(number < context.parameters.size() ? context.parameters[number] : -1);
  const auto limit = text.value(static_cast<std::int64_t>(count));
  auto sql = is_token ? fmt::format(
                            "SELECT max(record), system AS place, code FROM token_index WHERE parameter = {} "
                            "GROUP BY code, system LIMIT {}",
                            of_parameter, limit)
                      : fmt::format(
                            "SELECT v.record, v.record AS place, {} FROM (SELECT max(record) AS record, target "
                            "FROM reference_index WHERE parameter = {} GROUP BY target LIMIT {}) v",
                            text.target_text("v.target"), of_parameter, limit);
  MYDR24_ASSIGN(const auto rows, engine.rows({.text = std::move(sql), .values = text.take()}));

  std::map<std::int64_t, std::string> systems{{0, ""}};
  std::vector<ParameterValue> values;
  for (const SqlRow& row : rows) {
    const auto* const value = std::get_if<std::string>(&row.value);
    if (value == nullptr || value->starts_with('\x1f')) continue;  // serves :of-type and :identifier only
    auto& found = values.emplace_back();
    found.value = *value;
    if (is_token) {
      if (!systems.contains(row.place)) {
        SqlStatement statement{.text = fmt::format("SELECT number, number AS place, uri FROM system WHERE number = {}1",
                                                   context.dialect.placeholder),
                               .values = {row.place}};
        MYDR24_ASSIGN(const auto named, engine.rows(statement));
        const auto* const uri = named.empty() ? nullptr : std::get_if<std::string>(&named.front().value);
        systems[row.place] = uri == nullptr ? "" : *uri;
      }
      found.system = systems[row.place];
    }
    MYDR24_ASSIGN(auto newest, engine.by_record(row.record));
    if (newest) found.newest = std::move(*newest);
  }
  return values;
}

}  // namespace mydr24::store
