#include "alerting/oncall/schedule.h"

#include <gtest/gtest.h>

#include <random>

#include "base/core/date_time.h"

namespace mydr24::oncall {
namespace {

using namespace std::chrono_literals;

Instant utc(std::string_view text) { return parse_date_time(text).value().low; }
zone::LocalTime wall(std::string_view text) { return zone::LocalTime(utc(text).time_since_epoch()); }

std::string joined(const std::vector<std::string_view>& people) {
  std::string all;
  for (const std::string_view who : people) all += (all.empty() ? "" : " ") + std::string(who);
  return all;
}

Schedule schedule(std::string_view zone, std::vector<Layer> layers) {
  return {.name = "ward", .zone = zone::Zone::find(zone).value(), .layers = std::move(layers)};
}

// ON-21: whose turn it is, at each hand-over and around the changes of clocks in Chicago (8 March and 1 November 2026).
TEST(Schedule, EveryRotationHandsOverByTheWallClock) {
  struct Row {
    Every every;
    int length;
    std::string_view start, at, who;
  };
  for (const Row& row : {
           Row{Every::day, 1, "2026-01-05T09:00", "2026-01-05T14:59:59Z", ""},  // before the first turn
           Row{Every::day, 1, "2026-01-05T09:00", "2026-01-05T15:00:00Z", "ann"},
           Row{Every::day, 1, "2026-01-05T09:00", "2026-01-06T14:59:59Z", "ann"},
           Row{Every::day, 1, "2026-01-05T09:00", "2026-01-06T15:00:00Z", "bob"},
           Row{Every::day, 1, "2026-01-05T09:00", "2026-01-08T15:00:00Z", "ann"},  // wraps
           Row{Every::day, 1, "2026-03-07T09:00", "2026-03-08T13:59:59Z", "ann"},  // a day of 23 hours
           Row{Every::day, 1, "2026-03-07T09:00", "2026-03-08T14:00:00Z", "bob"},
           Row{Every::day, 1, "2026-03-07T02:30", "2026-03-08T07:59:59Z", "ann"},  // the hand-over is in the gap
           Row{Every::day, 1, "2026-03-07T02:30", "2026-03-08T08:00:00Z", "bob"},
           Row{Every::day, 1, "2026-10-31T09:00", "2026-11-01T14:59:59Z", "ann"},  // a day of 25 hours
           Row{Every::day, 1, "2026-10-31T09:00", "2026-11-01T15:00:00Z", "bob"},
           Row{Every::day, 1, "2026-10-31T01:30", "2026-11-01T06:29:59Z", "ann"},  // the first of the two 01:30
           Row{Every::day, 1, "2026-10-31T01:30", "2026-11-01T06:30:00Z", "bob"},
           Row{Every::day, 1, "2026-10-31T01:30", "2026-11-01T07:30:00Z", "bob"},
           Row{Every::day, 2, "2026-01-05T09:00", "2026-01-07T14:59:59Z", "ann"},
           Row{Every::day, 2, "2026-01-05T09:00", "2026-01-07T15:00:00Z", "bob"},
           Row{Every::week, 1, "2026-01-05T09:00", "2026-01-12T14:59:59Z", "ann"},
           Row{Every::week, 1, "2026-01-05T09:00", "2026-01-12T15:00:00Z", "bob"},
           Row{Every::week, 1, "2026-03-02T09:00", "2026-03-09T13:59:59Z", "ann"},
           Row{Every::week, 1, "2026-03-02T09:00", "2026-03-09T14:00:00Z", "bob"},
           Row{Every::week, 2, "2026-01-05T09:00", "2026-02-02T15:00:00Z", "cat"},
           Row{Every::month, 1, "2026-01-31T09:00", "2026-02-28T14:59:59Z", "ann"},
           Row{Every::month, 1, "2026-01-31T09:00", "2026-02-28T15:00:00Z", "bob"},  // February has no 31st
           Row{Every::month, 1, "2026-01-31T09:00", "2026-03-31T14:00:00Z", "cat"},
           Row{Every::month, 3, "2026-01-15T09:00", "2026-04-15T13:59:59Z", "ann"},
           Row{Every::month, 3, "2026-01-15T09:00", "2026-04-15T14:00:00Z", "bob"},
           Row{Every::month, 12, "2024-02-29T09:00", "2025-02-28T15:00:00Z", "bob"},
           Row{Every::hour, 1, "2026-03-08T01:00", "2026-03-08T07:59:59Z", "ann"},
           Row{Every::hour, 1, "2026-03-08T01:00", "2026-03-08T08:00:00Z", "bob"},  // 03:00 by the wall clock
           Row{Every::hour, 8, "2026-11-01T00:00", "2026-11-01T12:59:59Z", "ann"},
           Row{Every::hour, 8, "2026-11-01T00:00", "2026-11-01T13:00:00Z", "bob"},
       }) {
    const Schedule ward = schedule("America/Chicago", {{.members = {"ann", "bob", "cat"},
                                                        .every = row.every,
                                                        .length = row.length,
                                                        .start = wall(std::string(row.start) + ":00")}});
    EXPECT_EQ(joined(on_duty(ward, {}, utc(row.at))), row.who)
        << to_string(row.every) << " " << row.length << " from " << row.start << " at " << row.at;
  }
}

TEST(Schedule, WhoLeavesAtTheirTurnHandsItToTheNextAndTheOthersFollow) {
  struct Row {
    std::string_view leaves;
    std::vector<std::string_view> days;  // who is on duty that day and the following ones
  };
  for (const Every every : {Every::day, Every::week, Every::month})
    for (const Row& row : {Row{"ann", {"bob", "cat", "dan", "bob"}}, Row{"bob", {"cat", "dan", "ann", "cat"}},
                           Row{"cat", {"bob", "dan", "ann", "bob"}}, Row{"dan", {"bob", "cat", "ann", "bob"}}}) {
      Layer layer{.members = {"ann", "bob", "cat", "dan"}, .every = every, .start = wall("2026-01-05T09:00:00")};
      const zone::Zone zone;
      Instant at = utc("2026-01-05T12:00:00Z");
      for (int turn = 0; turn < 5; ++turn) at = turn_at(layer, zone, at)->period.end;  // bob's second turn
      ASSERT_EQ(turn_at(layer, zone, at)->who, "bob");
      if (row.leaves == "ann") {
        // Not on duty: bob keeps the turn.
        layer = without_member(layer, zone, row.leaves, at);
        EXPECT_EQ(turn_at(layer, zone, at)->who, "bob");
        continue;
      }
      layer = without_member(layer, zone, row.leaves, at);
      for (const std::string_view who : row.days) {
        const auto turn = turn_at(layer, zone, at);
        ASSERT_TRUE(turn);
        EXPECT_EQ(turn->who, who) << row.leaves << " leaves, every " << to_string(every);
        at = turn->period.end;
      }
    }
  EXPECT_FALSE(turn_at(without_member({.members = {"ann"}}, {}, "ann", utc("2026-01-05T12:00:00Z")), {},
                       utc("2026-01-05T12:00:00Z")));
}

// ON-22: before, during and after, at 00:00, 09:00 and 21:00.
TEST(Schedule, OverridesAddReplaceAndRemoveForADateRange) {
  Schedule ward =
      schedule("America/Chicago", {{.members = {"u1"}, .every = Every::day, .start = wall("2026-01-01T00:00:00")},
                                   {.members = {"u2"}, .every = Every::day, .start = wall("2026-01-01T00:00:00")}});
  const Period range{utc("2026-05-10T05:00:00Z"), utc("2026-05-12T05:00:00Z")};  // two days of Chicago
  struct Row {
    std::string_view add, remove, during;
  };
  for (const Row& row : {Row{"u3", "", "u1 u2 u3"}, Row{"", "u2", "u1"}, Row{"u3", "u2", "u1 u3"},
                         Row{"u1", "u2", "u1"}, Row{"u3", "u9", "u1 u2"}}) {
    ward.overrides = {{.id = "o",
                       .schedule = "ward",
                       .period = range,
                       .add = std::string(row.add),
                       .remove = std::string(row.remove)}};
    for (const int hour : {0, 9, 21}) {
      const Instant during = range.begin + std::chrono::hours(hour);
      EXPECT_EQ(joined(on_duty(ward, {}, during - 24h)), "u1 u2");
      EXPECT_EQ(joined(on_duty(ward, {}, during)), row.during) << "+" << row.add << " -" << row.remove;
      EXPECT_EQ(joined(on_duty(ward, {}, during + 24h)), row.during);
      EXPECT_EQ(joined(on_duty(ward, {}, during + 48h)), "u1 u2");
    }
    EXPECT_EQ(joined(on_duty(ward, {}, range.end - 1us)), row.during);
  }
}

// ON-23.
TEST(Schedule, OverlappingOverridesOfOnePersonClash) {
  const std::vector<Override> there{{.id = "a",
                                     .schedule = "ward",
                                     .period = {utc("2026-05-10T00:00:00Z"), utc("2026-05-12T00:00:00Z")},
                                     .add = "u3",
                                     .remove = "u2"}};
  const Override wanted{.id = "b",
                        .schedule = "ward",
                        .period = {utc("2026-05-11T00:00:00Z"), utc("2026-05-13T00:00:00Z")},
                        .add = "u4",
                        .remove = "u2"};
  EXPECT_EQ(clash(there, wanted), &there[0]);
  for (void (*const change)(Override&) :
       {+[](Override& o) { o.id = "a"; }, +[](Override& o) { o.schedule = "other"; },
        +[](Override& o) { o.remove = "u1"; }, +[](Override& o) { o.period.begin = utc("2026-05-12T00:00:00Z"); }}) {
    Override other = wanted;
    change(other);
    EXPECT_EQ(clash(there, other), nullptr);
  }
}

// ON-24.
TEST(Schedule, ATemporaryScheduleStandsInForEveryLayerAndClearingItRestoresThem) {
  Schedule ward = schedule("UTC", {{.members = {"u1"}, .every = Every::day, .start = wall("2026-01-01T00:00:00")},
                                   {.members = {"u2"}, .every = Every::day, .start = wall("2026-01-01T00:00:00")}});
  const Period range{utc("2026-05-10T00:00:00Z"), utc("2026-05-12T00:00:00Z")};
  ward.temporaries = {
      {.id = "t",
       .schedule = "ward",
       .period = range,
       .shifts = {{"u7", {range.begin, range.begin + 12h}}, {"u8", {range.begin + 6h, range.end - 1h}}}}};
  EXPECT_EQ(joined(on_duty(ward, {}, range.begin - 1us)), "u1 u2");
  EXPECT_EQ(joined(on_duty(ward, {}, range.begin)), "u7");
  EXPECT_EQ(joined(on_duty(ward, {}, range.begin + 6h)), "u7 u8");
  EXPECT_EQ(joined(on_duty(ward, {}, range.begin + 12h)), "u8");
  EXPECT_EQ(joined(on_duty(ward, {}, range.end - 1h)), "");
  EXPECT_EQ(joined(on_duty(ward, {}, range.end)), "u1 u2");
  ward.temporaries.clear();
  EXPECT_EQ(joined(on_duty(ward, {}, range.begin)), "u1 u2");
}

TEST(Schedule, LeaveTakesAPersonOutAndTheDeputyIn) {
  const Schedule ward =
      schedule("UTC", {{.members = {"ann", "bob"}, .every = Every::day, .start = wall("2026-01-01T00:00:00")}});
  const Period away{utc("2026-01-01T06:00:00Z"), utc("2026-01-01T12:00:00Z")};
  const std::vector<Leave> deputised{{"ann", away, "cat"}}, alone{{"ann", away, ""}};
  EXPECT_EQ(joined(on_duty(ward, deputised, away.begin - 1us)), "ann");
  EXPECT_EQ(joined(on_duty(ward, deputised, away.begin)), "cat");
  EXPECT_EQ(joined(on_duty(ward, alone, away.begin)), "");
  EXPECT_EQ(joined(on_duty(ward, deputised, away.end)), "ann");
}

TEST(Schedule, WindowsAreReadOffTheWallClock) {
  constexpr std::uint8_t mon_to_fri = 0x1f, sunday = 0x40;
  struct Row {
    Window window;
    std::string_view local;
    bool inside;
  };
  for (const Row& row : {
           Row{{mon_to_fri, 8h, 18h}, "2026-01-05T08:00:00", true},  // a Monday
           Row{{mon_to_fri, 8h, 18h}, "2026-01-05T07:59:59", false},
           Row{{mon_to_fri, 8h, 18h}, "2026-01-05T18:00:00", false},
           Row{{mon_to_fri, 8h, 18h}, "2026-01-04T12:00:00", false},
           Row{{sunday, 22h, 6h}, "2026-01-04T22:00:00", true},  // goes on into Monday
           Row{{sunday, 22h, 6h}, "2026-01-05T05:59:59", true},
           Row{{sunday, 22h, 6h}, "2026-01-05T06:00:00", false},
           Row{{sunday, 22h, 6h}, "2026-01-05T22:00:00", false},
           Row{{sunday, 9h, 9h}, "2026-01-05T08:59:59", true},
           Row{{}, "2026-01-05T23:59:59", true},
       })
    EXPECT_EQ(contains(row.window, wall(row.local)), row.inside) << row.local;
}

TEST(Schedule, ShiftsAreCutToTheRangeAndSayWhere) {
  const Schedule ward = schedule("Europe/Paris", {{.members = {"ann", "bob"}, .start = wall("2026-03-23T08:00:00")}});
  const Period range{utc("2026-03-25T00:00:00Z"), utc("2026-04-07T00:00:00Z")};
  const std::vector<Shift> expected{
      {"ann", {range.begin, utc("2026-03-30T06:00:00Z")}, true, false},  // clocks went forward on the 29th
      {"bob", {utc("2026-03-30T06:00:00Z"), utc("2026-04-06T06:00:00Z")}, false, false},
      {"ann", {utc("2026-04-06T06:00:00Z"), range.end}, false, true}};
  EXPECT_EQ(shifts(ward, {}, range), expected);
  EXPECT_TRUE(shifts(ward, {}, {range.end, range.begin}).empty());
}

// Schedules made at random, over both changes of clocks: between two change points nothing changes.
TEST(Schedule, DutyChangesOnlyAtChangePoints) {
  std::mt19937 random(24);
  const auto pick = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  const auto who = [&] { return "p" + std::to_string(pick(1, 5)); };
  int checked = 0;
  for (int round = 0; round < 60; ++round) {
    Schedule ward = schedule(pick(0, 1) == 0 ? "Europe/Paris" : "America/Chicago", {});
    const Period range{utc(pick(0, 1) == 0 ? "2026-03-05T00:00:00Z" : "2026-10-22T00:00:00Z"), {}};
    const Period whole{range.begin, range.begin + std::chrono::days(30)};
    const auto part = [&] {
      const Instant begin = whole.begin + std::chrono::minutes(pick(0, 30 * 24 * 60));
      return Period{begin, begin + std::chrono::minutes(pick(1, 4000))};
    };
    for (int layers = pick(1, 3); layers > 0; --layers) {
      Layer layer{.every = static_cast<Every>(pick(0, 3)), .length = pick(1, 9)};
      layer.start = ward.zone.local(whole.begin) + std::chrono::minutes(pick(-90'000, 10'000));
      for (int members = pick(1, 4); members > 0; --members) layer.members.push_back(who());
      for (int windows = pick(0, 2); windows > 0; --windows)
        layer.windows.push_back({static_cast<std::uint8_t>(pick(1, 127)), std::chrono::minutes(pick(0, 1439)),
                                 std::chrono::minutes(pick(0, 1440))});
      ward.layers.push_back(std::move(layer));
    }
    if (pick(0, 1) == 0) ward.overrides.push_back({.period = part(), .add = who(), .remove = ""});
    if (pick(0, 1) == 0) ward.overrides.push_back({.period = part(), .add = who(), .remove = who()});
    if (pick(0, 3) == 0) ward.temporaries.push_back({.period = part(), .shifts = {{who(), part()}}});
    std::vector<Leave> leaves;
    if (pick(0, 1) == 0) leaves.push_back({who(), part(), who()});
    std::vector<Instant> points;
    change_points(ward, leaves, whole, points);
    points = ordered(std::move(points), whole);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Instant next = i + 1 < points.size() ? points[i + 1] : whole.end;
      const std::string here = joined(on_duty(ward, leaves, points[i]));
      const auto length = (next - points[i]).count();
      for (int probe = 0; probe < 8; ++probe) {
        const Instant at = points[i] + Microseconds(std::uniform_int_distribution<std::int64_t>(0, length - 1)(random));
        ASSERT_EQ(joined(on_duty(ward, leaves, at)), here) << format_instant(at) << " round " << round;
        ++checked;
      }
      ASSERT_EQ(joined(on_duty(ward, leaves, next - 1us)), here) << format_instant(next) << " round " << round;
    }
  }
  EXPECT_GT(checked, 10'000);
}

TEST(Window, ItsNextBeginningIsByTheWallClock) {
  struct Row {
    Window window;
    std::string_view zone, at, next;
  };
  const Window day{0x7f, std::chrono::hours(8), std::chrono::hours(18)};
  const Window working{0x1f, std::chrono::hours(8), std::chrono::hours(18)};
  const Window night{0x7f, std::chrono::hours(22), std::chrono::hours(6)};
  const Window gap{0x40, std::chrono::minutes(150), std::chrono::minutes(170)};  // Sunday, 02:30 to 02:50
  for (const Row& row : {
           Row{day, "UTC", "2026-05-10T03:00:00Z", "2026-05-10T08:00:00Z"},
           Row{day, "UTC", "2026-05-10T18:00:00Z", "2026-05-11T08:00:00Z"},
           Row{working, "UTC", "2026-05-08T18:00:00Z", "2026-05-11T08:00:00Z"},  // over a weekend
           Row{night, "UTC", "2026-05-10T06:00:00Z", "2026-05-10T22:00:00Z"},
           Row{day, "Europe/Paris", "2026-03-28T18:00:00Z", "2026-03-29T06:00:00Z"},  // the clocks go forward
           Row{day, "Europe/Paris", "2026-10-24T18:00:00Z", "2026-10-25T07:00:00Z"},  // and back
           Row{gap, "Europe/Paris", "2026-03-28T12:00:00Z", "2026-04-05T00:30:00Z"},  // there is no 02:30 on the 29th
       }) {
    const auto next = next_begin(row.window, zone::Zone::find(row.zone).value(), utc(row.at));
    ASSERT_TRUE(next) << row.at;
    EXPECT_EQ(format_instant(*next), format_instant(utc(row.next))) << row.at;
  }
}

}  // namespace
}  // namespace mydr24::oncall
