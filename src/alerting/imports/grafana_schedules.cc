// Shifts of Grafana OnCall are recurring events; here they are rotations by the wall clock with windows.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <set>
#include <tuple>

#include "alerting/imports/detail/grafana.h"
#include "base/core/date_time.h"

namespace mydr24::imports::detail {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr std::array<std::string_view, 7> weekdays{"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
constexpr minutes week = days(7);

std::size_t weekday_of(zone::LocalTime local) {
  return std::chrono::weekday(std::chrono::floor<days>(local)).iso_encoding() - 1;
}
minutes time_of_day(zone::LocalTime local) {
  return std::chrono::duration_cast<minutes>(local - std::chrono::floor<days>(local));
}

struct Shift {
  std::string where;
  std::string frequency;  // empty: once
  zone::LocalTime start{};
  minutes duration{0};
  int interval = 1;
  std::uint8_t by_day = 0;
  std::size_t week_start = 6;
  std::vector<std::vector<std::string>> groups;  // recurrent events: one
};

class Schedules {
 public:
  Schedules(Translation& made, const Collections& from) : made_(made), from_(from) {
    for (const json::Value shift : list("on_call_shifts")) shifts_[text_of(shift["id"])] = shift;
  }

  void translate() {
    for (const json::Value schedule : list("schedules")) add(schedule);
    for (const json::Value swap : list("shift_swaps")) add_swap(swap);
    for (const auto& [id, shift] : shifts_)
      if (!used_.contains(id)) made_.left(place("on_call_shifts", shift), "no schedule of the export uses it");
  }

 private:
  const Entries& list(std::string_view name) const {
    static const Entries none;
    const auto found = from_.find(name);
    return found == from_.end() ? none : found->second;
  }

  void add(json::Value schedule) {
    const std::string id = text_of(schedule["id"]), where = place("schedules", schedule);
    if (schedule["type"].text() == "ical" || text_of(schedule["ical_url_primary"]) != "")
      return made_.left(where, "its calendar is at another address: write its rotations down here");
    if (text_of(schedule["ical_url_overrides"]) != "") made_.left(where, "its calendar of overrides is not read");
    if (schedule["slack"].is_object()) made_.left(where, "its Slack channel is not told: make a notice");
    const std::optional<zone::Zone> zone = zone_of(schedule, where);
    if (!zone) return;
    const std::string& name = made_.give_name("schedule", id, schedule["name"].text());
    std::vector<oncall::Layer> layers;
    std::set<std::int64_t> levels;
    for (const json::Value shift_id : schedule["shifts"]) {
      const auto found = shifts_.find(shift_id.text());
      if (found == shifts_.end()) {
        made_.left(where, fmt::format("shift {} is not in the export", shift_id.text()));
        continue;
      }
      used_[found->first] = true;
      if (found->second["type"].text() != "override") levels.insert(number_of(found->second["level"], 0));
      add_shift(schedule, found->second, name, *zone, layers);
    }
    if (layers.empty()) {
      made_.left(where, "no rotation of it could be carried over: nobody would be on duty");
      for (const std::string& key : waiting_) made_.left(where, fmt::format("{} goes with it", key));
      waiting_.clear();
      pending_.clear();
      return made_.forget("schedule", id);
    }
    if (levels.size() > 1)
      made_.left(where, "a shift of a higher level took the place of the others; here all of them are on duty");
    std::string text;
    json::Writer out(text);
    out.begin_object().field("zone", zone->name()).key("layers");
    write_layers(out, layers);
    out.end_object();
    made_.add("schedule", name, std::move(text));
    for (auto& [kind, part, document] : pending_) made_.add(kind, part, std::move(document));
    waiting_.clear();
    pending_.clear();
  }

  // That of its shifts where they have one in common: shifts of a schedule made on the web are in UTC unless they say
  // otherwise.
  std::optional<zone::Zone> zone_of(json::Value schedule, const std::string& where) {
    const auto own = zone::Zone::find(own_zone(schedule));
    if (!own) return made_.left(where, own.error().text), std::nullopt;
    std::optional<zone::Zone> common;
    for (const json::Value id : schedule["shifts"]) {
      const auto found = shifts_.find(id.text());
      if (found == shifts_.end()) continue;
      const auto zone = shift_zone(schedule, found->second);
      if (!zone) continue;
      if (common && common->name() != zone->name()) return *own;
      common = *zone;
    }
    return common ? *common : *own;
  }
  static std::string own_zone(json::Value schedule) {
    const std::string name = text_of(schedule["time_zone"]);
    return name.empty() ? "UTC" : name;
  }
  static Result<zone::Zone> shift_zone(json::Value schedule, json::Value shift) {
    const std::string name = text_of(shift["time_zone"]);
    if (!name.empty()) return zone::Zone::find(name);
    return schedule["type"].text() == "web" ? zone::Zone() : zone::Zone::find(own_zone(schedule));
  }

  void add_shift(json::Value schedule, json::Value entry, const std::string& name, const zone::Zone& zone,
                 std::vector<oncall::Layer>& layers) {
    const std::string where = place("on_call_shifts", entry);
    const auto own = shift_zone(schedule, entry);
    const auto start = local_of(entry["start"].text());
    const std::int64_t seconds = number_of(entry["duration"], 0);
    if (!own || !start || seconds < 60 || seconds > 366 * 86'400)
      return made_.left(where, "its time zone, start or duration is not known");
    Shift shift{.where = where, .start = *start, .duration = minutes(seconds / 60)};
    if (!read_people(entry, shift)) return made_.left(where, "it has no users: nobody is on duty");
    const std::string_view type = entry["type"].text();
    if (type == "override") return add_period(entry, name, *own, shift, true);
    if (type == "single_event") return add_period(entry, name, *own, shift, false);
    if (!read_rule(entry, *own, shift)) return;
    std::vector<oncall::Layer> made = recurring(shift);
    if (const auto ahead = clocks_ahead(*own, zone, made_.now()); own->name() != zone.name()) {
      if (!ahead) made_.left(where, fmt::format("it keeps the clocks of {}, not of {}", zone.name(), own->name()));
      for (oncall::Layer& layer : made) {
        const zone::LocalTime was = layer.start;
        layer.start = zone.local(own->instant(was));
        layer.windows = moved(layer.windows, std::chrono::duration_cast<minutes>(layer.start - was));
      }
    }
    for (oncall::Layer& layer : made) {
      layer.name = text_of(entry["name"]);
      if (layers.size() < oncall::layers_max)
        layers.push_back(std::move(layer));
      else
        made_.left(where, fmt::format("a schedule has at most {} layers", oncall::layers_max));
    }
  }

  bool read_people(json::Value entry, Shift& shift) {
    if (entry["type"].text() != "rolling_users" && !(entry["users"].size() == 0 && entry["rolling_users"].size() > 0)) {
      if (auto people = people_of(made_, entry["users"], shift.where); !people.empty())
        shift.groups.push_back(std::move(people));
      return !shift.groups.empty();
    }
    for (const json::Value group : entry["rolling_users"]) {
      auto people = people_of(made_, group, shift.where);
      if (people.empty())
        made_.left(shift.where, "in one of its turns nobody was on duty: the turn is left out");
      else
        shift.groups.push_back(std::move(people));
    }
    const std::int64_t first = number_of(entry["start_rotation_from_user_index"], 0);
    if (first > 0 && first < static_cast<std::int64_t>(shift.groups.size()))
      std::ranges::rotate(shift.groups, shift.groups.begin() + first);
    return !shift.groups.empty();
  }

  // What recurs; false when it is over or cannot be said here.
  bool read_rule(json::Value entry, const zone::Zone& zone, Shift& shift) {
    shift.frequency = text_of(entry["frequency"]);
    shift.interval = static_cast<int>(std::clamp<std::int64_t>(number_of(entry["interval"], 1), 1, 1000));
    for (const json::Value day : entry["by_day"]) {
      const auto found = std::ranges::find(weekdays, day.text());
      if (found == weekdays.end()) return made_.left(shift.where, "a day of by_day is not known"), false;
      shift.by_day = static_cast<std::uint8_t>(shift.by_day | 1U << (found - weekdays.begin()));
    }
    const auto first = std::ranges::find(weekdays, entry["week_start"].text());
    if (first != weekdays.end()) shift.week_start = static_cast<std::size_t>(first - weekdays.begin());
    if (entry["by_month"].size() > 0 || entry["by_monthday"].size() > 0)
      return made_.left(shift.where, "by_month and by_monthday: not carried over"), false;
    if (const auto until = local_of(entry["until"].text())) {
      if (zone.instant(*until) <= made_.now()) return made_.left(shift.where, "it is over"), false;
      made_.left(shift.where, fmt::format("it ends at {}: a rotation has no end here", entry["until"].text()));
    }
    const auto begins = local_of(entry["rotation_start"].text());
    if (begins && zone.instant(*begins) > made_.now() && shift.start < *begins)
      made_.left(shift.where,
                 fmt::format("it begins at {} only: here its turns run already", entry["rotation_start"].text()));
    return true;
  }

  std::vector<oncall::Layer> recurring(const Shift& shift) {
    if (shift.frequency == "hourly" && shift.by_day == 0 && shift.duration == hours(shift.interval)) {
      auto made = hourly_layers(shift.groups, shift.interval, shift.start);
      if (!made.exact)
        made_.left(shift.where, "its hours are counted as they pass: hand-overs move by the clock when clocks change");
      return std::move(made.layers);
    }
    if (shift.frequency == "daily") return shift.by_day == 0 ? daily(shift) : daily_by_day(shift);
    if (shift.frequency == "weekly") return weekly(shift);
    if (shift.frequency == "monthly" && shift.by_day == 0 && shift.duration >= days(28) * shift.interval) {
      made_.left(shift.where, "it hands over at the same day of each month, without gap or overlap");
      return layers_of({shift.groups, oncall::Every::month, shift.interval, shift.start, {}});
    }
    made_.left(shift.where, fmt::format("an event that recurs like this ({}, every {}) is not carried over",
                                        shift.frequency, shift.interval));
    return {};
  }

  std::vector<oncall::Layer> daily(const Shift& shift) {
    Rotation rotation{shift.groups, oncall::Every::day, shift.interval, shift.start, {}};
    if (shift.duration < days(shift.interval)) {
      if (shift.interval > 1) return rarely(shift);
      rotation.windows = windows_of(0x7f, time_of_day(shift.start), shift.duration);
    } else if (shift.duration > days(shift.interval)) {
      made_.left(shift.where, "its turns overlap: here each ends when the next begins");
    }
    return layers_of(rotation);
  }

  // On chosen days of the week, one turn a day: each day of the week is a rotation by weeks.
  std::vector<oncall::Layer> daily_by_day(const Shift& shift) {
    if (shift.duration > days(1)) return rarely(shift);
    const zone::LocalTime start = first_day(shift);
    const std::size_t first = weekday_of(start), interval = static_cast<std::size_t>(shift.interval);
    std::vector<std::size_t> on;  // days after the first
    for (std::size_t i = 0; i < 7; ++i)
      if ((shift.by_day >> (first + i) % 7 & 1) != 0) on.push_back(i);
    const std::size_t turns = interval * shift.groups.size();
    const std::size_t period = turns / std::gcd(turns, on.size());
    if (period > oncall::members_max) return rarely(shift);
    std::vector<oncall::Layer> layers;
    for (std::size_t place = 0; place < on.size(); ++place) {
      Rotation rotation{.every = oncall::Every::week, .start = start + days(on[place])};
      for (std::size_t weeks = 0; weeks < period; ++weeks)
        rotation.groups.push_back(shift.groups[(weeks * on.size() + place) / interval % shift.groups.size()]);
      const auto day = static_cast<std::uint8_t>(1U << (first + on[place]) % 7);
      rotation.windows = windows_of(day, time_of_day(start), shift.duration);
      std::ranges::move(layers_of(rotation), std::back_inserter(layers));
    }
    return layers;
  }

  // When the first turn begins: where the event's own day is none of the chosen ones, on the first of those in the order
  // of the week.
  static zone::LocalTime first_day(const Shift& shift) {
    std::size_t wanted = weekday_of(shift.start);
    if ((shift.by_day >> wanted & 1) == 0)
      for (wanted = shift.week_start; (shift.by_day >> wanted & 1) == 0;) wanted = (wanted + 1) % 7;
    return shift.start + days((wanted + 7 - weekday_of(shift.start)) % 7);
  }

  std::vector<oncall::Layer> weekly(const Shift& shift) {
    if (shift.by_day == 0) {
      Rotation rotation{shift.groups, oncall::Every::week, shift.interval, shift.start, {}};
      if (shift.duration > week * shift.interval)
        made_.left(shift.where, "its turns overlap: here each ends when the next begins");
      if (shift.duration < week * shift.interval) {
        if (shift.interval > 1) return rarely(shift);
        const auto day = static_cast<std::uint8_t>(1U << weekday_of(shift.start));
        rotation.windows = windows_of(day, time_of_day(shift.start), shift.duration);
      }
      return layers_of(rotation);
    }
    const zone::LocalTime first = first_day(shift);
    Rotation rotation{shift.groups, oncall::Every::week, 1, first, {}};
    const bool one_day = std::popcount(shift.by_day) == 1;
    if (shift.interval > 1 || shift.duration > (one_day || shift.groups.size() == 1 ? week : days(1)))
      return rarely(shift);
    // The week belongs to one group, from the day it begins with; what begins on its last day ends in the next.
    if (!one_day) rotation.start -= days((weekday_of(first) + 7 - shift.week_start) % 7);
    rotation.windows = windows_of(shift.by_day, time_of_day(shift.start), shift.duration);
    return layers_of(rotation);
  }

  std::vector<oncall::Layer> rarely(const Shift& shift) {
    made_.left(
        shift.where,
        fmt::format("between its turns nobody is on duty in a way that no rotation here has ({}, every {}, {} min)",
                    shift.frequency, shift.interval, shift.duration.count()));
    return {};
  }

  // Once: an override takes the place of everybody, an event adds to them.
  void add_period(json::Value entry, const std::string& schedule, const zone::Zone& zone, const Shift& shift,
                  bool instead) {
    const oncall::Period period{zone.instant(shift.start), zone.instant(shift.start + shift.duration)};
    const std::string id = text_of(entry["id"]), begin = format_instant(period.begin), end = format_instant(period.end);
    if (period.end <= made_.now()) return made_.left(shift.where, "it is over");
    if (instead) {
      for (const auto& [name, other] : temporaries_)
        if (name == schedule && other.overlaps(period)) return made_.left(shift.where, "it overlaps another override");
      temporaries_.emplace_back(schedule, period);
      std::string text;
      json::Writer out(text);
      out.begin_object().field("schedule", std::string_view(schedule));
      out.field("begin", std::string_view(begin)).field("end", std::string_view(end)).key("shifts").begin_array();
      for (const std::string& who : shift.groups[0]) {
        out.begin_object().field("who", std::string_view(who)).field("begin", std::string_view(begin));
        out.field("end", std::string_view(end)).end_object();
      }
      out.end_array().end_object();
      waiting_.push_back(shift.where);
      pending_.emplace_back("temporary", made_.give_name("temporary", id, id), std::move(text));
      return;
    }
    for (std::size_t i = 0; i < shift.groups[0].size(); ++i)
      add_override(fmt::format("{}-{}", id, i + 1), schedule, period, shift.groups[0][i], "", shift.where);
  }

  void add_override(const std::string& id, const std::string& schedule, const oncall::Period& period,
                    const std::string& add, const std::string& remove, const std::string& where) {
    oncall::Override made{.id = id, .schedule = schedule, .period = period, .add = add, .remove = remove};
    if (const oncall::Override* other = oncall::clash(overrides_, made); other != nullptr)
      return made_.left(where, fmt::format("it overlaps {} of the same person", other->id));
    overrides_.push_back(made);
    std::string text;
    json::Writer out(text);
    out.begin_object().field("schedule", std::string_view(schedule));
    out.field("begin", std::string_view(format_instant(period.begin)));
    out.field("end", std::string_view(format_instant(period.end))).field("add", std::string_view(add));
    if (!remove.empty()) out.field("remove", std::string_view(remove));
    out.field("reason", "imported from Grafana OnCall").end_object();
    waiting_.push_back(where);
    pending_.emplace_back("override", made_.give_name("override", id, id), std::move(text));
  }

  void add_swap(json::Value swap) {
    const std::string id = text_of(swap["id"]), where = place("shift_swaps", swap);
    const std::string* schedule = made_.name_of("schedule", text_of(swap["schedule"]));
    const std::string* from = made_.name_of("contact", text_of(swap["beneficiary"]));
    const std::string* to = made_.name_of("contact", text_of(swap["benefactor"]));
    const auto begin = instant_of(swap["swap_start"]), end = instant_of(swap["swap_end"]);
    if (to == nullptr) return made_.left(where, "nobody has taken it");
    if (schedule == nullptr || from == nullptr || !begin || !end || *end <= *begin)
      return made_.left(where, "its schedule, people or times are not known");
    if (*end <= made_.now()) return made_.left(where, "it is over");
    add_override(id, *schedule, {*begin, *end}, *to, *from, where);
    for (auto& [kind, part, document] : pending_) made_.add(kind, part, std::move(document));
    pending_.clear();
    waiting_.clear();
  }

  Translation& made_;
  const Collections& from_;
  std::map<std::string, json::Value, std::less<>> shifts_;
  std::map<std::string, bool, std::less<>> used_;
  std::vector<std::string> waiting_;                                        // places of what is pending
  std::vector<std::tuple<std::string, std::string, std::string>> pending_;  // kind, name, document
  std::vector<oncall::Override> overrides_;
  std::vector<std::pair<std::string, oncall::Period>> temporaries_;
};

}  // namespace

void translate_schedules(Translation& made, const Collections& from) { Schedules(made, from).translate(); }

}  // namespace mydr24::imports::detail
