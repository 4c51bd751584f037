#include "base/zone/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <stdexcept>

namespace mydr24::zone {
namespace {

date::local_time<Microseconds> to_date(LocalTime local) {
  return date::local_time<Microseconds>(local.time_since_epoch());
}

}  // namespace

Zone::Zone() : zone_(date::locate_zone("Etc/UTC")) {}

Result<Zone> Zone::find(std::string_view name) {
  // The library throws for an unknown name, and opens a file of that name: only names of the database's form reach it.
  const bool odd = name.empty() || name.front() == '/' || name.find("..") != name.npos || name.size() > 64;
  if (!odd) {
    try {
      return Zone(date::locate_zone(std::string(name)));
    } catch (const std::runtime_error&) {
    }
  }
  return fail(Code::invalid,
              fmt::format("\"{}\" is no time zone of the IANA database; write one as Europe/Paris", name));
}

std::string_view Zone::name() const { return zone_->name(); }

LocalTime Zone::local(Instant at) const { return LocalTime(zone_->to_local(at).time_since_epoch()); }

Instant Zone::instant(LocalTime local) const {
  const auto info = zone_->get_info(to_date(local));
  if (info.result == date::local_info::nonexistent) return Instant(info.first.end.time_since_epoch());
  return Instant(local.time_since_epoch() - info.first.offset);
}

Instant Zone::last_instant(LocalTime local) const {
  const auto info = zone_->get_info(to_date(local));
  if (info.result != date::local_info::ambiguous) return instant(local);
  return Instant(local.time_since_epoch() - info.second.offset);
}

Instant Zone::next_change(Instant after) const {
  const auto end = zone_->get_info(after).end.time_since_epoch();  // seconds: the last one is beyond microseconds
  constexpr std::chrono::seconds farthest = std::chrono::years(8000);
  return Instant(std::min<std::chrono::seconds>(end, farthest));
}

int Zone::times(LocalTime local) const {
  switch (zone_->get_info(to_date(local)).result) {
    case date::local_info::nonexistent:
      return 0;
    case date::local_info::ambiguous:
      return 2;
    default:
      return 1;
  }
}

}  // namespace mydr24::zone
