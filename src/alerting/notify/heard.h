#pragma once

// What providers told us, so that each message counts once. Their signatures hold no time: whoever captured a request can
// send it again, and "a" would then acknowledge an alert that its sender never saw.
//
// Kept in the store, so that a restart forgets nothing, and for `heard_kept`.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "storage/store/store.h"

namespace mydr24::notify {

inline constexpr std::chrono::days heard_kept{30};

// What was answered to the message of that name ("sms/SM1"); nothing when it was not heard yet.
Result<std::optional<std::string>> heard(store::Reader& reader, std::string_view message);
// Remembers it, and forgets some that are old.
Result<> remember_heard(store::Transaction& transaction, std::string_view message, std::string_view answer);

}  // namespace mydr24::notify
