#pragma once

// Samples packed into bits: time stamps as the difference of their differences, values as what changed of their bits
// since the one before. Source of both ideas: T. Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series
// Database", VLDB 2015, sections 4.1.1 and 4.1.2. The widths of the fields are our own: times are milliseconds.
//
// A chunk has 1 to columns_max values a time stamp. Reading bytes that are not ours ends early and says so.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mydr24::series {

inline constexpr std::size_t columns_max = 5;
using Row = std::array<double, columns_max>;

struct Chunk {
  std::string bits;
  std::uint32_t count = 0;
  std::int64_t first = 0;  // ms since 1970
  std::int64_t last = 0;
};

// Where a chunk goes on. Time stamps ascend.
class Appender {
 public:
  explicit Appender(std::size_t columns) : columns_(columns) {}
  // The next one begins a chunk.
  void begin() { *this = Appender(columns_); }
  void append(Chunk& chunk, std::int64_t time, std::span<const double> values);

 private:
  struct Column {
    std::uint64_t bits = 0;
    std::uint8_t leading = 0xFF;  // 0xFF: no window yet
    std::uint8_t trailing = 0;
  };
  void put(std::string& out, std::uint64_t value, unsigned width);
  void put_time(std::string& out, std::int64_t time);
  void put_value(std::string& out, Column& column, std::uint64_t bits, bool is_first);

  std::size_t columns_;
  std::int64_t time_ = 0;
  std::int64_t delta_ = 0;
  std::array<Column, columns_max> values_{};
  unsigned free_ = 0;  // bits of the last byte
};

class ChunkReader {
 public:
  // `bits` must outlive it.
  ChunkReader(std::string_view bits, std::uint32_t count, std::size_t columns)
      : bits_(bits), left_(count), columns_(columns) {}
  ChunkReader(const Chunk& chunk, std::size_t columns) : ChunkReader(chunk.bits, chunk.count, columns) {}
  // False at the end, and where the bits end before it.
  bool next(std::int64_t& time, Row& values);
  bool broken() const { return broken_; }

 private:
  struct Column {
    std::uint64_t bits = 0;
    unsigned leading = 0;
    unsigned width = 0;
  };
  std::uint64_t take(unsigned width);
  std::int64_t take_signed(unsigned width);
  void take_value(Column& column);

  std::string_view bits_;
  std::size_t at_ = 0;  // in bits
  std::uint32_t left_;
  std::size_t columns_;
  bool is_first_ = true;
  bool broken_ = false;
  std::int64_t time_ = 0;
  std::int64_t delta_ = 0;
  std::array<Column, columns_max> values_{};
};

}  // namespace mydr24::series
