#include "alerting/routing/silence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/core/date_time.h"
#include "base/json/writer.h"

namespace mydr24::routing {
namespace {

constexpr std::size_t windows_max = 32;
constexpr std::size_t ranges_max = 64;

Result<> read_ranges(json::Value list, Result<Range> (*read)(std::string_view), std::vector<Range>& out) {
  if (list.exists() && !list.is_array()) return fail(Code::unprocessable, "ranges of a recurrence are a list");
  for (const auto item : list) {
    if (out.size() == ranges_max) return fail(Code::invalid, "too many ranges in a recurrence");
    MYDR24_ASSIGN(out.emplace_back(), read(item.text()));
  }
  return {};
}

Result<TimeInterval> read_window(json::Value value) {
  TimeInterval window;
  if (!value.is_object()) return fail(Code::unprocessable, "a window of a recurrence is an object");
  for (const auto time : value["times"]) {
    if (window.times.size() == ranges_max) return fail(Code::invalid, "too many times in a recurrence");
    TimeInterval::Times made;
    MYDR24_ASSIGN(made.begin, parse_time_of_day(time["start_time"].text()));
    MYDR24_ASSIGN(made.end, parse_time_of_day(time["end_time"].text()));
    if (made.begin >= made.end) return fail(Code::invalid, "start time cannot be equal or greater than end time");
    window.times.push_back(made);
  }
  MYDR24_TRY(read_ranges(value["weekdays"], parse_weekdays, window.weekdays));
  MYDR24_TRY(read_ranges(value["days_of_month"], parse_days_of_month, window.days_of_month));
  MYDR24_TRY(read_ranges(value["months"], parse_months, window.months));
  MYDR24_TRY(read_ranges(value["years"], parse_years, window.years));
  if (const auto zone = value["location"]; zone.exists()) {
    MYDR24_ASSIGN(window.zone, zone::Zone::find(zone.text()));
  }
  return window;
}

Result<Matcher> read_matcher(json::Value value, Names names) {
  for (const std::string_view name : {"name", "value", "isRegex"})
    if (!value[name].exists()) return fail(Code::unprocessable, fmt::format("matchers.{} in body is required", name));
  const std::string_view name = value["name"].text();
  if (!is_label_name(name, names))
    return fail(Code::invalid, fmt::format("silence invalid: invalid label name {}", go_quoted(name)));
  const bool equal = !value["isEqual"].exists() || value["isEqual"].is_true();
  using Op = Matcher::Op;
  const Op op =
      value["isRegex"].is_true() ? (equal ? Op::matches : Op::not_matches) : (equal ? Op::equal : Op::not_equal);
  auto made = Matcher::make(name, op, value["value"].text());
  if (!made)
    return fail(Code::invalid, fmt::format("silence invalid: invalid regular expression {}", made.error().text));
  return made;
}

void write_members(json::Writer& writer, const Silence& silence) {
  writer.field("id", std::string_view(silence.id)).key("matchers").begin_array();
  for (const Matcher& matcher : silence.matchers) {
    writer.begin_object()
        .field("isEqual", matcher.is_equal())
        .field("isRegex", matcher.is_regex())
        .field("name", std::string_view(matcher.name()))
        .field("value", std::string_view(matcher.value()))
        .end_object();
  }
  writer.end_array()
      .field("comment", std::string_view(silence.comment))
      .field("createdBy", std::string_view(silence.created_by));
  if (!silence.approved_by.empty()) writer.field("approvedBy", std::string_view(silence.approved_by));
  if (!silence.recurrence.empty()) writer.key("recurrence").raw(silence.recurrence);
}

}  // namespace

std::string_view to_string(SilenceState state) {
  constexpr std::array<std::string_view, 3> names{"pending", "active", "expired"};
  return names[static_cast<std::size_t>(state)];
}

SilenceState Silence::state(Instant now) const {
  if (now < starts_at) return SilenceState::pending;
  return now < ends_at ? SilenceState::active : SilenceState::expired;
}

Result<Silence> read_silence(json::Value value, Names names) {
  if (!value.is_object()) return fail(Code::unprocessable, "a silence is an object");
  for (const std::string_view name : {"comment", "createdBy", "endsAt", "matchers", "startsAt"})
    if (!value[name].exists()) return fail(Code::unprocessable, fmt::format("{} in body is required", name));
  Silence silence;
  silence.id = value["id"].text();
  silence.created_by = value["createdBy"].text();
  silence.comment = value["comment"].text();
  silence.approved_by = value["approvedBy"].text();
  MYDR24_ASSIGN(const auto start, read_time(value["startsAt"], "startsAt"));
  MYDR24_ASSIGN(const auto end, read_time(value["endsAt"], "endsAt"));
  silence.starts_at = start.value_or(Instant());
  silence.ends_at = end.value_or(Instant());
  if (!value["matchers"].is_array() || value["matchers"].size() == 0)
    return fail(Code::unprocessable, "matchers in body should have at least 1 items");
  if (value["matchers"].size() > matchers_max) return fail(Code::invalid, "too many matchers");
  for (const auto matcher : value["matchers"]) {
    MYDR24_ASSIGN(Matcher made, read_matcher(matcher, names));
    silence.matchers.push_back(std::move(made));
  }
  if (const auto windows = value["recurrence"]; windows.exists()) {
    if (!windows.is_array() || windows.size() == 0 || windows.size() > windows_max)
      return fail(Code::unprocessable, fmt::format("recurrence is a list of 1 to {} windows", windows_max));
    silence.recurrence = json::compact(windows);
    for (const auto window : windows) {
      MYDR24_ASSIGN(silence.windows.emplace_back(), read_window(window));
    }
  }
  return silence;
}

Result<> check(const Silence& silence, Instant now) {
  const auto matches_empty = [](const Matcher& matcher) { return matcher.matches(std::string_view()); };
  if (std::ranges::all_of(silence.matchers, matches_empty))
    return fail(Code::invalid, "silence invalid: at least one matcher must not match the empty string");
  if (silence.ends_at == silence.starts_at || silence.ends_at < silence.starts_at)
    return fail(Code::invalid, "Failed to create silence: start time must be before end time");
  if (silence.ends_at < now) return fail(Code::invalid, "Failed to create silence: end time can't be in the past");
  // Years have four digits in its row: a later one could not be read again.
  if (silence.ends_at >= Instant(std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1)))
    return fail(Code::invalid, "Failed to create silence: end time is beyond the year 9999");
  return {};
}

std::string shown_json(const Silence& silence, Instant now) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  write_members(writer, silence);
  writer.key("status").begin_object().field("state", to_string(silence.state(now))).end_object();
  writer.field("updatedAt", format_instant(silence.updated_at))
      .field("startsAt", format_instant(silence.starts_at))
      .field("endsAt", format_instant(silence.ends_at))
      .end_object();
  return text;
}

std::string to_json(const Silence& silence) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  write_members(writer, silence);
  writer.field("updatedAt", rfc3339(silence.updated_at))
      .field("startsAt", rfc3339(silence.starts_at))
      .field("endsAt", rfc3339(silence.ends_at))
      .end_object();
  return text;
}

Result<Silence> silence_from_json(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  MYDR24_ASSIGN(Silence silence, read_silence(document.root(), Names::utf8));
  MYDR24_ASSIGN(const auto updated, read_time(document.root()["updatedAt"], "updatedAt"));
  silence.updated_at = updated.value_or(silence.starts_at);
  return silence;
}

std::chrono::milliseconds silence_budget(const Labels& labels) {
  using namespace std::chrono_literals;
  switch (severity_of(labels)) {
    case Severity::emergency:
      return 0ms;
    case Severity::urgent:
      return labels["severity"] == "critical" ? 1h : 4h;
    case Severity::advisory:
      return 24h;
  }
  return 0ms;
}

bool is_broad(const Silence& silence) {
  // A regular expression that takes a word nobody thinks of takes anything.
  static constexpr std::string_view unlikely = "x7q-nobody-calls-it-this";
  return std::ranges::all_of(silence.matchers, [](const Matcher& matcher) { return matcher.matches(unlikely); });
}

}  // namespace mydr24::routing
