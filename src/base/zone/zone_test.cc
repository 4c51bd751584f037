#include "base/zone/zone.h"

#include <gtest/gtest.h>

#include "base/core/date_time.h"

namespace mydr24::zone {
namespace {

Instant utc(std::string_view text) { return parse_date_time(text).value().low; }
LocalTime wall(std::string_view text) { return LocalTime(utc(text).time_since_epoch()); }

TEST(Zone, TheWallClockFollowsDaylightSaving) {
  const auto paris = Zone::find("Europe/Paris").value();
  EXPECT_EQ(paris.local(utc("2026-01-15T12:00:00Z")), wall("2026-01-15T13:00:00"));
  EXPECT_EQ(paris.local(utc("2026-07-15T12:00:00Z")), wall("2026-07-15T14:00:00"));
  EXPECT_EQ(paris.instant(wall("2026-07-15T14:00:00")), utc("2026-07-15T12:00:00Z"));
}

TEST(Zone, ATimeInsideTheSpringGapIsTheInstantOfTheChange) {
  const auto chicago = Zone::find("America/Chicago").value();
  EXPECT_EQ(chicago.times(wall("2026-03-08T02:30:00")), 0);
  EXPECT_EQ(chicago.instant(wall("2026-03-08T02:30:00")), utc("2026-03-08T08:00:00Z"));
}

TEST(Zone, ATimeOfTheAutumnHourIsTheFirstOfTwo) {
  const auto chicago = Zone::find("America/Chicago").value();
  EXPECT_EQ(chicago.times(wall("2026-11-01T01:30:00")), 2);
  EXPECT_EQ(chicago.instant(wall("2026-11-01T01:30:00")), utc("2026-11-01T06:30:00Z"));
  EXPECT_EQ(chicago.times(wall("2026-11-01T03:00:00")), 1);
}

TEST(Zone, TheLastOfTwoIsAnHourLaterAndTheNextChangeIsWhereClocksGoBack) {
  const auto chicago = Zone::find("America/Chicago").value();
  EXPECT_EQ(chicago.last_instant(wall("2026-11-01T01:30:00")), utc("2026-11-01T07:30:00Z"));
  EXPECT_EQ(chicago.last_instant(wall("2026-11-01T03:00:00")), chicago.instant(wall("2026-11-01T03:00:00")));
  EXPECT_EQ(chicago.next_change(utc("2026-07-01T00:00:00Z")), utc("2026-11-01T07:00:00Z"));
  EXPECT_GT(Zone().next_change(utc("2026-07-01T00:00:00Z")), utc("9000-01-01T00:00:00Z"));
}

TEST(Zone, AnUnknownNameIsRefusedByItsName) {
  for (const auto* const name : {"", "Europe/Nowhere", "/etc/passwd", "../../etc/passwd", "europe paris"}) {
    const auto zone = Zone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, Code::invalid);
    EXPECT_NE(zone.error().text.find(name), std::string::npos);
  }
}

TEST(Zone, WithoutANameItIsUtc) { EXPECT_EQ(Zone().local(utc("2026-07-15T12:00:00Z")), wall("2026-07-15T12:00:00")); }

}  // namespace
}  // namespace mydr24::zone
