#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace mydr24::admission {

// Counts from several threads without their sharing a cache line: each has a place of its own, give or take.
class Tally {
 public:
  void add() { places_[place()].count.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t sum() const {
    std::uint64_t total = 0;
    for (const auto& each : places_) total += each.count.load(std::memory_order_relaxed);
    return total;
  }

 private:
  static constexpr std::size_t places = 4;
  struct alignas(64) Place {
    std::atomic<std::uint64_t> count{0};
  };
  static std::size_t place() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % places;
    return mine;
  }
  std::array<Place, places> places_;
};

}  // namespace mydr24::admission
