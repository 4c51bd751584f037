#include "operations/series/remote_write.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "operations/series/detail/bytes.h"

namespace mydr24::series {
namespace {

constexpr Milliseconds now = 1'790'000'000'000;

std::string field(unsigned number, std::string_view text) {
  std::string out;
  put_varint(out, number << 3U | 2U);
  put_text(out, text);
  return out;
}
std::string label(std::string_view name, std::string_view value) { return field(1, field(1, name) + field(2, value)); }
std::string sample(double value, Milliseconds time) {
  std::string out;
  put_varint(out, 1U << 3U | 1U);
  put_fixed64(out, std::bit_cast<std::uint64_t>(value));
  put_varint(out, 2U << 3U);
  put_varint(out, static_cast<std::uint64_t>(time));
  return field(2, out);
}
std::string metadata(unsigned type, std::string_view name, std::string_view help) {
  std::string out;
  put_varint(out, 1U << 3U);
  put_varint(out, type);
  return field(3, out + field(2, name) + field(4, help));
}

TEST(Snappy, LiteralsAndCopiesAreUnpacked) {
  using namespace std::string_literals;
  EXPECT_EQ(*unsnap("\x00"s, 10), "");
  EXPECT_EQ(*unsnap("\x03\x08"s + "abc", 10), "abc");
  // "ab", then 8 bytes from 2 back: it overlaps its own end.
  EXPECT_EQ(*unsnap("\x0a\x04"s + "ab" + "\x11\x02", 10), "ababababab");
  EXPECT_EQ(*unsnap("\x06\x08"s + "abc" + "\x0a\x03\x00"s, 10), "abcabc");
  EXPECT_EQ(*unsnap("\x06\x08"s + "abc" + "\x0b\x03\x00\x00\x00"s, 10), "abcabc");
  // A literal whose length stands in a byte of its own.
  const std::string long_text(100, 'x');
  EXPECT_EQ(*unsnap("\x64\xf0\x63"s + long_text, 100), long_text);
}

TEST(Snappy, WhatIsBrokenIsRefusedAndNothingGrowsBeyondItsLimit) {
  using namespace std::string_literals;
  for (const std::string& bad : {""s, "\xff"s, "\x05\x08"s + "abc", "\x02\x08"s + "abc", "\x06\x08"s + "abc\x11\x09",
                                 "\x06\x08"s + "abc\x0a\x00\x00"s, "\x03\xf4\xff"s, "\x03\x00"s,
                                 "\xff\xff\xff\xff\x0f"s, "\x09\x08"s + "abc\x01"})
    EXPECT_FALSE(unsnap(bad, 1'000'000)) << bad.size();
  EXPECT_EQ(unsnap("\x64\xf0\x63"s + std::string(100, 'x'), 99).error().code, Code::too_large);
  // It says 60 MB and has 10 bytes.
  EXPECT_EQ(unsnap("\x80\x8e\xce\x1c"s + "0123456789", 64U << 20).error().code, Code::invalid);
}

TEST(RemoteWrite, SeriesSamplesAndMetadataAreRead) {
  const std::string bytes =
      field(1, label("__name__", "up") + label("job", "x") + sample(1.5, now) + sample(2.5, now + 1)) +
      field(1, label("__name__", "down") + sample(-0.0, now)) + metadata(1, "up", "Whether it is up");
  const auto request = parse_write_request(bytes);
  ASSERT_TRUE(request) << request.error().text;
  ASSERT_EQ(request->series.size(), 2U);
  EXPECT_EQ(request->series[0].labels["job"], "x");
  ASSERT_EQ(request->series[0].samples.size(), 2U);
  EXPECT_EQ(request->series[0].samples[1].value, 2.5);
  EXPECT_EQ(request->series[0].samples[1].time, now + 1);
  EXPECT_EQ(request->metadata.at(0).second.type, "counter");
  EXPECT_EQ(request->metadata.at(0).second.help, "Whether it is up");
}

TEST(RemoteWrite, WhatIsBrokenIsRefused) {
  const std::string good = field(1, label("__name__", "up") + sample(1, now));
  for (std::size_t size = 1; size < good.size(); ++size)
    EXPECT_FALSE(parse_write_request(std::string_view(good).substr(0, size))) << size;
  EXPECT_FALSE(parse_write_request(field(1, label("a", "1") + label("a", "2"))));
  EXPECT_FALSE(parse_write_request("\x0b"));  // a group, which protobuf has given up
  std::string many;
  for (int i = 0; i < 50; ++i) many += label("l" + std::to_string(i), "x");
  EXPECT_FALSE(parse_write_request(field(1, many)));
}

TEST(RemoteWrite, NoBytesAtAllMakeItFail) {
  std::mt19937 random(11);
  const std::string good =
      field(1, label("__name__", "up") + label("job", "x") + sample(1, now)) + metadata(2, "up", "h");
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    (void)parse_write_request(bytes);
    (void)unsnap(bytes, 1U << 20);
  }
}

TEST(RemoteWrite, WhatIsRefusedIsCountedAndNamed) {
  ManualClock clock(from_us(now * 1000));
  Database database(clock, {});
  const auto request =
      parse_write_request(field(1, label("__name__", "up") + sample(1, now) + sample(2, now - 5) + sample(1, now)) +
                          field(1, label("job", "no name") + sample(1, now)));
  ASSERT_TRUE(request);
  const WriteOutcome outcome = append(database, *request, {.job = "mydr24", .instance = "h:1"});
  EXPECT_EQ(outcome.kept, 1U);
  EXPECT_EQ(outcome.duplicates, 1U);
  EXPECT_EQ(outcome.refused, 2U);
  EXPECT_EQ(outcome.why, "out of order sample: {__name__=\"up\"}");
}

TEST(RemoteWrite, WhatTheServerCountsItselfIsNotTakenFromOutside) {
  ManualClock clock(from_us(now * 1000));
  Database database(clock, {});
  const auto of = [](std::string_view instance) {
    return field(1, label("__name__", "up") + label("job", "mydr24") + label("instance", instance) + sample(1, now));
  };
  const auto request = parse_write_request(of("h:1") + of("h:2"));
  ASSERT_TRUE(request);
  const WriteOutcome outcome = append(database, *request, {.job = "mydr24", .instance = "h:1"});
  EXPECT_EQ(outcome.kept, 1U);
  EXPECT_EQ(outcome.refused, 1U);
  EXPECT_EQ(outcome.why, "the server counts these itself: {__name__=\"up\", instance=\"h:1\", job=\"mydr24\"}");
  EXPECT_EQ((*database.all().front()->labels())["instance"], "h:2");
}

}  // namespace
}  // namespace mydr24::series
