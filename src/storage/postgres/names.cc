#include "storage/postgres/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace mydr24::postgres {
namespace {

constexpr std::size_t systems_remembered_max = 16'384;

constexpr const char* find_type = "SELECT number FROM resource_type WHERE name = $1";
constexpr const char* find_system = "SELECT number FROM system WHERE uri = $1";

}  // namespace

Result<std::optional<std::int64_t>> Names::number(Connection& connection, Table table, std::string_view name) {
  {
    const std::shared_lock lock(mutex_);
    const auto& known = numbers(table);
    if (const auto found = known.find(name); found != known.end()) return std::optional(found->second);
  }
  MYDR24_ASSIGN(const auto number, connection.number(table == Table::type ? find_type : find_system, -1,
                                                     Parameters::of(stored_text(name))));
  if (number < 0) return std::optional<std::int64_t>();
  remember(table, name, number);
  return std::optional(number);
}

void Names::remember(Table table, std::string_view name, std::int64_t number) {
  const std::scoped_lock lock(mutex_);
  auto& known = numbers(table);
  if (table == Table::system && known.size() >= systems_remembered_max) known.clear();
  known.insert_or_assign(std::string(name), number);
  if (table == Table::type) type_names_.insert_or_assign(number, std::string(name));
}

Result<std::string> Names::type_name(Connection& connection, std::int64_t number) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = type_names_.find(number); found != type_names_.end()) return found->second;
  }
  MYDR24_ASSIGN(const auto rows,
                connection.query("SELECT name FROM resource_type WHERE number = $1", Parameters::of(number)));
  if (rows.empty()) return fail(Code::internal, fmt::format("the database has no resource type {}", number));
  std::string name(rows.text(0, 0));
  remember(Table::type, name, number);
  return name;
}

namespace {

using Known = std::unordered_map<std::string, std::int64_t>;  // "Patient.birthdate", "Patient.#birthdate"

Result<Known> known_parameters(Connection& connection) {
  MYDR24_ASSIGN(const auto rows, connection.query("SELECT t.name, p.code, p.number FROM parameter p "
                                                  "JOIN resource_type t ON t.number = p.type"));
  Known known;
  known.reserve(static_cast<std::size_t>(rows.count()));
  for (int row = 0; row < rows.count(); ++row) {
    known.emplace(fmt::format("{}.{}", rows.text(row, 0), rows.text(row, 1)), rows.integer(row, 2));
  }
  return known;
}

Result<> add_parameters(Connection& connection, std::span<const search::Parameter> parameters) {
  Column names(Type::text_array);
  Column codes(Type::text_array);
  for (const search::Parameter& parameter : parameters) {
    names.add(parameter.type);
    codes.add(parameter.code);
  }
  MYDR24_TRY(connection.send(
      "INSERT INTO resource_type (number, name) "
      "SELECT (SELECT coalesce(max(number), 0) FROM resource_type) + row_number() OVER (ORDER BY n.name), n.name "
      "FROM (SELECT DISTINCT name COLLATE \"C\" AS name FROM unnest($1::text[]) AS u(name)) n "
      "WHERE NOT EXISTS (SELECT 1 FROM resource_type t WHERE t.name = n.name)",
      Parameters::of(names)));
  return connection.send(
      "INSERT INTO parameter (number, type, code) "
      "SELECT (SELECT coalesce(max(number), 0) FROM parameter) + row_number() OVER (ORDER BY t.number, c.code), "
      "t.number, c.code FROM (SELECT u.name, p.prefix || u.code AS code FROM unnest($1::text[], $2::text[]) "
      "AS u(name, code), (VALUES (''), ('#')) AS p(prefix)) c JOIN resource_type t ON t.name = c.name COLLATE \"C\" "
      "WHERE NOT EXISTS (SELECT 1 FROM parameter p WHERE p.type = t.number AND p.code = c.code COLLATE \"C\")",
      Parameters::of(names, codes));
}

}  // namespace

Result<std::shared_ptr<const ParameterNumbers>> number_parameters(Connection& connection,
                                                                  const search::CataloguePtr& catalogue) {
  const auto parameters = search::parameters(catalogue.get());
  const auto name_of = [](const search::Parameter& parameter, std::string_view prefix) {
    return fmt::format("{}.{}{}", parameter.type, prefix, parameter.code);
  };
  MYDR24_ASSIGN(auto known, known_parameters(connection));
  const bool all_known = std::ranges::all_of(parameters, [&](const search::Parameter& parameter) {
    return known.contains(name_of(parameter, "")) && known.contains(name_of(parameter, "#"));
  });
  if (!all_known) {
    MYDR24_TRY(add_parameters(connection, parameters));
    MYDR24_ASSIGN(known, known_parameters(connection));
  }
  std::size_t size = 0;
  for (const search::Parameter& parameter : parameters) size = std::max<std::size_t>(size, parameter.number + 1U);
  auto numbers = std::make_shared<ParameterNumbers>();
  numbers->catalogue = catalogue;
  numbers->of.assign(size, -1);
  numbers->contained.assign(size, -1);
  numbers->narrative.assign(size, false);
  for (const search::Parameter& parameter : parameters) {
    numbers->of[parameter.number] = known[name_of(parameter, "")];
    numbers->contained[parameter.number] = known[name_of(parameter, "#")];
    numbers->narrative[parameter.number] = parameter.code == "_text";
  }
  return std::shared_ptr<const ParameterNumbers>(std::move(numbers));
}

}  // namespace mydr24::postgres
