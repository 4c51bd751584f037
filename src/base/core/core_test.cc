#include <gtest/gtest.h>

#include "base/core/clock.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/core/result.h"

namespace mydr24 {
namespace {

TEST(DateTime, APartialDateCoversItsWholePeriod) {
  const auto march = parse_date_time("2024-02");
  ASSERT_TRUE(march);
  EXPECT_EQ(format_instant(march->low), "2024-02-01T00:00:00.000Z");
  EXPECT_EQ(format_instant(march->high), "2024-03-01T00:00:00.000Z");
  EXPECT_EQ(march->precision, Precision::month);
}

TEST(DateTime, AZoneShiftsToUtc) {
  const auto at = parse_date_time("2180-07-22T19:47:00-04:00");
  ASSERT_TRUE(at);
  EXPECT_EQ(format_instant(at->low), "2180-07-22T23:47:00.000Z");
  EXPECT_EQ(at->high - at->low, std::chrono::seconds(1));
}

TEST(DateTime, AFractionIsAsWideAsItsLastDigit) {
  const auto at = parse_date_time("2024-01-01T00:00:00.12Z");
  ASSERT_TRUE(at);
  EXPECT_EQ(at->high - at->low, std::chrono::milliseconds(10));
}

TEST(DateTime, AnInstantIsWrittenWithAllItsZeros) {
  for (const auto* text : {"0001-01-01T00:00:00.000Z", "0987-06-05T04:03:02.001Z", "1969-12-31T23:59:59.999Z",
                           "2026-10-20T10:20:30.090Z", "9999-12-31T23:59:59.999Z"}) {
    const auto at = parse_date_time(text);
    ASSERT_TRUE(at);
    EXPECT_EQ(format_instant(at->low), text);
  }
  EXPECT_EQ(format_instant(from_us(253'402'300'800'000'000)), "10000-01-01T00:00:00.000Z");
}

TEST(DateTime, WhatIsNoDateIsRefused) {
  for (const auto* text : {"", "24", "2024-13", "2024-02-30", "2023-02-29", "2024-1-1", "2024-01-01T25:00:00Z",
                           "2024-01-01T10:00:00+15:00", "2024-01-01T10:00:00Zx", "2024-01-01 10:00:00Z", "0000"}) {
    EXPECT_FALSE(parse_date_time(text)) << text;
  }
}

TEST(DateTime, HttpDatesFollowRfc9110) {
  EXPECT_EQ(format_http_date(from_us(784111777000000)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), from_us(784111777000000));
  EXPECT_FALSE(parse_http_date("Sun, 31 Feb 1994 08:49:37 GMT"));
  EXPECT_FALSE(parse_http_date("1994-11-06"));
}

TEST(Id, LaterIdsSortLater) {
  const auto first = make_uuid7(from_us(1'700'000'000'000'000));
  const auto second = make_uuid7(from_us(1'700'000'000'001'000));
  EXPECT_LT(first, second);
  EXPECT_EQ(first.size(), 36U);
  EXPECT_EQ(first[14], '7');
  EXPECT_TRUE(is_fhir_id(first));
}

TEST(Id, TheFhirRuleHolds) {
  EXPECT_TRUE(is_fhir_id("A-b.9"));
  EXPECT_FALSE(is_fhir_id(""));
  EXPECT_FALSE(is_fhir_id("a/b"));
  EXPECT_FALSE(is_fhir_id(std::string(65, 'a')));
}

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Code::invalid, "odd", "n");
  return n / 2;
}

Result<int> quarter(int n) {
  MYDR24_ASSIGN(const int h, half(n));
  return half(h);
}

TEST(Result, AnErrorReachesTheCallerUnchanged) {
  EXPECT_EQ(*quarter(8), 2);
  const auto failed = quarter(6);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().where, "n");
}

}  // namespace
}  // namespace mydr24
