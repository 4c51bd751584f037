#include "alerting/imports/detail/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>
#include <utility>

#include "alerting/oncall/fields.h"
#include "base/core/date_time.h"

namespace mydr24::imports::detail {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr minutes whole_day = hours(24);

// At most so many bytes, between two characters.
std::string cut(std::string_view text, std::size_t most) {
  while (most > 0 && most < text.size() && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
  return std::string(text.substr(0, most));
}

std::string allowed(std::string_view wanted, std::string_view id) {
  std::string name;
  for (const char c : wanted) {
    const auto byte = static_cast<unsigned char>(c);
    name += c == '/' ? '-' : byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  name = cut(name, oncall::name_bytes_max);
  while (name.starts_with(' ')) name.erase(0, 1);
  while (name.ends_with(' ')) name.pop_back();
  return oncall::is_name(name) ? name : fmt::format("id {}", cut(id, oncall::name_bytes_max - 3));
}

minutes time_of_day(zone::LocalTime local) {
  return std::chrono::duration_cast<minutes>(local - std::chrono::floor<days>(local));
}

std::uint8_t next_day(std::uint8_t days) { return static_cast<std::uint8_t>((days << 1 | days >> 6) & 0x7f); }
std::uint8_t day_before(std::uint8_t days) { return static_cast<std::uint8_t>((days >> 1 | days << 6) & 0x7f); }

std::string clock_text(minutes time) { return fmt::format("{:02}:{:02}", time.count() / 60, time.count() % 60); }

std::string days_text(std::uint8_t days) {
  constexpr std::string_view names[]{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  std::string text;
  for (std::size_t i = 0; i < 7; ++i)
    if ((days >> i & 1) != 0) text += fmt::format("{}{}", text.empty() ? "" : ",", names[i]);
  return text;
}

std::string local_text(zone::LocalTime local) {
  const auto day = std::chrono::floor<days>(local);
  const std::chrono::year_month_day date(day);
  return fmt::format("{:04}-{:02}-{:02}T{}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock_text(time_of_day(local)));
}

}  // namespace

std::string Translation::key(std::string_view kind, std::string_view id) { return fmt::format("{}/{}", kind, id); }

const std::string& Translation::give_name(std::string_view kind, std::string_view id, std::string_view wanted) {
  std::string name = allowed(wanted, id);
  if (taken_.contains(key(kind, name))) {
    const std::string suffix = fmt::format(" ({})", cut(id, 40));
    name = cut(name, oncall::name_bytes_max - suffix.size()) + suffix;
  }
  taken_[key(kind, name)] = true;
  return names_[key(kind, id)] = name;
}

const std::string* Translation::name_of(std::string_view kind, std::string_view id) const {
  const auto found = names_.find(key(kind, id));
  return found == names_.end() ? nullptr : &found->second;
}

void Translation::add(std::string_view kind, std::string_view name, std::string document) {
  made_.parts[key(kind, name)] = std::move(document);
}

std::vector<oncall::Layer> layers_of(const Rotation& rotation) {
  std::size_t largest = 0;
  for (const auto& group : rotation.groups) largest = std::max(largest, group.size());
  std::vector<oncall::Layer> layers(largest);
  for (std::size_t slot = 0; slot < largest; ++slot) {
    oncall::Layer& layer = layers[slot];
    layer.every = rotation.every;
    layer.length = rotation.length;
    layer.start = rotation.start;
    layer.windows = rotation.windows;
    // Who is named by two layers is on duty once.
    for (const auto& group : rotation.groups) layer.members.push_back(group[slot < group.size() ? slot : 0]);
  }
  return layers;
}

HourlyLayers hourly_layers(const std::vector<std::vector<std::string>>& groups, int length, zone::LocalTime start) {
  HourlyLayers made;
  if (length % 24 == 0) {
    made.layers = layers_of({.groups = groups, .every = oncall::Every::day, .length = length / 24, .start = start});
    return made;
  }
  std::size_t largest = 1;
  for (const auto& group : groups) largest = std::max(largest, group.size());
  const std::size_t turns = 24 % length == 0 ? 24 / static_cast<std::size_t>(length) : 0;
  if (turns == 0 || turns * largest > oncall::layers_max) {
    made.layers = layers_of({.groups = groups, .every = oncall::Every::hour, .length = length, .start = start});
    made.exact = false;
    return made;
  }
  // The first turn of each day is one rotation by days, the second another, and so on.
  const std::size_t period = groups.size() / std::gcd(groups.size(), turns);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    const zone::LocalTime begin = start + hours(length * static_cast<int>(turn));
    Rotation rotation{.every = oncall::Every::day, .start = begin};
    for (std::size_t day = 0; day < period; ++day)
      rotation.groups.push_back(groups[(turn + turns * day) % groups.size()]);
    rotation.windows = windows_of(0x7f, time_of_day(begin), hours(length));
    std::ranges::move(layers_of(rotation), std::back_inserter(made.layers));
  }
  return made;
}

std::vector<oncall::Window> windows_of(std::uint8_t on, minutes from, minutes length) {
  std::vector<oncall::Window> windows;
  for (; length > minutes(0); length -= whole_day) {
    const minutes to = (from + std::min(length, whole_day)) % whole_day;
    windows.push_back({.days = on, .from = from, .to = to == minutes(0) ? whole_day : to});
    if (windows.size() > 7) break;
    on = next_day(on);
  }
  return windows;
}

std::vector<oncall::Window> moved(std::span<const oncall::Window> windows, minutes ahead) {
  std::vector<oncall::Window> made;
  for (oncall::Window window : windows) {
    minutes length = window.to - window.from;
    if (length <= minutes(0)) length += whole_day;
    window.from += ahead;
    for (; window.from < minutes(0); window.from += whole_day) window.days = day_before(window.days);
    for (; window.from >= whole_day; window.from -= whole_day) window.days = next_day(window.days);
    window.to = (window.from + length) % whole_day;
    if (window.to == minutes(0)) window.to = whole_day;
    made.push_back(window);
  }
  return made;
}

std::optional<minutes> clocks_ahead(const zone::Zone& from, const zone::Zone& to, Instant at) {
  const auto difference = [&](Instant when) {
    return std::chrono::duration_cast<minutes>(to.local(when) - from.local(when));
  };
  const minutes now = difference(at);
  const Instant until = at + days(400);
  for (const zone::Zone* zone : {&from, &to})
    for (Instant change = zone->next_change(at); change < until; change = zone->next_change(change))
      if (difference(change) != now) return std::nullopt;
  return now;
}

bool touches_repeated_hour(std::span<const oncall::Window> windows, const zone::Zone& zone, Instant at) {
  const Instant until = at + days(400);
  for (Instant change = zone.next_change(at); change < until; change = zone.next_change(change)) {
    const zone::LocalTime before = zone.local(change - Microseconds(1)), after = zone.local(change);
    if (after > before) continue;
    // Between `after` and `before` the clocks show everything twice.
    const auto repeated = [&](minutes edge, bool begins) {
      const zone::LocalTime local = std::chrono::floor<days>(after) + edge;
      return begins ? after < local && local <= before : after <= local && local <= before;
    };
    for (const oncall::Window& window : windows) {
      const bool is_always = window.days == 0x7f && (window.from == window.to || window.to - window.from == whole_day);
      if (!is_always && (repeated(window.from, true) || repeated(window.to % whole_day, false))) return true;
    }
  }
  return false;
}

void write_layers(json::Writer& out, std::span<const oncall::Layer> layers) {
  out.begin_array();
  for (const oncall::Layer& layer : layers) {
    out.begin_object();
    if (!layer.name.empty()) out.field("name", std::string_view(cut(layer.name, 500)));
    out.key("members").begin_array();
    for (const std::string& member : layer.members) out.string(member);
    out.end_array().field("every", to_string(layer.every)).field("length", layer.length);
    out.field("start", std::string_view(local_text(layer.start)));
    if (!layer.windows.empty()) {
      out.key("windows").begin_array();
      for (const oncall::Window& window : layer.windows) {
        out.begin_object();
        if (window.days != 0x7f) out.field("days", std::string_view(days_text(window.days)));
        out.field("from", std::string_view(clock_text(window.from)));
        out.field("to", std::string_view(clock_text(window.to))).end_object();
      }
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

std::string text_of(json::Value value) {
  return value.is_string() || value.is_number() ? std::string(value.text()) : std::string();
}

std::int64_t number_of(json::Value value, std::int64_t otherwise) {
  const std::string_view digits = value.text();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return value.is_number() && error == std::errc() && end == digits.data() + digits.size() ? number : otherwise;
}

std::optional<Instant> instant_of(json::Value value) {
  const auto range = value.is_string() ? parse_date_time(value.text()) : std::nullopt;
  return range && range->has_zone ? std::optional(range->low) : std::nullopt;
}

std::optional<zone::LocalTime> local_of(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto range = parse_date_time(text);
  if (!range || range->has_zone || range->precision < Precision::minute) return std::nullopt;
  return zone::LocalTime(std::chrono::floor<minutes>(range->low.time_since_epoch()));
}

std::optional<minutes> clock_of(std::string_view text) {
  const auto number = [&](std::size_t at) {
    int value = -1;
    if (text.size() >= at + 2) std::from_chars(text.data() + at, text.data() + at + 2, value);
    return value;
  };
  const int hour = number(0), minute = number(3);
  if (text.size() < 5 || text[2] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59) return std::nullopt;
  return minutes(hour * 60 + minute);
}

Result<std::string> method_of(notify::Kind kind, std::string target, bool disabled) {
  MYDR24_TRY(notify::check_address({.kind = kind, .target = target}));
  std::string text;
  json::Writer out(text);
  out.begin_object().field("kind", notify::to_string(kind)).field("target", std::string_view(target));
  out.field("verified", false);
  if (disabled) out.field("disabled", true);
  out.end_object();
  return text;
}

}  // namespace mydr24::imports::detail

namespace mydr24::imports {
namespace {

// kind and target
using Addresses = std::set<std::pair<std::string, std::string>>;

void write_contact(json::Writer& out, json::Value contact, const Addresses& verified) {
  out.begin_object();
  for (const json::Value member : contact) {
    if (member.key() != "methods") {
      out.key(member.key()).raw(member.raw());
      continue;
    }
    out.key("methods").begin_array();
    for (const json::Value method : member) {
      const bool known = verified.contains({std::string(method["kind"].text()), std::string(method["target"].text())});
      out.begin_object();
      for (const json::Value field : method) {
        if (known && field.key() == "verified")
          out.field("verified", true);
        else
          out.key(field.key()).raw(field.raw());
      }
      out.end_object();
    }
    out.end_array();
  }
  out.end_object();
}

}  // namespace

void keep_verified(oncall::Documents& parts, const oncall::Documents& present) {
  for (auto& [key, text] : parts) {
    const auto before = key.starts_with("contact/") ? present.find(key) : present.end();
    if (before == present.end()) continue;
    const auto now = json::Document::parse_view(text), then = json::Document::parse_view(before->second);
    if (!now || !then) continue;
    Addresses verified;
    for (const json::Value method : then->root()["methods"])
      if (method["verified"].is_true()) verified.emplace(method["kind"].text(), method["target"].text());
    std::string made;
    json::Writer out(made);
    write_contact(out, now->root(), verified);
    text = std::move(made);
  }
}

}  // namespace mydr24::imports
