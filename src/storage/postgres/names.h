#pragma once

// The numbers that stand for names in the database. Private to storage/postgres.
//
// Invariant: a number never changes its meaning once committed, so a process may remember it for ever.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/result.h"
#include "fhir/search/search.h"
#include "storage/postgres/connection.h"

namespace mydr24::postgres {

// What is committed, for all connections of a store. Thread-safe.
class Names {
 public:
  enum class Table : std::uint8_t { type, system };

  // Nothing when the name is not in the database.
  Result<std::optional<std::int64_t>> number(Connection& connection, Table table, std::string_view name);
  Result<std::string> type_name(Connection& connection, std::int64_t number);
  void remember(Table table, std::string_view name, std::int64_t number);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Numbers = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;
  Numbers& numbers(Table table) { return table == Table::type ? types_ : systems_; }

  std::shared_mutex mutex_;
  Numbers types_;
  Numbers systems_;
  std::unordered_map<std::int64_t, std::string> type_names_;
};

// Numbers of search parameters in the database, by search::Parameter::number; those of contained resources have codes
// that begin with '#'. -1: not there.
struct ParameterNumbers {
  search::CataloguePtr catalogue;  // null: the published one
  std::vector<std::int64_t> of;
  std::vector<std::int64_t> contained;
  std::vector<bool> narrative;  // a text parameter of the narrative (_text) rather than of the whole resource
};
// Gives each parameter of the catalogue (null: the published one) its numbers. In a transaction that writes, and that
// holds the writer's lock.
Result<std::shared_ptr<const ParameterNumbers>> number_parameters(Connection& connection,
                                                                  const search::CataloguePtr& catalogue);

}  // namespace mydr24::postgres
