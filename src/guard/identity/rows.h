#pragma once

// Rows of the store that identity keeps, and their end. Private to guard/identity.

#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "storage/store/store.h"

namespace mydr24::identity::rows {

inline constexpr std::string_view users = "identity.user";
inline constexpr std::string_view clients = "identity.client";
inline constexpr std::string_view codes = "identity.code";        // by digest, as all that is secret
inline constexpr std::string_view tokens = "identity.token";      // by digest
inline constexpr std::string_view sessions = "identity.session";  // by id
inline constexpr std::string_view once = "identity.once";  // what may be used once: jti, launches, set-up, enrolment
inline constexpr std::string_view keys = "identity.key";
inline constexpr std::string_view expiry = "identity.expiry";  // "SECONDS/SPACE/KEY", in the order of their end

Instant time_of(json::Value value);
std::int64_t number_of(json::Value value);
std::vector<std::string> texts_of(json::Value value);
void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts);

// The row goes some time after `when`, unless its member "expires" is later by then.
Result<> expire_at(store::Transaction& transaction, std::string_view space, std::string_view key, Instant when);
// Erases what has expired, `count` rows at most. Whether there may be more.
Result<bool> sweep(store::Transaction& transaction, std::uint32_t count);

}  // namespace mydr24::identity::rows
