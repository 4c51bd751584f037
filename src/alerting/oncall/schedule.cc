#include "alerting/oncall/schedule.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace mydr24::oncall {
namespace {

using std::chrono::days;

bool names(const Override& entry, std::string_view who) {
  return !who.empty() && (entry.add == who || entry.remove == who);
}

void add_once(std::vector<std::string_view>& people, std::string_view who) {
  if (!who.empty() && std::ranges::find(people, who) == people.end()) people.push_back(who);
}

std::vector<std::string_view> planned(const Schedule& schedule, Instant at) {
  std::vector<std::string_view> people;
  for (const Temporary& temporary : schedule.temporaries) {
    if (!temporary.period.contains(at)) continue;
    for (const Temporary::Shift& shift : temporary.shifts)
      if (shift.period.contains(at)) add_once(people, shift.who);
    return people;
  }
  const zone::LocalTime local = schedule.zone.local(at);
  for (const Layer& layer : schedule.layers) {
    if (!layer.windows.empty() &&
        std::ranges::none_of(layer.windows, [&](const Window& window) { return contains(window, local); }))
      continue;
    if (const auto turn = turn_at(layer, schedule.zone, at)) add_once(people, turn->who);
  }
  return people;
}

void add_edges(const Period& period, const Period& range, std::vector<Instant>& points) {
  if (range.begin < period.begin && period.begin < range.end) points.push_back(period.begin);
  if (range.begin < period.end && period.end < range.end) points.push_back(period.end);
}

}  // namespace

bool contains(const Window& window, zone::LocalTime local) {
  const auto day = std::chrono::floor<days>(local);
  const auto time = local - day;
  const auto begins_on = [&](std::chrono::local_days date) {
    return (window.days >> (std::chrono::weekday(date).iso_encoding() - 1) & 1) != 0;
  };
  if (window.from < window.to) return begins_on(day) && window.from <= time && time < window.to;
  return (begins_on(day) && window.from <= time) || (begins_on(day - days(1)) && time < window.to);
}

std::optional<Instant> next_begin(const Window& window, const zone::Zone& zone, Instant at) {
  // Two weeks: on one day of a week the window may fall into the hour that a change of clocks leaves out.
  constexpr days ahead{15};
  std::vector<Instant> points;
  change_points({&window, 1}, zone, {at, at + ahead}, points);
  std::ranges::sort(points);
  const auto found = std::ranges::find_if(points, [&](Instant point) { return contains(window, zone.local(point)); });
  return found == points.end() ? std::nullopt : std::optional(*found);
}

std::vector<std::string_view> on_duty(const Schedule& schedule, std::span<const Leave> leaves, Instant at) {
  std::vector<std::string_view> people = planned(schedule, at);
  std::vector<std::string_view> added;
  for (const Override& entry : schedule.overrides) {
    if (!entry.period.contains(at)) continue;
    const auto out = entry.remove.empty() ? people.end() : std::ranges::find(people, entry.remove);
    if (out != people.end()) {
      if (entry.add.empty())
        people.erase(out);
      else
        *out = entry.add;
    } else if (entry.remove.empty()) {
      added.push_back(entry.add);
    }
  }
  for (const std::string_view who : added) add_once(people, who);
  std::vector<std::string_view> present;
  for (const std::string_view who : people) {
    const auto leave =
        std::ranges::find_if(leaves, [&](const Leave& each) { return each.who == who && each.period.contains(at); });
    add_once(present, leave == leaves.end() ? who : std::string_view(leave->deputy));
  }
  return present;
}

void change_points(std::span<const Window> windows, const zone::Zone& zone, const Period& range,
                   std::vector<Instant>& points) {
  if (windows.empty()) return;
  const auto add = [&](Instant at) {
    if (range.begin < at && at < range.end) points.push_back(at);
  };
  const auto last = std::chrono::floor<days>(zone.local(range.end)) + days(1);
  for (auto day = std::chrono::floor<days>(zone.local(range.begin)) - days(1); day <= last; day += days(1))
    for (const Window& window : windows)
      for (const auto edge : {window.from, window.to}) {
        const zone::LocalTime local = day + edge;
        add(zone.instant(local));
        if (zone.times(local) == 2) add(zone.last_instant(local));
      }
  for (Instant at = zone.next_change(range.begin); at < range.end; at = zone.next_change(at)) add(at);
}

void change_points(const Schedule& schedule, std::span<const Leave> leaves, const Period& range,
                   std::vector<Instant>& points) {
  for (const Layer& layer : schedule.layers) {
    auto turn = turn_at(layer, schedule.zone, range.begin);
    if (!turn && !layer.members.empty()) {
      const Instant first = schedule.zone.instant(layer.start);
      if (first >= range.end || first < range.begin) continue;
      points.push_back(first);
      turn = turn_at(layer, schedule.zone, first);
    }
    while (turn && turn->period.end < range.end) {
      points.push_back(turn->period.end);
      turn = turn_at(layer, schedule.zone, turn->period.end);
    }
    change_points(layer.windows, schedule.zone, range, points);
  }
  for (const Override& entry : schedule.overrides) add_edges(entry.period, range, points);
  for (const Temporary& temporary : schedule.temporaries) {
    add_edges(temporary.period, range, points);
    for (const Temporary::Shift& shift : temporary.shifts) add_edges(shift.period, range, points);
  }
  for (const Leave& leave : leaves) add_edges(leave.period, range, points);
}

std::vector<Instant> ordered(std::vector<Instant> points, const Period& range) {
  points.push_back(range.begin);
  std::ranges::sort(points);
  const auto repeated = std::ranges::unique(points);
  points.erase(repeated.begin(), repeated.end());
  return points;
}

std::vector<Shift> shifts(const Schedule& schedule, std::span<const Leave> leaves, const Period& range) {
  std::vector<Shift> found;
  if (range.end <= range.begin) return found;
  std::vector<Instant> points;
  change_points(schedule, leaves, range, points);
  std::map<std::string, Shift, std::less<>> running;
  const Instant before = range.begin - Microseconds(1);
  for (const std::string_view who : on_duty(schedule, leaves, before))
    running[std::string(who)] = {std::string(who), {range.begin, {}}, true};
  for (const Instant at : ordered(std::move(points), range)) {
    const auto people = on_duty(schedule, leaves, at);
    for (auto each = running.begin(); each != running.end();) {
      if (std::ranges::find(people, each->first) != people.end()) {
        ++each;
        continue;
      }
      each->second.period.end = at;
      if (each->second.period.begin < at) found.push_back(std::move(each->second));
      each = running.erase(each);
    }
    for (const std::string_view who : people)
      if (!running.contains(who)) running[std::string(who)] = {std::string(who), {at, {}}};
  }
  const auto after = on_duty(schedule, leaves, range.end);
  for (auto& [who, shift] : running) {
    shift.period.end = range.end;
    shift.cut_end = std::ranges::find(after, who) != after.end();
    found.push_back(std::move(shift));
  }
  std::ranges::sort(found, {}, [](const Shift& shift) { return std::tie(shift.period.begin, shift.who); });
  return found;
}

const Override* clash(std::span<const Override> overrides, const Override& wanted) {
  for (const Override& entry : overrides)
    if (entry.id != wanted.id && entry.schedule == wanted.schedule && entry.period.overlaps(wanted.period) &&
        (names(entry, wanted.add) || names(entry, wanted.remove)))
      return &entry;
  return nullptr;
}

}  // namespace mydr24::oncall
