#pragma once

// The numbers that stand for names in the database. Private to storage/sqlite.
//
// Invariant: a number never changes its meaning once committed, so a connection may remember it for ever; what a
// transaction that is undone had added is forgotten with it.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/result.h"
#include "fhir/search/search.h"
#include "storage/sqlite/connection.h"

namespace mydr24::sqlite {

class Names {
 public:
  explicit Names(Connection& connection) : connection_(connection) {}

  // -1 when the name is not in the database.
  Result<std::int64_t> type(std::string_view name);
  Result<std::string> type_name(std::int64_t number);
  // Adds what is missing: only in a write transaction.
  Result<std::int64_t> add_type(std::string_view name);
  Result<std::int64_t> add_system(std::string_view uri);  // empty: 0
  Result<std::int64_t> add_target(std::string_view uri);

  // How much was added since the connection was opened, and forgetting what came after such a mark.
  std::size_t added() const { return added_; }
  void undo(std::size_t mark);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Numbers = std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>>;

  Connection& connection_;
  Numbers types_;
  std::unordered_map<std::int64_t, std::string> type_names_;
  Numbers systems_;
  Numbers targets_;
  std::size_t added_ = 0;
};

// Numbers of search parameters in the database, by search::Parameter::number; -1: not there.
struct ParameterNumbers {
  search::CataloguePtr catalogue;       // null: the published one
  std::vector<std::int64_t> own;        // of resources
  std::vector<std::int64_t> contained;  // of contained resources: their code begins with '#'
  std::vector<bool> narrative;          // a parameter of text whose words are the narrative's
};

// Gives every parameter its number, adding what is missing (`added`: how many published ones were). In a write
// transaction.
Result<std::unique_ptr<const ParameterNumbers>> number_parameters(Connection& connection,
                                                                  const search::CataloguePtr& catalogue,
                                                                  std::size_t& added);

}  // namespace mydr24::sqlite
