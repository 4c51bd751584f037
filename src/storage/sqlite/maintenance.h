#pragma once

// Copying and checking a whole database. Private to storage/sqlite.

#include <filesystem>
#include <string>
#include <vector>

#include "storage/sqlite/view.h"

namespace mydr24::sqlite {

// A consistent copy of the database as one file `to`, sealed as it is; it must not exist and appears only when it is
// complete and synced.
Result<> copy_database(const DatabasePlace& place, const std::filesystem::path& to);

// What is wrong with the database, a text each; at most findings_max of them.
inline constexpr std::size_t findings_max = 1'000;
Result<std::vector<std::string>> check_database(const DatabasePlace& place, std::size_t cache_bytes, Shared& shared);

}  // namespace mydr24::sqlite
