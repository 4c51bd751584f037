#include "operations/series/chunk.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace mydr24::series {
namespace {

struct Entry {
  std::int64_t time;
  Row values;
};

Chunk pack(const std::vector<Entry>& entries, std::size_t columns) {
  Chunk chunk;
  Appender appender(columns);
  for (const Entry& each : entries) appender.append(chunk, each.time, std::span(each.values).first(columns));
  return chunk;
}

void expect_same(const std::vector<Entry>& entries, std::size_t columns) {
  const Chunk chunk = pack(entries, columns);
  ChunkReader reader(chunk, columns);
  std::int64_t time = 0;
  Row values{};
  for (const Entry& each : entries) {
    ASSERT_TRUE(reader.next(time, values));
    EXPECT_EQ(time, each.time);
    for (std::size_t i = 0; i < columns; ++i)
      EXPECT_EQ(std::bit_cast<std::uint64_t>(values[i]), std::bit_cast<std::uint64_t>(each.values[i]));
  }
  EXPECT_FALSE(reader.next(time, values));
  EXPECT_FALSE(reader.broken());
}

TEST(Chunk, WhatIsPackedIsReadBackToTheBit) {
  std::mt19937_64 random(7);
  for (std::size_t columns : {1U, 5U}) {
    std::vector<Entry> entries;
    std::int64_t time = 1'700'000'000'000;
    for (int i = 0; i < 500; ++i) {
      const unsigned jump = random() % 5;
      time += jump == 0 ? 1 : jump == 1 ? 5'000 : jump == 2 ? static_cast<std::int64_t>(random() % 100'000) : 15'000;
      if (jump == 4) time += static_cast<std::int64_t>(random() % 10'000'000'000);
      Row row{};
      for (double& value : row) {
        const unsigned kind = random() % 6;
        value = kind == 0   ? static_cast<double>(random() % 1000)
                : kind == 1 ? std::numeric_limits<double>::quiet_NaN()
                : kind == 2 ? -std::numeric_limits<double>::infinity()
                : kind == 3 ? std::bit_cast<double>(random())
                            : 42.5;
      }
      entries.push_back({time, row});
    }
    expect_same(entries, columns);
  }
}

TEST(Chunk, TimesThatAreFarApartAreReadBack) {
  const Row row{1};
  expect_same({{INT64_MIN, row}, {0, row}, {1, row}, {INT64_MAX, row}}, 1);
}

TEST(Chunk, ASeriesThatDoesNotChangeTakesTwoBitsASample) {
  std::vector<Entry> entries;
  for (int i = 0; i < 240; ++i) entries.push_back({1'700'000'000'000 + i * 5'000, Row{17}});
  EXPECT_LE(pack(entries, 1).bits.size(), 16 + 240 / 4 + 4);
}

TEST(Chunk, BitsThatEndEarlyOrAreForeignEndTheReading) {
  std::vector<Entry> entries;
  for (int i = 0; i < 50; ++i) entries.push_back({i * 7'919, Row{std::sqrt(i)}});
  const Chunk chunk = pack(entries, 1);
  for (std::size_t size = 0; size < chunk.bits.size(); ++size) {
    ChunkReader reader(std::string_view(chunk.bits).substr(0, size), 50, 1);
    std::int64_t time = 0;
    Row row{};
    std::size_t count = 0;
    while (reader.next(time, row)) ++count;
    EXPECT_LT(count, 50U);
    EXPECT_TRUE(reader.broken());
  }
  std::mt19937 random(3);
  for (int round = 0; round < 2'000; ++round) {
    std::string bits(random() % 64, '\0');
    for (char& each : bits) each = static_cast<char>(random());
    ChunkReader reader(bits, 1'000'000, 5);
    std::int64_t time = 0;
    Row row{};
    while (reader.next(time, row)) {
    }
    EXPECT_TRUE(reader.broken());
  }
}

}  // namespace
}  // namespace mydr24::series
