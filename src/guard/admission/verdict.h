#pragma once

// What admission decides of one request.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace mydr24::admission {

// Why a request is refused. share: this client asks more than its share; quota: its tenant more than it may (429). All others
// are about the node (503).
enum class Refusal : std::uint8_t { none, share, limit, queue, deadline, threshold, level, quota };
inline constexpr std::size_t refusal_count = 8;

constexpr std::string_view to_string(Refusal refusal) {
  constexpr std::array<std::string_view, refusal_count> names{"none",     "share",     "limit", "queue",
                                                              "deadline", "threshold", "level", "quota"};
  return names[static_cast<std::size_t>(refusal)];
}
constexpr int http_status(Refusal refusal) {
  return refusal == Refusal::share || refusal == Refusal::quota ? 429 : 503;
}

struct Verdict {
  static constexpr std::uint8_t no_shard = 255;
  Refusal refusal = Refusal::none;
  std::uint8_t shard = no_shard;  // the queue it waited in
  std::chrono::nanoseconds waited{0};

  bool admitted() const { return refusal == Refusal::none; }
};

// Called once, from any thread, without a lock held.
using Decided = std::move_only_function<void(Verdict)>;

}  // namespace mydr24::admission
