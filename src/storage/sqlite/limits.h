#pragma once

// Stops what one read does when it takes too long or nobody waits for it any more. Private to storage/sqlite.

#include <fmt/format.h>

#include <chrono>

#include "base/core/clock.h"
#include "storage/sqlite/connection.h"
#include "storage/store/store.h"

namespace mydr24::sqlite {

// Watches one read on one connection for as long as it lives.
class LimitGuard {
 public:
  LimitGuard(Connection& connection, const store::ReadLimits& limits)
      : connection_(connection), limits_(limits), start_(system_clock().steady()) {
    constexpr int instructions_between_checks = 4'000;
    if (is_limited()) sqlite3_progress_handler(connection_.handle(), instructions_between_checks, &stop, this);
  }
  ~LimitGuard() {
    if (is_limited()) sqlite3_progress_handler(connection_.handle(), 0, nullptr, nullptr);
  }
  LimitGuard(const LimitGuard&) = delete;
  LimitGuard& operator=(const LimitGuard&) = delete;

  Result<> check() const {
    if (is_cancelled()) return fail(Code::too_costly, "nobody waits for the answer any more");
    if (is_late()) {
      return fail(
          Code::too_costly,
          fmt::format("the search took longer than {} ms: narrow it, for example by a code, a subject or a date",
                      limits_.time_max.count()));
    }
    return {};
  }

 private:
  bool is_limited() const { return limits_.time_max.count() > 0 || limits_.cancelled != nullptr; }
  bool is_cancelled() const { return limits_.cancelled != nullptr && limits_.cancelled->load(); }
  // The machine's clock: it paces the work, it decides nothing that is stored.
  bool is_late() const { return limits_.time_max.count() > 0 && system_clock().steady() - start_ > limits_.time_max; }
  static int stop(void* self) { return static_cast<LimitGuard*>(self)->check() ? 0 : 1; }

  Connection& connection_;
  const store::ReadLimits& limits_;
  const std::chrono::nanoseconds start_;
};

}  // namespace mydr24::sqlite
