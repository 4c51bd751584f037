#pragma once

// The schema as a list of steps, each applied once, in order, when a database is opened. Private to storage/sqlite.
//
// Invariant: a step that was released is never changed; the database's user_version is the number of steps applied.

#include <span>
#include <string_view>

namespace mydr24::sqlite {

std::span<const std::string_view> migrations();

// Throws the index tables away and makes empty ones: what they hold can always be made from the bodies.
std::string_view index_tables();

// "MD24": marks the file as ours (PRAGMA application_id).
inline constexpr int application_id = 0x4d443234;

}  // namespace mydr24::sqlite
