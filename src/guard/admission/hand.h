#pragma once

// The queues that the requests of one tenant may wait in. Queues take turns, so as many as it was dealt is its weight: a
// tenant that floods fills its own, and who was dealt others still finds a short one.

#include <array>
#include <cstddef>
#include <cstdint>

namespace mydr24::admission {

class Hand {
 public:
  static constexpr std::size_t shards = 64;  // of FairQueue
  static constexpr std::size_t size_min = 4;

  // Every queue: for a server that has one tenant.
  constexpr Hand() : size_(shards) {
    for (std::size_t i = 0; i < shards; ++i) shards_[i] = static_cast<std::uint8_t>(i);
  }
  // `size` different queues, size_min to shards; the same for the same tenant in every process. `tenant`: hash() of its name.
  static constexpr Hand dealt(std::uint64_t tenant, std::size_t size) {
    Hand hand;
    hand.size_ = size < size_min ? size_min : size > shards ? shards : size;
    // Fisher and Yates' shuffle, as far as it is needed.
    for (std::size_t i = 0; i < hand.size_; ++i) {
      tenant = tenant * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX generator
      const std::size_t other = i + (tenant >> 33U) % (shards - i);
      const auto kept = hand.shards_[i];
      hand.shards_[i] = hand.shards_[other];
      hand.shards_[other] = kept;
    }
    return hand;
  }

  constexpr std::size_t size() const { return size_; }
  constexpr std::uint8_t operator[](std::size_t index) const { return shards_[index]; }

 private:
  std::array<std::uint8_t, shards> shards_{};
  std::size_t size_;
};

}  // namespace mydr24::admission
