#include "operations/series/chunk.h"

#include <algorithm>
#include <bit>

namespace mydr24::series {
namespace {

// Classes of a time's second difference: prefix, its width, bits of the number.
struct Class {
  std::uint64_t prefix;
  unsigned prefix_width;
  unsigned width;
};
constexpr std::array<Class, 4> classes{{{0b10, 2, 7}, {0b110, 3, 14}, {0b1110, 4, 20}, {0b1111, 4, 64}}};

bool fits(std::int64_t value, unsigned width) {
  if (width == 64) return true;
  const std::int64_t half = std::int64_t{1} << (width - 1);
  return value >= -half && value < half;
}

// Without overflow's undefined behaviour: hostile time stamps reach here too.
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

void Appender::put(std::string& out, std::uint64_t value, unsigned width) {
  while (width > 0) {
    if (free_ == 0) {
      out.push_back('\0');
      free_ = 8;
    }
    const unsigned now = std::min(free_, width);
    const auto part = static_cast<unsigned>((value >> (width - now)) & ((1U << now) - 1U));
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) | (part << (free_ - now)));
    free_ -= now;
    width -= now;
  }
}

void Appender::put_time(std::string& out, std::int64_t time) {
  const std::int64_t delta = difference(time, time_);
  const std::int64_t again = difference(delta, delta_);
  time_ = time;
  delta_ = delta;
  if (again == 0) return put(out, 0, 1);
  for (const Class& each : classes) {
    if (!fits(again, each.width)) continue;
    put(out, each.prefix, each.prefix_width);
    return put(out, static_cast<std::uint64_t>(again), each.width);
  }
}

void Appender::put_value(std::string& out, Column& column, std::uint64_t bits, bool is_first) {
  const std::uint64_t changed = bits ^ column.bits;
  column.bits = bits;
  if (is_first) return put(out, bits, 64);
  if (changed == 0) return put(out, 0, 1);
  // 5 bits for the leading zeros, so at most 31; 6 for the width less one.
  const auto leading = static_cast<std::uint8_t>(std::min(std::countl_zero(changed), 31));
  const auto trailing = static_cast<std::uint8_t>(std::countr_zero(changed));
  if (column.leading != 0xFF && leading >= column.leading && trailing >= column.trailing) {
    put(out, 0b10, 2);
    return put(out, changed >> column.trailing, 64U - column.leading - column.trailing);
  }
  column.leading = leading;
  column.trailing = trailing;
  const unsigned width = 64U - leading - trailing;
  put(out, 0b11, 2);
  put(out, leading, 5);
  put(out, width - 1, 6);
  put(out, changed >> trailing, width);
}

void Appender::append(Chunk& chunk, std::int64_t time, std::span<const double> values) {
  const bool is_first = chunk.count == 0;
  if (is_first) {
    put(chunk.bits, static_cast<std::uint64_t>(time), 64);
    time_ = time;
    chunk.first = time;
  } else {
    put_time(chunk.bits, time);
  }
  for (std::size_t i = 0; i < columns_; ++i)
    put_value(chunk.bits, values_[i], std::bit_cast<std::uint64_t>(values[i]), is_first);
  chunk.last = time;
  ++chunk.count;
}

std::uint64_t ChunkReader::take(unsigned width) {
  if (at_ + width > bits_.size() * 8) {
    broken_ = true;
    return 0;
  }
  std::uint64_t value = 0;
  while (width > 0) {
    const auto byte = static_cast<unsigned char>(bits_[at_ / 8]);
    const auto left = static_cast<unsigned>(8 - at_ % 8);
    const unsigned now = std::min(left, width);
    value = (value << now) | ((byte >> (left - now)) & ((1U << now) - 1U));
    at_ += now;
    width -= now;
  }
  return value;
}

std::int64_t ChunkReader::take_signed(unsigned width) {
  const std::uint64_t value = take(width);
  if (width == 64) return static_cast<std::int64_t>(value);
  const std::uint64_t sign = std::uint64_t{1} << (width - 1);
  return static_cast<std::int64_t>((value ^ sign) - sign);
}

void ChunkReader::take_value(Column& column) {
  if (is_first_) {
    column.bits = take(64);
    return;
  }
  if (take(1) == 0) return;
  if (take(1) == 1) {
    column.leading = static_cast<unsigned>(take(5));
    column.width = static_cast<unsigned>(take(6)) + 1;
  }
  if (column.width == 0 || column.leading + column.width > 64) {
    broken_ = true;
    return;
  }
  column.bits ^= take(column.width) << (64 - column.leading - column.width);
}

bool ChunkReader::next(std::int64_t& time, Row& values) {
  if (left_ == 0 || broken_) return false;
  if (is_first_) {
    time_ = take_signed(64);
  } else {
    std::int64_t again = 0;
    if (take(1) == 1) {
      std::size_t which = 0;
      while (which + 1 < classes.size() && take(1) == 1) ++which;
      again = take_signed(classes[which].width);
    }
    delta_ = sum(delta_, again);
    time_ = sum(time_, delta_);
  }
  for (std::size_t i = 0; i < columns_; ++i) {
    take_value(values_[i]);
    values[i] = std::bit_cast<double>(values_[i].bits);
  }
  if (broken_) return false;
  is_first_ = false;
  --left_;
  time = time_;
  return true;
}

}  // namespace mydr24::series
