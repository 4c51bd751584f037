#pragma once

// Where the rows and timers of changes are.

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "operations/changes/plan.h"
#include "storage/store/store.h"

namespace mydr24::changes {

inline constexpr std::string_view space = "changes";
inline constexpr std::string_view change_prefix = "change/";
inline constexpr std::string_view open_prefix = "open/";
inline constexpr std::string_view active_prefix = "active/";
inline constexpr std::string_view frozen_prefix = "frozen/";
inline constexpr std::string_view freeze_prefix = "freeze/";
inline constexpr std::string_view key_key = "key";
inline std::string outcome_key(std::string_view kind, std::string_view service) {
  return fmt::format("outcome/{}/{}", kind, service);
}
inline std::string success_key(std::string_view service) { return fmt::format("success/{}", service); }

inline constexpr std::string_view start_kind = "change.start";
inline constexpr std::string_view review_kind = "change.review";
inline constexpr std::string_view watch_kind = "change.watch";

inline std::string change_key(std::string_view id) { return fmt::format("{}{}", change_prefix, id); }
inline std::string frozen_key(std::string_view service) { return fmt::format("{}{}", frozen_prefix, service); }
inline std::string freeze_key(std::string_view id) { return fmt::format("{}{}", freeze_prefix, id); }
inline std::string suspended_prefix(std::string_view login) { return fmt::format("suspended/{}/", login); }
inline std::string suspended_key(std::string_view login, std::string_view id) {
  return fmt::format("suspended/{}/{}", login, id);
}
inline std::string start_timer(std::string_view id) { return fmt::format("{}/{}", start_kind, id); }
inline std::string review_timer(std::string_view id) { return fmt::format("{}/{}", review_kind, id); }
inline std::string watch_timer(std::string_view id) { return fmt::format("{}/{}", watch_kind, id); }

// A service or a setting that both change.
bool touches_the_same(const Plan& a, const Plan& b);

template <class Visit>
Result<> for_each_row(store::Reader& reader, std::string_view prefix, Visit visit) {
  constexpr std::uint32_t page = 200;
  std::string after;
  for (;;) {
    MYDR24_ASSIGN(const auto rows, reader.states(space, prefix, after, page));
    for (const auto& row : rows) MYDR24_TRY(visit(row));
    if (rows.size() < page) return {};
    after = rows.back().key;
  }
}

}  // namespace mydr24::changes
