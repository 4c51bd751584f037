#pragma once

// What the importers share: names of parts, remarks, rotations as layers. Private to alerting/imports.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/imports/imports.h"
#include "base/json/document.h"
#include "base/json/writer.h"
#include "base/zone/zone.h"

namespace mydr24::imports::detail {

class Translation {
 public:
  explicit Translation(Instant now) : now_(now) {}

  Instant now() const { return now_; }
  void left(std::string where, std::string text) { made_.left.push_back({std::move(where), std::move(text)}); }

  // Gives the thing with that id a name of its own among the parts of its kind, as near to `wanted` as can be.
  const std::string& give_name(std::string_view kind, std::string_view id, std::string_view wanted);
  // Null when that thing was not carried over.
  const std::string* name_of(std::string_view kind, std::string_view id) const;
  // It is not there after all: nothing is to lead to it.
  void forget(std::string_view kind, std::string_view id) { names_.erase(key(kind, id)); }
  void add(std::string_view kind, std::string_view name, std::string document);

  Imported finish() { return std::move(made_); }

 private:
  static std::string key(std::string_view kind, std::string_view id);

  Instant now_;
  Imported made_;
  std::map<std::string, std::string, std::less<>> names_;  // by kind and id
  std::map<std::string, bool, std::less<>> taken_;         // by kind and name
};

// A Monday from which turns of one person are counted.
inline constexpr zone::LocalTime long_ago = std::chrono::local_days(std::chrono::year(2001) / 1 / 1);

// People who take turns in groups.
struct Rotation {
  std::vector<std::vector<std::string>> groups;  // each has somebody
  oncall::Every every = oncall::Every::week;
  int length = 1;
  zone::LocalTime start{};
  std::vector<oncall::Window> windows;
};

// Everybody of the group whose turn it is is on duty. Layers have one person a turn: as many of them as the largest group
// has people.
std::vector<oncall::Layer> layers_of(const Rotation& rotation);

// Turns of `hours` that are counted by the wall clock (ours are counted as they pass): as days, where that can be written;
// `exact` says whether it could.
struct HourlyLayers {
  std::vector<oncall::Layer> layers;
  bool exact = true;
};
HourlyLayers hourly_layers(const std::vector<std::vector<std::string>>& groups, int hours, zone::LocalTime start);

// From `from` for so long, on each of the days; longer than a day is several windows.
std::vector<oncall::Window> windows_of(std::uint8_t days, std::chrono::minutes from, std::chrono::minutes length);
// The same windows by clocks that are `ahead` of theirs.
std::vector<oncall::Window> moved(std::span<const oncall::Window> windows, std::chrono::minutes ahead);

// How far the clocks of `to` are ahead of those of `from`; nothing when that changes within a year after `at`.
std::optional<std::chrono::minutes> clocks_ahead(const zone::Zone& from, const zone::Zone& to, Instant at);

// Does one of these windows begin or end within an hour that clocks repeat, in the year after `at`?
bool touches_repeated_hour(std::span<const oncall::Window> windows, const zone::Zone& zone, Instant at);

void write_layers(json::Writer& out, std::span<const oncall::Layer> layers);

// Members of an object that somebody else wrote.
std::string text_of(json::Value value);                               // of a string or number; else empty
std::int64_t number_of(json::Value value, std::int64_t otherwise);    // whole numbers
std::optional<Instant> instant_of(json::Value value);                 // RFC 3339
std::optional<zone::LocalTime> local_of(std::string_view text);       // 2026-01-05T08:00:00; to the minute
std::optional<std::chrono::minutes> clock_of(std::string_view text);  // 08:00, 08:00:00Z

// An address as a method of a contact, not verified. Code::invalid says why it is none.
Result<std::string> method_of(notify::Kind kind, std::string target, bool disabled);

}  // namespace mydr24::imports::detail
