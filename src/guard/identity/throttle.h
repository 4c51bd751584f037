#pragma once

// How often somebody may try to log in. After a few failures each further one doubles the wait, of the account and of
// the address it comes from (NIST SP 800-63B, 3.2.2). An address from which the account has logged in is counted by
// itself: a stranger who guesses does not keep its owner out. Kept in memory by each server: a failed login writes
// nothing.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/core/clock.h"
#include "base/core/result.h"

namespace mydr24::identity {

class Throttle {
 public:
  static constexpr int account_free = 5;  // failures without a wait, as it comes
  // Of a whole hospital behind one address.
  static constexpr int address_free = 50;
  // Short enough that nobody can keep another out for long.
  static constexpr std::chrono::seconds wait_max{60};  // as it comes
  static constexpr std::chrono::minutes forgotten_after{15};
  static constexpr std::size_t entries_max = 65'536;
  static constexpr std::size_t familiar_max = 16'384;

  // Counts as a failure until succeed(). Code::busy says how long to wait; it is not counted then. Thread-safe.
  Result<> attempt(std::string_view account, std::string_view address, Instant now);
  void succeed(std::string_view account, std::string_view address);
  // How long the next attempt at the account has to wait, from an address it has not logged in from. Thread-safe.
  std::chrono::seconds wait(std::string_view account, Instant now) const;
  // From the next attempt on. `free` >= 1, `wait` >= 1 s. Thread-safe.
  void set_account_free(int free) { account_free_ = free; }
  void set_wait_max(std::chrono::seconds wait) { wait_max_s_ = wait.count(); }

 private:
  struct Entry {
    int failures = 0;
    Instant last;
  };
  std::chrono::seconds wait_of(const Entry& entry, int free, Instant now) const;
  void make_room(Instant now);

  std::atomic<int> account_free_ = account_free;
  std::atomic<std::int64_t> wait_max_s_ = wait_max.count();
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;   // "a:" account, "i:" address
  std::unordered_map<std::string, Entry> familiar_;  // account and address that went together
};

}  // namespace mydr24::identity
