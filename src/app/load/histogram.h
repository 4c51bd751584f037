#pragma once

// Latencies with three significant digits from 1 us to 60 s in a fixed array: recording is a shift and an
// increment. Layout as HdrHistogram: buckets that double in width, each of 1024 equal cells. Invariant: a
// quantile is at most 0.1 % above the value that was recorded.

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace mydr24::load {

class Histogram {
 public:
  void record(std::chrono::nanoseconds latency) {
    const auto us = std::clamp<std::int64_t>(latency.count() / 1000, 1, us_max);
    ++cells_[cell_of(static_cast<std::uint64_t>(us))];
    ++count_;
    max_us_ = std::max(max_us_, us);
  }

  void add(const Histogram& other) {
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] += other.cells_[i];
    count_ += other.count_;
    max_us_ = std::max(max_us_, other.max_us_);
  }

  // Every cell with its count, when not 0; `put` of another histogram takes them, so that counts travel between
  // processes.
  template <class Take>
  void each_cell(Take&& take) const {
    for (std::size_t i = 0; i < cells_.size(); ++i)
      if (cells_[i] != 0) take(i, cells_[i]);
  }
  // False: there is no such cell.
  bool put(std::size_t cell, std::uint64_t count) {
    if (cell >= cells_.size()) return false;
    cells_[cell] += count;
    count_ += count;
    if (count > 0) max_us_ = std::max(max_us_, std::min(highest_of(cell), us_max));
    return true;
  }

  std::uint64_t count() const { return count_; }
  double max_ms() const { return static_cast<double>(max_us_) / 1000; }

  // The latency that `share` (0 to 1) of the recorded ones do not exceed, in ms; 0 when nothing was recorded.
  double quantile_ms(double share) const {
    if (count_ == 0) return 0;
    const auto rank =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      seen += cells_[i];
      if (seen >= rank) return static_cast<double>(std::min(highest_of(i), max_us_)) / 1000;
    }
    return max_ms();
  }

 private:
  static constexpr std::int64_t us_max = 60'000'000;
  static constexpr unsigned cell_bits = 10;  // 1024 cells a bucket
  static constexpr std::uint64_t half = 1U << cell_bits;
  static constexpr std::size_t bucket_count = 16;  // 2^(10 + 16) us > 60 s

  static std::size_t cell_of(std::uint64_t us) {
    const auto width = static_cast<unsigned>(std::bit_width(us));
    const unsigned shift = width > cell_bits + 1 ? width - cell_bits - 1 : 0;
    return shift * half + (us >> shift);
  }
  static std::int64_t highest_of(std::size_t cell) {
    const std::size_t shift = cell < 2 * half ? 0 : cell / half - 1;
    return static_cast<std::int64_t>(((cell - shift * half + 1) << shift) - 1);
  }

  std::array<std::uint64_t, (bucket_count + 2) * half> cells_{};
  std::uint64_t count_ = 0;
  std::int64_t max_us_ = 0;
};

}  // namespace mydr24::load
