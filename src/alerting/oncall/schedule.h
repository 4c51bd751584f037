#pragma once

// Who is on duty when. A schedule is made of layers, each a rotation of people who hand over by the wall clock of a
// zone; temporary schedules stand in for the layers, overrides add, remove or replace a person for a while, and who is
// on leave is taken out. Pure functions: no clock, no store.
//
// Invariant: on_duty() changes only at the instants that change_points() names, so that a proof over them is a proof
// over every instant.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/clock.h"
#include "base/zone/zone.h"

namespace mydr24::oncall {

// [begin, end)
struct Period {
  Instant begin;
  Instant end;
  bool contains(Instant at) const { return begin <= at && at < end; }
  bool overlaps(const Period& other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Period&) const = default;
};

// Part of a week by the wall clock.
struct Window {
  std::uint8_t days = 0x7f;          // on which it begins: bit 0 is Monday, bit 6 Sunday
  std::chrono::minutes from{0};      // since midnight
  std::chrono::minutes to{24 * 60};  // not included; at or before `from`: on the next day
  bool operator==(const Window&) const = default;
};
bool contains(const Window& window, zone::LocalTime local);
// When the window next begins after `at`, by the wall clock of `zone`; nothing when no day of the next weeks has it.
std::optional<Instant> next_begin(const Window& window, const zone::Zone& zone, Instant at);

enum class Every : std::uint8_t { hour, day, week, month };
std::string_view to_string(Every every);

// People who take turns. Turn n begins at start + n * length * every: days, weeks and months are counted on the
// calendar, so that the hand-over keeps its wall-clock time over a change of clocks; hours are counted as they pass. A day of
// the month that a month does not have is its last.
struct Layer {
  std::string name;
  std::vector<std::string> members;  // in the order of their turns
  Every every = Every::week;
  int length = 1;
  zone::LocalTime start{};      // the first turn of the first member; nobody is on duty before
  std::vector<Window> windows;  // duty only within these; empty: always
};

struct Turn {
  std::int64_t number = 0;
  Period period;
  std::string_view who;
};
// The turn at that instant; nothing before the first one and without members.
std::optional<Turn> turn_at(const Layer& layer, const zone::Zone& zone, Instant at);

// The layer without that person. The turn that runs at `at` stays with whoever has it, or goes to the next in order when
// it was theirs; the others follow in order.
Layer without_member(const Layer& layer, const zone::Zone& zone, std::string_view who, Instant at);

// For a while: `add` without `remove` adds; `remove` without `add` takes out; both: `add` stands in for `remove`
// whenever that one would be on duty.
struct Override {
  std::string id;
  std::string schedule;
  Period period;
  std::string add;
  std::string remove;
  std::string by;
  std::string reason;
};

// Stands in for the layers.
struct Temporary {
  struct Shift {
    std::string who;
    Period period;
  };
  std::string id;
  std::string schedule;
  Period period;
  std::vector<Shift> shifts;
};

struct Leave {
  std::string who;
  Period period;
  std::string deputy;  // on duty in their place; may be empty
};

struct Schedule {
  std::string name;
  zone::Zone zone;
  std::vector<Layer> layers;  // who any of them names is on duty
  std::vector<Override> overrides;
  std::vector<Temporary> temporaries;  // none overlaps another
};

// In the order of the layers, each once. Views into `schedule` and `leaves`.
std::vector<std::string_view> on_duty(const Schedule& schedule, std::span<const Leave> leaves, Instant at);

// Instants in (range.begin, range.end) at which on_duty() may change; appended, neither sorted nor unique.
void change_points(const Schedule& schedule, std::span<const Leave> leaves, const Period& range,
                   std::vector<Instant>& points);
// The same for what a wall clock in `zone` decides by `windows`.
void change_points(std::span<const Window> windows, const zone::Zone& zone, const Period& range,
                   std::vector<Instant>& points);
// Sorted, unique, with the beginning of the range first.
std::vector<Instant> ordered(std::vector<Instant> points, const Period& range);

struct Shift {
  std::string who;
  Period period;
  bool cut_begin = false;  // began before the range
  bool cut_end = false;    // goes on after it
  bool operator==(const Shift&) const = default;
};
// Everybody's time on duty in the range, by beginning, then name.
std::vector<Shift> shifts(const Schedule& schedule, std::span<const Leave> leaves, const Period& range);

// The one that clashes with `wanted`: same schedule, overlapping in time, naming a person that `wanted` names too; null
// when none does. An override with the id of `wanted` is the one it replaces.
const Override* clash(std::span<const Override> overrides, const Override& wanted);

}  // namespace mydr24::oncall
