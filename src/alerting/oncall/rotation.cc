// Turns of a layer.

#include <algorithm>
#include <array>

#include "alerting/oncall/schedule.h"

namespace mydr24::oncall {
namespace {

using std::chrono::days;
using LocalDays = std::chrono::local_days;

LocalDays day_of(zone::LocalTime local) { return std::chrono::floor<days>(local); }

// When turn n begins.
Instant hand_over(const Layer& layer, const zone::Zone& zone, std::int64_t n) {
  const std::int64_t units = n * layer.length;
  switch (layer.every) {
    case Every::hour:
      return zone.instant(layer.start) + std::chrono::hours(units);
    case Every::day:
      return zone.instant(layer.start + days(units));
    case Every::week:
      return zone.instant(layer.start + days(7 * units));
    case Every::month:
      break;
  }
  const LocalDays first = day_of(layer.start);
  const std::chrono::year_month_day date(first);
  const auto month = std::chrono::year_month(date.year(), date.month()) + std::chrono::months(units);
  const auto last = std::chrono::year_month_day_last(month.year(), std::chrono::month_day_last(month.month()));
  const auto day = std::chrono::year_month_day(month.year(), month.month(), std::min(date.day(), last.day()));
  return zone.instant(LocalDays(day) + (layer.start - first));
}

// Near the turn that `at` is in.
std::int64_t estimate(const Layer& layer, const zone::Zone& zone, Instant at) {
  const auto passed = zone.local(at) - layer.start;
  switch (layer.every) {
    case Every::hour:
      return std::chrono::floor<std::chrono::hours>(at - zone.instant(layer.start)).count() / layer.length;
    case Every::day:
      return std::chrono::floor<days>(passed).count() / layer.length;
    case Every::week:
      return std::chrono::floor<days>(passed).count() / 7 / layer.length;
    case Every::month:
      break;
  }
  const std::chrono::year_month_day from(day_of(layer.start)), to(day_of(zone.local(at)));
  const int months = (static_cast<int>(to.year()) - static_cast<int>(from.year())) * 12 +
                     static_cast<int>(static_cast<unsigned>(to.month())) -
                     static_cast<int>(static_cast<unsigned>(from.month()));
  return months / layer.length;
}

}  // namespace

std::string_view to_string(Every every) {
  constexpr std::array<std::string_view, 4> names{"hour", "day", "week", "month"};
  return names[static_cast<std::size_t>(every)];
}

std::optional<Turn> turn_at(const Layer& layer, const zone::Zone& zone, Instant at) {
  if (layer.members.empty() || layer.length < 1 || at < hand_over(layer, zone, 0)) return std::nullopt;
  std::int64_t n = std::max<std::int64_t>(0, estimate(layer, zone, at));
  Instant begin = hand_over(layer, zone, n);
  while (begin > at) begin = hand_over(layer, zone, --n);
  Instant end = hand_over(layer, zone, n + 1);
  while (end <= at) {
    begin = end;
    end = hand_over(layer, zone, ++n + 1);
  }
  const std::size_t place = static_cast<std::size_t>(n) % layer.members.size();
  return Turn{n, {begin, end}, layer.members[place]};
}

Layer without_member(const Layer& layer, const zone::Zone& zone, std::string_view who, Instant at) {
  Layer changed = layer;
  const std::optional<Turn> turn = turn_at(layer, zone, at);
  std::erase(changed.members, who);
  if (!turn || changed.members.empty()) return changed;
  // The turns keep their numbers; the members are turned until the heir of the one that runs has its number.
  const std::size_t size = changed.members.size();
  const auto number = static_cast<std::size_t>(turn->number);
  const auto stays = std::ranges::find(changed.members, turn->who);
  const std::size_t heir = stays != changed.members.end() ? static_cast<std::size_t>(stays - changed.members.begin())
                                                          : number % layer.members.size() % size;
  const std::size_t shift = (heir + size - number % size) % size;
  std::ranges::rotate(changed.members, changed.members.begin() + static_cast<std::ptrdiff_t>(shift));
  return changed;
}

}  // namespace mydr24::oncall
