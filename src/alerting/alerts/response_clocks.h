#pragma once

// The three clocks of an emergency, of the last hour: from its detection to its first delivery, from that to the first
// further call when nobody answers, and from its detection to a person's acknowledgement. Each has a limit of its own; there
// is no single "response time". What a server on the store has seen since it started: a restart begins anew.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/clock.h"
#include "storage/store/store.h"

namespace mydr24::alerts {

enum class ResponseClock : std::uint8_t { deliver, escalate, acknowledge };
inline constexpr std::array response_clocks{ResponseClock::deliver, ResponseClock::escalate,
                                            ResponseClock::acknowledge};
std::string_view to_string(ResponseClock clock);
std::chrono::milliseconds limit_of(ResponseClock clock);

class ResponseClocks : public store::Follower {
 public:
  static constexpr std::chrono::hours window{1};
  static constexpr std::size_t kept_max = 2'000;          // times of one clock; the oldest go first
  static constexpr std::size_t open_max = 10'000;         // emergencies that are followed at once
  static constexpr std::chrono::milliseconds slack{500};  // timers are looked at now and then: as long is not late

  explicit ResponseClocks(const Clock& clock) : clock_(clock) {}

  std::string_view name() const override { return "alerts.clocks"; }
  bool in_every_process() const override { return true; }
  Result<> follow(std::span<const store::Event> events) override;

  struct Figures {
    std::int64_t count = 0;
    std::int64_t late = 0;  // beyond the limit
    // Nearest rank; 0 without any.
    std::chrono::milliseconds p50{0}, p99{0}, max{0};
  };
  Figures figures(ResponseClock clock) const;
  // {"deliver":{"limit_ms","count","late","p50_ms","p99_ms","max_ms"},"escalate":...,"acknowledge":...}; without the last
  // three where nothing was measured.
  std::string json() const;

 private:
  struct Open {
    Instant raised;
    std::optional<Instant> delivered;
    bool escalated = false;
  };
  struct Time {
    Instant at;
    std::chrono::milliseconds took;
  };
  void take(const store::Event& event);
  void note(ResponseClock clock, Instant at, Microseconds took);

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Open, std::less<>> open_;
  std::array<std::deque<Time>, response_clocks.size()> times_;
};

}  // namespace mydr24::alerts
