#pragma once

// The tables, as steps that lead from one version of the schema to the next. Private to storage/postgres.
//
// Invariant: a step that was ever released is never changed. All missing steps are applied in one transaction, under a
// lock that only one process can hold.

#include <span>
#include <string_view>

#include "base/core/result.h"
#include "storage/postgres/connection.h"

namespace mydr24::postgres {

struct Step {
  int number = 0;
  std::string_view name;
  std::string_view sql;
};
std::span<const Step> steps();

// The newest step applied; 0 in an empty database. Code::unsupported: newer than this program, or another program's
// tables.
Result<int> schema_version(Connection& connection);
// Applies what is missing; how many steps that were.
Result<int> migrate(Connection& connection);

// Advisory locks: two numbers, the second of which is made from the schema's name, so that several schemas of one
// database do not wait for each other.
inline constexpr int writer_lock = 0x4d4452'01;
inline constexpr int leader_lock = 0x4d4452'02;
inline constexpr int migration_lock = 0x4d4452'03;

}  // namespace mydr24::postgres
