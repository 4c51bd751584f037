#include "storage/sqlite/names.h"

#include <fmt/format.h>

#include "fhir/search/search.h"

namespace mydr24::sqlite {
namespace {

constexpr std::size_t systems_remembered_max = 4'096;
constexpr std::size_t targets_remembered_max = 32'768;

}  // namespace

Result<std::int64_t> Names::type(std::string_view name) {
  if (const auto found = types_.find(name); found != types_.end()) return found->second;
  MYDR24_ASSIGN(const auto number, connection_.number("SELECT number FROM resource_type WHERE name = ?1", -1, name));
  if (number > 0) types_.emplace(name, number);
  return number;
}

Result<std::string> Names::type_name(std::int64_t number) {
  if (const auto found = type_names_.find(number); found != type_names_.end()) return found->second;
  MYDR24_ASSIGN(Statement statement, connection_.prepare("SELECT name FROM resource_type WHERE number = ?1"));
  statement.bind(1, number);
  MYDR24_ASSIGN(const bool found, statement.step());
  if (!found) return fail(Code::internal, fmt::format("the database has no resource type {}", number));
  return type_names_.emplace(number, statement.text(0)).first->second;
}

Result<std::int64_t> Names::add_type(std::string_view name) {
  MYDR24_ASSIGN(auto number, type(name));
  if (number > 0) return number;
  MYDR24_TRY(connection_.run("INSERT INTO resource_type (name) VALUES (?1)", name));
  number = sqlite3_last_insert_rowid(connection_.handle());
  types_.emplace(name, number);
  ++added_;
  return number;
}

Result<std::int64_t> Names::add_system(std::string_view uri) {
  if (uri.empty()) return std::int64_t{0};
  if (const auto found = systems_.find(uri); found != systems_.end()) return found->second;
  MYDR24_ASSIGN(auto number, connection_.number("SELECT number FROM system WHERE uri = ?1", -1, uri));
  if (number < 0) {
    MYDR24_TRY(connection_.run("INSERT INTO system (uri) VALUES (?1)", uri));
    number = sqlite3_last_insert_rowid(connection_.handle());
    ++added_;
  }
  if (systems_.size() >= systems_remembered_max) systems_.clear();
  systems_.emplace(uri, number);
  return number;
}

Result<std::int64_t> Names::add_target(std::string_view uri) {
  if (const auto found = targets_.find(uri); found != targets_.end()) return found->second;
  MYDR24_ASSIGN(auto number, connection_.number("SELECT number FROM target WHERE uri = ?1", -1, uri));
  if (number < 0) {
    MYDR24_TRY(connection_.run("INSERT INTO target (uri) VALUES (?1)", uri));
    number = sqlite3_last_insert_rowid(connection_.handle());
    ++added_;
  }
  if (targets_.size() >= targets_remembered_max) targets_.clear();
  targets_.emplace(uri, number);
  return number;
}

void Names::undo(std::size_t mark) {
  if (added_ == mark) return;
  targets_.clear();
  types_.clear();
  type_names_.clear();
  systems_.clear();
  added_ = mark;
}

Result<std::unique_ptr<const ParameterNumbers>> number_parameters(Connection& connection,
                                                                  const search::CataloguePtr& catalogue,
                                                                  std::size_t& added) {
  Names names(connection);
  std::unordered_map<std::string, std::int64_t> known;
  {
    MYDR24_ASSIGN(Statement statement, connection.prepare("SELECT type, code, number FROM parameter"));
    for (;;) {
      MYDR24_ASSIGN(const bool row, statement.step());
      if (!row) break;
      known.emplace(fmt::format("{}.{}", statement.integer(0), statement.text(1)), statement.integer(2));
    }
  }
  added = 0;
  const auto number_of = [&](std::int64_t type, const std::string& code, bool counts) -> Result<std::int64_t> {
    auto& number = known[fmt::format("{}.{}", type, code)];
    if (number != 0) return number;
    MYDR24_TRY(connection.run("INSERT INTO parameter (type, code) VALUES (?1, ?2)", type, code));
    added += counts ? 1 : 0;
    return number = sqlite3_last_insert_rowid(connection.handle());
  };
  const auto parameters = search::parameters(catalogue.get());
  auto numbers = std::make_unique<ParameterNumbers>();
  numbers->catalogue = catalogue;
  numbers->own.assign(parameters.size(), -1);
  numbers->contained.assign(parameters.size(), -1);
  numbers->narrative.assign(parameters.size(), false);
  for (const search::Parameter& parameter : parameters) {
    if (parameter.number >= parameters.size()) continue;
    // Parts of composites have no entries of their own.
    const auto* const found = search::find_parameter(parameter.type, parameter.code, catalogue.get());
    if (found == nullptr || found->number != parameter.number) continue;
    MYDR24_ASSIGN(const auto type, names.add_type(parameter.type));
    // Rows of another definition of the same name are not mixed up with those of this one.
    const auto code = parameter.generation == 0 ? std::string(parameter.code)
                                                : fmt::format("{}@{}", parameter.code, parameter.generation);
    const bool published = parameter.generation == 0;
    MYDR24_ASSIGN(numbers->own[parameter.number], number_of(type, code, published));
    MYDR24_ASSIGN(numbers->contained[parameter.number], number_of(type, "#" + code, published));
    numbers->narrative[parameter.number] = parameter.kind == search::Kind::text && parameter.code == "_text";
  }
  return std::unique_ptr<const ParameterNumbers>(std::move(numbers));
}

}  // namespace mydr24::sqlite
