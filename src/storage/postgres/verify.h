#pragma once

// Checking a whole database. Private to storage/postgres.

#include <string>
#include <vector>

#include "storage/postgres/view.h"

namespace mydr24::postgres {

// What is wrong with the database, a text each; at most findings_max of them.
inline constexpr std::size_t findings_max = 1'000;
Result<std::vector<std::string>> check_database(const std::string& url, Shared& shared);

}  // namespace mydr24::postgres
