#pragma once

// Requests of one class that wait for a seat, fair between clients: every client (its "flow") is dealt 4 of its tenant's
// queues (Hand; all 64 where there is one tenant) and waits in the shortest of them; the queues take turns, and one whose
// requests held their seats long sits out turns until it has paid. So a client that floods fills its own hand, and another
// one, whose hand is hardly ever the same, still finds a short queue.
//
// Pure: no clock, no thread, no lock.
//
// Source: shuffle sharding and fair queuing as in Kubernetes API Priority and Fairness (KEP-1040); deficit round robin
// by M. Shreedhar, G. Varghese (SIGCOMM 1995), charged afterwards because what a request costs is known only then.

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <vector>

#include "guard/admission/hand.h"
#include "guard/admission/verdict.h"

namespace mydr24::admission {

struct Waiter {
  std::uint64_t flow = 0;
  std::chrono::nanoseconds since{0};     // steady
  std::chrono::nanoseconds deadline{0};  // steady; of no use to anybody after it
  Decided decided;
};

inline constexpr Hand every_queue;

class FairQueue {
 public:
  static constexpr std::size_t shards = Hand::shards;
  static constexpr std::size_t hand = 4;

  // When the one that has waited longest came; not while it is empty.
  std::chrono::nanoseconds oldest() const;
  std::size_t size() const { return size_; }
  // Which of the flow's queues it would wait in, and how long that is.
  std::uint8_t shard_of(std::uint64_t flow, const Hand& of = every_queue) const;
  std::size_t length(std::uint8_t shard) const { return lengths_[shard]; }
  std::uint8_t longest() const;
  std::size_t queues_in_use() const { return static_cast<std::size_t>(std::popcount(occupied_)); }

  void push(std::uint8_t shard, Waiter waiter);
  struct Taken {
    Waiter waiter;
    std::uint8_t shard = 0;
  };
  // The next in turn; `newest_first`: of its queue the youngest, who may still be waiting for the answer.
  std::optional<Taken> pop(bool newest_first);
  // The one of that queue that is given up first: the youngest, or while the newest go first the oldest.
  std::optional<Waiter> evict(std::uint8_t shard, bool newest_first);
  // Those who have waited since before `since_before`, or whose deadline is over.
  std::vector<Waiter> expire(std::chrono::nanoseconds since_before, std::chrono::nanoseconds now);
  // What a request from that queue has cost; `usual`: what they cost as a rule.
  void charge(std::uint8_t shard, std::chrono::nanoseconds held, std::chrono::nanoseconds usual);

 private:
  Waiter take(std::uint8_t shard, bool youngest);

  std::array<std::list<Waiter>, shards> queues_;
  std::array<std::uint16_t, shards> lengths_{};
  std::array<std::int64_t, shards> owed_{};  // in usual requests / 256
  std::uint64_t occupied_ = 0;
  std::size_t size_ = 0;
  std::uint8_t turn_ = 0;
};

}  // namespace mydr24::admission
