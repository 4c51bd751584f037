#include "alerting/oncall/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "alerting/oncall/plan.h"
#include "base/core/date_time.h"

namespace mydr24::oncall {
namespace {

constexpr std::array<std::string_view, 7> day_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<std::size_t> day_of(std::string_view word) {
  const auto found = std::ranges::find(day_names, word);
  if (found == day_names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - day_names.begin());
}

// "mon-fri", "sat", "fri-mon"
std::optional<std::uint8_t> days_of(std::string_view part) {
  const std::size_t dash = part.find('-');
  const auto from = day_of(part.substr(0, dash));
  const auto to = dash == part.npos ? from : day_of(part.substr(dash + 1));
  if (!from || !to) return std::nullopt;
  std::uint8_t days = 0;
  for (std::size_t day = *from;; day = (day + 1) % 7) {
    days = static_cast<std::uint8_t>(days | 1U << day);
    if (day == *to) return days;
  }
}

std::optional<int> two_digits(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.size() != 2 || number < 0) return std::nullopt;
  return number;
}

}  // namespace

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && text.front() != ' ' && text.back() != ' ' &&
         std::ranges::none_of(text,
                              [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7f; });
}

Fields::Fields(json::Value object, std::string where, std::optional<Error>& error)
    : object_(object), where_(std::move(where)), error_(error) {
  if (!object_.is_object() && !error_) error_ = fail(Code::invalid, "this must be an object", where_);
}

std::string Fields::path(std::string_view name) const { return fmt::format("{}.{}", where_, name); }

void Fields::refuse(std::string_view name, std::string text, Code code) {
  if (!error_) error_ = fail(code, std::move(text), name.empty() ? where_ : path(name));
}

json::Value Fields::take(std::string_view name) {
  asked_.emplace(name);
  const json::Value value = object_[name];
  return value.is_null() ? json::Value() : value;
}

void Fields::finish() {
  for (const json::Value member : object_)
    if (!asked_.contains(member.key())) return refuse(member.key(), "there is no such field");
}

std::string Fields::text(std::string_view name, std::size_t bytes_max) {
  const json::Value value = take(name);
  if (!value) return {};
  if (!value.is_string()) return refuse(name, "this must be a text"), std::string();
  if (value.text().size() > bytes_max) refuse(name, fmt::format("more than {} bytes", bytes_max), Code::too_large);
  return std::string(value.text());
}

std::string Fields::name(std::string_view name, bool required) {
  std::string found = text(name);
  if (found.empty() ? required : !is_name(found))
    refuse(name, fmt::format("a name is needed: 1 to {} bytes without a slash", name_bytes_max));
  return found;
}

std::int64_t Fields::number(std::string_view name, std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const json::Value value = take(name);
  if (!value) return otherwise;
  std::int64_t number = 0;
  const std::string_view digits = value.text();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (!value.is_number() || error != std::errc() || end != digits.data() + digits.size() || number < least ||
      number > most)
    return refuse(name, fmt::format("this must be a whole number from {} to {}", least, most)), otherwise;
  return number;
}

std::chrono::seconds Fields::seconds(std::string_view name, std::chrono::seconds otherwise, std::chrono::seconds most) {
  return std::chrono::seconds(number(name, otherwise.count(), 0, most.count()));
}

bool Fields::flag(std::string_view name, bool otherwise) {
  const json::Value value = take(name);
  if (!value) return otherwise;
  if (!value.is_boolean()) refuse(name, "this must be true or false");
  return value.is_true();
}

std::optional<Instant> Fields::instant(std::string_view name, bool required) {
  const std::string written = text(name);
  if (written.empty()) {
    if (required) refuse(name, "a time is needed, as 2026-05-10T08:00:00Z");
    return std::nullopt;
  }
  const auto range = parse_date_time(written);
  if (range && range->has_zone) return range->low;
  refuse(name, fmt::format("\"{}\" is no time with a zone; write it as 2026-05-10T08:00:00Z", written));
  return std::nullopt;
}

Period Fields::period() {
  const auto begin = instant("begin", true), end = instant("end", true);
  if (!begin || !end) return {};
  if (*end <= *begin) refuse("end", "the end must be after the beginning");
  return {*begin, *end};
}

zone::Zone Fields::zone(std::string_view name) {
  const std::string written = text(name);
  if (written.empty()) return {};
  const auto found = zone::Zone::find(written);
  if (found) return *found;
  refuse(name, found.error().text);
  return {};
}

zone::LocalTime Fields::local_time(std::string_view name) {
  const std::string written = text(name);
  const auto range = parse_date_time(written.size() == 16 ? written + ":00" : written);
  if (range && !range->has_zone && range->precision >= Precision::second)
    return zone::LocalTime(range->low.time_since_epoch());
  refuse(name, "this must be a time by the wall clock, as 2026-01-05T08:00");
  return {};
}

std::chrono::minutes Fields::clock(std::string_view name, std::chrono::minutes otherwise) {
  const std::string written = text(name);
  if (written.empty()) return otherwise;
  const std::string_view view = written;
  const auto hour = two_digits(view.substr(0, 2));
  const auto minute = view.size() == 5 && view[2] == ':' ? two_digits(view.substr(3)) : std::nullopt;
  if (hour && minute && *minute < 60 && *hour * 60 + *minute <= 24 * 60)
    return std::chrono::minutes(*hour * 60 + *minute);
  refuse(name, "this must be a time of day, from 00:00 to 24:00");
  return otherwise;
}

std::uint8_t Fields::days(std::string_view name) {
  const std::string written = text(name);
  if (written.empty()) return 0x7f;
  std::uint8_t days = 0;
  for (std::string_view rest = written; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const auto part = days_of(rest.substr(0, comma));
    if (!part) return refuse(name, "write days as mon-fri,sun"), days;
    days |= *part;
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
  }
  return days;
}

std::vector<std::string> Fields::names(std::string_view name, std::size_t count_max) {
  const json::Value value = take(name);
  std::vector<std::string> all;
  if (!value) return all;
  if (!value.is_array()) return refuse(name, "this must be a list of names"), all;
  if (value.size() > count_max) return refuse(name, fmt::format("more than {}", count_max), Code::too_large), all;
  for (const json::Value item : value) {
    if (!item.is_string() || !is_name(item.text())) refuse(fmt::format("{}[{}]", name, all.size()), "this is no name");
    all.emplace_back(item.text());
  }
  return all;
}

std::vector<std::string> Fields::texts(std::string_view name, std::size_t count_max, std::size_t bytes_max) {
  const json::Value value = take(name);
  std::vector<std::string> all;
  if (!value) return all;
  if (!value.is_array()) return refuse(name, "this must be a list of texts"), all;
  if (value.size() > count_max) return refuse(name, fmt::format("more than {}", count_max), Code::too_large), all;
  for (const json::Value item : value) {
    if (!item.is_string() || item.text().empty() || item.text().size() > bytes_max)
      refuse(fmt::format("{}[{}]", name, all.size()), fmt::format("this is no text of 1 to {} bytes", bytes_max));
    all.emplace_back(item.text());
  }
  return all;
}

std::size_t Fields::choice(std::string_view name, std::span<const std::string_view> words, std::size_t otherwise) {
  const std::string written = text(name);
  if (written.empty()) return otherwise;
  const auto found = std::ranges::find(words, written);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  refuse(name, fmt::format("\"{}\" is none of: {}", written, fmt::join(words, ", ")));
  return otherwise;
}

std::vector<Fields> Fields::objects(std::string_view name, std::size_t count_max) {
  const json::Value value = take(name);
  std::vector<Fields> all;
  if (!value) return all;
  if (!value.is_array()) return refuse(name, "this must be a list"), all;
  if (value.size() > count_max) return refuse(name, fmt::format("more than {}", count_max), Code::too_large), all;
  for (const json::Value item : value) all.emplace_back(item, fmt::format("{}[{}]", path(name), all.size()), error_);
  return all;
}

std::optional<Fields> Fields::object(std::string_view name) {
  const json::Value value = take(name);
  if (!value) return std::nullopt;
  return std::optional<Fields>(std::in_place, value, path(name), error_);
}

std::vector<std::pair<std::string, std::int64_t>> Fields::numbers() {
  std::vector<std::pair<std::string, std::int64_t>> all;
  for (const json::Value member : object_)
    all.emplace_back(member.key(), number(member.key(), 0, -1, static_cast<std::int64_t>(parts_max)));
  return all;
}

}  // namespace mydr24::oncall
